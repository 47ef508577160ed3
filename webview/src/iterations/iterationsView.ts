// <preflexor-iterations>: the whole view. It keeps what the writer opened and where they scrolled to, nothing else;
// what it shows comes from the client, drawn at most once per frame.
import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { z } from 'zod';
import type { IterationsFromView, IterationsToView, RunEntry } from '../../../server/src/protocol/index.ts';
import '../shared/disclosure.ts';
import type { ToggleEvent } from '../shared/disclosure.ts';
import type { Host } from '../shared/host.ts';
import '../shared/streamText.ts';
import { actionsTemplate, runTemplate, type RunSurroundings } from './runView.ts';
import { styles } from './styles.ts';
import { isActive, nothingYet, received, type ViewState } from './viewState.ts';
import { ago, entryIcon, entryWords, spokenState } from './words.ts';

/** Screen readers are told of changes at most this often. */
const speechPauseMs = 1500;
/** So near to the end, the view follows what is being written. */
const followPixels = 48;

const SavedState = z.object({
  key: z.string(),
  toggled: z.array(z.tuple([z.string(), z.boolean()])),
  history: z.boolean(),
  scroll: z.number(),
});

export class IterationsView extends LitElement {
  static override readonly properties = {
    state: { state: true },
    historyOpen: { state: true },
    spoken: { state: true },
  };
  static override readonly styles = styles;

  declare state: ViewState;
  declare historyOpen: boolean;
  declare spoken: string;

  readonly #host: Host<IterationsToView, IterationsFromView>;
  /** Opened and closed by the writer, in the run that is shown. */
  #toggled = new Map<string, boolean>();
  #shownKey: string | null = null;
  /** The words that the screen reader was last told, or that were there when the run was first shown. */
  #said = '';
  #saidKey: string | null = null;
  #spokenAt = -speechPauseMs;
  #clock: ReturnType<typeof setInterval> | null = null;
  /** Where to scroll to when the page is made anew. */
  #restore: { readonly key: string; readonly scroll: number } | null = null;
  #wasAtEnd = true;
  #hadFocus = false;
  #lost = false;

  constructor(host: Host<IterationsToView, IterationsFromView>) {
    super();
    this.#host = host;
    this.state = nothingYet;
    this.historyOpen = true;
    this.spoken = '';
    this.#readSaved();
    host.onMessage((message) => {
      this.#receive(message);
    });
    host.send({ type: 'ready' });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#clock) clearInterval(this.#clock);
    this.#clock = null;
  }

  /** One drawing per frame, however fast the text comes. */
  protected override async scheduleUpdate(): Promise<void> {
    await new Promise(requestAnimationFrame);
    await super.scheduleUpdate();
  }

