// <preflexor-curve-chart>: one measure of the curves over their steps, drawn by uPlot. To a screen reader and to the
// keyboard it is a slider over the steps, whose value is what stands there. Keeps neither zoom nor point: all charts
// share them, so it only says what is wanted.
import { LitElement, css, html, type PropertyValues, type TemplateResult } from 'lit';
import uPlot from 'uplot';
import { onThemeChange, themeColours, type ThemeColours } from '../shared/themeColours.ts';
import { aligned, stepFrom, stepsOf, type Range } from './points.ts';
import type { Curve, Metric } from './trainingState.ts';
import { chartWords, figure, metricTitles, pointWords } from './words.ts';

/** What the writer wants of all charts. */
export type ChartWish =
  | { readonly what: 'point'; readonly step: number | null }
  | { readonly what: 'range'; readonly range: Range | null }
  | { readonly what: 'zoom'; readonly factor: number };

export class ChartWishEvent extends Event {
  readonly wish: ChartWish;

  constructor(wish: ChartWish) {
    super('preflexor-chart', { bubbles: true, composed: true });
    this.wish = wish;
  }
}

const height = 210;
const pageSteps = 10;
/** So many held-out points are drawn as points too. */
const mostDots = 400;

export class CurveChart extends LitElement {
  static override readonly properties = {
    metric: { type: String },
    curves: { attribute: false },
    range: { attribute: false },
    point: { attribute: false },
    smoothing: { type: Number },
    series: { attribute: false },
  };

  declare metric: Metric;
  declare curves: readonly Curve[];
  /** Steps that are shown; null: all. */
  declare range: Range | null;
  /** The step that is looked at. */
  declare point: number | null;
  declare smoothing: number;
  /** Which of the two kinds of series are drawn. */
  declare series: { readonly trained: boolean; readonly heldout: boolean };

  #plot: uPlot | null = null;
  /** What the plot was made for: it is made anew when its series or colours are others. */
  #madeFor = '';
  #steps: readonly number[] = [];
  #observer: ResizeObserver | null = null;
  #themes: (() => void) | null = null;
  /** A cursor that was set by us says nothing new. */
  #setting = false;

  constructor() {
    super();
    this.metric = 'loss';
    this.curves = [];
    this.range = null;
    this.point = null;
    this.smoothing = 1;
    this.series = { trained: true, heldout: true };
  }

