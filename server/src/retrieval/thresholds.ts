// From which closeness on (cosine similarity, and what shared words add) a passage counts as relevant, for each
// embedder: embedders differ in how close they put texts that have nothing to do with each other. Data, and the
// rule where there is none.

/**
 * By the embedder's id: what `calibrate` gives for the best similarities of questions that a corpus answers and
 * of questions of another field (`node bench/retrievalQuality.ts`, `otherField`).
 */
export const thresholds: Readonly<Record<string, number>> = { 'all-minilm-l6-v2': 0.21 };

/**
 * Where nothing is calibrated, a cautious guess by family. BGE's makers say that its similarities lie about in
 * [0.6, 1], because it is trained with a temperature of 0.01 (https://huggingface.co/BAAI/bge-large-en-v1.5,
 * FAQ, "The similarity score between two dissimilar sentences is higher than 0.5"); GTE and E5 are trained
 * likewise. Others (MiniLM, MPNet) use the whole range, with unrelated texts near 0.
 */
export function thresholdFor(embedderId: string, known = thresholds): number {
  const exact = known[embedderId];
  if (exact !== undefined) return exact;
  return /\bbge\b|\bgte\b|(^|[^a-z0-9])e5([^a-z0-9]|$)/i.test(embedderId) ? 0.6 : 0.25;
}

/**
 * The threshold at which as many answerable questions are turned away as unanswerable ones are let through
 * (equal error rate). `answerable` and `unanswerable`: the best similarity that each question found.
 * Null when either is empty. Of several such thresholds the middle one.
 */
export function calibrate(answerable: readonly number[], unanswerable: readonly number[]): number | null {
  if (answerable.length === 0 || unanswerable.length === 0) return null;
  const candidates = [...new Set([...answerable, ...unanswerable])].sort((a, b) => a - b);
  const middles = candidates.map((value, at) => (value + (candidates[at + 1] ?? value)) / 2);
  const gap = (threshold: number) =>
    Math.abs(
      share(answerable, (value) => value < threshold) - share(unanswerable, (value) => value >= threshold),
    );
  const least = Math.min(...middles.map(gap));
  const best = middles.filter((middle) => gap(middle) === least);
  return best[Math.floor(best.length / 2)] ?? null;
}

function share(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length;
}
