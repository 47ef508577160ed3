// Where "nothing relevant" begins: a threshold on the best cosine similarity, and how well it does on questions
// that it was not fitted to. Pure functions: no search, no files.
import { mean } from './metrics.ts';

/** One question: the best similarity that its search saw, and whether the corpus answers it. */
export interface Judged {
  readonly best: number;
  readonly answerable: boolean;
}

/** Shares from 0 to 1. `passages`: of answerable questions, those that get some; `refused`: of the others, those that get none. */
export interface Shares {
  readonly passages: number;
  readonly refused: number;
}

/** A question gets passages when its best similarity is at or above the threshold. */
export function sharesAt(threshold: number, judged: readonly Judged[]): Shares {
  const share = (answerable: boolean, right: (best: number) => boolean): number =>
    mean(
      judged
        .filter((question) => question.answerable === answerable)
        .map(({ best }) => (right(best) ? 1 : 0)),
    );
  return {
    passages: share(true, (best) => best >= threshold),
    refused: share(false, (best) => best < threshold),
  };
}

/**
 * The threshold with the largest mean of both shares (balanced accuracy, so that it does not hang on how many
 * questions of each sort there are), halfway between neighbouring similarities; the lowest of several equally
 * good ones, because a passage too many costs less than a passage withheld.
 */
export function fitThreshold(judged: readonly Judged[]): number {
  const values = [...new Set(judged.map(({ best }) => best))].sort((a, b) => a - b);
  const candidates = values.slice(1).map((value, index) => (value + (values[index] ?? value)) / 2);
  let chosen = { threshold: values[0] ?? 0, accuracy: -1 };
  for (const threshold of candidates) {
    const { passages, refused } = sharesAt(threshold, judged);
    const accuracy = (passages + refused) / 2;
    if (accuracy > chosen.accuracy + 1e-12) chosen = { threshold, accuracy };
  }
  return chosen.threshold;
}

export interface CrossValidated {
  /** For each question, in order: whether a threshold fitted without its fold gives it passages. */
  readonly getsPassages: readonly boolean[];
  /** One of each fold. */
  readonly thresholds: readonly number[];
}

/**
 * Fits on all folds but one and tests on that one. Each fold holds its share of both sorts of questions.
 * @param random uniform in [0, 1): which question goes to which fold
 */
export function crossValidate(
  judged: readonly Judged[],
  folds: number,
  random: () => number,
): CrossValidated {
  const foldOf = stratifiedFolds(judged, folds, random);
  const thresholds = Array.from({ length: folds }, (_none, fold) =>
    fitThreshold(judged.filter((_question, index) => foldOf[index] !== fold)),
  );
  const getsPassages = judged.map(({ best }, index) => best >= (thresholds[foldOf[index] ?? 0] ?? NaN));
  return { getsPassages, thresholds };
}

function stratifiedFolds(judged: readonly Judged[], folds: number, random: () => number): number[] {
  const foldOf = new Array<number>(judged.length).fill(0);
  for (const answerable of [true, false]) {
    const indices = judged.flatMap((question, index) => (question.answerable === answerable ? [index] : []));
    shuffled(indices, random).forEach((index, place) => {
      foldOf[index] = place % folds;
    });
  }
  return foldOf;
}

/** Fisher and Yates. */
function shuffled(values: readonly number[], random: () => number): number[] {
  const result = [...values];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] ?? 0, result[last] ?? 0];
  }
  return result;
}
