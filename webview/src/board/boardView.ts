// <preflexor-board>: the curation board. It keeps the query, the focus and the marks, and what the writer is typing;
// the pairs and all that is done to them are the server's. Every key press ends in one message or one drawing.
import '@vscode-elements/elements/dist/vscode-button/index.js';
import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { z } from 'zod';
import {
  PairFilter,
  PairOrder,
  type BoardFromView,
  type BoardToView,
  type CurationAction,
} from '../../../server/src/protocol/index.ts';
import type { Host } from '../shared/host.ts';
import {
  asking,
  askingAgain,
  choiceOf,
  couplingOf,
  focusedRow,
  markedCount,
  missingPages,
  nothingYet,
  pageSize,
  withAllMarked,
  withDetail,
  withFocus,
  withMark,
  withPage,
  type BoardState,
} from './boardState.ts';
import { keyOf, type BoardKey } from './keys.ts';
import { drawnRows, listTemplate, rowHeight, type ListPlace } from './list.ts';
import { pairTemplate, type PairSurroundings, type Typing } from './pairView.ts';
import { styles } from './styles.ts';
import { toolbarTemplate } from './toolbar.ts';
import { doneWords, keyWords } from './words.ts';

/** So long after the last letter the list is searched, and after the last move the pair is asked for. */
const typingPauseMs = 150;
const movePauseMs = 40;
const strengthStep = 0.1;

const SavedState = z.object({ filter: PairFilter, order: PairOrder, asOne: z.boolean() });

export class BoardView extends LitElement {
  static override readonly styles = styles;
  static override readonly properties = {
    state: { state: true },
    place: { state: true },
    typing: { state: true },
    asOne: { state: true },
    help: { state: true },
    status: { state: true },
    searched: { state: true },
    byMeaning: { state: true },
  };

  declare state: BoardState;
  declare place: ListPlace;
  declare typing: Typing | null;
  declare asOne: boolean;
  declare help: boolean;
  /** What happened last, in words. */
  declare status: string;
  declare searched: string;
  declare byMeaning: boolean;

  readonly #host: Host<BoardToView, BoardFromView>;
  readonly #toggled = new Map<string, boolean>();
  /** Pages that were asked for and have not come. */
  readonly #asked = new Set<string>();
  #derive = true;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #movePause: ReturnType<typeof setTimeout> | undefined;
  #wanted: string | null = null;
  #focusField = false;

  constructor(host: Host<BoardToView, BoardFromView>) {
    super();
    this.#host = host;
    this.state = nothingYet;
    this.place = { scrollTop: 0, height: 600 };
    this.typing = null;
    this.asOne = false;
    this.help = false;
    this.status = '';
    this.searched = '';
    this.byMeaning = false;
    this.#readSaved();
    host.onMessage((message) => {
      this.#receive(message);
    });
    addEventListener('keydown', this.#pressed);
    host.send({ type: 'ready' });
  }

  protected override firstUpdated(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    new ResizeObserver(() => {
      this.#look();
    }).observe(scroller);
    scroller.addEventListener('scroll', () => {
      this.#look();
    });
    scroller.focus();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('state') || changed.has('place')) this.#askForPages();
    if (changed.has('state')) this.#askForPair();
    const field = this.renderRoot.querySelector<HTMLElement>('.field');
    if (this.#focusField && field) {
      this.#focusField = false;
      field.focus();
    }
  }

