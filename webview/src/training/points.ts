// Steps and values of curves: which come next, what stands at one, and how curves are aligned and smoothed. Pure.
import type { CurveColumns } from '../../../server/src/protocol/index.ts';
import type { Curve, Metric } from './trainingState.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** All steps at which any of the curves has a point, in their order. */
export function stepsOf(curves: readonly Curve[]): number[] {
  const steps = new Set<number>();
  for (const { trained, heldout } of curves)
    for (const step of [...trained.step, ...heldout.step]) steps.add(step);
  return [...steps].sort((a, b) => a - b);
}

/** The step so many places on from the nearest one; stays within the steps. null: there are none. */
export function stepFrom(steps: readonly number[], at: number | null, by: number): number | null {
  if (steps.length === 0) return null;
  const here = at === null ? (by > 0 ? -1 : steps.length) : indexAtOrBefore(steps, at);
  return steps[Math.min(steps.length - 1, Math.max(0, here + by))] ?? null;
}

/** The last place whose step is not behind `at`; -1: all are. */
export function indexAtOrBefore(steps: readonly number[], at: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The last value at or before a step, and where it stands. */
export function valueAt(
  columns: CurveColumns,
  values: readonly (number | null)[],
  at: number,
): { readonly step: number; readonly value: number } | null {
  for (let index = indexAtOrBefore(columns.step, at); index >= 0; index -= 1) {
    const [step, value] = [columns.step[index], values[index]];
    if (step !== undefined && value !== undefined && value !== null) return { step, value };
  }
  return null;
}

/** The mean of so many values up to each one; 1: the values themselves. What was not measured stays so. */
export function smoothed(values: readonly (number | null)[], width: number): readonly (number | null)[] {
  if (width <= 1) return values;
  let [sum, count] = [0, 0];
  return values.map((value, index) => {
    if (value !== null) {
      sum += value;
      count += 1;
    }
    const leaving = values[index - width] ?? null;
    if (leaving !== null) {
      sum -= leaving;
      count -= 1;
    }
    return value === null ? null : sum / count;
  });
}

/** Columns for one chart: the steps, then two series for each curve, trained on and held out. */
export function aligned(
  curves: readonly Curve[],
  metric: Metric,
  smoothing: number,
): [number[], ...(number | null | undefined)[][]] {
  const steps = stepsOf(curves);
  const places = new Map(steps.map((step, place) => [step, place]));
  const spread = (columns: CurveColumns, values: readonly (number | null)[]) => {
    const column = new Array<number | null | undefined>(steps.length).fill(undefined);
    for (const [index, step] of columns.step.entries()) column[places.get(step) ?? 0] = values[index] ?? null;
    return column;
  };
  return [
    steps,
    ...curves.flatMap(({ trained, heldout }) => [
      spread(trained, smoothed(trained[metric], smoothing)),
      spread(heldout, heldout[metric]),
    ]),
  ];
}

/** A part of the range around `centre`, within the whole. @param factor below 1 it gets narrower */
export function zoomed(
  whole: Range,
  range: Range | null,
  centre: number | null,
  factor: number,
): Range | null {
  const { min, max } = range ?? whole;
  const middle = centre !== null && centre >= min && centre <= max ? centre : (min + max) / 2;
  const low = Math.max(whole.min, middle - (middle - min) * factor);
  const high = Math.min(whole.max, middle + (max - middle) * factor);
  if (high - low < 1) return range;
  return low <= whole.min && high >= whole.max ? null : { min: low, max: high };
}

export function wholeRange(curves: readonly Curve[]): Range | null {
  const steps = stepsOf(curves);
  const [min, max] = [steps[0], steps.at(-1)];
  return min === undefined || max === undefined ? null : { min, max };
}
