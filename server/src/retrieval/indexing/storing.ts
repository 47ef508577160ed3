// The last stage: one store step per batch, and what a file's going away or changing leaves to be remembered.
import type { FailedFile } from '../../protocol/index.ts';
import type { Chunk, DocumentChange, DocumentRecord, IndexStore, StoredChunk } from '../ports.ts';
import { replacedBy } from './batches.ts';
import type { EmbeddedBatch } from './embedding.ts';
import type { IndexParts } from './parts.ts';
import type { Plan } from './plan.ts';
import type { Prepared } from './preparing.ts';

/** What happened to files so far. */
export interface Tally {
  added: number;
  changed: number;
  removed: number;
  renamed: number;
  unchanged: number;
  readonly unreadable: FailedFile[];
}

/** How many documents are renamed, removed or marked in one store step. */
const documentsPerStep = 200;

export class StoringStage {
  readonly #parts: IndexParts;
  readonly #store: IndexStore;
  /** What the index knows, kept in step with the store. */
  readonly #records: Map<string, DocumentRecord>;
  readonly tally: Tally;
  #touched = false;

  constructor(parts: IndexParts, records: Map<string, DocumentRecord>, unchanged: number) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#records = records;
    this.tally = { added: 0, changed: 0, removed: 0, renamed: 0, unchanged, unreadable: [] };
  }

  /** Whether anything was written. */
  get touched(): boolean {
    return this.#touched;
  }

  /** What needs no reading comes first: it is quick, and a search must not find what is gone. */
  async applyPlan(plan: Plan, pass: () => Promise<void>): Promise<void> {
    for (const renames of slices(plan.renames)) {
      await pass();
      await this.#rename(renames);
    }
    for (const removed of slices(plan.removed)) {
      await pass();
      await this.#remove(removed);
    }
    for (const records of slices(plan.parts)) {
      await pass();
      await this.#keepVectors(records.flatMap(({ path }) => this.#records.get(path) ?? []));
      this.tally.removed += records.filter(({ path }) => (this.#records.get(path)?.chunks ?? 0) > 0).length;
      await this.#apply(records.map((record) => ({ record, chunks: [] })));
    }
  }

  async applyBatch(batch: EmbeddedBatch): Promise<void> {
    await this.#keepVectors(replacedBy(batch));
    const changes: DocumentChange[] = [];
    for (const file of batch.files) {
      if (file.kind === 'change')
        changes.push({ record: file.record, chunks: withVectors(file.chunks, batch) });
      if (file.kind === 'touch') changes.push(await this.#touchedChange(file.record));
    }
    await this.#apply(changes);
    for (const file of batch.files) this.#count(file);
    batch.stored();
  }

  async #rename(renames: Plan['renames']): Promise<void> {
    await this.#store.rename(renames);
    this.#touched = true;
    for (const { from } of renames) this.#records.delete(from);
    for (const { to } of renames) this.#records.set(to.path, to);
    this.tally.renamed += renames.length;
  }

  async #remove(removed: readonly DocumentRecord[]): Promise<void> {
    await this.#keepVectors(removed);
    await this.#store.remove(removed.map(({ path }) => path));
    this.#touched = true;
    for (const { path } of removed) this.#records.delete(path);
    this.tally.removed += removed.filter(({ refusal }) => refusal === null).length;
  }

  async #apply(changes: readonly DocumentChange[]): Promise<void> {
    if (changes.length === 0) return;
    await this.#store.apply(changes);
    this.#touched = true;
    for (const { record } of changes) this.#records.set(record.path, record);
  }

  /** Vectors that are about to leave the index: a text that comes back is not embedded again. */
  async #keepVectors(documents: readonly DocumentRecord[]): Promise<void> {
    const leaving = new Map<string, Float32Array>();
    for (const { path, chunks } of documents) {
      if (chunks === 0) continue;
      for (const { textHash, vector } of await this.#store.chunksOf(path)) leaving.set(textHash, vector);
    }
    if (leaving.size > 0) await this.#parts.cache.keep(leaving);
  }

  async #touchedChange(record: DocumentRecord): Promise<DocumentChange> {
    const chunks = record.chunks > 0 ? await this.#store.chunksOf(record.path) : [];
    return { record, chunks: chunks.map((chunk) => ({ ...chunk, modified: record.modified })) };
  }

  #count(file: Prepared): void {
    if (file.kind === 'unreadable') this.tally.unreadable.push(file.failed);
    if (file.kind === 'touch' && file.record.refusal === null) this.tally.unchanged += 1;
    if (file.kind !== 'change' || file.record.refusal) return;
    // A file that could not be read before, or stood under another one, is new to the index.
    if (file.previous?.refusal === null) this.tally.changed += 1;
    else this.tally.added += 1;
  }
}

function withVectors(chunks: readonly Chunk[], batch: EmbeddedBatch): StoredChunk[] {
  return chunks.map((chunk) => {
    const vector = batch.vectors.get(chunk.textHash);
    if (!vector) throw new Error(`No vector for a chunk of ${chunk.document}.`);
    return { ...chunk, vector };
  });
}

function* slices<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += documentsPerStep) yield items.slice(at, at + documentsPerStep);
}