  protected override willUpdate(): void {
    const { current } = this.state;
    if (current && current.key !== this.#shownKey) {
      if (this.#shownKey !== null) this.#toggled.clear();
      this.#shownKey = current.key;
    }
    const scroller = this.#scroller;
    this.#wasAtEnd = scroller
      ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < followPixels
      : true;
    this.#hadFocus = this.shadowRoot?.activeElement != null;
    this.#tick(current !== null && isActive(current));
    this.#speak();
  }

  protected override updated(changed: PropertyValues<this>): void {
    const scroller = this.#scroller;
    const { current } = this.state;
    // A button that is gone after it was pressed leaves the keyboard in the view.
    if (this.#hadFocus && this.shadowRoot?.activeElement == null) scroller?.focus({ preventScroll: true });
    if (!scroller || !current || !changed.has('state')) return;
    if (this.#restore?.key === current.key) scroller.scrollTop = this.#restore.scroll;
    else if (isActive(current) && this.#wasAtEnd) scroller.scrollTop = scroller.scrollHeight;
    this.#restore = null;
  }

  protected override render(): TemplateResult {
    const { current, entries } = this.state;
    const around = this.#surroundings();
    return html`
      <main class="scroll" tabindex="-1" @scroll=${this.#save}>
        ${current ? runTemplate(current, around) : this.#empty()}
        ${entries.length > (current ? 1 : 0) ? this.#history(entries) : nothing}
      </main>
      ${current ? actionsTemplate(current, around) : nothing}
      <div class="spoken" role="status" aria-live="polite">${this.spoken}</div>
    `;
  }

  #empty(): TemplateResult {
    const { note } = this.state;
    if (note === null)
      return html`<div class="empty"><p>Open a markdown note to reason about its paragraphs.</p></div>`;
    return html`<div class="empty">
      <p>Put the cursor into a paragraph of <strong>${note}</strong>, and let the model think about it.</p>
      <vscode-button
        block
        icon="sparkle"
        @click=${() => {
          this.#host.send({ type: 'didPressReason' });
        }}
      >
        Reason About This Paragraph
      </vscode-button>
    </div>`;
  }

  #history(entries: readonly RunEntry[]): TemplateResult {
    return html`<section class="history" aria-label="Runs of this note">
      <preflexor-disclosure
        level="2"
        heading="Runs of this note"
        facts=${entries.length}
        ?open=${this.historyOpen}
        @preflexor-toggle=${(event: ToggleEvent) => {
          this.historyOpen = event.open;
          this.#save();
        }}
      >
        <ul>
          ${entries.map((entry) => html`<li>${this.#entry(entry)}</li>`)}
        </ul>
      </preflexor-disclosure>
    </section>`;
  }

  #entry(entry: RunEntry): TemplateResult {
    const { key, question, time } = entry;
    const what = question === '' ? 'Reasoning about a paragraph' : question;
    return html`<button
      class="entry"
      type="button"
      title=${what}
      aria-current=${key === this.state.current?.key ? 'true' : 'false'}
      @click=${() => {
        this.#host.send({ type: 'didSelectRun', key });
      }}
    >
      <vscode-icon name=${entryIcon(entry)}></vscode-icon>
      <span class="what">${what}</span>
      <span class="when"
        >${entryWords(entry)}, ${ago(Date.parse(time), Date.now(), document.documentElement.lang)}</span
      >
    </button>`;
  }

  #surroundings(): RunSurroundings {
    const key = this.state.current?.key ?? '';
    return {
      since: Math.max(0, (performance.now() - this.state.receivedAt) / 1000),
      toggled: this.#toggled,
      toggle: (name, open) => {
        this.#toggled.set(name, open);
        this.requestUpdate();
        this.#save();
      },
      stop: () => {
        this.#host.send({ type: 'didPressStop', key });
      },
      answerNow: () => {
        this.#host.send({ type: 'didPressAnswerNow', key });
      },
      resume: () => {
        this.#host.send({ type: 'didPressResume', key });
      },
      remove: () => {
        this.#host.send({ type: 'didPressDelete', key });
      },
      onIteration: (iteration, action) => {
        this.#host.send({ type: 'didPressIteration', key, iteration, action });
      },
      rate: (iteration, rating) => {
        this.#host.send({ type: 'didRate', key, iteration, rating });
      },
      openSource: (passage) => {
        this.#host.send({ type: 'didPressSource', key, passage });
      },
      act: (action) => {
        this.#host.send({ type: 'didPressAction', key, action });
      },
      remedy: (action) => {
        this.#host.send({ type: 'didPressRemedy', key, action });
      },
    };
  }

  #receive(message: IterationsToView): void {
    const next = received(this.state, message, performance.now());
    if (next) {
      this.#lost = false;
      this.state = next;
    } else if (!this.#lost) {
      // Asked once: what comes until the snapshot is here is missed as well.
      this.#lost = true;
      this.#host.send({ type: 'lost' });
    }
  }

  /** Seconds go on while something is written. */
  #tick(on: boolean): void {
    if (on) {
      this.#clock ??= setInterval(() => {
        this.requestUpdate();
      }, 1000);
    } else if (this.#clock) {
      clearInterval(this.#clock);
      this.#clock = null;
      // What could not be said yet is said now.
      setTimeout(() => {
        this.requestUpdate();
      }, speechPauseMs);
    }
  }

  #speak(): void {
    const { current } = this.state;
    const words = spokenState(current);
    const now = performance.now();
    if (current && current.key !== this.#saidKey) {
      // A run that was done before it was shown is no news.
      this.#saidKey = current.key;
      if (!isActive(current)) this.#said = words;
    }
    if (words === this.#said || now - this.#spokenAt < speechPauseMs) return;
    this.#said = words;
    this.spoken = words;
    this.#spokenAt = now;
  }

  get #scroller(): HTMLElement | null {
    return this.shadowRoot?.querySelector<HTMLElement>('.scroll') ?? null;
  }

  readonly #save = (): void => {
    this.#host.saveState({
      key: this.#shownKey ?? '',
      toggled: [...this.#toggled],
      history: this.historyOpen,
      scroll: this.#scroller?.scrollTop ?? 0,
    } satisfies z.input<typeof SavedState>);
  };

  #readSaved(): void {
    const saved = SavedState.safeParse(this.#host.savedState());
    if (!saved.success) return;
    const { key, toggled, history, scroll } = saved.data;
    this.#shownKey = key;
    this.#toggled = new Map(toggled);
    this.historyOpen = history;
    this.#restore = { key, scroll };
  }
}

customElements.define('preflexor-iterations', IterationsView);
