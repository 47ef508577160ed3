// Pairs whose better answers (the only ones of lone rejects) mean nearly the same, by the embedder's cosine similarity.
// It remembers what it has compared: a set that is checked again costs what is new in it.
import { setImmediate as breathe } from 'node:timers/promises';
import { throwIfCancelled } from '../../../errors.ts';
import type { PairProblem, PreferencePair } from '../../../protocol/index.ts';

/** Vectors of length 1, in the order of the texts. */
export type EmbedTexts = (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>;

/** From this cosine similarity on two answers say nearly the same. */
const nearlySame = 0.97;
const textsAtOnce = 64;
const comparedAtOnce = 20;
/** Share of the dimensions that are looked at first; most couples are told apart by them. */
const firstLook = 0.25;

interface Compared {
  readonly vector: Float32Array;
  /** Length of what the first look leaves out. */
  readonly tail: number;
}

/** A pair is named with so many of those before it, the nearest ones. */
const mostCouples = 8;

interface Couple {
  readonly one: string;
  readonly other: string;
  readonly similarity: number;
}

type OnProgress = (done: number, total: number) => void;

export class NearDuplicates {
  readonly #embed: EmbedTexts;
  /** By the ids of the pairs: each was compared with each other one. */
  readonly #compared = new Map<string, Compared>();
  #couples: Couple[] = [];

  constructor(embed: EmbedTexts) {
    this.#embed = embed;
  }

  /**
   * @param onProgress pairs that are compared, of those that are new
   * @throws PreflexorError `cancelled`, and what the embedder throws; what was compared by then is known still
   */
  async find(
    pairs: readonly PreferencePair[],
    signal: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<PairProblem[]> {
    const present = new Map(pairs.map((pair, at) => [pair.id, { pair, at }]));
    for (const id of this.#compared.keys()) if (!present.has(id)) this.#compared.delete(id);
    this.#couples = this.#couples.filter(({ one, other }) => present.has(one) && present.has(other));
    await this.#compare(
      pairs.filter(({ id }) => !this.#compared.has(id)),
      signal,
      onProgress,
    );
    return this.#couples.flatMap(({ one, other, similarity }): PairProblem[] => {
      const couple = [present.get(one), present.get(other)].flatMap((found) => found ?? []);
      const [first, second] = couple.sort((a, b) => a.at - b.at).map(({ pair }) => pair);
      if (!first || !second || isKnownOtherwise(first, second)) return [];
      const message = `Two pairs say nearly the same (cosine similarity ${similarity.toFixed(3)}).`;
      return [{ code: 'near-duplicate', pairs: [first.id, second.id], message }];
    });
  }

  async #compare(
    fresh: readonly PreferencePair[],
    signal: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<void> {
    for (let at = 0; at < fresh.length; at += textsAtOnce) {
      onProgress?.(at, fresh.length);
      const some = fresh.slice(at, at + textsAtOnce);
      const vectors = await this.#embed(some.map(answerOf), signal);
      for (const [index, { id }] of some.entries()) {
        if (index % comparedAtOnce === 0) await breathe();
        throwIfCancelled(signal);
        const vector = vectors[index];
        if (vector) this.#add(id, { vector, tail: tailOf(vector) });
      }
    }
  }

  /** Compares one with all that are there: with a pair of the same content it is one. */
  #add(id: string, one: Compared): void {
    const found: Couple[] = [];
    for (const [other, known] of this.#compared) {
      const similarity = similarityOf(one, known);
      if (similarity >= nearlySame) found.push({ one: other, other: id, similarity });
    }
    // In a file that says one thing ten thousand times, all couples would be fifty million.
    found.sort((a, b) => b.similarity - a.similarity);
    this.#couples.push(...found.slice(0, mostCouples));
    this.#compared.set(id, one);
  }
}

/** Prompts share most of their words, thinking is long, and embedders read only so much: the answer, or what is last. */
function answerOf({ chosen, rejected, spans }: PreferencePair): string {
  const text = chosen ?? rejected ?? '';
  const { content } = (chosen === null ? spans.rejected : spans.chosen).at(-1) ?? {};
  return text.slice(content?.start ?? 0, content?.end);
}

/** The same answer against two others is what regenerating gives, and is no repetition; the same pair is a duplicate. */
function isKnownOtherwise(one: PreferencePair, other: PreferencePair): boolean {
  return normal(one.chosen) === normal(other.chosen);
}

function normal(text: string | null): string | null {
  return text?.toLowerCase().replace(/\s+/g, ' ').trim() ?? null;
}

function lookedFirst({ length }: Float32Array): number {
  return Math.ceil(length * firstLook);
}

function tailOf(vector: Float32Array): number {
  return Math.hypot(...vector.subarray(lookedFirst(vector)));
}

/** Cosine similarity of vectors of length 1; 0 where it can't reach what counts as nearly the same. */
function similarityOf(one: Compared, other: Compared): number {
  const first = lookedFirst(one.vector);
  const begun = product(one.vector, other.vector, 0, first);
  // By Cauchy and Schwarz the rest adds no more than the product of the lengths that are left.
  if (begun + one.tail * other.tail < nearlySame) return 0;
  return begun + product(one.vector, other.vector, first, one.vector.length);
}

function product(one: Float32Array, other: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) sum += (one[at] ?? 0) * (other[at] ?? 0);
  return sum;
}