  protected override render(): TemplateResult {
    const { state } = this;
    const detail = state.detail;
    const remarks = state.head?.remarks ?? [];
    const problem = state.head?.searchProblem ?? null;
    return html`
      ${toolbarTemplate(
        state,
        { text: this.searched, byMeaning: this.byMeaning },
        {
          ask: (filter, order) => {
            this.#ask(filter, order);
          },
          type: (text) => {
            this.#search(text);
          },
          toggleMeaning: () => {
            this.byMeaning = !this.byMeaning;
            this.#search(this.searched);
          },
          undo: () => {
            this.#do('undo');
          },
          refresh: () => {
            this.#do('refresh');
          },
          help: () => {
            this.#do('help');
          },
        },
      )}
      ${[...(problem === null ? [] : [problem]), ...remarks].map(
        (remark) => html`<p class="remark"><vscode-icon name="info"></vscode-icon>${remark}</p>`,
      )}
      ${this.#markedBar()}
      <div class="both">
        ${listTemplate(state, this.place, {
          focus: (index) => {
            this.#moveTo(index);
          },
          mark: (pair) => {
            this.state = withMark(this.state, pair);
          },
        })}
        <main class="pair" tabindex="-1">
          ${
            detail && state.head?.matching !== 0
              ? pairTemplate(detail, this.#surroundings())
              : html`<p class="empty">${this.#emptyWords()}</p>`
          }
        </main>
      </div>
      <footer class="status" role="status" aria-live="polite">
        <span>${this.status}</span>
        <span class="hint">${state.head?.checking === true ? 'Checking…' : '? shows the keys'}</span>
      </footer>
      ${this.help ? this.#helpTemplate() : nothing}
    `;
  }

  #emptyWords(): string {
    const { head } = this.state;
    if (head === null) return 'Deriving the pairs from your decisions…';
    if (head.counts.all === 0) {
      return 'No pairs yet. They come of what you accept, edit, reject and pick; or import some with “preflexor pairs import”.';
    }
    return head.matching === 0 ? 'No pair fits.' : '';
  }

  #markedBar(): TemplateResult | typeof nothing {
    const count = markedCount(this.state);
    if (count === 0) return nothing;
    const button = (label: string, key: BoardKey): TemplateResult =>
      html`<vscode-button
        secondary
        @click=${() => {
          this.#do(key);
        }}
        >${label}</vscode-button
      >`;
    return html`<div class="marked-bar" role="toolbar" aria-label="Marked pairs">
      <span>${count.toLocaleString('en')} marked</span>
      ${button('Reviewed', 'keep')} ${button('Flip', 'flip')} ${button('Exclude', 'exclude')}
      <vscode-button
        secondary
        @click=${() => {
          this.#curate({ do: 'include' });
        }}
        >Take Back In</vscode-button
      >
      ${button('Tag', 'tag')} ${button('Split', 'split')} ${count === 2 ? button('Merge', 'merge') : nothing}
      ${button('Unmark', 'leave')}
    </div>`;
  }

  #helpTemplate(): TemplateResult {
    return html`<div class="help" role="dialog" aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        ${keyWords.map(
          ([keys, what]) =>
            html`<div>
              <dt>${keys}</dt>
              <dd>${what}</dd>
            </div>`,
        )}
      </dl>
      <vscode-button
        @click=${() => {
          this.help = false;
        }}
        >Close</vscode-button
      >
    </div>`;
  }

  #surroundings(): PairSurroundings {
    return {
      language: document.documentElement.lang,
      typing: this.typing,
      asOne: this.asOne,
      toggled: this.#toggled,
      toggle: (name, open) => {
        this.#toggled.set(name, open);
        this.requestUpdate();
      },
      begin: (typing) => {
        this.#begin(typing);
      },
      type: (text) => {
        if (this.typing) this.typing = { ...this.typing, text };
      },
      save: () => {
        this.#save();
      },
      leave: () => {
        this.#leave();
      },
      act: (action) => {
        this.#curateShown(action);
      },
      openPlace: () => {
        this.#do('place');
      },
    };
  }

  #receive(message: BoardToView): void {
    switch (message.type) {
      case 'page':
        this.#asked.delete(askedKey(message.query, message.page.offset));
        if (message.query === this.state.query && this.state.answered !== message.query) this.#wanted = null;
        this.state = withPage(this.state, message.query, message.page);
        return;
      case 'detail':
        this.state = withDetail(this.state, message.detail);
        return;
      case 'filter':
        this.searched = message.filter.text ?? '';
        this.byMeaning = false;
        this.#ask(message.filter, this.state.order);
        return;
      case 'changed':
        this.state = askingAgain(this.state);
        return;
      case 'done':
        this.status = doneWords(message.action, message.undo, message.result);
        return;
      case 'failed':
        this.status = message.message;
        // What was asked for has not come, and may be asked for again.
        this.#asked.clear();
    }
  }

  #ask(filter: PairFilter, order: PairOrder): void {
    this.state = asking(this.state, filter, order);
    if (this.#scroller) this.#scroller.scrollTop = 0;
    this.#host.saveState({ filter, order, asOne: this.asOne } satisfies z.input<typeof SavedState>);
  }

  /** Words are searched as they are typed; a meaning when the writer pauses. */
  #search(text: string): void {
    this.searched = text;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(
      () => {
        const { text: _, meaning: __, ...rest } = this.state.filter;
        const words = text.trim();
        const search = words === '' ? {} : this.byMeaning ? { meaning: words } : { text: words };
        this.#ask({ ...rest, ...search }, this.state.order);
      },
      this.byMeaning ? 4 * typingPauseMs : typingPauseMs,
    );
  }

  #look(): void {
    const scroller = this.#scroller;
    if (scroller) this.place = { scrollTop: scroller.scrollTop, height: scroller.clientHeight };
  }

  #askForPages(): void {
    const { state } = this;
    const { from, to } = drawnRows(state.head?.matching ?? 1, this.place);
    for (const page of missingPages(state, from, to - 1)) {
      const offset = page * pageSize;
      const key = askedKey(state.query, offset);
      if (this.#asked.has(key)) continue;
      this.#asked.add(key);
      const { query, filter, order } = state;
      this.#host.send({
        ...{ type: 'didAsk', query, filter, order, offset, limit: pageSize },
        refresh: this.#derive,
      });
      this.#derive = false;
    }
  }

  #askForPair(): void {
    const pair = focusedRow(this.state)?.pair ?? null;
    if (pair === null || pair === this.#wanted) return;
    this.#wanted = pair;
    clearTimeout(this.#movePause);
    this.#movePause = setTimeout(() => {
      this.#host.send({ type: 'didFocus', pair });
    }, movePauseMs);
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    const [target] = event.composedPath();
    const inField =
      target instanceof HTMLInputElement ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement;
    // A button takes its own keys.
    if (event.key === ' ' && target instanceof HTMLElement && target.closest('button, vscode-button')) return;
    const key = keyOf(event, inField);
    if (key === null) return;
    event.preventDefault();
    if (key === 'save') this.#save();
    else this.#do(key);
  };

  #do(key: BoardKey): void {
    const { state } = this;
    const page = Math.max(1, Math.floor(this.place.height / rowHeight) - 1);
    const moves: Partial<Record<BoardKey, number>> = {
      next: state.focus + 1,
      previous: state.focus - 1,
      first: 0,
      last: (state.head?.matching ?? 1) - 1,
      pageDown: state.focus + page,
      pageUp: state.focus - page,
    };
    const to = moves[key];
    if (to !== undefined) this.#moveTo(to);
    else this.#act(key);
  }

  #act(key: BoardKey): void {
    const row = focusedRow(this.state);
    const strength = this.state.detail?.pair.strength ?? row?.strength ?? 0;
    switch (key) {
      case 'keep':
        this.#curate({ do: 'review' });
        if (markedCount(this.state) === 0) this.#moveTo(this.state.focus + 1);
        return;
      case 'flip':
        this.#curate({ do: 'flip' });
        return;
      case 'editChosen':
      case 'editRejected': {
        const side = key === 'editChosen' ? 'chosen' : 'rejected';
        const { detail } = this.state;
        if (detail) this.#begin({ what: 'edit', side, text: detail.pair[side] ?? '' });
        return;
      }
      case 'exclude':
        if (markedCount(this.state) === 0 && row?.curation && row.curation.excluded !== null)
          this.#curate({ do: 'include' });
        else this.#begin({ what: 'exclude', text: '' });
        return;
      case 'tag':
        this.#begin({ what: 'tag', text: '' });
        return;
      case 'split':
        this.#curate({ do: 'split' });
        return;
      case 'merge':
        this.#merge();
        return;
      case 'stronger':
      case 'weaker': {
        const step = key === 'stronger' ? strengthStep : -strengthStep;
        const wanted = Math.min(1, Math.max(0, Math.round((strength + step) * 10) / 10));
        this.#curate({ do: 'rate', strength: wanted });
        return;
      }
      case 'undo':
        this.#host.send({ type: 'didPressUndo' });
        return;
      case 'history':
        this.#toggled.set('history', !(this.#toggled.get('history') ?? false));
        this.requestUpdate();
        return;
      case 'asOne':
        this.asOne = !this.asOne;
        return;
      case 'place':
        if (row) this.#host.send({ type: 'didPressPlace', pair: row.pair });
        return;
      case 'mark':
        if (row) this.state = withMark(this.state, row.pair);
        return;
      case 'markAll':
        this.state = withAllMarked(this.state, this.state.marked !== 'all');
        return;
      case 'search':
        this.renderRoot.querySelector<HTMLElement>('.search input')?.focus();
        return;
      case 'refresh':
        this.#derive = true;
        this.state = askingAgain(this.state);
        return;
      case 'help':
        this.help = !this.help;
        return;
      default:
        this.#leave();
    }
  }

  #moveTo(index: number): void {
    if (this.typing && index !== this.state.focus) this.typing = null;
    this.state = withFocus(this.state, index);
    const scroller = this.#scroller;
    if (!scroller) return;
    const top = this.state.focus * rowHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + rowHeight > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = top + rowHeight - scroller.clientHeight;
  }

  #begin(typing: Typing): void {
    if (choiceOf(this.state) === null) return;
    this.typing = typing;
    this.#focusField = true;
  }

  #save(): void {
    const { typing } = this;
    if (!typing) return;
    const text = typing.text.trim();
    this.typing = null;
    this.#scroller?.focus();
    if (typing.what === 'exclude') this.#curate({ do: 'exclude', reason: text });
    else if (text === '') return;
    else if (typing.what === 'tag') this.#curate({ do: 'tag', tag: text, on: true });
    else this.#curateShown({ do: 'edit', side: typing.side, text });
  }

  /** Out of a field first; with none, the marks go. */
  #leave(): void {
    if (this.help) this.help = false;
    else if (this.typing) this.typing = null;
    else if (markedCount(this.state) > 0) this.state = withAllMarked(this.state, false);
    this.#scroller?.focus();
  }

  /** Of the marked pairs, or the one with the focus. */
  #curate(action: CurationAction): void {
    const pairs = choiceOf(this.state);
    if (pairs === null) return;
    this.#host.send({ type: 'didCurate', pairs, action });
    this.state = withAllMarked(this.state, false);
  }

  #merge(): void {
    const coupling = couplingOf(this.state);
    if (!coupling) {
      this.status = 'Mark two pairs of the same question first: Space marks.';
      return;
    }
    const { pair, other } = coupling;
    this.#host.send({ type: 'didCurate', pairs: [pair], action: { do: 'merge', with: other } });
    this.state = withAllMarked(this.state, false);
  }

  /** Of the one pair that is shown in full. */
  #curateShown(action: CurationAction): void {
    const pair = this.state.detail?.row.pair;
    if (pair !== undefined) this.#host.send({ type: 'didCurate', pairs: [pair], action });
  }

  get #scroller(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>('.rows');
  }

  #readSaved(): void {
    const saved = SavedState.safeParse(this.#host.savedState());
    if (!saved.success) return;
    const { filter, order, asOne } = saved.data;
    this.state = { ...nothingYet, filter, order };
    this.asOne = asOne;
    this.searched = filter.text ?? filter.meaning ?? '';
    this.byMeaning = filter.meaning !== undefined;
  }
}

function askedKey(query: number, offset: number): string {
  return `${query}/${offset}`;
}

customElements.define('preflexor-board', BoardView);
