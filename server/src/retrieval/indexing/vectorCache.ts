// Vectors of texts that are not (or not yet) in the index, in two files of bounded size: when the newer one is full it
// becomes the older one, and what that held is forgotten. A cache: it never fails, it only knows less.
import { appendFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { VectorCache } from './parts.ts';

export interface FileVectorCacheOptions {
  /** A folder of its own for this cache. */
  readonly folder: string;
  /** What makes vectors comparable, 32 hex digits or more: the files of another embedder are not read. */
  readonly embedder: string;
  readonly dimensions: number;
  /** Both files together; 64 MB by default (some 40,000 vectors of 384 dimensions). */
  readonly maxBytes?: number;
}

const hashBytes = 16;

/** Reads and writes go through one queue: an entry is found as soon as `keep` has returned. */
export class FileVectorCache implements VectorCache {
  readonly #folder: string;
  readonly #names: { readonly newer: string; readonly older: string };
  readonly #dimensions: number;
  readonly #entryBytes: number;
  readonly #maxEntries: number;
  #queue: Promise<unknown> = Promise.resolve();
  /** Where each vector stands: entries from 0, in the newer file or in the older one. Null: not read yet. */
  #places: Map<string, { readonly newer: boolean; readonly entry: number }> | null = null;
  #newerEntries = 0;

  constructor(options: FileVectorCacheOptions) {
    const name = `${options.embedder.slice(0, 32)}-${options.dimensions}`;
    this.#folder = options.folder;
    this.#names = {
      newer: join(options.folder, `${name}.newer.bin`),
      older: join(options.folder, `${name}.older.bin`),
    };
    this.#dimensions = options.dimensions;
    this.#entryBytes = hashBytes + 4 * options.dimensions;
    this.#maxEntries = Math.max(1, Math.floor((options.maxBytes ?? 64_000_000) / 2 / this.#entryBytes));
  }

  find(textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    return this.#inTurn<ReadonlyMap<string, Float32Array>>(new Map(), () => this.#find(textHashes));
  }

  keep(vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
    return this.#inTurn(undefined, () => this.#keep(vectors));
  }

  /** One after the other; what fails counts as nothing known, and the files are read anew the next time. */
  #inTurn<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work).catch(() => {
      this.#places = null;
      return otherwise;
    });
    this.#queue = done;
    return done;
  }

  async #find(textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const places = await this.#opened();
    const found = new Map<string, Float32Array>();
    for (const newer of [true, false]) {
      const wanted = textHashes.filter((hash) => places.get(hash)?.newer === newer);
      if (wanted.length === 0) continue;
      const handle = await open(newer ? this.#names.newer : this.#names.older, 'r');
      try {
        for (const hash of wanted) {
          const bytes = new Uint8Array(this.#entryBytes);
          await handle.read(bytes, 0, bytes.length, (places.get(hash)?.entry ?? 0) * this.#entryBytes);
          const vector = this.#decode(bytes, hash);
          if (vector) found.set(hash, vector);
        }
      } finally {
        await handle.close();
      }
    }
    return found;
  }

  async #keep(vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
    const places = await this.#opened();
    const fresh = [...vectors].filter(
      ([hash, vector]) => !places.has(hash) && vector.length === this.#dimensions,
    );
    for (let at = 0; at < fresh.length;) {
      if (this.#newerEntries >= this.#maxEntries) await this.#turnOver();
      const room = fresh.slice(at, at + this.#maxEntries - this.#newerEntries);
      await appendFile(this.#names.newer, this.#encode(room));
      for (const [hash] of room) {
        (await this.#opened()).set(hash, { newer: true, entry: this.#newerEntries });
        this.#newerEntries += 1;
      }
      at += room.length;
    }
  }

  async #turnOver(): Promise<void> {
    await rename(this.#names.newer, this.#names.older);
    this.#places = null;
    await this.#opened();
  }

  async #opened(): Promise<Map<string, { readonly newer: boolean; readonly entry: number }>> {
    if (this.#places) return this.#places;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const places = new Map<string, { newer: boolean; entry: number }>();
    await this.#readPlaces(false, places);
    this.#newerEntries = await this.#readPlaces(true, places);
    this.#places = places;
    return places;
  }

  /** A file whose last entry is torn, as a kill can leave it, is begun anew: entries must stay in step. */
  async #readPlaces(newer: boolean, places: Map<string, { newer: boolean; entry: number }>): Promise<number> {
    const file = newer ? this.#names.newer : this.#names.older;
    const size = await stat(file).then(
      (stats) => stats.size,
      () => 0,
    );
    const entries = Math.floor(size / this.#entryBytes);
    if (size % this.#entryBytes !== 0) await truncateTo(file, entries * this.#entryBytes);
    if (entries === 0) return 0;
    const handle = await open(file, 'r');
    try {
      const perRead = Math.max(1, Math.floor(4_000_000 / this.#entryBytes));
      const buffer = Buffer.alloc(Math.min(perRead, entries) * this.#entryBytes);
      for (let entry = 0; entry < entries; entry += perRead) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, entry * this.#entryBytes);
        for (let at = 0; at + this.#entryBytes <= bytesRead; at += this.#entryBytes) {
          const hash = buffer.toString('hex', at, at + hashBytes);
          places.set(hash, { newer, entry: entry + at / this.#entryBytes });
        }
      }
    } finally {
      await handle.close();
    }
    return entries;
  }

  #encode(vectors: readonly (readonly [string, Float32Array])[]): Uint8Array {
    const bytes = Buffer.alloc(vectors.length * this.#entryBytes);
    for (const [index, [hash, vector]] of vectors.entries()) {
      const at = index * this.#entryBytes;
      bytes.write(hash.slice(0, 2 * hashBytes), at, 'hex');
      for (const [place, value] of vector.entries()) bytes.writeFloatLE(value, at + hashBytes + 4 * place);
    }
    return bytes;
  }

  /** Null where the disk gave back something else than a vector of length 1 for this text. */
  #decode(bytes: Uint8Array, hash: string): Float32Array | null {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const vector = Float32Array.from({ length: this.#dimensions }, (_none, place) =>
      view.getFloat32(hashBytes + 4 * place, true),
    );
    const length = Math.hypot(...vector);
    const right = Buffer.from(bytes.subarray(0, hashBytes)).toString('hex') === hash;
    return right && Math.abs(length - 1) < 1e-3 ? vector : null;
  }
}

async function truncateTo(file: string, bytes: number): Promise<void> {
  if (bytes === 0) {
    await rm(file, { force: true });
    return;
  }
  const handle = await open(file, 'r+');
  try {
    await handle.truncate(bytes);
  } finally {
    await handle.close();
  }
}

/** Remembers nothing. */
export const noVectorCache: VectorCache = {
  find: () => Promise.resolve(new Map()),
  keep: () => Promise.resolve(),
};
