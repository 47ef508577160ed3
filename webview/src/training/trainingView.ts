// <preflexor-training>: the Training view. It keeps which curves are drawn, zoom and point; runs and their files are
// the server's, and are asked for again while a run goes on.
import '@vscode-elements/elements/dist/vscode-button/index.js';
import { LitElement, html, nothing, type TemplateResult } from 'lit';
import { z } from 'zod';
import type { CurvesFormat, TrainingFromView, TrainingToView } from '../../../server/src/protocol/index.ts';
import type { Host } from '../shared/host.ts';
import { themeColours } from '../shared/themeColours.ts';
import './curveChart.ts';
import type { ChartWish, ChartWishEvent } from './curveChart.ts';
import { csvOf, metrics, pictureOf, svgOf } from './picture.ts';
import { pngOf } from './png.ts';
import { wholeRange, zoomed, type Range } from './points.ts';
import { runListTemplate } from './runList.ts';
import { sectionsTemplate } from './sections.ts';
import { styles } from './styles.ts';
import {
  cursorsOf,
  curveKey,
  curvesOf,
  nothingYet,
  staleRuns,
  withChosen,
  withCurve,
  withDetail,
  withPairs,
  withRuns,
  type Curve,
  type TrainingState,
} from './trainingState.ts';
import { runName } from './words.ts';

/** Runs that go on are asked for so often, the list of runs less so. */
const pollMs = 1500;
const listEvery = 6;
const pairsAtOnce = 50;
const smoothings = [1, 5, 20, 100] as const;

const SavedState = z.object({
  shown: z.array(z.string()),
  chosen: z.string().nullable(),
  smoothing: z.number(),
  trained: z.boolean(),
  heldout: z.boolean(),
});

export class TrainingView extends LitElement {
  static override readonly styles = styles;
  static override readonly properties = {
    state: { state: true },
    range: { state: true },
    point: { state: true },
    smoothing: { state: true },
    series: { state: true },
    status: { state: true },
  };

  declare state: TrainingState;
  declare range: Range | null;
  declare point: number | null;
  declare smoothing: number;
  declare series: { readonly trained: boolean; readonly heldout: boolean };
  declare status: string;

  readonly #host: Host<TrainingToView, TrainingFromView>;
  readonly #toggled = new Map<string, boolean>();
  #clock: ReturnType<typeof setInterval> | null = null;
  #ticks = 0;
  #curves: readonly Curve[] = [];
  #curvesOf: TrainingState | null = null;

  constructor(host: Host<TrainingToView, TrainingFromView>) {
    super();
    this.#host = host;
    this.state = nothingYet;
    this.range = null;
    this.point = null;
    this.smoothing = 1;
    this.series = { trained: true, heldout: true };
    this.status = '';
    this.#readSaved();
    host.onMessage((message) => {
      this.#receive(message);
    });
    host.send({ type: 'ready' });
    host.send({ type: 'didAskRuns' });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(() => {
      this.#tick();
    }, pollMs);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#clock) clearInterval(this.#clock);
    this.#clock = null;
  }

