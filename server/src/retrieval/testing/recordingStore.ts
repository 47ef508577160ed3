// An index in memory that lets a test look into it: what it holds, and every call that changed it, in order.
// A whole small IndexStore with exact search; no persistence (fileStore.ts adds that).
import type { FailedFile, SearchFilter } from '../../protocol/index.ts';
import type { DocumentChange, DocumentRecord, IndexStore, ScoredChunk, StoredChunk } from '../ports.ts';
import { chunkId } from './plainDocuments.ts';

interface Entry {
  readonly record: DocumentRecord;
  readonly chunks: readonly StoredChunk[];
}

export class RecordingStore implements IndexStore {
  readonly entries = new Map<string, Entry>();
  /** Every call that changes something, by name, in order. */
  readonly calls: {
    readonly name: 'apply' | 'remove' | 'rename' | 'optimise';
    readonly paths: readonly string[];
  }[] = [];
  closed = false;

  documents(): Promise<readonly DocumentRecord[]> {
    return Promise.resolve([...this.entries.values()].map(({ record }) => record));
  }

  vectorsOf(textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const wanted = new Set(textHashes);
    const found = new Map<string, Float32Array>();
    for (const { textHash, vector } of this.#chunks()) if (wanted.has(textHash)) found.set(textHash, vector);
    return Promise.resolve(found);
  }

  apply(changes: readonly DocumentChange[]): Promise<void> {
    this.calls.push({ name: 'apply', paths: changes.map(({ record }) => record.path) });
    for (const change of changes) this.entries.set(change.record.path, change);
    return Promise.resolve();
  }

  remove(paths: readonly string[]): Promise<void> {
    this.calls.push({ name: 'remove', paths });
    for (const path of paths) this.entries.delete(path);
    return Promise.resolve();
  }

  rename(renames: readonly { readonly from: string; readonly to: DocumentRecord }[]): Promise<void> {
    this.calls.push({ name: 'rename', paths: renames.flatMap(({ from, to }) => [from, to.path]) });
    const moved = renames.flatMap(({ from, to }) => {
      const entry = this.entries.get(from);
      this.entries.delete(from);
      return entry ? [{ record: to, chunks: entry.chunks.map((chunk) => renamed(chunk, from, to)) }] : [];
    });
    for (const entry of moved) this.entries.set(entry.record.path, entry);
    return Promise.resolve();
  }

  vectorSearch(vector: Float32Array, k: number, filter: SearchFilter): Promise<readonly ScoredChunk[]> {
    return Promise.resolve(this.#best(k, filter, (chunk) => dot(vector, chunk.vector)));
  }

  textSearch(query: string, k: number, filter: SearchFilter): Promise<readonly ScoredChunk[]> {
    const words = new Set(wordsOf(query));
    const found = this.#best(
      k,
      filter,
      ({ readable }) => wordsOf(readable).filter((word) => words.has(word)).length,
    );
    return Promise.resolve(found.filter(({ score }) => score > 0));
  }

  chunksOf(document: string): Promise<readonly StoredChunk[]> {
    return Promise.resolve(this.entries.get(document)?.chunks ?? []);
  }

  counts(): Promise<{ readonly documents: number; readonly chunks: number }> {
    return Promise.resolve({ documents: this.entries.size, chunks: this.#chunks().length });
  }

  failed(): Promise<readonly FailedFile[]> {
    const failed = [...this.entries.values()].flatMap(({ record: { path, refusal } }) =>
      refusal ? [{ path, code: refusal.code, reason: refusal.reason }] : [],
    );
    return Promise.resolve(failed);
  }

  optimise(): Promise<void> {
    this.calls.push({ name: 'optimise', paths: [] });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  #chunks(): StoredChunk[] {
    return [...this.entries.values()].flatMap(({ chunks }) => chunks);
  }

  #best(k: number, filter: SearchFilter, score: (chunk: StoredChunk) => number): ScoredChunk[] {
    return this.#chunks()
      .filter((chunk) => passes(chunk, filter))
      .map((chunk) => ({ chunk, score: score(chunk) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, k);
  }
}

function renamed(chunk: StoredChunk, from: string, to: DocumentRecord): StoredChunk {
  const source = chunk.source === from ? to.path : chunk.source;
  return { ...chunk, document: to.path, source, modified: to.modified, id: chunkId({ ...chunk, source }) };
}

function passes(chunk: StoredChunk, filter: SearchFilter): boolean {
  const { folders, tags, kinds, since, until, notSources } = filter;
  const lower = chunk.tags.map((tag) => tag.toLowerCase());
  return (
    (!folders || folders.some((folder) => folder === '' || chunk.source.startsWith(`${folder}/`))) &&
    (!tags || tags.some((tag) => lower.includes(tag.toLowerCase()))) &&
    (!kinds || kinds.includes(chunk.kind)) &&
    (since === undefined || chunk.modified >= Date.parse(since)) &&
    (until === undefined || chunk.modified < Date.parse(until)) &&
    !notSources?.includes(chunk.source)
  );
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
