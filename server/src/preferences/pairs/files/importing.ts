// Reads pairs from files of any of the formats, line by line: a row that cannot be used is named with its line and the
// reason, and all others stand. What comes in is data: ids are made anew, and paths in it are never opened.
import { createReadStream } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { z } from 'zod';
import { PreflexorError, throwIfCancelled } from '../../../errors.ts';
import type { PairMeta, PreferencePair, RefusedLine } from '../../../protocol/index.ts';
import { parseStored } from '../../storedJson.ts';
import { spansIn } from '../completion.ts';
import { pairId } from '../derive.ts';
import { splitOf, type SplitRule } from '../split.ts';
import { strengths } from '../preference.ts';
import { csvRows } from './csv.ts';
import { rowsOfParquet } from './huggingFace.ts';
import { readRow, rowOfCells, type ReadRow } from './rows.ts';

export interface ImportOptions {
  /** Milliseconds since the epoch: the time of pairs that have none. */
  readonly now: number;
  /** For pairs whose file does not say on which side they are: the same prompt is always on the same side. */
  readonly split: SplitRule;
}

export interface Refusal extends RefusedLine {
  /** Name of the file, relative to what was named. */
  readonly file: string;
}

export interface Import {
  readonly pairs: readonly PreferencePair[];
  readonly refused: readonly Refusal[];
}

/** Far more than a writer's own pairs, and a bound on the memory that a wrong file can take. */
export const importLimits = { lineBytes: 4_000_000, fileBytes: 512 * 1024 * 1024, rows: 200_000 } as const;

/**
 * Reads a file, or a folder in LLaMA-Factory's or the Hugging Face layout.
 * @throws PreflexorError `bad-input` when it cannot be read at all or is no such file, `cancelled`
 */
export async function importPairs(
  place: string,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<Import> {
  const rows: { row: ReadRow; heldOut: boolean }[] = [];
  const refused: Refusal[] = [];
  for (const file of await filesIn(place)) {
    const name = path.relative(path.dirname(path.resolve(place)), file) || path.basename(file);
    const heldOut = /(^|[^a-z])(test|heldout|held-out|validation)/i.test(path.basename(file));
    for await (const { line, value, problem } of readRows(file, signal)) {
      if ((rows.length + refused.length) % 200 === 199) await breathe();
      throwIfCancelled(signal);
      const row = problem === undefined ? readRow(value) : { reason: problem };
      if ('reason' in row) refused.push({ file: name, line, reason: row.reason });
      else rows.push({ row, heldOut });
      if (rows.length + refused.length > importLimits.rows) {
        throw unusable(file, `it has more than ${importLimits.rows.toLocaleString('en')} rows`);
      }
    }
  }
  return { pairs: joined(rows, options), refused };
}

/** Joins halves, and makes pairs of what is there. */
function joined(
  rows: readonly { row: ReadRow; heldOut: boolean }[],
  options: ImportOptions,
): PreferencePair[] {
  const pairs = new Map<string, PreferencePair>();
  const halves = new Map<string, { row: ReadRow; heldOut: boolean }>();
  const add = (row: ReadRow, heldOut: boolean): void => {
    const pair = pairOf(row, heldOut, options);
    pairs.set(pair.id, pair);
  };
  for (const { row, heldOut } of rows) {
    const side = row.chosen === null ? 'rejected' : 'chosen';
    const key = row.half && row.meta ? JSON.stringify([row.meta.id, row.prompt]) : null;
    if (key === null) {
      add(row, heldOut);
      continue;
    }
    const other = halves.get(key);
    if (other?.row[side] !== null) halves.set(key, { row, heldOut });
    else halves.set(key, { row: { ...other.row, [side]: row[side] }, heldOut });
  }
  for (const { row, heldOut } of halves.values()) add(row, heldOut);
  return [...pairs.values()];
}

function pairOf(
  { prompt, chosen, rejected, meta }: ReadRow,
  heldOut: boolean,
  options: ImportOptions,
): PreferencePair {
  const content = { prompt, chosen, rejected, about: meta?.about ?? ('whole' as const) };
  const spans = {
    chosen: chosen === null ? [] : spansIn(chosen),
    rejected: rejected === null ? [] : spansIn(rejected),
  };
  if (meta) return { ...meta, ...content, note: safeNote(meta.note), id: pairId(content), spans };
  const time = new Date(options.now).toISOString();
  const subject = JSON.stringify(prompt);
  const note = { path: subject, hash: '', range: { start: 0, end: 0 } };
  return {
    ...{ schema: 1, id: pairId(content), time, signal: 'imported', strength: strengths.imported, ...content },
    ...{ wants: null, spans, passages: [], note: null, entries: [], settled: 'unknown', reason: null },
    runs: { chosen: null, rejected: null },
    iterations: { chosen: null, rejected: null },
    provenance: null,
    split: heldOut ? 'held-out' : splitOf({ note, time }, options.split),
    consent: 'given',
  };
}

/** A note's place is kept only where it could be one inside a workspace. */
function safeNote(note: PairMeta['note']): PairMeta['note'] {
  if (!note) return null;
  const parts = note.path.split(/[\\/]/);
  const leads = parts.includes('..') || path.isAbsolute(note.path) || /^[a-z]:/i.test(note.path);
  return leads || note.path === '' || note.path.includes('\0') ? null : note;
}

async function filesIn(place: string): Promise<string[]> {
  try {
    if (!(await stat(place)).isDirectory()) return [path.resolve(place)];
    const data = path.join(place, 'data');
    const [here, inData] = await Promise.all([readdir(place), readdir(data).catch(() => [])]);
    const files = [
      ...here.filter((name) => /\.(jsonl|parquet)$/.test(name)).map((name) => path.join(place, name)),
      ...inData.filter((name) => name.endsWith('.parquet')).map((name) => path.join(data, name)),
    ];
    if (files.length > 0) return files.map((file) => path.resolve(file)).sort();
  } catch (error) {
    throw unusable(place, 'it cannot be read', error);
  }
  throw unusable(place, 'the folder holds neither JSON lines nor parquet files');
}

interface RawRow {
  readonly line: number;
  readonly value?: unknown;
  readonly problem?: string;
}

async function* readRows(file: string, signal: AbortSignal): AsyncGenerator<RawRow> {
  if (file.endsWith('.parquet')) yield* parquetRows(file);
  else if (/\.csv$/i.test(file)) yield* tableRows(file);
  else yield* jsonRows(file, signal);
}

async function* parquetRows(file: string): AsyncGenerator<RawRow> {
  const bytes = await whole(file);
  let rows: unknown[];
  try {
    rows = await rowsOfParquet(bytes);
  } catch (error) {
    throw unusable(file, 'it is no whole parquet file', error);
  }
  for (const [at, value] of rows.entries()) yield { line: at + 1, value };
}

async function* tableRows(file: string): AsyncGenerator<RawRow> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await whole(file));
  } catch (error) {
    if (error instanceof PreflexorError) throw error;
    throw unusable(file, 'it is not a UTF-8 text', error);
  }
  let names: readonly string[] | null = null;
  for (const { line, cells, broken } of csvRows(text)) {
    if (names === null) {
      names = cells.map((cell) => cell.trim().toLowerCase());
      if (!names.includes('prompt')) throw unusable(file, 'its first line names no column "prompt"');
      continue;
    }
    const head = names;
    if (broken) yield { line, problem: 'a quotation in it is not closed, or goes on behind its end' };
    else if (cells.length !== head.length) {
      yield { line, problem: `it has ${cells.length} cells where the first line names ${head.length}` };
    } else yield { line, value: rowOfCells(new Map(cells.map((cell, at) => [head[at] ?? '', cell]))) };
  }
}

