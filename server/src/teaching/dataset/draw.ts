// Draws the passages of each sample: by chance, but those first that were asked least, so that the whole corpus has
// its turn. What is drawn follows from the seed, the number of the attempt, and the attempts before it.
import { seededRandom, seedFor } from '../../evaluation/index.ts';
import type { DatasetSample, PairSplit } from '../../protocol/index.ts';
import type { CorpusChunk } from './ports.ts';

export interface Drawn {
  readonly attempt: number;
  readonly split: PairSplit;
  /** The first is the one that the sample belongs to. */
  readonly chunks: readonly CorpusChunk[];
}

export interface DrawOptions {
  readonly seed: number;
  /** Kept samples that are wanted on each side. */
  readonly wanted: Readonly<Record<PairSplit, number>>;
  readonly chunks: number;
  readonly perChunk: number;
}

export class Drawing {
  readonly #options: DrawOptions;
  readonly #sides: Readonly<Record<PairSplit, readonly CorpusChunk[]>>;
  readonly #uses = new Map<string, number>();
  readonly #kept: Record<PairSplit, number> = { train: 0, 'held-out': 0 };
  #attempts = 0;

  constructor(chunks: readonly CorpusChunk[], heldout: ReadonlySet<string>, options: DrawOptions) {
    this.#options = options;
    this.#sides = {
      train: chunks.filter(({ document }) => !heldout.has(document)),
      'held-out': chunks.filter(({ document }) => heldout.has(document)),
    };
  }

  /** Counts a sample that was made from what was drawn. */
  made({ attempt, split, kept, evidence }: DatasetSample): void {
    this.#attempts = Math.max(this.#attempts, attempt + 1);
    if (kept) this.#kept[split] += 1;
    const id = evidence[0]?.id;
    if (id !== undefined) this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
  }

  /** Whether as many samples are kept as are wanted. */
  get isEnough(): boolean {
    return this.#missing('train') === 0 && this.#missing('held-out') === 0;
  }

  /** The next passages; null when every one that could be asked from was asked as often as it may be. */
  next(): Drawn | null {
    const attempt = this.#attempts;
    const random = seededRandom(seedFor(this.#options.seed, `sample ${attempt}`));
    const split = this.#nextSide();
    if (split === null) return null;
    const open = this.#open(split);
    const fewest = Math.min(...open.map((chunk) => this.#usesOf(chunk)));
    const first = oneOf(
      open.filter((chunk) => this.#usesOf(chunk) === fewest),
      random,
    );
    if (!first) return null;
    const chunks = [first];
    const others = this.#sides[split].filter((chunk) => chunk !== first);
    while (chunks.length < this.#options.chunks) {
      const more = oneOf(
        others.filter((chunk) => !chunks.includes(chunk)),
        random,
      );
      if (!more) break;
      chunks.push(more);
    }
    return { attempt, split, chunks };
  }

  /** The side that is further from what is wanted of it, among those that can still be asked from. */
  #nextSide(): PairSplit | null {
    const sides = (['train', 'held-out'] as const)
      .filter((side) => this.#missing(side) > 0 && this.#open(side).length > 0)
      .sort((one, other) => this.#share(one) - this.#share(other));
    return sides[0] ?? null;
  }

  #missing(side: PairSplit): number {
    return Math.max(0, this.#options.wanted[side] - this.#kept[side]);
  }

  #share(side: PairSplit): number {
    return this.#kept[side] / Math.max(1, this.#options.wanted[side]);
  }

  #open(side: PairSplit): CorpusChunk[] {
    return this.#sides[side].filter((chunk) => this.#usesOf(chunk) < this.#options.perChunk);
  }

  #usesOf({ id }: CorpusChunk): number {
    return this.#uses.get(id) ?? 0;
  }
}

function oneOf<T>(items: readonly T[], random: () => number): T | undefined {
  return items[Math.floor(random() * items.length)];
}
