// How many threads embedding should have, learned while it works: beside an editor, an index and a busy machine
// more threads are often slower, because those that compute spin while they wait for one that had to give way.
// Pure; whoever embeds says how long each batch took.
import { threadCandidates } from './threads.ts';

/**
 * A count is tried anew after so many batches, so that what was true on a busy machine is not true for ever; each
 * time that it is still no better, twice as many pass, because a batch with too many threads may take ten times as
 * long.
 */
const firstRetryBatches = 40;
const lastRetryBatches = 640;
/** How much the latest batch counts against those before it. */
const newest = 0.3;
/** Fewer threads are taken when more are not this much faster: they leave room for everything else. */
const worthwhile = 0.93;

interface Measured {
  /** Seconds for a token, smoothed. */
  readonly pace: number;
  /** When it was measured last, and how many batches later it may be tried again. */
  readonly batch: number;
  readonly patience: number;
}

export class Pace {
  readonly #candidates: readonly number[];
  readonly #measured = new Map<number, Measured>();
  #batch = 0;

  /** `most` threads are never exceeded. */
  constructor(most: number) {
    this.#candidates = threadCandidates(most);
  }

  /** The threads for the next batch, `most` at most (which is 1 at least). */
  choose(most: number): number {
    const possible = this.#candidates.filter((threads) => threads <= most);
    if (possible.length === 0) return 1;
    const untried = possible.find((threads) => !this.#measured.has(threads));
    if (untried !== undefined) return untried;
    const best = this.#best(possible);
    const stale = possible.filter((threads) => threads !== best).find((threads) => this.#isStale(threads));
    return stale ?? best;
  }

  /** A batch of so many tokens took so long. */
  took(threads: number, tokens: number, seconds: number): void {
    if (tokens <= 0) return;
    this.#batch += 1;
    const before = this.#measured.get(threads);
    const now = seconds / tokens;
    // What is known from long ago says nothing any more.
    const smoothed =
      before === undefined || this.#isStale(threads) ? now : before.pace + newest * (now - before.pace);
    const patience = before?.patience ?? firstRetryBatches;
    this.#measured.set(threads, { batch: this.#batch, pace: smoothed, patience });
    const best = this.#best(this.#candidates);
    const next = threads === best ? firstRetryBatches : Math.min(lastRetryBatches, 2 * patience);
    this.#measured.set(threads, { batch: this.#batch, pace: smoothed, patience: next });
  }

  #isStale(threads: number): boolean {
    const measured = this.#measured.get(threads);
    return measured !== undefined && this.#batch - measured.batch >= measured.patience;
  }

  #best(possible: readonly number[]): number {
    const pace = (threads: number) => this.#measured.get(threads)?.pace ?? Infinity;
    const fastest = Math.min(...possible.map(pace));
    return Math.min(...possible.filter((threads) => pace(threads) * worthwhile <= fastest));
  }
}
