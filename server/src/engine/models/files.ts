// Large files on disk: stamps, streamed hashes, renames that last, and the lock under which one process at a
// time downloads. Knows nothing of models; small files and short locks are the state room's.
import { createHash } from 'node:crypto';
import { open, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lock as takeLock } from 'proper-lockfile';
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import { isMissing, syncFolder, systemCode, writeFailure } from '../../state/index.ts';

/** Size and time of last change: what tells cheaply that a file is still the one that was hashed. */
export interface FileStamp {
  readonly bytes: number;
  readonly mtimeMs: number;
}

/** The stamp of an ordinary file, or null when there is none at `path`. */
export async function stampOf(path: string): Promise<FileStamp | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? { bytes: found.size, mtimeMs: found.mtimeMs } : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw diskError(error, path);
  }
}

export function sameStamp(a: FileStamp | null, b: FileStamp | null): boolean {
  return a !== null && b !== null && a.bytes === b.bytes && a.mtimeMs === b.mtimeMs;
}

/** The sha256 of a file as 64 hexadecimal digits, read in pieces. `onProgress` hears the bytes read so far. */
export async function hashFile(
  path: string,
  signal: AbortSignal,
  onProgress: (bytes: number) => void = () => {},
): Promise<string> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(1024 * 1024);
  const file = await open(path, 'r').catch((error: unknown) => {
    throw diskError(error, path);
  });
  try {
    for (let read = 0; ;) {
      throwIfCancelled(signal);
      const { bytesRead } = await file.read(piece, 0, piece.length, read);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, bytesRead));
      onProgress((read += bytesRead));
    }
  } catch (error) {
    throw diskError(error, path);
  } finally {
    await file.close();
  }
}

/** Renames within a folder and makes the new name last through a loss of power. */
export async function moveIntoPlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
    await syncFolder(dirname(to));
  } catch (error) {
    throw diskError(error, to);
  }
}

/**
 * Runs `work` while this process alone holds the lock named `name` in `folder`. When another one holds it,
 * `onWait` is called every half second until it is free. A lock whose owner died is taken over after seconds.
 * The signal that `work` gets is aborted also when the lock is lost, for instance after the machine slept.
 */
export async function withDownloadLock<T>(
  folder: string,
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  onWait: () => void | Promise<void> = () => {},
): Promise<T> {
  const lost = new AbortController();
  const release = await acquire(folder, name, signal, onWait, () => lost.abort());
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } catch (error) {
    if (!lost.signal.aborted || signal.aborted) throw error;
    throw new PreflexorError('locked', `Another window or command has taken over ${name}.`, {
      remedy: 'Try again.',
      cause: error,
    });
  } finally {
    // A lost lock belongs to somebody else by now.
    if (!lost.signal.aborted) await release().catch(() => {});
  }
}

async function acquire(
  folder: string,
  name: string,
  signal: AbortSignal,
  onWait: () => void | Promise<void>,
  onLost: () => void,
): Promise<() => Promise<void>> {
  for (;;) {
    throwIfCancelled(signal);
    try {
      return await takeLock(join(folder, name), {
        realpath: false,
        stale: 5_000,
        update: 1_500,
        onCompromised: onLost,
      });
    } catch (error) {
      if (systemCode(error) !== 'ELOCKED') throw diskError(error, join(folder, name));
    }
    await onWait();
    await delay(500, undefined, { signal }).catch(() => {
      throw cancelled();
    });
  }
}

/** What went wrong with the disk, as an error for a person. Errors that are not the disk's come back as they are. */
export function diskError(error: unknown, path: string): unknown {
  return error instanceof PreflexorError ? error : writeFailure(error, dirname(path));
}
