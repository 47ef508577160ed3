// The stage that embeds: only texts without a vector, each once in a run, and never so many ahead of the store that
// a kill could lose more than a batch.
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { missingTexts, type Batch } from './batches.ts';
import type { IndexParts } from './parts.ts';
import { abortable } from './yielding.ts';

/** A batch with the vectors of all of its texts. */
export interface EmbeddedBatch extends Batch {
  readonly vectors: ReadonlyMap<string, Float32Array>;
  /** Tells the stage that the batch is stored. */
  readonly stored: () => void;
}

/**
 * Batches whose new vectors are remembered. A batch is looked up in the store while those before it are still on
 * their way there: one is being looked up, one waits, one is embedded, one waits, one is being stored.
 */
const remembered = 8;

export class EmbeddingStage {
  readonly #parts: IndexParts;
  readonly #dimensions: number;
  readonly #signal: AbortSignal;
  #recent: ReadonlyMap<string, Float32Array>[] = [];
  /** Embedded texts of batches that are not stored yet, and who waits for that to become less. */
  #unstored = 0;
  #storedSome = Promise.withResolvers<undefined>();
  #embedded = 0;

  constructor(parts: IndexParts, dimensions: number, signal: AbortSignal) {
    this.#parts = parts;
    this.#dimensions = dimensions;
    this.#signal = signal;
  }

  /** How many texts were embedded so far. */
  get embedded(): number {
    return this.#embedded;
  }

  async *run(batches: AsyncIterable<Batch>): AsyncGenerator<EmbeddedBatch> {
    for await (const batch of batches) yield await this.#embedBatch(batch);
  }

  async #embedBatch(batch: Batch): Promise<EmbeddedBatch> {
    const vectors = new Map(batch.known);
    for (const recent of this.#recent) for (const [hash, vector] of recent) vectors.set(hash, vector);
    const missing = [...missingTexts(batch, (hash) => vectors.get(hash), this.#parts)];
    const made = new Map<string, Float32Array>();
    let unsaved = new Map<string, Float32Array>();
    try {
      for (let at = 0; at < missing.length; at += this.#callSize) {
        const slice = missing.slice(at, at + this.#callSize);
        if (unsaved.size + slice.length > this.#parts.limits.batchChunks) unsaved = await this.#save(unsaved);
        await this.#room(unsaved.size + slice.length);
        for (const [hash, vector] of await this.#embed(slice)) {
          made.set(hash, vector);
          unsaved.set(hash, vector);
        }
      }
    } catch (error) {
      // The run ends here; what was embedded for the batch is not lost.
      await this.#parts.cache.keep(unsaved);
      throw error;
    }
    this.#recent = [made, ...this.#recent].slice(0, remembered);
    this.#unstored += unsaved.size;
    const count = unsaved.size;
    for (const [hash, vector] of made) vectors.set(hash, vector);
    return { ...batch, vectors, stored: () => this.#release(count) };
  }

  get #callSize(): number {
    return Math.max(1, Math.min(this.#parts.limits.textsPerCall, this.#parts.limits.batchChunks));
  }

  /** A document that is longer than a batch is not stored before it is whole: its vectors are kept meanwhile. */
  async #save(vectors: ReadonlyMap<string, Float32Array>): Promise<Map<string, Float32Array>> {
    await this.#parts.cache.keep(vectors);
    return new Map();
  }

  /** Waits until earlier batches are stored as far as needed. */
  async #room(count: number): Promise<void> {
    while (this.#unstored > 0 && this.#unstored + count > this.#parts.limits.batchChunks) {
      await abortable(this.#storedSome.promise, this.#signal);
    }
  }

  #release(count: number): void {
    this.#unstored -= count;
    this.#storedSome.resolve(undefined);
    this.#storedSome = Promise.withResolvers<undefined>();
  }

  async #embed(slice: readonly (readonly [string, string])[]): Promise<[string, Float32Array][]> {
    await this.#parts.gate.pass(this.#signal);
    const texts = slice.map(([, text]) => text);
    const work = this.#parts.embedder.embed(texts, 'passage', this.#signal);
    const vectors = await abortable(work, this.#signal);
    throwIfCancelled(this.#signal);
    this.#embedded += texts.length;
    return slice.map(([hash], index) => [hash, this.#checked(vectors[index])]);
  }

  #checked(vector: Float32Array | undefined): Float32Array {
    if (vector?.length === this.#dimensions) return vector;
    throw new PreflexorError('engine-failed', 'The embedding model gave vectors of the wrong size.', {
      remedy: 'Choose another embedding model, or fetch this one again.',
    });
  }
}
