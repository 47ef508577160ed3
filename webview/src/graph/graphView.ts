// <preflexor-graph>: the Graph view. It keeps what was asked for and what is selected; the graph is the server's, and
// only the part that was asked for is here.
import '@vscode-elements/elements/dist/vscode-button/index.js';
import { LitElement, html, svg, type TemplateResult } from 'lit';
import { z } from 'zod';
import {
  GraphWish,
  mostGraphNodes,
  type EvidencePlace,
  type GraphFromView,
  type GraphNode,
  type GraphSelection,
  type GraphToView,
} from '../../../server/src/protocol/index.ts';
import type { Host } from '../shared/host.ts';
import { detailsTemplate } from './details.ts';
import './graphCanvas.ts';
import type { SelectEvent } from './graphCanvas.ts';
import { styles } from './styles.ts';
import { countWords, kindNames, kinds, nodeWords } from './words.ts';

const typingPauseMs = 200;
const limits = [100, 300, 1000, mostGraphNodes] as const;
const mostHits = 200;

const SavedState = z.object({ wish: GraphWish, follows: z.boolean() });

export class GraphView extends LitElement {
  static override readonly styles = styles;
  static override readonly properties = {
    graph: { state: true },
    wish: { state: true },
    follows: { state: true },
    selected: { state: true },
    places: { state: true },
    status: { state: true },
  };

  declare graph: GraphSelection | null;
  declare wish: GraphWish;
  /** It shows what is near the paragraph under the cursor. */
  declare follows: boolean;
  declare selected: string | null;
  declare places: readonly EvidencePlace[] | null;
  declare status: string;

