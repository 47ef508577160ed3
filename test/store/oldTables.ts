// Writes an index as version 1 of the tables had it, with LanceDB alone: what migrations are tested on. It must
// not follow later changes of the store.
import { connect } from '@lancedb/lancedb';
import { Field, FixedSizeList, Float32, Float64, Int32, List, Schema, Utf8 } from 'apache-arrow';
import type { DocumentRecord, StoredChunk } from '../../server/src/retrieval/ports.ts';
import type { IndexIdentity, StoreOptions } from '../../server/src/retrieval/store/index.ts';

const text = (name: string, nullable = false) => new Field(name, new Utf8(), nullable);
const texts = (name: string) => new Field(name, new List(new Field('item', new Utf8(), true)), false);

const generation = '0123abcd';

function chunkSchema1(dimensions: number): Schema {
  const vector = new FixedSizeList(dimensions, new Field('item', new Float32(), true));
  return new Schema([
    ...[text('id'), text('document'), text('source'), text('kind'), texts('heading')],
    new Field('page', new Int32(), true),
    new Field('start_offset', new Int32(), false),
    new Field('end_offset', new Int32(), false),
    ...[text('raw', true), text('searchable'), texts('tags'), texts('citations')],
    new Field('modified', new Float64(), false),
    text('text_hash'),
    new Field('vector', vector, false),
  ]);
}

export async function writeVersion1(
  options: StoreOptions,
  identity: IndexIdentity,
  records: readonly DocumentRecord[],
  chunks: readonly StoredChunk[],
): Promise<void> {
  const connection = await connect(options.address);
  const name = (table: string) => `w${options.workspaceKey}_${table}`;
  const entry = JSON.stringify({ schema: 1, order: 1, complete: true, identity });
  await connection.createTable(name('catalogue'), [{ generation, entry }], {
    schema: new Schema([text('generation'), text('entry')]),
  });
  const rows = chunks.map((chunk) => ({
    ...{ id: chunk.id, document: chunk.document, source: chunk.source, kind: chunk.kind },
    ...{ heading: [...chunk.heading], page: chunk.page, start_offset: chunk.start, end_offset: chunk.end },
    raw: chunk.text === chunk.readable ? null : chunk.text,
    searchable: `${chunk.heading.join(' › ')}\n${chunk.readable}`,
    ...{ tags: [...chunk.tags], citations: [...chunk.citations], modified: chunk.modified },
    ...{ text_hash: chunk.textHash, vector: [...chunk.vector] },
  }));
  const table = await connection.createEmptyTable(
    name(`chunks_${generation}`),
    chunkSchema1(identity.embedder.dimensions),
  );
  await table.add(rows);
  await connection.createTable(
    name(`documents_${generation}`),
    records.map((record) => ({ path: record.path, state: 'ready', record: JSON.stringify(record) })),
    { schema: new Schema([text('path'), text('state'), text('record')]) },
  );
  connection.close();
}

/** Makes the catalogue say that all tables are of this version. */
export async function setSchemaVersion(options: StoreOptions, schema: number): Promise<void> {
  const connection = await connect(options.address);
  const table = await connection.openTable(`w${options.workspaceKey}_catalogue`);
  const rows = (await table.query().toArray()) as { generation: string; entry: string }[];
  const changed = rows.map(({ generation: name, entry }) => ({
    generation: name,
    entry: JSON.stringify({ ...(JSON.parse(entry) as object), schema }),
  }));
  await table.add(changed, { mode: 'overwrite' });
  connection.close();
}
