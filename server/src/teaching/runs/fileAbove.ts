// Finds a file again of which only name and hash were kept: paths are not written into records that travel.
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { hashFile, sameStamp, type FileStamp } from '../../engine/models/index.ts';

export interface KnownFile {
  /** Its name alone. */
  readonly file: string;
  readonly sha256: string;
}

/** Larger ones are not read to see whether they are the same. */
const mostBytes = 256 * 2 ** 20;

/** What was found: an unchanged file is not read again. */
const seen = new Map<string, FileStamp & { readonly sha256: string }>();

/**
 * Looks in `folder` and in those above it, up to `root`; null: the file is not there, or is another one by now.
 * @throws PreflexorError `cancelled`
 */
export async function fileAbove(
  folder: string,
  root: string,
  known: KnownFile,
  signal: AbortSignal,
): Promise<string | null> {
  if (path.basename(known.file) !== known.file) return null;
  for (let at = folder; ; at = path.dirname(at)) {
    const found = path.join(at, known.file);
    if ((await hashOf(found, signal)) === known.sha256) return found;
    if (path.relative(root, at) === '' || at === path.dirname(at)) return null;
  }
}

/** Null: there is no such file. Links are not followed. */
async function hashOf(file: string, signal: AbortSignal): Promise<string | null> {
  const stats = await lstat(file).catch(() => null);
  if (!stats?.isFile() || stats.size > mostBytes) return null;
  const stamp = { bytes: stats.size, mtimeMs: stats.mtimeMs };
  const before = seen.get(file);
  if (before && sameStamp(before, stamp)) return before.sha256;
  const sha256 = await hashFile(file, signal);
  seen.set(file, { ...stamp, sha256 });
  return sha256;
}
