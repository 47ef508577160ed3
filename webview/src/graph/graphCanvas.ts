// <preflexor-graph-canvas>: the drawn graph. The mouse moves, zooms and chooses; the keyboard walks from node to node along
// links, and each node it comes to is spoken. Which node is selected is its owner's.
import { LitElement, css, html, type PropertyValues, type TemplateResult } from 'lit';
import type { GraphSelection } from '../../../server/src/protocol/index.ts';
import { onThemeChange, themeColours, type ThemeColours } from '../shared/themeColours.ts';
import { drawGraph, fitted, nodeAt, type Camera } from './drawing.ts';
import { Layout } from './layout.ts';
import { nodeWords } from './words.ts';

export class SelectEvent extends Event {
  /** null: nothing is selected any more. */
  readonly node: string | null;
  /** Its surroundings are wanted too. */
  readonly around: boolean;

  constructor(node: string | null, around: boolean) {
    super('preflexor-select', { bubbles: true, composed: true });
    this.node = node;
    this.around = around;
  }
}

const nearest = 0.05;
const closest = 8;

export class GraphCanvas extends LitElement {
  static override readonly properties = {
    graph: { attribute: false },
    selected: { attribute: false },
    spoken: { state: true },
  };

  declare graph: GraphSelection | null;
  declare selected: string | null;
  declare spoken: string;

  #layout: Layout | null = null;
  #camera: Camera = { scale: 1, left: 0, top: 0 };
  /** The writer has moved it: it no longer fits itself into the view. */
  #moved = false;
  #pointed: string | null = null;
  #neighbours: ReadonlySet<string> = new Set();
  #found: ReadonlySet<string> = new Set();
  #dragging: { x: number; y: number; far: boolean } | null = null;
  #frame: number | null = null;
  #colours: ThemeColours = themeColours();
  #ends: (() => void)[] = [];

  constructor() {
    super();
    this.graph = null;
    this.selected = null;
    this.spoken = '';
  }

  static override readonly styles = css`
    :host {
      display: block;
      min-height: 0;
      min-width: 0;
      position: relative;
    }
    .place {
      inset: 0;
      overflow: hidden;
      position: absolute;
    }
    .place:focus-visible {
      outline: 1px solid var(--vscode-focusBorder);
      outline-offset: -1px;
    }
    canvas {
      cursor: grab;
      display: block;
      height: 100%;
      touch-action: none;
      width: 100%;
    }
    .spoken {
      clip-path: inset(50%);
      height: 1px;
      overflow: hidden;
      position: absolute;
      white-space: nowrap;
      width: 1px;
    }
  `;

  /** Whether places are still being worked out. */
  get isSettled(): boolean {
    return this.#layout?.isSettled ?? true;
  }

  /** Where a node is on the page; null: it is not drawn. */
  placeOf(node: string): { readonly x: number; readonly y: number } | null {
    const placed = this.#layout?.byId.get(node);
    const box = this.#canvas?.getBoundingClientRect();
    if (!placed || !box) return null;
    const { scale, left, top } = this.#camera;
    return { x: box.left + placed.x * scale + left, y: box.top + placed.y * scale + top };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const observer = new ResizeObserver(() => {
      this.#draw();
    });
    observer.observe(this);
    this.#ends = [
      () => {
        observer.disconnect();
      },
      onThemeChange(() => {
        this.#colours = themeColours();
        this.#draw();
      }),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.#ends) end();
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  protected override firstUpdated(): void {
    // Not by a template: the page itself must not scroll.
    this.#canvas?.addEventListener('wheel', this.#wheeled, { passive: false });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('graph')) {
      this.#layout = this.graph ? new Layout(this.graph, this.#layout) : null;
      this.#found = new Set(this.graph?.found);
      this.#moved = false;
      this.#pointed = null;
    }
    if (changed.has('graph') || changed.has('selected')) {
      this.#neighbours = new Set(this.#linkedWith(this.selected));
      this.#pointed = null;
    }
  }

  protected override updated(): void {
    this.#draw();
  }

  protected override render(): TemplateResult {
    const count = this.graph?.nodes.length ?? 0;
    return html`<div
        class="place"
        role="application"
        tabindex="0"
        aria-roledescription="graph"
        aria-label=${`Knowledge graph, ${count.toLocaleString('en')} nodes. Arrow keys go along the links of the selected node, Enter selects, Space shows its surroundings.`}
        @keydown=${this.#pressed}
      >
        <canvas
          @pointerdown=${this.#down}
          @pointermove=${this.#over}
          @pointerup=${this.#up}
          @dblclick=${this.#twice}
        ></canvas>
      </div>
      <div class="spoken" role="status" aria-live="polite">${this.spoken}</div>`;
  }

