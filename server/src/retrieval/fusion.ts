// Putting rankings together, and choosing passages that are not all the same. Pure arithmetic.

/**
 * Reciprocal rank fusion: each ranking gives `1 / (60 + rank)`, ranks from 1. Source: Cormack, Clarke and
 * Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009;
 * k = 60 is theirs. It looks at ranks only, so scores of different kinds need not be made comparable.
 */
export const fusionConstant = 60;

/** Ids with their fused score, best first; of equals the smaller id. An id counts once in each ranking. */
export function fuse(rankings: readonly (readonly string[])[]): readonly { id: string; score: number }[] {
  const scores = new Map<string, number>();
  for (const ranking of rankings) {
    for (const [at, id] of [...new Set(ranking)].entries())
      scores.set(id, (scores.get(id) ?? 0) + 1 / (fusionConstant + at + 1));
  }
  return [...scores]
    .map(([id, score]) => ({ id, score }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

export interface Candidate {
  readonly id: string;
  readonly document: string;
  /** Of length 1. */
  readonly vector: Float32Array;
  /** How good it is by itself, 0 to 1. */
  readonly relevance: number;
  /** The same text means the same passage. */
  readonly textHash: string;
}

export interface DiversityOptions {
  /** 1: relevance alone; 0: difference alone. */
  readonly lambda: number;
  /** Cosine similarity from which two passages count as the same one. */
  readonly duplicate: number;
  /**
   * What a passage of a document that is already there loses for each passage of it, as a share of its
   * relevance: another document's passage comes first unless it is weaker than that.
   */
  readonly sameDocument: number;
}

export const diversityDefaults: DiversityOptions = { lambda: 0.7, duplicate: 0.97, sameDocument: 0.15 };

/**
 * Maximal marginal relevance (Carbonell and Goldstein, "The use of MMR, diversity-based reranking for
 * reordering documents and producing summaries", SIGIR 1998): one after the other, the candidate with the
 * highest `λ · relevance − (1 − λ) · similarity to the closest chosen`. Near-duplicates are left out wholly.
 * Of equals the earlier candidate. At most `k`.
 */
export function diversify<T extends Candidate>(
  candidates: readonly T[],
  k: number,
  options: DiversityOptions = diversityDefaults,
): readonly T[] {
  const chosen: T[] = [];
  let left = candidates.map((candidate) => ({ candidate, closest: 0 }));
  while (chosen.length < k && left.length > 0) {
    const [first, ...rest] = left;
    if (!first) break;
    const value = ({ candidate, closest }: (typeof left)[number]) =>
      options.lambda * candidate.relevance * discount(candidate, chosen, options) -
      (1 - options.lambda) * closest;
    const best = rest.reduce((a, b) => (value(b) > value(a) ? b : a), first);
    chosen.push(best.candidate);
    left = left
      .filter((entry) => entry !== best)
      .map(({ candidate, closest }) => ({
        candidate,
        closest: Math.max(closest, cosine(candidate.vector, best.candidate.vector)),
      }))
      .filter(
        ({ candidate, closest }) =>
          closest < options.duplicate && candidate.textHash !== best.candidate.textHash,
      );
  }
  return chosen;
}

function discount(candidate: Candidate, chosen: readonly Candidate[], options: DiversityOptions): number {
  const there = chosen.filter(({ document }) => document === candidate.document).length;
  return (1 - options.sameDocument) ** there;
}

/** Cosine similarity of vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  // By index: an iterator takes twenty times as long, and this runs some hundred times a search.
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}