  readonly #host: Host<GraphToView, GraphFromView>;
  #query = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host<GraphToView, GraphFromView>) {
    super();
    this.#host = host;
    this.graph = null;
    this.wish = { limit: 300 };
    this.follows = false;
    this.selected = null;
    this.places = null;
    this.status = '';
    const saved = SavedState.safeParse(host.savedState());
    if (saved.success) ({ wish: this.wish, follows: this.follows } = saved.data);
    host.onMessage((message) => {
      this.#receive(message);
    });
    host.send({ type: 'ready' });
    this.#ask();
  }

  protected override render(): TemplateResult {
    const { graph, selected } = this;
    const node = graph?.nodes.find(({ id }) => id === selected);
    return html`
      ${this.#toolbar()}
      <div class="both">
        <preflexor-graph-canvas
          .graph=${graph}
          .selected=${selected}
          @preflexor-select=${({ node: id, around }: SelectEvent) => {
            this.#select(id);
            if (id !== null && around) this.#around(id);
          }}
        ></preflexor-graph-canvas>
        <aside tabindex="-1" aria-label="Details">
          ${
            graph && node
              ? detailsTemplate(node, graph, this.places, {
                  select: (id) => {
                    this.#select(id);
                  },
                  around: (id) => {
                    this.#around(id);
                  },
                  openPlace: (place) => {
                    this.#host.send({ type: 'didPressPlace', node: node.id, place });
                  },
                })
              : this.#hits()
          }
        </aside>
      </div>
      <footer class="status">
        <span role="status" aria-live="polite"
          >${this.status || (graph === null ? 'Reading the graph…' : countWords(graph))}</span
        >
      </footer>
    `;
  }

  #toolbar(): TemplateResult {
    const { wish, graph } = this;
    return html`<header class="toolbar">
      <input
        type="search"
        aria-label="Search"
        placeholder="Search"
        .value=${wish.text ?? ''}
        @input=${(event: Event) => {
          if (event.target instanceof HTMLInputElement) this.#search(event.target.value);
        }}
      />
      <select
        aria-label="Note"
        @change=${(event: Event) => {
          if (!(event.target instanceof HTMLSelectElement)) return;
          const { note: _, ...rest } = this.wish;
          this.#wants(event.target.value === '' ? rest : { ...rest, note: event.target.value });
        }}
      >
        <option value="">All notes</option>
        ${(graph?.notes ?? []).map(
          (note) => html`<option value=${note} ?selected=${note === wish.note}>${note}</option>`,
        )}
      </select>
      <fieldset>
        <legend>Kinds</legend>
        ${kinds.map((kind, place) => this.#kindTemplate(kind, place))}
      </fieldset>
      <select
        aria-label="At most"
        @change=${(event: Event) => {
          if (event.target instanceof HTMLSelectElement)
            this.#wants({ ...this.wish, limit: Number(event.target.value) });
        }}
      >
        ${limits.map(
          (limit) =>
            html`<option value=${limit} ?selected=${limit === wish.limit}>
              at most ${limit.toLocaleString('en')}
            </option>`,
        )}
      </select>
      <label
        ><input
          type="checkbox"
          .checked=${this.follows}
          @change=${(event: Event) => {
            if (!(event.target instanceof HTMLInputElement)) return;
            this.follows = event.target.checked;
            const { near: _, text: __, ...rest } = this.wish;
            this.#wants(rest);
          }}
        />Around the cursor's paragraph</label
      >
      <vscode-button
        secondary
        @click=${() => {
          this.follows = false;
          this.#wants({ limit: this.wish.limit });
        }}
        >Show What Is Linked Most</vscode-button
      >
    </header>`;
  }

  #kindTemplate(kind: GraphNode['kind'], place: number): TemplateResult {
    const wanted = this.wish.kinds ?? kinds;
    return html`<label
      ><input
        type="checkbox"
        .checked=${wanted.includes(kind)}
        @change=${(event: Event) => {
          if (!(event.target instanceof HTMLInputElement)) return;
          const { checked } = event.target;
          const { kinds: _, ...rest } = this.wish;
          const left = kinds.filter((one) => (one === kind ? checked : wanted.includes(one)));
          this.#wants(left.length === kinds.length ? rest : { ...rest, kinds: left });
        }}
      /><svg class="dot colour-${place}" viewBox="0 0 10 10" aria-hidden="true">
        ${svg`<circle cx="5" cy="5" r="5" />`}
      </svg>
      ${kindNames[kind]}</label
    >`;
  }

  /** What was found, or what is linked most: the graph as a list. */
  #hits(): TemplateResult {
    const { graph } = this;
    if (!graph) return html``;
    const found = new Set(graph.found);
    const listed = found.size > 0 ? graph.nodes.filter(({ id }) => found.has(id)) : graph.nodes;
    return html`<h2>${found.size > 0 ? 'Found' : 'Linked most'}</h2>
      <ul>
        ${listed.slice(0, mostHits).map(
          (node) =>
            html`<li>
              <button
                type="button"
                class="link"
                @click=${() => {
                  this.#select(node.id);
                }}
              >
                ${nodeWords(node)}
              </button>
            </li>`,
        )}
      </ul>`;
  }

  #receive(message: GraphToView): void {
    switch (message.type) {
      case 'graph':
        if (message.query !== this.#query) return;
        this.graph = message.graph;
        this.status = '';
        if (!message.graph.nodes.some(({ id }) => id === this.selected)) this.selected = null;
        return;
      case 'evidence':
        if (message.node === this.selected) this.places = message.places;
        return;
      case 'cursor':
        if (this.follows) this.#ask();
        return;
      case 'said':
        this.status = message.message;
    }
  }

  #select(node: string | null): void {
    this.selected = node;
    this.places = null;
    if (node !== null) this.#host.send({ type: 'didAskEvidence', node });
  }

  #around(node: string): void {
    this.follows = false;
    const { text: _, note: __, ...rest } = this.wish;
    this.#wants({ ...rest, near: [node], depth: 2 });
  }

  #search(text: string): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      const { text: _, near: __, depth: ___, ...rest } = this.wish;
      this.follows = false;
      this.selected = null;
      this.#wants(text.trim() === '' ? rest : { ...rest, text: text.trim() });
    }, typingPauseMs);
  }

  #wants(wish: GraphWish): void {
    this.wish = wish;
    this.#host.saveState({ wish, follows: this.follows } satisfies z.input<typeof SavedState>);
    this.#ask();
  }

  #ask(): void {
    this.#query += 1;
    this.#host.send({ type: 'didAsk', query: this.#query, wish: this.wish, aroundCursor: this.follows });
  }
}

customElements.define('preflexor-graph', GraphView);
