// What the checks find in the pairs of one folder, for the board: each pair by itself, all together, and, where there
// is an embedder and somebody looks, those that mean nearly the same. Done in the background, and again when pairs have changed.
import { setImmediate as breathe } from 'node:timers/promises';
import { PreflexorError, sentence, throwIfCancelled } from '../errors.ts';
import { checkPair, checkSet, NearDuplicates, type EmbedTexts } from '../preferences/index.ts';
import type { PairProblem, PreferencePair } from '../protocol/index.ts';
import { isKept } from './pairSelection.ts';

const checkedAtOnce = 20;

export class PairChecks {
  readonly #nearDuplicates: NearDuplicates;
  readonly #done: () => void;
  /** By id of the content, from which alone it follows; what is no longer asked for goes with the next check. */
  #single = new Map<string, readonly PairProblem[]>();
  #together = new Map<string, PairProblem[]>();
  #alike = new Map<string, PairProblem[]>();
  #remarks: readonly string[] = [];
  #running: AbortController | null = null;
  #looksForAlike = false;

  /** @param done hears that findings may be others than before */
  constructor(embed: EmbedTexts, done: () => void) {
    this.#nearDuplicates = new NearDuplicates(embed);
    this.#done = done;
  }

  get busy(): boolean {
    return this.#running !== null;
  }

  /** What is true of the set as a whole, each in a sentence. */
  get remarks(): readonly string[] {
    return this.#remarks;
  }

  findingsOf({ id }: PreferencePair): readonly PairProblem[] {
    return [this.#single, this.#together, this.#alike].flatMap((found) => found.get(id) ?? []);
  }

  /** Goes over the pairs that are trained on, in place of what is under way. */
  begin(pairs: () => readonly PreferencePair[]): void {
    this.#running?.abort();
    const mine = new AbortController();
    this.#running = mine;
    void this.#run(pairs().filter(isKept), mine);
  }

  /** From now on near-duplicates are looked for too: somebody looks at the pairs, and it costs a model in memory. */
  lookForAlike(pairs: () => readonly PreferencePair[]): void {
    if (this.#looksForAlike) return;
    this.#looksForAlike = true;
    this.begin(pairs);
  }

  stop(): void {
    this.#running?.abort();
  }

  async #run(pairs: readonly PreferencePair[], mine: AbortController): Promise<void> {
    try {
      await this.#eachAlone(pairs, mine.signal);
      const problems = await checkSet(pairs, mine.signal);
      this.#together = byPair(problems);
      this.#remarks = problems.filter(({ pairs: about }) => about.length === 0).map(({ message }) => message);
      if (this.#looksForAlike) {
        this.#done();
        await this.#alikeOnes(pairs, mine.signal);
      }
    } catch (error) {
      if (PreflexorError.is(error, 'cancelled')) return;
      this.#remarks = [`The checks could not be done: ${sentence(error)}`];
    } finally {
      if (this.#running === mine) this.#running = null;
    }
    this.#done();
  }

  /** What is known of a content is not worked out again. */
  async #eachAlone(pairs: readonly PreferencePair[], signal: AbortSignal): Promise<void> {
    const single = new Map<string, readonly PairProblem[]>();
    let fresh = 0;
    for (const pair of pairs) {
      const known = this.#single.get(pair.id);
      const found = known ?? checkPair(pair);
      single.set(pair.id, found);
      // Kept as they come: a change that breaks this off then costs none of them.
      this.#single.set(pair.id, found);
      if (known === undefined && (fresh += 1) % checkedAtOnce === 0) await breathe();
      throwIfCancelled(signal);
    }
    this.#single = single;
  }

  /** A machine without an embedder does without: all else is checked all the same. */
  async #alikeOnes(pairs: readonly PreferencePair[], signal: AbortSignal): Promise<void> {
    try {
      this.#alike = byPair(await this.#nearDuplicates.find(pairs, signal));
    } catch (error) {
      if (!PreflexorError.is(error) || error.code === 'cancelled') throw error;
      this.#alike = new Map();
    }
  }
}

function byPair(problems: readonly PairProblem[]): Map<string, PairProblem[]> {
  const found = new Map<string, PairProblem[]>();
  for (const problem of problems) {
    for (const id of problem.pairs) {
      const own = found.get(id);
      if (own) own.push(problem);
      else found.set(id, [problem]);
    }
  }
  return found;
}