  // What uPlot's own sheet says, as far as it is used here (uPlot 1.6, MIT): a sheet of the page does not reach in.
  static override readonly styles = css`
    :host {
      display: block;
      min-width: 0;
    }
    .chart {
      border-radius: 3px;
      height: ${height}px;
      overflow: hidden;
    }
    .chart:focus-visible {
      outline: 1px solid var(--vscode-focusBorder);
    }
    h3 {
      font-size: 1em;
      font-weight: 600;
      margin: 0 0 4px;
    }
    .values {
      color: var(--vscode-descriptionForeground);
      font-variant-numeric: tabular-nums;
      margin: 2px 0 0;
      min-height: 3em;
      white-space: pre-line;
    }
    .uplot,
    .uplot *,
    .uplot *::before,
    .uplot *::after {
      box-sizing: border-box;
    }
    .uplot {
      width: min-content;
    }
    .u-wrap {
      position: relative;
      user-select: none;
    }
    .u-over,
    .u-under,
    .u-axis {
      position: absolute;
    }
    .u-under {
      overflow: hidden;
    }
    .uplot canvas {
      display: block;
      height: 100%;
      position: relative;
      width: 100%;
    }
    .u-select {
      background: var(--vscode-editor-selectionBackground, var(--vscode-list-hoverBackground));
      opacity: 0.5;
      pointer-events: none;
      position: absolute;
    }
    .u-cursor-x,
    .u-cursor-y {
      left: 0;
      pointer-events: none;
      position: absolute;
      top: 0;
    }
    .u-hz .u-cursor-x {
      border-right: 1px dashed var(--vscode-descriptionForeground);
      height: 100%;
    }
    .u-cursor-pt {
      border: 0 solid;
      border-radius: 50%;
      left: 0;
      pointer-events: none;
      position: absolute;
      top: 0;
    }
    .u-off {
      display: none;
    }
  `;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer = new ResizeObserver(() => {
      const width = this.#width;
      if (width > 0) this.#plot?.setSize({ width, height });
    });
    this.#observer.observe(this);
    this.#themes = onThemeChange(() => {
      this.#madeFor = '';
      this.requestUpdate();
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    this.#themes?.();
    this.#plot?.destroy();
    this.#plot = null;
    this.#madeFor = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('curves')) this.#steps = stepsOf(this.curves);
  }

  protected override render(): TemplateResult {
    const { metric, curves, point } = this;
    const [first, last] = [this.#steps[0] ?? 0, this.#steps.at(-1) ?? 0];
    const words = point === null ? chartWords(curves, metric) : pointWords(curves, metric, point);
    return html`
      <h3>${metricTitles[metric]}</h3>
      <div
        class="chart"
        role="slider"
        tabindex="0"
        aria-label=${`${metricTitles[metric]} by step`}
        aria-valuemin=${first}
        aria-valuemax=${last}
        aria-valuenow=${point ?? first}
        aria-valuetext=${words}
        @keydown=${this.#pressed}
      ></div>
      <p class="values">${point === null ? '' : words.replaceAll('; ', '\n').replace(': ', ':\n')}</p>
    `;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const { metric, curves, series, smoothing } = this;
    const madeFor = JSON.stringify([metric, curves.map(({ key, colour }) => [key, colour]), series]);
    const isOther = !this.#plot || madeFor !== this.#madeFor;
    // A point that moves needs no data: there may be many thousand steps.
    if (isOther) this.#make(aligned(curves, metric, smoothing), madeFor);
    else if (changed.has('curves') || changed.has('smoothing'))
      this.#plot?.setData(aligned(curves, metric, smoothing), false);
    this.#show(isOther || changed.has('curves') || changed.has('smoothing') || changed.has('range'));
  }

  #make(data: ReturnType<typeof aligned>, madeFor: string): void {
    const place = this.renderRoot.querySelector<HTMLElement>('.chart');
    if (!place) return;
    this.#plot?.destroy();
    this.#madeFor = madeFor;
    const colours = themeColours();
    const options = optionsOf(this.metric, this.curves, this.series, colours, Math.max(50, this.#width));
    const hooks: uPlot.Hooks.Arrays = {
      setCursor: [
        (plot) => {
          const step = plot.cursor.idx == null ? null : (plot.data[0][plot.cursor.idx] ?? null);
          if (!this.#setting && step !== this.point) this.#wish({ what: 'point', step });
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 3) return;
          const range = { min: plot.posToVal(left, 'x'), max: plot.posToVal(left + width, 'x') };
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          this.#wish({ what: 'range', range });
        },
      ],
    };
    const bind: uPlot.Cursor.Bind = {
      dblclick: () => () => {
        this.#wish({ what: 'range', range: null });
        return null;
      },
    };
    const cursor: uPlot.Cursor = { ...options.cursor, bind };
    this.#plot = new uPlot({ ...options, cursor, hooks }, data, place);
  }

  /** Range and point as all charts have them. */
  #show(isRescaled: boolean): void {
    const plot = this.#plot;
    const [first, last] = [this.#steps[0], this.#steps.at(-1)];
    if (!plot || first === undefined || last === undefined) return;
    const { min, max } = this.range ?? { min: first, max: Math.max(last, first + 1) };
    this.#setting = true;
    if (isRescaled)
      plot.batch(() => {
        plot.setScale('x', { min, max });
      });
    const left = this.point === null ? -10 : plot.valToPos(this.point, 'x');
    plot.setCursor({ left, top: this.point === null ? -10 : 10 }, false);
    this.#setting = false;
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by: Record<string, number> = {
      ArrowRight: event.shiftKey ? pageSteps : 1,
      ArrowLeft: event.shiftKey ? -pageSteps : -1,
      PageUp: pageSteps,
      PageDown: -pageSteps,
      Home: -Infinity,
      End: Infinity,
    };
    const moved = by[event.key];
    const zoom = { '+': 0.5, '=': 0.5, '-': 2 }[event.key];
    if (moved !== undefined) {
      const { min, max } = this.range ?? { min: -Infinity, max: Infinity };
      const steps = this.#steps.filter((step) => step >= min && step <= max);
      this.#wish({ what: 'point', step: stepFrom(steps, this.point, moved) });
    } else if (zoom !== undefined) this.#wish({ what: 'zoom', factor: zoom });
    else if (event.key === '0') this.#wish({ what: 'range', range: null });
    else if (event.key === 'Escape') this.#wish({ what: 'point', step: null });
    else return;
    event.preventDefault();
  };

  #wish(wish: ChartWish): void {
    this.dispatchEvent(new ChartWishEvent(wish));
  }

  get #width(): number {
    return Math.floor(this.getBoundingClientRect().width);
  }
}

function optionsOf(
  metric: Metric,
  curves: readonly Curve[],
  series: CurveChart['series'],
  { charts, faint, lines, font, background }: ThemeColours,
  width: number,
): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: faint,
    font: `11px ${font}`,
    grid: { stroke: lines, width: 0.5 },
    ticks: { stroke: lines, width: 0.5, size: 4 },
  };
  const values = (_plot: uPlot, splits: number[]): string[] => splits.map((value) => figure(value));
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6, fill: background } },
    scales: { x: { time: false, auto: false }, ...(metric === 'accuracy' && { y: { range: [0, 1.02] } }) },
    axes: [
      { ...axis, values, size: 30 },
      { ...axis, values, size: 56 },
    ],
    series: [
      {},
      ...curves.flatMap(({ colour, heldout }) => {
        const stroke = charts[colour % charts.length] ?? faint;
        return [
          { stroke, width: 1.5, points: { show: false }, show: series.trained, spanGaps: true },
          {
            ...{ stroke, width: 1.5, dash: [5, 4], show: series.heldout, spanGaps: true },
            points: { show: heldout.step.length <= mostDots, size: 5, stroke, fill: stroke },
          },
        ];
      }),
    ],
  };
}

customElements.define('preflexor-curve-chart', CurveChart);

declare global {
  interface HTMLElementTagNameMap {
    'preflexor-curve-chart': CurveChart;
  }
}
