// Axes: round numbers for the ticks, and where a value lies. Pure.

/** Ascending round numbers from at or below `low` to at or above `high`, four to nine of them, where they differ. */
export function ticksBetween(low: number, high: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  // Multiplied, not added up: sums of 0.1 are no round numbers.
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** A number as it stands at an axis: no more decimals than it has, three at most. */
export function tickText(value: number): string {
  return String(Number(value.toFixed(3)));
}
