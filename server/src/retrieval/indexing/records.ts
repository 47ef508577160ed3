// What the index knows of files, as the indexer makes and reads it.
import type { DocumentKind, FailedFile } from '../../protocol/index.ts';
import type { DocumentRecord, Refusal } from '../ports.ts';
import type { ScannedFile } from './workspaceWalker.ts';

/** A file without chunks: it could not be read, or stands under another one. */
export function refusedRecord(
  file: ScannedFile,
  hash: string,
  kind: DocumentKind | null,
  refusal: Refusal,
): DocumentRecord {
  return {
    path: file.path,
    kind: kind ?? 'text',
    title: '',
    bytes: file.bytes,
    modified: file.modified,
    hash,
    tags: [],
    dependencies: [],
    defines: [],
    chunks: 0,
    refusal,
  };
}

/**
 * The record of a file that another document takes in. It has no chunks of its own; it keeps size and time, so
 * that an unchanged one is not read to know that its document is unchanged.
 */
export function partRecord(
  file: ScannedFile,
  hash: string,
  kind: DocumentKind | null,
  parent: string,
): DocumentRecord {
  return refusedRecord(file, hash, kind, {
    code: 'excluded',
    reason: `It is read as a part of ${parent}, and stands under it.`,
  });
}

/** Readers never refuse a file as `excluded`: that is what tells a part. */
export function isPart(record: DocumentRecord): boolean {
  return record.refusal?.code === 'excluded';
}

/** Size and time say that the file is what the record speaks of. */
export function sameStat(record: DocumentRecord, file: ScannedFile): boolean {
  return record.bytes === file.bytes && record.modified === file.modified;
}

/** The files that could not be read, by path in order. */
export function failuresOf(records: Iterable<DocumentRecord>): FailedFile[] {
  const failed: FailedFile[] = [];
  for (const record of records) {
    if (record.refusal && !isPart(record)) {
      failed.push({ path: record.path, code: record.refusal.code, reason: record.refusal.reason });
    }
  }
  return failed.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Documents that can be found, and their chunks. */
export function totalsOf(records: Iterable<DocumentRecord>): { files: number; chunks: number } {
  const totals = { files: 0, chunks: 0 };
  for (const record of records) {
    if (record.refusal) continue;
    totals.files += 1;
    totals.chunks += record.chunks;
  }
  return totals;
}
