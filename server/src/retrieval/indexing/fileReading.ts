// Bytes of workspace files with their hashes, and the files that a document takes in (`\input`).
import { createHash, webcrypto } from 'node:crypto';
import type { DocumentRecord, ReadOther } from '../ports.ts';
import type { ScannedFile, WorkspaceWalker } from './workspaceWalker.ts';

export interface FileBytes {
  readonly file: ScannedFile;
  readonly bytes: Uint8Array;
  /** sha256, 64 hex digits. */
  readonly hash: string;
}

/** Above this a hash is worked out beside the event loop, below it doing so costs more than it saves. */
const longHash = 1_000_000;

/** sha256 of bytes, 64 hex digits. */
export async function hashOf(bytes: Uint8Array): Promise<string> {
  if (bytes.length < longHash) return createHash('sha256').update(bytes).digest('hex');
  const digest = await webcrypto.subtle.digest('SHA-256', bytes);
  return Buffer.from(digest).toString('hex');
}

/** Null: it is not there any more. Errors: what the file system says when it may not be read. */
export async function readFileBytes(walker: WorkspaceWalker, path: string): Promise<FileBytes | null> {
  const read = await walker.read(path);
  return read ? { ...read, hash: await hashOf(read.bytes) } : null;
}

/** One file that a document asked for: its hash, or '' where there is none that it may have. */
export type Asked = ReadonlyMap<string, string>;

/**
 * The files that one document takes in. It may have those that the rules do not leave out and that are not too
 * large; `retrieval.include` does not matter. `asked` also keeps what was not there: when it comes, the document
 * is read again.
 */
export function othersFor(walker: WorkspaceWalker): { readonly readOther: ReadOther; readonly asked: Asked } {
  const asked = new Map<string, string>();
  const readOther: ReadOther = async (wished) => {
    const path = walker.relative(wished);
    if (path === null || path === '') return null;
    const visit = await walker.find(path, { wholly: false });
    const read = visit.kind === 'file' ? await readFileBytes(walker, path).catch(() => null) : null;
    asked.set(path, read?.hash ?? '');
    return read?.bytes ?? null;
  };
  return { readOther, asked };
}

/** A record's dependencies: the files that were taken in, and those that were looked for in vain. */
export function dependenciesOf(taken: readonly string[], asked: Asked): DocumentRecord['dependencies'] {
  const missed = [...asked].filter(([, hash]) => hash === '').map(([path]) => path);
  return [...new Set([...taken, ...missed])].sort().map((path) => ({ path, hash: asked.get(path) ?? '' }));
}
