// The charts as a picture of lines and words, the same for SVG and for PNG, and the curves as a table. Pure.
import { smoothed, wholeRange, type Range } from './points.ts';
import type { Curve, Metric } from './trainingState.ts';
import { figure, heldOut, metricTitles, trainedOn } from './words.ts';

export type Mark =
  | {
      readonly mark: 'line';
      readonly points: readonly (readonly [x: number, y: number])[];
      readonly colour: string;
      readonly width: number;
      readonly dashed: boolean;
    }
  | {
      readonly mark: 'text';
      readonly at: readonly [x: number, y: number];
      readonly text: string;
      readonly colour: string;
      readonly anchor: 'start' | 'middle' | 'end';
      readonly bold: boolean;
    };

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly background: string;
  readonly font: string;
  readonly marks: readonly Mark[];
}

export interface PictureColours {
  readonly foreground: string;
  readonly faint: string;
  readonly lines: string;
  readonly background: string;
  readonly charts: readonly string[];
  readonly font: string;
}

export interface PictureOptions {
  readonly curves: readonly Curve[];
  readonly range: Range | null;
  readonly smoothing: number;
  readonly series: { readonly trained: boolean; readonly heldout: boolean };
  readonly colours: PictureColours;
}

export const metrics = ['margin', 'loss', 'accuracy'] as const satisfies readonly Metric[];

const [chartWidth, chartHeight, gap, left, top] = [420, 260, 30, 60, 40];
const legendLine = 18;
export const textSize = 12;

export function pictureOf(options: PictureOptions): Picture {
  const { curves, colours, series } = options;
  const legend = curves.flatMap(({ name, colour }) => [
    ...(series.trained ? [{ words: `${name}, ${trainedOn}`, colour, dashed: false }] : []),
    ...(series.heldout ? [{ words: `${name}, ${heldOut}`, colour, dashed: true }] : []),
  ]);
  const marks: Mark[] = metrics.flatMap((metric, place) =>
    chartMarks(metric, place * (chartWidth + gap), options),
  );
  for (const [place, { words, colour, dashed }] of legend.entries()) {
    const y = top + chartHeight + 50 + place * legendLine;
    const stroke = colourOf(colours, colour);
    marks.push(
      {
        mark: 'line',
        points: [
          [left, y - 4],
          [left + 30, y - 4],
        ],
        colour: stroke,
        width: 1.5,
        dashed,
      },
      text(words, [left + 38, y], colours.foreground),
    );
  }
  const { background, font } = colours;
  return {
    ...{ background, font, marks },
    width: metrics.length * (chartWidth + gap),
    height: top + chartHeight + 50 + legend.length * legendLine + 10,
  };
}

function chartMarks(metric: Metric, offset: number, options: PictureOptions): Mark[] {
  const { curves, colours, smoothing, series } = options;
  const range = options.range ?? wholeRange(curves) ?? { min: 0, max: 1 };
  const lines = curves.flatMap(({ trained, heldout, colour }) => [
    ...(series.trained
      ? [{ columns: trained, values: smoothed(trained[metric], smoothing), colour, dashed: false }]
      : []),
    ...(series.heldout ? [{ columns: heldout, values: heldout[metric], colour, dashed: true }] : []),
  ]);
  const drawn = lines.map(({ columns, values, ...how }) => ({
    ...how,
    points: values.flatMap((value, index) => {
      const step = columns.step[index] ?? -1;
      return value === null || step < range.min || step > range.max ? [] : [[step, value] as const];
    }),
  }));
  const values = drawn.flatMap(({ points }) => points.map(([, value]) => value));
  const [low, high] = metric === 'accuracy' ? [0, 1] : spread(values);
  const x = (step: number): number =>
    offset + left + ((step - range.min) / Math.max(1e-9, range.max - range.min)) * (chartWidth - left);
  const y = (value: number): number => top + chartHeight - ((value - low) / (high - low)) * chartHeight;
  return [
    text(metricTitles[metric], [offset + left, top - 14], colours.foreground, 'start', true),
    ...ticks(low, high).flatMap((value): Mark[] => [
      rule(
        [
          [x(range.min), y(value)],
          [x(range.max), y(value)],
        ],
        colours.lines,
      ),
      text(figure(value), [offset + left - 6, y(value) + 4], colours.faint, 'end'),
    ]),
    ...ticks(range.min, range.max).map((step) =>
      text(figure(step), [x(step), top + chartHeight + 18], colours.faint, 'middle'),
    ),
    text('Step', [offset + (left + chartWidth) / 2, top + chartHeight + 34], colours.faint, 'middle'),
    ...drawn.map(({ points, colour, dashed }): Mark => ({
      mark: 'line',
      points: points.map(([step, value]) => [x(step), y(value)]),
      colour: colourOf(colours, colour),
      width: 1.5,
      dashed,
    })),
  ];
}

function colourOf({ charts, foreground }: PictureColours, colour: number): string {
  return charts[colour % charts.length] ?? foreground;
}

function rule(points: readonly (readonly [number, number])[], colour: string): Mark {
  return { mark: 'line', points, colour, width: 0.5, dashed: false };
}

function text(
  words: string,
  at: readonly [number, number],
  colour: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
  bold = false,
): Mark {
  return { mark: 'text', at, text: words, colour, anchor, bold };
}

function spread(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** Round values between two bounds, about five. */
export function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  if (!(rough > 0)) return [low];
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((one) => one >= rough) ?? rough;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

export function svgOf({ width, height, background, font, marks }: Picture): string {
  const body = marks.map((mark) => {
    if (mark.mark === 'text') {
      const { at, text: words, colour, anchor, bold } = mark;
      const weight = bold ? ' font-weight="600"' : '';
      return `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" fill="${escaped(colour)}" text-anchor="${anchor}"${weight}>${escaped(words)}</text>`;
    }
    const points = mark.points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
    const dash = mark.dashed ? ' stroke-dasharray="5 4"' : '';
    return `<polyline points="${points}" fill="none" stroke="${escaped(mark.colour)}" stroke-width="${mark.width}"${dash}/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(font)}" font-size="${textSize}">`,
    `<rect width="100%" height="100%" fill="${escaped(background)}"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(words: string): string {
  return words.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** One line for each step of each curve that is shown, as it was measured. */
export function csvOf(curves: readonly Curve[]): string {
  const lines = ['curve,pairs,step,rewards/margins,loss,rewards/accuracies,rewards/chosen,rewards/rejected'];
  for (const { name, trained, heldout } of curves)
    for (const [columns, pairs] of [
      [trained, trainedOn],
      [heldout, heldOut],
    ] as const)
      for (const [index, step] of columns.step.entries()) {
        const { margin, loss, accuracy, chosen, rejected } = columns;
        const values = [margin, loss, accuracy, chosen, rejected].map((column) => column[index] ?? '');
        lines.push([quoted(name), pairs, step, ...values].join(','));
      }
  return `${lines.join('\r\n')}\r\n`;
}

/** A name that begins like a formula would be one in a spreadsheet. */
function quoted(name: string): string {
  const plain = /^[=+@\t\r-]/.test(name) ? `'${name}` : name;
  return `"${plain.replaceAll('"', '""')}"`;
}
