// The columns of the tables. Names that SQL keeps for itself (`end`, `text`) are avoided.
import { Field, FixedSizeList, Float32, Float64, Int32, List, Schema, Utf8 } from 'apache-arrow';

const text = (name: string, nullable = false) => new Field(name, new Utf8(), nullable);
const texts = (name: string, nullable = false) =>
  new Field(name, new List(new Field('item', new Utf8(), true)), nullable);

export function vectorType(dimensions: number): FixedSizeList<Float32> {
  return new FixedSizeList(dimensions, new Field('item', new Float32(), true));
}

/** One row for each chunk, as of the present schema version. */
export function chunkSchema(dimensions: number): Schema {
  return new Schema([
    text('id'),
    text('document'),
    text('source'),
    text('kind'),
    texts('heading'),
    new Field('page', new Int32(), true),
    new Field('start_offset', new Int32(), false),
    new Field('end_offset', new Int32(), false),
    // The file's own text; null where it is what a person reads, which is the rule for notes.
    text('raw', true),
    // Heading path, one line end, and what a person reads: what is embedded is what full text searches.
    text('searchable'),
    texts('tags'),
    texts('citations'),
    new Field('modified', new Float64(), false),
    text('text_hash'),
    new Field('vector', vectorType(dimensions), false),
    // New in version 2; nullable, so that a process with the old version can still add rows.
    texts('tag_keys', true),
  ]);
}

/** One row for each document; what is known of it is JSON, because no query looks into it. */
export const documentSchema = new Schema([
  text('path'),
  // `pending`: its chunks are being replaced, or a killed process was at it; it counts as not indexed.
  text('state'),
  text('record'),
]);

/** One row for each generation of tables; the entry is JSON. */
export const catalogueSchema = new Schema([text('generation'), text('entry')]);

/** One row for each node of each owner; `key` is what it is unique by, the rest of it is JSON. */
export const graphNodeSchema = new Schema([text('key'), text('owner'), text('node')]);

/** One row for each edge of each owner. */
export const graphEdgeSchema = new Schema([text('key'), text('owner'), text('edge')]);
