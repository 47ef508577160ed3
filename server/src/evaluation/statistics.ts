// Means with the intervals that say how far they are to be trusted. Pure; the same seed gives the same interval.
import type { Estimate } from '../protocol/index.ts';
import { seededRandom } from './random.ts';

const resamples = 2000;

/** The interval's share; the rest lies outside, half on each side. */
const level = 0.95;

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample (divisor n − 1); null for fewer than two values. */
export function deviationOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * The mean with its percentile bootstrap interval (Efron 1979; 2,000 resamples, 95 %). One value has no interval:
 * nothing is known of how others would lie.
 */
export function estimate(values: readonly number[], seed: number): Estimate {
  const n = values.length;
  if (n === 0) return { n, mean: null, low: null, high: null, deviation: null };
  const middle = mean(values);
  if (n === 1) return { n, mean: middle, low: null, high: null, deviation: null };
  const random = seededRandom(seed);
  const means = Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let draw = 0; draw < n; draw += 1) sum += values[Math.floor(random() * n)] ?? 0;
    return sum / n;
  }).sort((one, other) => one - other);
  const tail = (1 - level) / 2;
  const low = quantile(means, tail);
  const high = quantile(means, 1 - tail);
  return { n, mean: middle, low, high, deviation: deviationOf(values) };
}

/** The normal distribution's quantile at 0.975. */
const z = 1.959964;

/**
 * The share of trues, with Wilson's score interval (1927): a bootstrap of zeros alone would claim to be certain.
 * The deviation is that of the zeros and ones.
 */
export function share(values: readonly boolean[]): Estimate {
  const n = values.length;
  if (n === 0) return { n, mean: null, low: null, high: null, deviation: null };
  const numbers = values.map((value) => (value ? 1 : 0));
  const part = mean(numbers);
  const middle = (part + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((part * (1 - part)) / n + z ** 2 / (4 * n ** 2));
  const low = part === 0 ? 0 : Math.max(0, middle - half);
  const high = part === 1 ? 1 : Math.min(1, middle + half);
  return { n, mean: part, low, high, deviation: deviationOf(numbers) };
}

/** Linear between the neighbours. @param sorted at least one value, ascending */
export function quantile(sorted: readonly number[], at: number): number {
  const place = at * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}