/** JSON lines; or one JSON list, as some tools write it: then its elements are counted instead of lines. */
async function* jsonRows(file: string, signal: AbortSignal): AsyncGenerator<RawRow> {
  let first = true;
  for await (const { line, bytes } of linesOf(file, signal)) {
    if (bytes === null) {
      yield { line, problem: `it is longer than ${importLimits.lineBytes / 1_000_000} million bytes` };
      continue;
    }
    const text = decoded(bytes);
    if (text === null) {
      yield { line, problem: 'it is not UTF-8 text' };
      continue;
    }
    if (text.trim() === '') continue;
    if (first && text.trimStart().startsWith('[')) {
      yield* listRows(file);
      return;
    }
    first = false;
    yield { line, ...parsed(text) };
  }
}

async function* listRows(file: string): AsyncGenerator<RawRow> {
  const { value } = parsed(decoded(await whole(file)) ?? '');
  const list = z.array(z.unknown()).safeParse(value);
  if (!list.success) throw unusable(file, 'it begins as a JSON list and is none');
  for (const [at, element] of list.data.entries()) yield { line: at + 1, value: element };
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function parsed(text: string): { value?: unknown; problem?: string } {
  try {
    return { value: parseStored(text) };
  } catch {
    return { problem: 'it is not valid JSON' };
  }
}

/** The file's lines; null for one that is too long, which is passed over without being held. */
async function* linesOf(
  file: string,
  signal: AbortSignal,
): AsyncGenerator<{ line: number; bytes: Uint8Array | null }> {
  let pieces: Buffer[] = [];
  let length = 0;
  let line = 1;
  const take = (): { line: number; bytes: Uint8Array | null } => {
    const bytes = length > importLimits.lineBytes ? null : Buffer.concat(pieces);
    [pieces, length] = [[], 0];
    return { line: line++, bytes };
  };
  const add = (piece: Buffer): void => {
    length += piece.length;
    if (length > importLimits.lineBytes) pieces = [];
    else pieces.push(piece);
  };
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      throwIfCancelled(signal);
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        add(chunk.subarray(from, end));
        from = end + 1;
        yield take();
      }
      add(chunk.subarray(from));
    }
  } catch (error) {
    throw error instanceof PreflexorError ? error : unusable(file, 'it cannot be read', error);
  }
  if (length > 0) yield take();
}

async function whole(file: string): Promise<Buffer> {
  try {
    if ((await stat(file)).size > importLimits.fileBytes) throw unusable(file, 'it is larger than 512 MiB');
    return await readFile(file);
  } catch (error) {
    throw error instanceof PreflexorError ? error : unusable(file, 'it cannot be read', error);
  }
}

function unusable(file: string, why: string, cause?: unknown): PreflexorError {
  return new PreflexorError('bad-input', `${file} cannot be imported: ${why}.`, {
    remedy: 'Name a file of JSON lines, a CSV or parquet file, or a folder that holds such files.',
    cause,
  });
}
