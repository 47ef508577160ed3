// Measures of a ranking with one right place, and how sure a lead is. Pure functions: no search, no files.

/** A stretch `[start, end)` of a file's text, in UTF-16 code units. */
export interface Place {
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Whether a passage holds what was asked for: its `[start, end)` covers the middle of the quote. A stretch that
 * covers the middle holds half of the quote at least, or lies wholly inside it; of passages that don't overlap
 * exactly one does; and a passage that is cut within the quote is judged by where the larger part of it went.
 */
export function holdsQuote(passage: Place, quote: Place): boolean {
  const middle = quote.start + Math.floor((quote.end - quote.start) / 2);
  return passage.source === quote.source && passage.start <= middle && middle < passage.end;
}

/** Rank from 1 of the first passage that holds the quote; null: none does. */
export function rankOf(passages: readonly Place[], quote: Place): number | null {
  const index = passages.findIndex((passage) => holdsQuote(passage, quote));
  return index < 0 ? null : index + 1;
}

/**
 * nDCG@k with one relevant place and binary gain: `1 / log2(1 + rank)` within the first k, else 0. The ideal
 * ranking has it first, with a DCG of 1. Further passages that overlap the same place gain nothing.
 */
export function ndcg(rank: number | null, k: number): number {
  return rank !== null && rank <= k ? 1 / Math.log2(1 + rank) : 0;
}

/** 1 where the place is among the first k, else 0. */
export function hit(rank: number | null, k: number): number {
  return rank !== null && rank <= k ? 1 : 0;
}

/** @returns NaN for no values */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The mean lead of `ours` over `theirs` on the same questions, with the percentile interval (95 %) of a paired
 * bootstrap: whole questions are drawn with replacement, so that hard questions stay hard for both.
 * @param random uniform in [0, 1)
 */
export function pairedBootstrap(
  ours: readonly number[],
  theirs: readonly number[],
  random: () => number,
  resamples = 10_000,
): Interval {
  if (ours.length !== theirs.length || ours.length === 0)
    throw new RangeError(`Pairs are needed: ${ours.length} and ${theirs.length} values were given.`);
  const leads = ours.map((value, index) => value - (theirs[index] ?? NaN));
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (const _draw of leads) sum += leads[Math.floor(random() * leads.length)] ?? NaN;
    return sum / leads.length;
  }).sort();
  return { mean: mean(leads), low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

/** Linear between the two nearest ranks; `sorted` ascending and not empty. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Numbers in [0, 1), the same for the same seed: Mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
