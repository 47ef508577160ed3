// Chunks for benchmarks, the same in every run: vectors are perturbed copies of a few thousand base vectors,
// texts are drawn from a vocabulary with Zipf's frequencies. Says nothing of quality, only of size and speed.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DocumentChange, StoredChunk } from '../server/src/retrieval/ports.ts';

export const dimensions = 384;
const chunksPerDocument = 10;
const wordsPerChunk = 80;
const vocabularySize = 50_000;
/** Length of what is added to a base vector of length 1: copies of one base are about this much apart. */
const perturbation = 0.6;

/** Uniform in [0, 1), by mulberry32 (Tommy Ettinger, public domain). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class SeededRows {
  readonly #bases: readonly Float32Array[];
  readonly #noise: Float32Array;
  readonly #words: readonly string[];
  readonly #bound = Math.log(vocabularySize + 1);

  /** `baseFile`: raw little-endian float32 vectors of stored texts, to be perturbed in place of seeded ones. */
  constructor(baseFile?: string) {
    const random = randomSource(1);
    this.#noise = Float32Array.from({ length: 2 ** 18 }, () => gaussian(random));
    this.#words = Array.from({ length: vocabularySize }, () => word(random));
    this.#bases = baseFile === undefined ? this.#seededBases() : readVectors(baseFile);
  }

  #seededBases(): readonly Float32Array[] {
    const random = randomSource(2);
    return Array.from({ length: 2_000 }, () =>
      normalised(Float32Array.from({ length: dimensions }, () => gaussian(random))),
    );
  }

  /** The documents that hold the chunks `[from, to)`. */
  changes(from: number, to: number): readonly DocumentChange[] {
    const changes: DocumentChange[] = [];
    for (let first = from; first < to; first += chunksPerDocument) {
      const path = `folder ${(first / chunksPerDocument) % 50}/note ${first / chunksPerDocument}.md`;
      const count = Math.min(chunksPerDocument, to - first);
      const chunks = Array.from({ length: count }, (_, at) => this.#chunk(path, first + at, at * 600));
      const record = {
        ...{ path, kind: 'markdown' as const, title: path, bytes: 600 * count, modified: first },
        ...{ hash: hashOf(path), tags: [], dependencies: [], defines: [], chunks: count, refusal: null },
      };
      changes.push({ record, chunks });
    }
    return changes;
  }

  #chunk(document: string, row: number, start: number): StoredChunk {
    const text = this.textOf(row);
    return {
      ...{ id: hashOf(`chunk ${row}`), document, source: document, kind: 'markdown', heading: ['Notes'] },
      ...{ page: null, start, end: start + text.length, text, readable: text, tags: [`tag${row % 20}`] },
      ...{ citations: [], modified: row, textHash: hashOf(`text ${row}`), vector: this.vectorOf(row) },
    };
  }

  textOf(row: number): string {
    const random = randomSource(row + 1_000);
    return Array.from({ length: wordsPerChunk }, () => this.#word(random)).join(' ');
  }

  /** Of rank r with a probability of about 1/r. */
  #word(random: () => number): string {
    return this.#words[Math.min(vocabularySize, Math.floor(Math.exp(random() * this.#bound))) - 1] ?? '';
  }

  vectorOf(row: number): Float32Array {
    return this.#perturbed(this.#bases[row % this.#bases.length], row, perturbation);
  }

  /** A question near a row: its vector moved a little, and a few of its words. */
  query(seed: number, rows: number): { readonly text: string; readonly vector: Float32Array } {
    const random = randomSource(seed + 77);
    const row = Math.floor(random() * rows);
    const words = this.textOf(row).split(' ');
    const some = Array.from({ length: 8 }, () => words[Math.floor(random() * words.length)] ?? '');
    return { text: some.join(' '), vector: this.#perturbed(this.vectorOf(row), seed + 5_000_000, 0.3) };
  }

  #perturbed(base: Float32Array | undefined, seed: number, length: number): Float32Array {
    if (!base) throw new Error('There is no base vector.');
    const start = Math.floor(randomSource(seed)() * (this.#noise.length - dimensions));
    const scale = length / Math.sqrt(dimensions);
    return normalised(base.map((value, at) => value + scale * (this.#noise[start + at] ?? 0)));
  }
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function word(random: () => number): string {
  const letters = 'etaoinshrdlucmfwypvbgk';
  const length = 3 + Math.floor(random() * 8);
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)] ?? '').join('');
}

function normalised(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const norm = Math.sqrt(sum);
  return vector.map((value) => value / norm);
}

function readVectors(file: string): readonly Float32Array[] {
  const bytes = readFileSync(file);
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const count = Math.floor(all.length / dimensions);
  return Array.from({ length: count }, (_, at) =>
    normalised(all.slice(at * dimensions, (at + 1) * dimensions)),
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
