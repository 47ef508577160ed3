// The layout of a dataset on the Hugging Face hub: parquet files by split, and the card that names them.
import { parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer, type SchemaElement } from 'hyparquet-writer';
import type { Row, RowOptions } from './rows.ts';

const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'OPTIONAL',
});

/** A list of turns, in the three levels that readers of parquet agree on. */
const turns = (name: string): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'OPTIONAL', num_children: 2 },
  text('role'),
  text('content'),
];

/** @param rows at least one; `meta` is JSON text in them */
export function parquetOf(rows: readonly Row[], { strict }: RowOptions): Uint8Array {
  const names = ['prompt', 'chosen', 'rejected', ...(strict ? [] : ['meta'])];
  const schema = [
    { name: 'root', num_children: names.length },
    ...['prompt', 'chosen', 'rejected'].flatMap(turns),
    ...(strict ? [] : [text('meta')]),
  ];
  const columnData = names.map((name) => ({ name, data: rows.map((row) => row[name]) }));
  return new Uint8Array(parquetWriteBuffer({ columnData, schema }));
}

/** The rows of a parquet file. @throws what the reader throws for a file that is none */
export async function rowsOfParquet(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return await parquetReadObjects({ file });
}

/** README.md of the dataset. The licence is the writer's to choose, so none is named. */
export function datasetCard(counts: { train: number; test: number }, { strict }: RowOptions): string {
  const splits = (['train', 'test'] as const).filter((split) => counts[split] > 0);
  const side = (name: string) =>
    `  - name: ${name}\n    list:\n    - name: role\n      dtype: string\n    - name: content\n      dtype: string`;
  const features = [
    ...['prompt', 'chosen', 'rejected'].map(side),
    ...(strict ? [] : ['  - name: meta\n    dtype: string']),
  ];
  const lines = [
    '---',
    'tags: [preference, dpo, orpo]',
    'dataset_info:',
    '  features:',
    ...features,
    '  splits:',
    ...splits.map((split) => `  - name: ${split}\n    num_examples: ${counts[split]}`),
    'configs:',
    '- config_name: default',
    '  data_files:',
    ...splits.map((split) => `  - split: ${split}\n    path: data/${split}-*`),
    '---',
    '',
    '# Preference pairs',
    '',
    `${counts.train} pairs to train on and ${counts.test} held out, derived by PRefLexOR from a writer's decisions on their own notes. \`prompt\`, \`chosen\` and \`rejected\` are lists of turns (TRL's conversational form)${strict ? '' : '; `meta` is JSON: where each pair comes from'}.`,
    '',
    'They hold the words of the writer. Choose a licence before you share them.',
    '',
  ];
  return lines.join('\n');
}
