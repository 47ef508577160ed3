// The view of one PDF: a page at a time, with a passage marked on it. The client owns the file and the place;
// which page is looked at is told back, so that it is the same when the view is shown again.
import '@vscode-elements/elements/dist/vscode-icon/index.js';
import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { PdfFromView, PdfToView } from '../../../server/src/protocol/index.ts';
import type { Host } from '../shared/host.ts';
import { marksOf } from './marks.ts';
import { openPdf, type PdfDocument, type TextPiece } from './pdfjs.ts';
import { styles } from './styles.ts';

const widest = 1000;
const padding = 26;
const resizePauseMs = 150;
const longestMessage = 4000;

export class PdfView extends LitElement {
  static override readonly styles = styles;
  static override readonly properties = {
    page: { state: true },
    pages: { state: true },
    failure: { state: true },
    notice: { state: true },
  };

  declare page: number;
  declare pages: number;
  declare failure: string;
  /** What a person is told of the passage. */
  declare notice: string;
  readonly #host: Host<PdfToView, PdfFromView>;
  #document: PdfDocument | null = null;
  /** The passage and the page that it is on. */
  #passage: { readonly page: number; readonly text: string } | null = null;
  /** Counts drawings: only the last one may show itself. */
  #drawing = 0;
  #width = 0;

  constructor(host: Host<PdfToView, PdfFromView>) {
    super();
    this.#host = host;
    this.page = 1;
    this.pages = 0;
    this.failure = '';
    this.notice = '';
    host.onMessage((message) => void this.#hear(message));
    addEventListener('keydown', this.#pressed);
    host.send({ type: 'ready' });
  }

  protected override firstUpdated(): void {
    let pause: ReturnType<typeof setTimeout> | undefined;
    new ResizeObserver(() => {
      clearTimeout(pause);
      pause = setTimeout(() => {
        if (Math.abs(this.#pageWidth() - this.#width) > 2) void this.#draw();
      }, resizePauseMs);
    }).observe(this);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('page') || changed.has('pages')) void this.#draw();
  }

  async #hear(message: PdfToView): Promise<void> {
    try {
      if (message.type === 'document') {
        document.title = message.name;
        this.#document = await openPdf(message.data, message.resources);
        this.failure = '';
        this.pages = this.#document.pages;
      }
      this.#passage = message.passage === null ? null : { page: message.page, text: message.passage };
      if (this.page === this.#within(message.page)) await this.#draw();
      else this.page = this.#within(message.page);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.failure = `This PDF can't be shown here. ${message}`;
    this.#host.send({ type: 'didFail', message: message.slice(0, longestMessage) });
  }

  #within(page: number): number {
    return Math.max(1, Math.min(page, this.pages));
  }

  #turn(to: number): void {
    const page = this.#within(to);
    if (page === this.page || this.pages === 0) return;
    this.page = page;
    this.#host.send({ type: 'didTurn', page });
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    if (event.composedPath().some((target) => target instanceof HTMLInputElement)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, number> = {
      PageUp: this.page - 1,
      ArrowLeft: this.page - 1,
      PageDown: this.page + 1,
      ArrowRight: this.page + 1,
      Home: 1,
      End: this.pages,
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#turn(to);
  };

  #pageWidth(): number {
    return Math.max(200, Math.min(widest, this.clientWidth - padding));
  }

  async #draw(): Promise<void> {
    const document = this.#document;
    if (!document) return;
    const mine = (this.#drawing += 1);
    this.#width = this.#pageWidth();
    try {
      const page = await document.page(this.page);
      // A canvas takes one drawing at a time: each has its own, and the last one is put into the page.
      const canvas = globalThis.document.createElement('canvas');
      const layer = globalThis.document.createElement('div');
      canvas.setAttribute('aria-hidden', 'true');
      layer.className = 'text';
      const pieces = await page.draw(canvas, layer, this.#width);
      await this.updateComplete;
      if (mine !== this.#drawing) return;
      this.renderRoot.querySelector('.page')?.replaceChildren(canvas, layer);
      this.#mark(pieces);
    } catch (error) {
      if (mine === this.#drawing) this.#fail(error);
    }
  }

  #mark(pieces: readonly TextPiece[]): void {
    const passage = this.#passage?.page === this.page ? this.#passage.text : null;
    const marks =
      passage === null
        ? []
        : marksOf(
            pieces.map(({ text }) => text),
            passage,
          );
    const elements = marks.flatMap(({ piece, start, end }) => {
      const shown = pieces[piece];
      if (!shown) return [];
      const mark = document.createElement('mark');
      mark.textContent = shown.text.slice(start, end);
      shown.element.replaceChildren(shown.text.slice(0, start), mark, shown.text.slice(end));
      return [mark];
    });
    this.notice =
      passage !== null && elements.length === 0 ? 'The text of the passage was not found on this page.' : '';
    const scroll = this.renderRoot.querySelector('.scroll');
    if (elements[0]) elements[0].scrollIntoView({ block: 'center' });
    else scroll?.scrollTo(0, 0);
  }

  protected override render(): TemplateResult {
    const turn = (to: number) => () => {
      this.#turn(to);
    };
    return html`
      <div class="toolbar" role="toolbar" aria-label="Page">
        <button
          type="button"
          aria-label="Previous page"
          title="Previous page"
          ?disabled=${this.page <= 1}
          @click=${turn(this.page - 1)}
        >
          <vscode-icon name="chevron-left"></vscode-icon>
        </button>
        <input
          type="number"
          aria-label="Page number"
          min="1"
          max=${this.pages}
          .value=${String(this.page)}
          @change=${this.#typed}
        />
        <span>of ${this.pages}</span>
        <button
          type="button"
          aria-label="Next page"
          title="Next page"
          ?disabled=${this.page >= this.pages}
          @click=${turn(this.page + 1)}
        >
          <vscode-icon name="chevron-right"></vscode-icon>
        </button>
        <span class="space"></span>
        <button type="button" @click=${this.#openOutside}>
          <vscode-icon name="link-external"></vscode-icon>Open in System Viewer
        </button>
      </div>
      ${this.notice === '' ? nothing : html`<p class="notice" role="status">${this.notice}</p>`}
      ${this.failure === '' ? nothing : html`<p class="message" role="alert">${this.failure}</p>`}
      <div
        class="scroll"
        role="document"
        tabindex="0"
        aria-label=${`Page ${this.page}`}
        ?hidden=${this.failure !== ''}
      >
        <div class="page"></div>
      </div>
    `;
  }

  readonly #typed = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const page = Math.round(input.valueAsNumber);
    if (Number.isFinite(page)) this.#turn(page);
    input.value = String(this.page);
  };

  readonly #openOutside = (): void => {
    this.#host.send({ type: 'didPressOpen' });
  };
}

customElements.define('preflexor-pdf', PdfView);
