// Numbers of a report, and the charts that are drawn from them.
import type { Estimate, Figure } from '../protocol/index.ts';
import type { Chart } from './chart/index.ts';

/** A section of a report before its plot has a file. */
export interface Finding {
  readonly title: string;
  readonly text: string;
  readonly figures: readonly Figure[];
  readonly chart: Chart | null;
}

/** `of` names the row (a method, an iteration, a model), `what` the measure. */
export function figure(of: string, what: string, estimate: Estimate): Figure {
  return { of, what, ...estimate };
}

/** The chart of these figures: a series for each measure, a place for each row. Figures without a mean are left out. */
export function chartOf(
  figures: readonly Figure[],
  words: Pick<Chart, 'kind' | 'title' | 'xLabel' | 'yLabel' | 'range'>,
): Chart | null {
  const measures = [...new Set(figures.map(({ what }) => what))];
  const series = measures.map((name) => ({
    name,
    points: figures.flatMap(({ of, what, mean, low, high }) =>
      what === name && mean !== null ? [{ x: of, y: mean, low, high }] : [],
    ),
  }));
  return series.some(({ points }) => points.length > 0) ? { ...words, series } : null;
}
