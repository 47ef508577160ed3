// An index store in memory: what the real one promises, small enough to be read. For tests of what stands on it.
import type { FailedFile, SearchFilter } from '../../protocol/index.ts';
import { throwIfCancelled } from '../../errors.ts';
import { chunkId } from '../chunkId.ts';
import type {
  DocumentChange,
  DocumentRecord,
  Hit,
  IndexStore,
  PassageFinder,
  ScoredChunk,
  StoredChunk,
} from '../ports.ts';

export class MemoryStore implements IndexStore, PassageFinder {
  /** All that is stored, by path. */
  readonly entries = new Map<string, DocumentChange>();

  documents(): Promise<readonly DocumentRecord[]> {
    const records = [...this.entries.values()].map(({ record }) => record);
    return Promise.resolve(records.sort((a, b) => (a.path < b.path ? -1 : 1)));
  }

  vectorsOf(textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const wanted = new Set(textHashes);
    const found = this.#all().filter(({ textHash }) => wanted.has(textHash));
    return Promise.resolve(new Map(found.map(({ textHash, vector }) => [textHash, vector])));
  }

  apply(changes: readonly DocumentChange[]): Promise<void> {
    for (const change of changes) this.entries.set(change.record.path, change);
    return Promise.resolve();
  }

  remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.entries.delete(path);
    return Promise.resolve();
  }

  rename(renames: readonly { readonly from: string; readonly to: DocumentRecord }[]): Promise<void> {
    const moved = renames.map(({ from, to }) => ({
      record: to,
      chunks: (this.entries.get(from)?.chunks ?? []).map((chunk) => movedTo(to, chunk)),
    }));
    for (const { from } of renames) this.entries.delete(from);
    for (const change of moved) this.entries.set(change.record.path, change);
    return Promise.resolve();
  }

  async vectorSearch(
    vector: Float32Array,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly ScoredChunk[]> {
    return this.#read(await this.vectorHits(vector, k, filter, signal));
  }

  async textSearch(
    query: string,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly ScoredChunk[]> {
    return this.#read(await this.textHits(query, k, filter, signal));
  }

  vectorHits(
    vector: Float32Array,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly Hit[]> {
    return this.#best(k, filter, signal, (chunk) => dot(vector, chunk.vector));
  }

  /** The share of the query's words that the chunk holds; 0 is no hit. */
  textHits(query: string, k: number, filter: SearchFilter, signal: AbortSignal): Promise<readonly Hit[]> {
    const words = wordsOf(query);
    return this.#best(k, filter, signal, (chunk) => {
      const held = new Set(wordsOf([...chunk.heading, chunk.readable].join(' ')));
      const shared = words.filter((word) => held.has(word)).length;
      return shared === 0 ? -Infinity : shared / words.length;
    });
  }

  #best(
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
    score: (chunk: StoredChunk) => number,
  ): Promise<readonly Hit[]> {
    throwIfCancelled(signal);
    const hits = this.#all()
      .filter((chunk) => passes(chunk, filter))
      .map((chunk) => ({ id: chunk.id, document: chunk.document, score: score(chunk) }))
      .filter((hit) => hit.score > -Infinity);
    return Promise.resolve(hits.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)).slice(0, k));
  }

  chunks(hits: readonly Pick<Hit, 'id'>[], signal: AbortSignal): Promise<readonly StoredChunk[]> {
    throwIfCancelled(signal);
    const byId = new Map(this.#all().map((chunk) => [chunk.id, chunk]));
    return Promise.resolve(hits.flatMap(({ id }) => byId.get(id) ?? []));
  }

  chunksOf(document: string): Promise<readonly StoredChunk[]> {
    const chunks = [...(this.entries.get(document)?.chunks ?? [])];
    return Promise.resolve(
      chunks.sort((a, b) => (a.source === b.source ? a.start - b.start : a.source < b.source ? -1 : 1)),
    );
  }

  counts(): Promise<{ readonly documents: number; readonly chunks: number }> {
    return Promise.resolve({ documents: this.entries.size, chunks: this.#all().length });
  }

  failed(): Promise<readonly FailedFile[]> {
    const records = [...this.entries.values()].map(({ record }) => record);
    return Promise.resolve(records.flatMap(({ path, refusal }) => (refusal ? [{ path, ...refusal }] : [])));
  }

  optimise(signal: AbortSignal): Promise<void> {
    throwIfCancelled(signal);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #all(): readonly StoredChunk[] {
    return [...this.entries.values()].flatMap(({ chunks }) => chunks);
  }

  #read(hits: readonly Hit[]): readonly ScoredChunk[] {
    const byId = new Map(this.#all().map((chunk) => [chunk.id, chunk]));
    return hits.flatMap(({ id, score }) => {
      const chunk = byId.get(id);
      return chunk ? [{ chunk, score }] : [];
    });
  }
}

function movedTo(to: DocumentRecord, chunk: StoredChunk): StoredChunk {
  const source = chunk.source === chunk.document ? to.path : chunk.source;
  const moved = { ...chunk, document: to.path, source, kind: to.kind, modified: to.modified };
  return source === chunk.source ? moved : { ...moved, id: chunkId(moved) };
}

function passes(chunk: StoredChunk, filter: SearchFilter): boolean {
  const tags = chunk.tags.map((tag) => tag.toLowerCase());
  const below = (folder: string) => {
    const name = folder.replace(/^\.?\/+/, '').replace(/\/+$/, '');
    return name === '' || name === '.' || chunk.source.startsWith(`${name}/`);
  };
  return (
    (filter.folders?.some(below) ?? true) &&
    (filter.tags?.some((tag) => tags.includes(tag.replace(/^#/, '').toLowerCase())) ?? true) &&
    (filter.kinds?.includes(chunk.kind) ?? true) &&
    (filter.since === undefined || chunk.modified >= Date.parse(filter.since)) &&
    (filter.until === undefined || chunk.modified < Date.parse(filter.until)) &&
    !(filter.notSources?.includes(chunk.source) ?? false)
  );
}

function wordsOf(text: string): string[] {
  const folded = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return folded.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Cosine similarity of vectors of length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
