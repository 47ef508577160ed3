// An embedder whose vectors are made of the texts' hashes: equal texts get equal vectors, and it counts its work.
// For tests; nothing it gives is similar to anything.
import { createHash } from 'node:crypto';
import { throwIfCancelled } from '../../errors.ts';
import type { Embedder, EmbedderIdentity } from '../ports.ts';

export class HashEmbedder implements Embedder {
  /** Every text that was embedded, in order. */
  readonly texts: string[] = [];
  /** Called before each piece of work; what it throws is what goes wrong. */
  readonly #before: (texts: readonly string[], signal: AbortSignal) => void | Promise<void>;
  readonly #dimensions: number;

  constructor(
    options: {
      readonly dimensions?: number;
      readonly before?: (texts: readonly string[], signal: AbortSignal) => void | Promise<void>;
    } = {},
  ) {
    this.#dimensions = options.dimensions ?? 8;
    this.#before = options.before ?? (() => {});
  }

  identity(): Promise<EmbedderIdentity> {
    const dimensions = this.#dimensions;
    return Promise.resolve({ id: 'hash', sha256: '0'.repeat(64), dimensions, maxTokens: 256 });
  }

  async embed(
    texts: readonly string[],
    _as: 'query' | 'passage',
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    throwIfCancelled(signal);
    await this.#before(texts, signal);
    this.texts.push(...texts);
    return texts.map((text) => hashVector(text, this.#dimensions));
  }

  countTokens(texts: readonly string[]): Promise<readonly number[]> {
    return Promise.resolve(texts.map((text) => text.split(/\s+/).filter(Boolean).length));
  }
}

/** A vector of length 1 that only depends on the text. */
export function hashVector(text: string, dimensions: number): Float32Array {
  const digest = createHash('sha512').update(text).digest();
  const values = Array.from({ length: dimensions }, (_none, index) => digest.readUInt8(index % 64) - 127.5);
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}
