// The index store on two LanceDB tables: chunks and documents of one generation.
//
// Invariant, at any moment that a process may be killed: a document that has chunks has a row in `documents`,
// and that row says `pending` unless the chunks are exactly the record's. A pending document counts as not
// indexed, so the next run does it again, or removes it when its file has gone.
import { MatchQuery, type Query, type Table, type VectorQuery } from '@lancedb/lancedb';
import { throwIfCancelled } from '../../errors.ts';
import type { FailedFile, SearchFilter } from '../../protocol/index.ts';
import type {
  DocumentChange,
  DocumentRecord,
  Hit,
  IndexStore,
  PassageFinder,
  ScoredChunk,
  StoredChunk,
} from '../ports.ts';
import { abortable } from './failures.ts';
import { literal, literals, predicateOf } from './filters.ts';
import { byScore, hitColumns, hitOf, scored, type FoundRow } from './hits.ts';
import { probes, refineFactor } from './indexes.ts';
import {
  chunkColumnNames,
  chunkOf,
  chunkTable,
  documentTable,
  recordOf,
  strayRecord,
  unknownState,
  vectorOf,
} from './rows.ts';
import { buildIndexes, compact, optimise } from './upkeep.ts';
import type { WriterLock } from './writerLock.ts';

/** Names in one predicate, and rows in one commit: bounds what a single call holds in memory. */
const namesAtOnce = 500;
const rowsAtOnce = 2_000;

export interface LanceStoreParts {
  readonly chunks: Table;
  readonly documents: Table;
  readonly dimensions: number;
  readonly lock: WriterLock;
  /** Turns what LanceDB throws into an error of ours. */
  readonly failure: (error: unknown) => Promise<unknown>;
  /** Throws `index-replaced` once this generation is not in the catalogue any more. */
  readonly stillThere: () => Promise<void>;
  /** The id of a chunk that was moved to another source. */
  readonly chunkId: (chunk: StoredChunk) => string;
  /** Another store whose vectors are of the same embedder. */
  readonly donor: LanceStore | null;
}

export class LanceStore implements IndexStore, PassageFinder {
  readonly #parts: LanceStoreParts;
  readonly #chunks: Table;
  readonly #documents: Table;

  constructor(parts: LanceStoreParts) {
    this.#parts = parts;
    this.#chunks = parts.chunks;
    this.#documents = parts.documents;
  }

