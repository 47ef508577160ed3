// From a file to its new state in the index, vectors aside: read, recognised as unchanged, or cut into chunks.
import type { FailedFile } from '../../protocol/index.ts';
import { PreflexorError, sentence, throwIfCancelled } from '../../errors.ts';
import type { Chunk, DocumentRecord, ReadResult } from '../ports.ts';
import { dependenciesOf, othersFor, readFileBytes, type Asked, type FileBytes } from './fileReading.ts';
import type { IndexParts } from './parts.ts';
import type { WorkItem } from './plan.ts';
import { refusedRecord } from './records.ts';
import { abortable } from './yielding.ts';

/** What a file came to. */
export type Prepared =
  | {
      readonly kind: 'change';
      readonly record: DocumentRecord;
      readonly chunks: readonly Chunk[];
      readonly previous: DocumentRecord | null;
    }
  /** Only its time has changed: the chunks stay, with the new time. */
  | { readonly kind: 'touch'; readonly record: DocumentRecord }
  /** It went away since the scan: the next run sees it. */
  | { readonly kind: 'vanished' }
  /** It may not be read now: what is known of it stays, and it is tried again each time. */
  | { readonly kind: 'unreadable'; readonly failed: FailedFile };

/** Errors: `cancelled`, and those of the embedder, which counts the chunker's tokens. */
export async function prepare(item: WorkItem, parts: IndexParts, signal: AbortSignal): Promise<Prepared> {
  await parts.gate.pass(signal);
  const { path } = item.file;
  let read: FileBytes | null;
  try {
    read = await readFileBytes(parts.walker, path);
  } catch (error) {
    const reason = `${path} cannot be read: ${sentence(error)}.`;
    return { kind: 'unreadable', failed: { path, code: 'unreadable', reason } };
  }
  throwIfCancelled(signal);
  if (!read) return { kind: 'vanished' };
  const { previous } = item;
  if (previous && !item.forced && previous.hash === read.hash) {
    return { kind: 'touch', record: { ...previous, bytes: read.file.bytes, modified: read.file.modified } };
  }
  return { kind: 'change', previous, ...(await newState(read, parts, signal)) };
}

async function newState(
  read: FileBytes,
  parts: IndexParts,
  signal: AbortSignal,
): Promise<{ record: DocumentRecord; chunks: readonly Chunk[] }> {
  const { file, hash } = read;
  const { readOther, asked } = othersFor(parts.walker);
  const result = await readTotally(
    read,
    (bytes) => parts.reader.read(file.path, bytes, readOther, signal),
    signal,
  );
  throwIfCancelled(signal);
  if ('refusal' in result) {
    const record = refusedRecord(file, hash, parts.reader.kindOf(file.path), result.refusal);
    return { record: { ...record, dependencies: dependenciesOf([], asked) }, chunks: [] };
  }
  const { document } = result;
  const chunks = await abortable(parts.chunker.chunk(document, file.modified, signal), signal);
  throwIfCancelled(signal);
  return { record: documentRecord(read, document, asked, chunks.length), chunks };
}

/** A reader that breaks on a file loses that file, not the run. */
async function readTotally(
  { file, bytes }: FileBytes,
  read: (bytes: Uint8Array) => Promise<ReadResult>,
  signal: AbortSignal,
): Promise<ReadResult> {
  try {
    return await abortable(read(bytes), signal);
  } catch (error) {
    throwIfCancelled(signal);
    if (PreflexorError.is(error)) throw error;
    return { refusal: { code: 'damaged', reason: `${file.path} could not be read: ${sentence(error)}.` } };
  }
}

function documentRecord(
  { file, hash }: FileBytes,
  document: Extract<ReadResult, { document: unknown }>['document'],
  asked: Asked,
  chunks: number,
): DocumentRecord {
  // A bibliography may hold keys and no text; anything else without a chunk has nothing to be found by.
  const refusal =
    chunks === 0 && document.defines.length === 0
      ? ({ code: 'empty', reason: 'There is no text in it to be found by.' } as const)
      : null;
  return {
    path: file.path,
    kind: document.kind,
    title: document.title,
    bytes: file.bytes,
    modified: file.modified,
    hash,
    tags: document.tags,
    dependencies: dependenciesOf(document.dependencies, asked),
    defines: document.defines,
    chunks,
    refusal,
  };
}
