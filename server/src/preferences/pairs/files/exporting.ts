// Writes pairs in the formats that other tools read: one file, or a folder where the format is one. Gives the files'
// contents; whoever asked puts them on disk.
import { setImmediate as breathe } from 'node:timers/promises';
import { throwIfCancelled } from '../../../errors.ts';
import type { PairFormat, PreferencePair } from '../../../protocol/index.ts';
import { csvLine } from './csv.ts';
import { datasetCard, parquetOf } from './huggingFace.ts';
import { rowsOf, type Row, type RowOptions } from './rows.ts';

export interface ExportFile {
  /** Relative to the folder, with forward slashes; null: the export is this one file. */
  readonly name: string | null;
  readonly content: string | Uint8Array;
}

export interface Export {
  readonly files: readonly ExportFile[];
  readonly exported: readonly PreferencePair[];
  readonly leftOut: readonly { readonly id: string; readonly reason: string }[];
}

/** Formats that are a folder. */
export const folderFormats: ReadonlySet<PairFormat> = new Set<PairFormat>(['llamafactory', 'hf']);

/**
 * @returns the files, and which pairs are not in them and why: those whose note has recording switched off, those that
 * the writer excluded, and in formats of pairs those with one side
 * @throws PreflexorError `cancelled`
 */
export async function exportPairs(
  pairs: readonly PreferencePair[],
  format: PairFormat,
  options: RowOptions,
  signal: AbortSignal,
): Promise<Export> {
  const rows: { pair: PreferencePair; rows: Row[] }[] = [];
  const leftOut: { id: string; reason: string }[] = [];
  for (const [at, pair] of pairs.entries()) {
    if (at % 500 === 499) await breathe();
    throwIfCancelled(signal);
    const isFree = pair.consent === 'given' && (pair.curation?.excluded ?? null) === null;
    const own = isFree ? rowsOf(pair, format, options) : [];
    if (own.length > 0) rows.push({ pair, rows: own });
    else leftOut.push({ id: pair.id, reason: reasonOf(pair) });
  }
  const ofSplit = (split: PreferencePair['split']): Row[] =>
    rows.filter(({ pair }) => pair.split === split).flatMap((one) => one.rows);
  const exported = rows.map(({ pair }) => pair);
  return {
    files: filesOf(
      format,
      options,
      rows.flatMap((one) => one.rows),
      ofSplit,
    ),
    exported,
    leftOut,
  };
}

function reasonOf({ consent, signal, curation }: PreferencePair): string {
  if (consent === 'withdrawn') return 'its note has recording switched off';
  if (curation && curation.excluded !== null) {
    return curation.excluded === '' ? 'you excluded it' : `you excluded it: ${curation.excluded}`;
  }
  const counterpart =
    signal === 'accept' ? 'its rejected text is yet to be drawn from the model (--draw)' : 'it has one side';
  return `${counterpart}; --format kto takes it`;
}

function filesOf(
  format: PairFormat,
  options: RowOptions,
  rows: readonly Row[],
  ofSplit: (split: PreferencePair['split']) => Row[],
): ExportFile[] {
  const [train, heldOut] = [ofSplit('train'), ofSplit('held-out')];
  if (format === 'llamafactory') {
    return [
      { name: 'dataset_info.json', content: llamaFactoryInfo(heldOut.length > 0) },
      { name: 'preflexor_train.jsonl', content: jsonLines(train) },
      ...(heldOut.length > 0 ? [{ name: 'preflexor_heldout.jsonl', content: jsonLines(heldOut) }] : []),
    ];
  }
  if (format === 'hf') {
    return [
      { name: 'README.md', content: datasetCard({ train: train.length, test: heldOut.length }, options) },
      ...(train.length > 0
        ? [{ name: 'data/train-00000-of-00001.parquet', content: parquetOf(train, options) }]
        : []),
      ...(heldOut.length > 0
        ? [{ name: 'data/test-00000-of-00001.parquet', content: parquetOf(heldOut, options) }]
        : []),
    ];
  }
  return [{ name: null, content: format === 'csv' ? csv(rows, options) : jsonLines(rows) }];
}

function jsonLines(rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function csv(rows: readonly Row[], { strict }: RowOptions): string {
  const names = ['prompt', 'chosen', 'rejected', ...(strict ? [] : ['meta'])];
  const cells = rows.map((row) => names.map((name) => (row[name] ?? '') as string));
  return [names, ...cells].map(csvLine).join('');
}

/** What LLaMA-Factory's `dataset_dir` needs; in its YAML: `dataset: preflexor`, `eval_dataset: preflexor_heldout`. */
export function llamaFactoryInfo(heldOut: boolean): string {
  const entry = (file: string) => ({
    file_name: file,
    formatting: 'sharegpt',
    ranking: true,
    columns: { messages: 'conversations', chosen: 'chosen', rejected: 'rejected', system: 'system' },
  });
  const info = {
    preflexor: entry('preflexor_train.jsonl'),
    ...(heldOut && { preflexor_heldout: entry('preflexor_heldout.jsonl') }),
  };
  return `${JSON.stringify(info, null, 2)}\n`;
}