  #draw(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#picture();
    });
  }

  #picture(): void {
    const layout = this.#layout;
    const canvas = this.#canvas;
    const context = canvas?.getContext('2d');
    if (!canvas || !context) return;
    const goesOn = layout?.work() ?? false;
    const { width, height } = this.getBoundingClientRect();
    const sharpness = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * sharpness), Math.round(height * sharpness)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    if (!layout) {
      context.clearRect(0, 0, wide, high);
      return;
    }
    // Who wants no motion sees it when it has come to rest.
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (!this.#moved) this.#camera = fitted(layout, width, height);
    if (!goesOn || !isStill) {
      const marked = {
        ...{ selected: this.selected, pointed: this.#pointed },
        ...{ found: this.#found, neighbours: this.#neighbours },
      };
      drawGraph(context, layout, this.#camera, marked, this.#colours, { width, height, sharpness });
    }
    if (goesOn) this.#draw();
  }

  #linkedWith(id: string | null): string[] {
    const ends = (this.graph?.edges ?? []).flatMap(({ from, to }) =>
      from === id ? [to] : to === id ? [from] : [],
    );
    return [...new Set(ends)];
  }

  readonly #wheeled = (event: WheelEvent): void => {
    event.preventDefault();
    this.#zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
  };

  #zoom(factor: number, x: number, y: number): void {
    const { scale, left, top } = this.#camera;
    const wanted = Math.min(closest, Math.max(nearest, scale * factor));
    const by = wanted / scale;
    this.#camera = { scale: wanted, left: x - (x - left) * by, top: y - (y - top) * by };
    this.#moved = true;
    this.#draw();
  }

  readonly #down = (event: PointerEvent): void => {
    this.#dragging = { x: event.offsetX, y: event.offsetY, far: false };
    this.#canvas?.setPointerCapture(event.pointerId);
  };

  readonly #over = (event: PointerEvent): void => {
    const drag = this.#dragging;
    if (drag) {
      const [x, y] = [event.offsetX - drag.x, event.offsetY - drag.y];
      if (!drag.far && Math.hypot(x, y) < 4) return;
      const { scale, left, top } = this.#camera;
      this.#camera = { scale, left: left + x, top: top + y };
      this.#dragging = { x: event.offsetX, y: event.offsetY, far: true };
      this.#moved = true;
      this.#draw();
      return;
    }
    const under = this.#under(event);
    if (under === this.#pointed) return;
    this.#pointed = under;
    this.#draw();
  };

  readonly #up = (event: PointerEvent): void => {
    const wasDragged = this.#dragging?.far ?? false;
    this.#dragging = null;
    if (!wasDragged) this.#select(this.#under(event), false);
  };

  readonly #twice = (event: MouseEvent): void => {
    const under = this.#under(event);
    if (under !== null) this.#select(under, true);
  };

  #under({ offsetX, offsetY }: MouseEvent): string | null {
    return this.#layout ? (nodeAt(this.#layout, this.#camera, offsetX, offsetY)?.node.id ?? null) : null;
  }

  #select(node: string | null, around: boolean): void {
    this.dispatchEvent(new SelectEvent(node, around));
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = this.getBoundingClientRect();
    switch (event.key) {
      case 'ArrowRight':
      case 'ArrowDown':
        this.#step(1);
        break;
      case 'ArrowLeft':
      case 'ArrowUp':
        this.#step(-1);
        break;
      case 'Enter':
        if (this.#pointed !== null) this.#select(this.#pointed, false);
        break;
      case ' ':
        if (this.#pointed ?? this.selected) this.#select(this.#pointed ?? this.selected, true);
        break;
      case 'Escape':
        this.#select(null, false);
        break;
      case '+':
      case '=':
        this.#zoom(1.4, width / 2, height / 2);
        break;
      case '-':
        this.#zoom(1 / 1.4, width / 2, height / 2);
        break;
      case '0':
        this.#moved = false;
        this.#draw();
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  /** To the next of what the selected node is linked with; with none selected, of all nodes. */
  #step(by: number): void {
    const nodes = this.graph?.nodes ?? [];
    const linked = [...this.#neighbours];
    const among = linked.length > 0 ? linked : nodes.map(({ id }) => id);
    if (among.length === 0) return;
    const at = this.#pointed === null ? (by > 0 ? -1 : 0) : among.indexOf(this.#pointed);
    const place = (at + by + among.length) % among.length;
    this.#pointed = among[place] ?? null;
    const node = nodes.find(({ id }) => id === this.#pointed);
    if (node) this.spoken = `${nodeWords(node)}. ${place + 1} of ${among.length}`;
    this.#draw();
  }

  get #canvas(): HTMLCanvasElement | null {
    return this.renderRoot.querySelector('canvas');
  }
}

customElements.define('preflexor-graph-canvas', GraphCanvas);

declare global {
  interface HTMLElementTagNameMap {
    'preflexor-graph-canvas': GraphCanvas;
  }
}
