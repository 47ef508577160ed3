// Small charts as SVG text: bars or lines over named places, with error bars, axes, legend. Text is escaped and never
// markup; colours read on white and on dark grey; no script, no font, nothing fetched.
import { tickText, ticksBetween } from './scale.ts';

export interface Point {
  /** The place on the x axis, by its name. */
  readonly x: string;
  readonly y: number;
  /** Ends of the error bar; null: none. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Chart {
  readonly kind: 'bars' | 'lines';
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** What the y axis shows at least: [0, 1] for shares. */
  readonly range: readonly [number, number];
}

/** Colours in an order in which neighbours differ also for people who see fewer; 3:1 on white and on #1e1e1e. */
export const palette = [
  ...['#2a7ab8', '#c65d13', '#0d8a6a', '#b5578f'],
  ...['#8a7a1f', '#7b68c8', '#808080'],
] as const;
export const ink = { light: '#444444', dark: '#cccccc' } as const;

const size = { width: 720, height: 400 };
const legendTop = 362;
const plot = { left: 70, right: 700, top: 48, bottom: 300 };

/** The chart as a whole SVG document. Places keep the order in which the series name them. */
export function svgOf(chart: Chart): string {
  const places = [...new Set(chart.series.flatMap(({ points }) => points.map(({ x }) => x)))];
  const values = chart.series.flatMap(({ points }) =>
    points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]),
  );
  const ticks = ticksBetween(Math.min(chart.range[0], ...values), Math.max(chart.range[1], ...values));
  const frame = new Frame(places, ticks);
  const drawn = chart.series.map((series, at) => {
    const colour = palette[at % palette.length] ?? palette[0];
    const draw = chart.kind === 'bars' ? bars : line;
    return `<g class="series" fill="${colour}" stroke="${colour}">${draw(frame, series, at, chart.series.length)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-labelledby="title" font-family="sans-serif" font-size="13">`,
    `<title id="title">${escaped(chart.title)}</title>`,
    `<style>text{fill:${ink.light};stroke:none}.axis{stroke:${ink.light}}@media(prefers-color-scheme:dark){text{fill:${ink.dark}}.axis{stroke:${ink.dark}}}</style>`,
    text(size.width / 2, 26, chart.title, 'middle', ' font-size="16"'),
    ...axes(frame, chart),
    ...drawn,
    ...legend(chart.series),
    '</svg>',
    '',
  ].join('\n');
}

/** Where things lie in the picture. */
class Frame {
  readonly places: readonly string[];
  readonly ticks: readonly number[];
  readonly bandWidth: number;
  readonly #low: number;
  readonly #span: number;

  constructor(places: readonly string[], ticks: readonly number[]) {
    this.places = places;
    this.ticks = ticks;
    this.bandWidth = (plot.right - plot.left) / Math.max(1, places.length);
    this.#low = ticks[0] ?? 0;
    this.#span = (ticks.at(-1) ?? 1) - this.#low || 1;
  }

  /** Middle of a place. */
  x(place: string): number {
    return plot.left + this.bandWidth * (this.places.indexOf(place) + 0.5);
  }

  y(value: number): number {
    return plot.bottom - ((value - this.#low) / this.#span) * (plot.bottom - plot.top);
  }
}

function axes(frame: Frame, { xLabel, yLabel }: Chart): string[] {
  const { left, right, top, bottom } = plot;
  const most = Math.max(4, Math.floor(frame.bandWidth / 7));
  return [
    ...frame.ticks.map((tick) => {
      const y = round(frame.y(tick));
      return `<line class="axis" x1="${left}" x2="${right}" y1="${y}" y2="${y}" stroke-opacity="0.2"/>${text(left - 8, y + 4, tickText(tick), 'end')}`;
    }),
    `<path class="axis" fill="none" d="M${left} ${top}V${bottom}H${right}"/>`,
    ...frame.places.map((place) => text(frame.x(place), bottom + 20, shortened(place, most), 'middle')),
    text((left + right) / 2, bottom + 44, xLabel, 'middle'),
    text(0, 0, yLabel, 'middle', ` transform="translate(18 ${(top + bottom) / 2}) rotate(-90)"`),
  ];
}

/** Bars stand on 0, or on the axis where 0 is not shown. */
function bars(frame: Frame, { name, points }: Series, at: number, count: number): string {
  const width = (frame.bandWidth * 0.7) / count;
  const ground = Math.min(plot.bottom, Math.max(plot.top, frame.y(0)));
  return points
    .map((point) => {
      const middle = frame.x(point.x) + (at - (count - 1) / 2) * width;
      const y = frame.y(point.y);
      const [top, height] = [Math.min(y, ground), Math.abs(y - ground)];
      const bar = `<rect x="${round(middle - width * 0.45)}" y="${round(top)}" width="${round(width * 0.9)}" height="${round(height)}" stroke="none">${hover(name, point)}</rect>`;
      return bar + errorBar(frame, middle, point);
    })
    .join('');
}

function line(frame: Frame, { name, points }: Series, at: number, count: number): string {
  // Beside each other, so that the error bars of several lines can be told apart.
  const aside = (at - (count - 1) / 2) * 6;
  const place = (point: Point): [number, number] => [
    round(frame.x(point.x) + aside),
    round(frame.y(point.y)),
  ];
  const path = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${place(point).join(' ')}`).join('');
  const dots = points.map((point) => {
    const [x, y] = place(point);
    return `<circle cx="${x}" cy="${y}" r="4" stroke="none">${hover(name, point)}</circle>${errorBar(frame, x, point)}`;
  });
  return `<path fill="none" stroke-width="2" d="${path}"/>${dots.join('')}`;
}

function errorBar(frame: Frame, middle: number, { low, high }: Point): string {
  if (low === null || high === null) return '';
  const [x, top, bottom] = [round(middle), round(frame.y(high)), round(frame.y(low))];
  const caps = `M${round(x - 4)} ${top}H${round(x + 4)}M${round(x - 4)} ${bottom}H${round(x + 4)}`;
  return `<path class="axis error" fill="none" stroke-width="1.5" d="M${x} ${top}V${bottom}${caps}"/>`;
}

function hover(name: string, { x, y, low, high }: Point): string {
  const interval = low === null || high === null ? '' : ` (${tickText(low)} to ${tickText(high)})`;
  return `<title>${escaped(`${name}, ${x}: ${tickText(y)}${interval}`)}</title>`;
}

/** One series explains itself by the axis. */
function legend(series: readonly Series[]): string[] {
  if (series.length < 2) return [];
  const inRow = Math.min(4, series.length);
  const width = (plot.right - plot.left) / inRow;
  return series.map(({ name }, at) => {
    const x = round(plot.left + (at % inRow) * width);
    const y = legendTop + 20 * Math.floor(at / inRow);
    const colour = palette[at % palette.length] ?? palette[0];
    const words = shortened(name, Math.max(6, Math.floor((width - 24) / 7)));
    return `<rect x="${x}" y="${y}" width="12" height="12" fill="${colour}"/>${text(x + 18, y + 11, words, 'start')}`;
  });
}

function text(x: number, y: number, words: string, anchor: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more}>${escaped(words)}</text>`;
}

function shortened(words: string, most: number): string {
  const characters = Array.from(words);
  return characters.length <= most ? words : `${characters.slice(0, most - 1).join('')}…`;
}

/** As XML text. Characters that XML knows no way to write are left out. */
export function escaped(words: string): string {
  return words
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