  protected override willUpdate(): void {
    if (this.#curvesOf === this.state) return;
    this.#curvesOf = this.state;
    const fresh = curvesOf(this.state);
    // The same curves are the same array, so that charts know that nothing changed.
    const isSame =
      fresh.length === this.#curves.length &&
      fresh.every(({ key, trained, heldout, colour }, index) => {
        const known = this.#curves[index];
        return (
          known?.key === key &&
          known.trained === trained &&
          known.heldout === heldout &&
          known.colour === colour
        );
      });
    if (!isSame) this.#curves = fresh;
  }

  protected override render(): TemplateResult {
    const { state } = this;
    if (state.folder === null) return html`<p class="empty">Looking for training runs…</p>`;
    if (state.runs.length === 0) {
      return html`<p class="empty">
        No training run in ${state.folder} yet. “preflexor teach” makes data out of your notes and trains on
        it; “preflexor train --out FOLDER” trains on a file of pairs. Runs show here while they go on.
      </p>`;
    }
    const detail = state.chosen === null ? undefined : state.details.get(state.chosen);
    return html`
      ${this.#toolbar()}
      <div class="both">
        ${runListTemplate(state, {
          language: document.documentElement.lang || 'en',
          choose: (run) => {
            this.#choose(run);
          },
          draw: (run, key, on) => {
            this.#draw(run, key, on);
          },
          compare: (run) => {
            this.#compare(run);
          },
        })}
        <main tabindex="-1" @preflexor-chart=${this.#wished}>
          <div class="charts">
            ${metrics.map(
              (metric) =>
                html`<preflexor-curve-chart
                  .metric=${metric}
                  .curves=${this.#curves}
                  .range=${this.range}
                  .point=${this.point}
                  .smoothing=${this.smoothing}
                  .series=${this.series}
                ></preflexor-curve-chart>`,
            )}
          </div>
          ${
            detail
              ? sectionsTemplate(detail, {
                  pairs: state.pairs,
                  isOpen: (section, byItself) => this.#toggled.get(section) ?? byItself,
                  toggle: (section, open) => {
                    this.#toggled.set(section, open);
                    this.requestUpdate();
                  },
                  askForPairs: (part, offset) => {
                    const { run } = detail.entry;
                    this.#host.send({ type: 'didAskPairs', run, part, offset, limit: pairsAtOnce });
                  },
                  openPair: (part, line) => {
                    this.#host.send({ type: 'didPressPair', run: detail.entry.run, part, line });
                  },
                })
              : nothing
          }
        </main>
      </div>
      <footer class="status">
        <span role="status" aria-live="polite">${this.status}</span>
        <span
          >Arrow keys read the values, + and - zoom, 0 shows all; so does dragging, and a double click.</span
        >
      </footer>
    `;
  }

  #toolbar(): TemplateResult {
    const button = (label: string, press: () => void): TemplateResult =>
      html`<vscode-button secondary @click=${press}>${label}</vscode-button>`;
    const box = (name: 'trained' | 'heldout', label: string): TemplateResult =>
      html`<label
        ><input
          type="checkbox"
          .checked=${this.series[name]}
          @change=${(event: Event) => {
            if (!(event.target instanceof HTMLInputElement)) return;
            this.series = { ...this.series, [name]: event.target.checked };
            this.#save();
          }}
        />${label}</label
      >`;
    return html`<header class="toolbar">
      ${box('trained', 'Pairs trained on (solid)')} ${box('heldout', 'Held-out pairs (dashed)')}
      <label
        >Mean of
        <select
          aria-label="Smoothing"
          @change=${(event: Event) => {
            if (event.target instanceof HTMLSelectElement) this.smoothing = Number(event.target.value);
            this.#save();
          }}
        >
          ${smoothings.map(
            (steps) =>
              html`<option value=${steps} ?selected=${steps === this.smoothing}>
                ${steps === 1 ? 'each step' : `${steps} steps`}
              </option>`,
          )}
        </select></label
      >
      ${button('Zoom In', () => {
        this.#wish({ what: 'zoom', factor: 0.5 });
      })}
      ${button('Show All', () => {
        this.#wish({ what: 'range', range: null });
      })}
      <span class="end">
        ${button('Save SVG', () => void this.#export('svg'))}
        ${button('Save PNG', () => void this.#export('png'))}
        ${button('Save CSV', () => void this.#export('csv'))}
      </span>
    </header>`;
  }

  #receive(message: TrainingToView): void {
    switch (message.type) {
      case 'runs':
        this.state = withRuns(this.state, message.folder, message.runs);
        this.#askForStale();
        return;
      case 'run':
        this.state = withDetail(this.state, message.detail);
        return;
      case 'pairs':
        if (message.run === this.state.chosen) this.state = withPairs(this.state, message.part, message.page);
        return;
      case 'said':
        this.status = message.message;
    }
  }

  #tick(): void {
    if (document.visibilityState === 'hidden') return;
    this.#ticks += 1;
    if (this.#ticks % listEvery === 0) this.#host.send({ type: 'didAskRuns' });
    else this.#askForStale();
  }

  #askForStale(): void {
    for (const run of staleRuns(this.state)) this.#askFor(run);
  }

  #askFor(run: string): void {
    this.#host.send({ type: 'didAskRun', run, known: cursorsOf(this.state, run) });
  }

  #choose(run: string): void {
    this.state = withChosen(this.state, run);
    const detail = this.state.details.get(run);
    if (!detail) this.#compare(run);
    // What is looked at is drawn.
    else if (!this.state.shown.some((key) => key.startsWith(`${run} `)))
      for (const { part } of detail.parts) this.state = withCurve(this.state, curveKey(run, part), true);
    this.#save();
  }

  #draw(run: string, key: string, on: boolean): void {
    this.state = withCurve(this.state, key, on);
    if (!this.state.details.has(run)) this.#askFor(run);
    this.#save();
  }

  /** Its curves are drawn with those that are there, when they come. */
  #compare(run: string): void {
    for (const part of ['train', 'phase-1', 'phase-2'])
      this.state = withCurve(this.state, curveKey(run, part), true);
    this.#askFor(run);
    this.#save();
  }

  readonly #wished = ({ wish }: ChartWishEvent): void => {
    this.#wish(wish);
  };

  #wish(wish: ChartWish): void {
    if (wish.what === 'point') this.point = wish.step;
    else if (wish.what === 'range') this.range = wish.range;
    else {
      const whole = wholeRange(this.#curves);
      if (whole) this.range = zoomed(whole, this.range, this.point, wish.factor);
    }
  }

  async #export(format: CurvesFormat): Promise<void> {
    const { range, smoothing, series } = this;
    const colours = themeColours();
    const picture = pictureOf({ ...{ curves: this.#curves, range, smoothing, series }, colours });
    const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);
    const data =
      format === 'png' ? await pngOf(picture) : text(format === 'svg' ? svgOf(picture) : csvOf(this.#curves));
    const name = runName(this.state.chosen ?? 'curves').replace(/[^\p{L}\p{N}-]+/gu, '-');
    this.#host.send({ type: 'didExport', format, name: `${name}-curves`.slice(0, 200), data });
  }

  #save(): void {
    const { shown, chosen } = this.state;
    const saved = { shown: [...shown], chosen, smoothing: this.smoothing, ...this.series };
    this.#host.saveState(saved satisfies z.input<typeof SavedState>);
  }

  #readSaved(): void {
    const saved = SavedState.safeParse(this.#host.savedState());
    if (!saved.success) return;
    const { shown, chosen, smoothing, trained, heldout } = saved.data;
    this.state = { ...nothingYet, shown, chosen };
    this.smoothing = smoothing;
    this.series = { trained, heldout };
  }
}

customElements.define('preflexor-training', TrainingView);