  // ── Documents ─────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A document whose chunks are not as many as its record says (a power failure may lose the last commit of one
   * table and not of the other) is given as not indexed; so is one that has chunks and no record.
   */
  documents(): Promise<readonly DocumentRecord[]> {
    return this.#read(async () => {
      const [records, chunks] = await Promise.all([this.#records(), this.#chunks.countRows()]);
      const recorded = records.reduce((sum, record) => sum + record.chunks, 0);
      return recorded === chunks ? records : this.#compared(records);
    });
  }

  async #compared(records: readonly DocumentRecord[]): Promise<readonly DocumentRecord[]> {
    const counted = new Map<string, number>();
    for await (const batch of this.#chunks.query().select(['document']))
      for (const path of (batch.getChild('document') ?? []) as Iterable<string>)
        counted.set(path, (counted.get(path) ?? 0) + 1);
    const known = records.map((record) => {
      const whole = (counted.get(record.path) ?? 0) === record.chunks;
      counted.delete(record.path);
      return whole ? record : unknownState(record);
    });
    return [...known, ...[...counted.keys()].map(strayRecord)].sort(byPath);
  }

  async failed(): Promise<readonly FailedFile[]> {
    const records = await this.#read(() => this.#records("state = 'refused'"));
    return records.flatMap(({ path, refusal }) => (refusal ? [{ path, ...refusal }] : []));
  }

  async #records(predicate?: string): Promise<readonly DocumentRecord[]> {
    const query = this.#documents.query().select(['record']);
    const records: DocumentRecord[] = [];
    // Batch by batch, each in a turn of its own of the event loop.
    for await (const batch of predicate === undefined ? query : query.where(predicate)) {
      const column = batch.getChild('record');
      for (const json of column ?? []) records.push(recordOf(json));
    }
    return records.sort(byPath);
  }

  counts(): Promise<{ readonly documents: number; readonly chunks: number }> {
    return this.#read(async () => {
      const [documents, chunks] = await Promise.all([
        this.#documents.countRows("state != 'pending'"),
        this.#chunks.countRows(),
      ]);
      return { documents, chunks };
    });
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────

  async apply(changes: readonly DocumentChange[]): Promise<void> {
    // Of two states of one document the last one counts.
    const latest = [...new Map(changes.map((change) => [change.record.path, change])).values()];
    for (const part of slices(latest, ({ chunks }) => chunks.length))
      await this.#write(() => this.#replace(part));
  }

  async #replace(changes: readonly DocumentChange[]): Promise<void> {
    const records = changes.map(({ record }) => record);
    await this.#markPending(records);
    await this.#deleteChunks(records.map(({ path }) => path));
    await this.#addChunks(changes.flatMap(({ chunks }) => chunks));
    await this.#putRecords(records, false);
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const part of slices(paths, () => 0)) {
      await this.#write(async () => {
        const condition = `path IN (${literals(part)})`;
        const records = await this.#records(condition);
        await this.#markPending(records);
        await this.#deleteChunks(part);
        if (records.length > 0) await this.#documents.delete(condition);
      });
    }
  }

  async rename(renames: readonly { readonly from: string; readonly to: DocumentRecord }[]): Promise<void> {
    for (const part of slices(renames, ({ to }) => to.chunks)) await this.#write(() => this.#move(part));
  }

  async #move(renames: readonly { readonly from: string; readonly to: DocumentRecord }[]): Promise<void> {
    const targets = new Map(renames.map(({ from, to }) => [from, to]));
    const from = [...targets.keys()];
    const to = [...targets.values()].map(({ path }) => path);
    const old = await this.#rows(`document IN (${literals(from)})`);
    const records = await this.#records(`path IN (${literals(from)})`);
    await this.#markPending([...records, ...targets.values()]);
    const moved = old.map((chunk) => this.#moved(chunk, targets.get(chunk.document)));
    // Where names are swapped, old and new chunks of one document cannot be told apart: then the old ones have
    // to go first. Else they go last: whenever this ends, the vectors are still there to be reused.
    const swapped = to.some((path) => targets.has(path));
    await this.#deleteChunks(swapped ? [...from, ...to] : to);
    await this.#addChunks(moved);
    if (!swapped) await this.#deleteChunks(from);
    await this.#putRecords([...targets.values()], false);
    const gone = from.filter((path) => !to.includes(path));
    if (gone.length > 0) await this.#documents.delete(`path IN (${literals(gone)})`);
  }

  #moved(chunk: StoredChunk, to: DocumentRecord | undefined): StoredChunk {
    if (!to) return chunk;
    const source = chunk.source === chunk.document ? to.path : chunk.source;
    const moved = { ...chunk, document: to.path, source, kind: to.kind, modified: to.modified };
    return source === chunk.source ? moved : { ...moved, id: this.#parts.chunkId(moved) };
  }

  #markPending(records: readonly DocumentRecord[]): Promise<void> {
    return this.#putRecords(records, true);
  }

  async #putRecords(records: readonly DocumentRecord[], pending: boolean): Promise<void> {
    if (records.length === 0) return;
    // Of two states of one path the last one counts; a merge does not take both.
    const byPath = new Map(records.map((record) => [record.path, record]));
    await this.#documents
      .mergeInsert('path')
      .whenMatchedUpdateAll()
      .whenNotMatchedInsertAll()
      .execute(documentTable([...byPath.values()], pending));
  }

  async #addChunks(chunks: readonly StoredChunk[]): Promise<void> {
    if (chunks.length > 0) await this.#chunks.add(chunkTable(chunks, this.#parts.dimensions));
  }

  /** Deletes only where there is something: an empty deletion would still be a version. */
  async #deleteChunks(documents: readonly string[]): Promise<void> {
    if (documents.length === 0) return;
    const condition = `document IN (${literals(documents)})`;
    if ((await this.#chunks.countRows(condition)) > 0) await this.#chunks.delete(condition);
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────

  async vectorsOf(textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    const wanted = [...new Set(textHashes)];
    for (let at = 0; at < wanted.length; at += namesAtOnce)
      await this.#read(() => this.#addVectors(wanted.slice(at, at + namesAtOnce), found));
    const missing = wanted.filter((hash) => !found.has(hash));
    if (this.#parts.donor === null || missing.length === 0) return found;
    // The older index may be gone by now; then there is nothing to be had from it.
    const donated = await this.#parts.donor.vectorsOf(missing).catch(() => new Map<string, Float32Array>());
    return new Map([...found, ...donated]);
  }

  async #addVectors(hashes: readonly string[], found: Map<string, Float32Array>): Promise<void> {
    const query = this.#chunks
      .query()
      .where(`text_hash IN (${literals(hashes)})`)
      .select(['text_hash', 'vector']);
    for await (const batch of query) {
      for (const row of batch) {
        const { text_hash: hash, vector } = row as unknown as { text_hash: string; vector: unknown };
        const numbers = found.has(hash) ? null : vectorOf(vector);
        if (numbers) found.set(hash, numbers);
      }
    }
  }

  async chunksOf(document: string): Promise<readonly StoredChunk[]> {
    const chunks = await this.#read(() => this.#rows(`document = ${literal(document)}`));
    return [...chunks].sort((a, b) =>
      a.source === b.source ? a.start - b.start : a.source < b.source ? -1 : 1,
    );
  }

  async chunks(
    hits: readonly Pick<Hit, 'id' | 'row'>[],
    signal: AbortSignal,
  ): Promise<readonly StoredChunk[]> {
    throwIfCancelled(signal);
    if (hits.length === 0) return [];
    const byId = await abortable(
      this.#read(() => this.#taken(hits)),
      signal,
    );
    const missing = hits.map(({ id }) => id).filter((id) => !byId.has(id));
    if (missing.length > 0) {
      const rows = await abortable(
        this.#read(() => this.#rows(`id IN (${literals(missing)})`)),
        signal,
      );
      for (const chunk of rows) byId.set(chunk.id, chunk);
    }
    return hits.flatMap(({ id }) => byId.get(id) ?? []);
  }

  /**
   * Reads where the hits were found, which spares looking the ids up. Row numbers change when a table is
   * compacted, so what is there is held against the id, and what is not is left to be looked for.
   */
  async #taken(hits: readonly Pick<Hit, 'id' | 'row'>[]): Promise<Map<string, StoredChunk>> {
    const rows = hits.flatMap(({ row }) => row ?? []);
    const wanted = new Set(hits.map(({ id }) => id));
    if (rows.length === 0) return new Map();
    try {
      const found = await this.#chunks
        .takeRowIds(rows)
        .select([...chunkColumnNames])
        .toArray();
      const chunks = (found as Record<string, unknown>[]).map((row) => chunkOf({ ...row }));
      return new Map(chunks.filter(({ id }) => wanted.has(id)).map((chunk) => [chunk.id, chunk]));
    } catch {
      // A row that is no more: by id it is found or not.
      return new Map();
    }
  }

  async #rows(predicate: string): Promise<readonly StoredChunk[]> {
    const chunks: StoredChunk[] = [];
    for await (const batch of this.#chunks
      .query()
      .where(predicate)
      .select([...chunkColumnNames]))
      for (const row of batch) chunks.push(chunkOf(row as Record<string, unknown>));
    return chunks;
  }

  async vectorHits(
    vector: Float32Array,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly Hit[]> {
    return byScore((await this.#nearest(vector, k, filter, hitColumns, signal)).map(hitOf));
  }

  async textHits(
    text: string,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly Hit[]> {
    return byScore((await this.#matching(text, k, filter, hitColumns, signal)).map(hitOf));
  }

  async vectorSearch(
    vector: Float32Array,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly ScoredChunk[]> {
    return scored(await this.#nearest(vector, k, filter, chunkColumnNames, signal));
  }

  async textSearch(
    query: string,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly ScoredChunk[]> {
    return scored(await this.#matching(query, k, filter, chunkColumnNames, signal));
  }

  #nearest(
    vector: Float32Array,
    k: number,
    filter: SearchFilter,
    columns: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly FoundRow[]> {
    throwIfCancelled(signal);
    const query = this.#chunks
      .query()
      .withRowId()
      .nearestTo(vector)
      .distanceType('cosine')
      .nprobes(probes)
      .refineFactor(refineFactor(k))
      .select([...columns, '_distance'])
      .limit(k);
    return this.#found(query, filter, signal);
  }

  #matching(
    text: string,
    k: number,
    filter: SearchFilter,
    columns: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly FoundRow[]> {
    throwIfCancelled(signal);
    if (text.trim() === '') return Promise.resolve([]);
    // A match query has no syntax: whatever the text is, its words are looked for.
    const query = this.#chunks
      .query()
      .withRowId()
      .fullTextSearch(new MatchQuery(text, 'searchable'))
      .select([...columns, '_score'])
      .limit(k);
    return this.#found(query, filter, signal);
  }

  #found(
    query: Query | VectorQuery,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly FoundRow[]> {
    const predicate = predicateOf(filter);
    const filtered = predicate === null ? query : query.where(predicate);
    return abortable(
      this.#read(async () => (await filtered.toArray()) as readonly FoundRow[]),
      signal,
    );
  }

  // ── Upkeep ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Stops waiting at once when it is cancelled; the step that LanceDB is at goes on to its end, under the lock.
   */
  optimise(signal: AbortSignal): Promise<void> {
    throwIfCancelled(signal);
    return abortable(
      this.#write(() => optimise(this.#parts, signal)),
      signal,
    );
  }

  /** Gives the handles back. What is still being written goes on to its end. */
  close(): Promise<void> {
    this.#chunks.close();
    this.#documents.close();
    return Promise.resolve();
  }

  /** Reads every row once. Throws (`index-failed`) where a file is missing or damaged. */
  verifyRows(): Promise<void> {
    return this.#read(async () => {
      for await (const batch of this.#chunks.query().select([...chunkColumnNames]))
        if (batch.numRows > 0) chunkOf(batch.get(0) as Record<string, unknown>);
      await this.#records();
    });
  }

  /** Uses every index once, and tidies. Throws (`index-failed`) where one is missing or damaged. */
  verifyIndexes(signal: AbortSignal): Promise<void> {
    return this.#write(async () => {
      for await (const batch of this.#chunks
        .query()
        .limit(1)
        .select([...chunkColumnNames])) {
        if (batch.numRows === 0) continue;
        const chunk = chunkOf(batch.get(0) as Record<string, unknown>);
        await this.vectorHits(chunk.vector, 1, { tags: [...chunk.tags] }, signal);
        await this.textHits(chunk.readable, 1, { kinds: [chunk.kind], notSources: ['-'] }, signal);
        await this.#rows(`id = ${literal(chunk.id)} AND text_hash = ${literal(chunk.textHash)}`);
        await this.#rows(
          `document = ${literal(chunk.document)} AND modified >= ${chunk.modified.toFixed(1)}`,
        );
      }
      // Without asking whether it is worth it: pruning reads the old versions too.
      for (const table of [this.#documents, this.#chunks]) await compact(table);
      await buildIndexes(this.#parts, signal);
    });
  }

  /** Builds every index of the chunks anew. */
  reindex(signal: AbortSignal): Promise<void> {
    return this.#write(async () => {
      for (const { name } of await this.#chunks.listIndices()) await this.#chunks.dropIndex(name);
      await buildIndexes(this.#parts, signal);
    });
  }

  async #read<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await this.#parts.failure(error);
    }
  }

  #write<T>(work: () => Promise<T>): Promise<T> {
    return this.#parts.lock.step(async () => {
      await this.#parts.stillThere();
      return this.#read(async () => {
        await Promise.all([this.#chunks.checkoutLatest(), this.#documents.checkoutLatest()]);
        return work();
      });
    });
  }
}

function byPath(a: DocumentRecord, b: DocumentRecord): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function* slices<T>(items: readonly T[], rowsOf: (item: T) => number): Generator<readonly T[]> {
  let slice: T[] = [];
  let rows = 0;
  for (const item of items) {
    if (slice.length > 0 && (slice.length >= namesAtOnce || rows + rowsOf(item) > rowsAtOnce)) {
      yield slice;
      slice = [];
      rows = 0;
    }
    slice.push(item);
    rows += rowsOf(item);
  }
  if (slice.length > 0) yield slice;
}
