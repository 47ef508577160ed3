// Chunks and records to columns and back. Columns are filled directly: LanceDB's own way over objects takes
// ten times as long and looks at each value to guess its type.
import {
  Data,
  Float32,
  makeData,
  RecordBatch,
  Struct,
  Table,
  vectorFromArray,
  type DataType,
  type Schema,
} from 'apache-arrow';
import { z } from 'zod';
import { DocumentKind, RefusalCode } from '../../protocol/index.ts';
import type { DocumentRecord, StoredChunk } from '../ports.ts';
import { tagKey } from './filters.ts';
import { chunkSchema, documentSchema, vectorType } from './schema.ts';

// ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────

/** A table of the columns that the schema names, in its order. */
export function tableOf(
  schema: Schema,
  rows: number,
  column: (name: string, type: DataType) => readonly unknown[] | Data,
): Table {
  const children = schema.fields.map((field) => {
    const values = column(field.name, field.type as DataType);
    if (values instanceof Data) return values;
    const [data] = vectorFromArray(values, field.type as DataType).data;
    return data ?? makeData({ type: field.type as DataType, length: 0 } as never);
  });
  const data = makeData({
    type: new Struct(schema.fields),
    length: rows,
    nullCount: 0,
    children: children as Data<never>[],
  });
  return new Table(schema, [new RecordBatch(schema, data as never)]);
}

/** Vectors, one behind the other. */
function vectorColumn(vectors: readonly Float32Array[], dimensions: number): Data {
  const values = new Float32Array(vectors.length * dimensions);
  for (const [at, vector] of vectors.entries()) {
    if (vector.length !== dimensions)
      throw new RangeError(`A vector of ${vector.length} numbers in an index of ${dimensions}.`);
    values.set(vector, at * dimensions);
  }
  const child = makeData({ type: new Float32(), length: values.length, nullCount: 0, data: values });
  return makeData({ type: vectorType(dimensions), length: vectors.length, nullCount: 0, child });
}

// ── Chunks ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What stands before the readable text in `searchable`. */
function headingLine(heading: readonly string[]): string {
  return heading.length === 0 ? '' : `${heading.join(' › ')}\n`;
}

const chunkColumns: Readonly<Record<string, (chunk: StoredChunk) => unknown>> = {
  id: ({ id }) => id,
  document: ({ document }) => document,
  source: ({ source }) => source,
  kind: ({ kind }) => kind,
  heading: ({ heading }) => heading,
  page: ({ page }) => page,
  start_offset: ({ start }) => start,
  end_offset: ({ end }) => end,
  raw: ({ text, readable }) => (text === readable ? null : text),
  searchable: ({ heading, readable }) => headingLine(heading) + readable,
  tags: ({ tags }) => tags,
  citations: ({ citations }) => citations,
  modified: ({ modified }) => modified,
  text_hash: ({ textHash }) => textHash,
  tag_keys: ({ tags }) => [...new Set(tags.map(tagKey))],
};

/** @throws RangeError for a vector of another length than `dimensions` */
export function chunkTable(chunks: readonly StoredChunk[], dimensions: number): Table {
  return tableOf(chunkSchema(dimensions), chunks.length, (name) => {
    if (name === 'vector')
      return vectorColumn(
        chunks.map(({ vector }) => vector),
        dimensions,
      );
    const read = chunkColumns[name];
    if (!read) throw new Error(`No value for the column ${name}.`);
    return chunks.map(read);
  });
}

/** All that `chunkOf` needs. */
export const chunkColumnNames: readonly string[] = [
  ...Object.keys(chunkColumns).filter((name) => name !== 'tag_keys'),
  'vector',
];

const Row = z.object({
  id: z.string(),
  document: z.string(),
  source: z.string(),
  kind: DocumentKind,
  page: z.int().positive().nullable(),
  start_offset: z.int().nonnegative(),
  end_offset: z.int().nonnegative(),
  raw: z.string().nullable(),
  searchable: z.string(),
  modified: z.number(),
  text_hash: z.string(),
  heading: z.array(z.string()),
  tags: z.array(z.string()),
  citations: z.array(z.string()),
  vector: z.instanceof(Float32Array),
});

/** A row as LanceDB gives it, as a chunk. Throws (ZodError) where the row is not one of ours. */
export function chunkOf(row: Record<string, unknown>): StoredChunk {
  const read = Row.parse({
    ...plain(row),
    heading: listOf(row['heading']),
    tags: listOf(row['tags']),
    citations: listOf(row['citations']),
    vector: vectorOf(row['vector']),
  });
  const readable = read.searchable.slice(headingLine(read.heading).length);
  return {
    ...{ id: read.id, document: read.document, source: read.source, kind: read.kind },
    ...{ heading: read.heading, page: read.page, start: read.start_offset, end: read.end_offset },
    ...{ text: read.raw ?? readable, readable, tags: read.tags, citations: read.citations },
    ...{ modified: read.modified, textHash: read.text_hash, vector: read.vector },
  };
}

/** The own fields of an Arrow row. */
export function plain(row: Record<string, unknown>): Record<string, unknown> {
  return { ...row };
}

function listOf(value: unknown): unknown {
  if (Array.isArray(value) || value === null || value === undefined) return value ?? [];
  return isIterable(value) ? [...value] : value;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

/** A copy: what Arrow gives is a view into a buffer of the whole result. */
export function vectorOf(value: unknown): Float32Array | null {
  if (typeof value !== 'object' || value === null || !('toArray' in value)) return null;
  const array: unknown = (value as { toArray: () => unknown }).toArray();
  return array instanceof Float32Array ? Float32Array.from(array) : null;
}

// ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────

const StoredRecord = z.object({
  path: z.string(),
  kind: DocumentKind,
  title: z.string(),
  bytes: z.number(),
  modified: z.number(),
  hash: z.string(),
  tags: z.array(z.string()),
  dependencies: z.array(z.object({ path: z.string(), hash: z.string() })),
  defines: z.array(z.string()),
  chunks: z.int().nonnegative(),
  refusal: z.object({ code: RefusalCode, reason: z.string() }).nullable(),
});

export type DocumentState = 'pending' | 'ready' | 'refused';

export function documentTable(records: readonly DocumentRecord[], pending: boolean): Table {
  const state = ({ refusal }: DocumentRecord): DocumentState =>
    pending ? 'pending' : refusal === null ? 'ready' : 'refused';
  const read: Record<string, (record: DocumentRecord) => string> = {
    path: ({ path }) => path,
    state,
    record: (record) => JSON.stringify(pending ? unknownState(record) : record),
  };
  return tableOf(documentSchema, records.length, (name) =>
    records.map((record) => read[name]?.(record) ?? ''),
  );
}

/** A document whose chunks are being replaced: no file has this size and hash, so that it is read again. */
export function unknownState(record: DocumentRecord): DocumentRecord {
  return { ...record, bytes: -1, modified: -1, hash: '', dependencies: [], chunks: 0, refusal: null };
}

/** For chunks whose record was lost: enough to be removed or done again. */
export function strayRecord(path: string): DocumentRecord {
  const nothing = { title: '', tags: [], dependencies: [], defines: [], chunks: 0, refusal: null };
  return { ...nothing, path, kind: 'text', bytes: -1, modified: -1, hash: '' };
}

/** Throws (SyntaxError, ZodError) where it is not a record. */
export function recordOf(json: unknown): DocumentRecord {
  return StoredRecord.parse(JSON.parse(z.string().parse(json)));
}
