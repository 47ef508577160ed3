// One at a time across processes: a lock is a folder that only one process can make (proper-lockfile).
// A lock whose holder died is taken over after a few seconds; nobody waits for ever.
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { PreflexorError } from '../errors.ts';
import { makeFolders } from './durable.ts';
import { systemCode, writeFailure } from './fileSystem.ts';

export interface LockOptions {
  /** Milliseconds after which waiting ends with `locked`. */
  readonly waitMs?: number;
  /** Milliseconds without a sign of life after which a lock counts as left behind; 2000 at least. */
  readonly staleMs?: number;
}

/** Somebody else has it, or is letting go of it just now. */
const held = new Set(['ELOCKED', 'ENOENT']);

/** On Windows a folder that is being deleted answers like this for a moment. */
const perhapsHeldOnWindows = new Set(['EPERM', 'EACCES', 'EBUSY']);

/**
 * Runs `work` while no other process (nor another part of this one) holds the same lock.
 * `locks` are the places for the lock's folder: the next one is taken only when the one before it
 * cannot be written at all. Errors: `locked` after `waitMs`; `read-only` or `disk-full` when no place
 * can be written; and what `work` throws.
 */
export async function withLock<T>(
  locks: readonly [string, ...string[]],
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const release = await acquireFirst(locks, options);
  try {
    return await work();
  } finally {
    // The work is done and stays done: a lock that was taken over meanwhile must not undo it.
    await release().catch(() => undefined);
  }
}

async function acquireFirst(
  locks: readonly [string, ...string[]],
  options: LockOptions,
): Promise<() => Promise<void>> {
  let failure: unknown;
  for (const place of locks) {
    try {
      await makeFolders(path.dirname(place), { mode: 0o700 });
      return await acquire(place, options);
    } catch (error) {
      if (PreflexorError.is(error, 'locked')) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function acquire(
  place: string,
  { waitMs = 15_000, staleMs = 5_000 }: LockOptions,
): Promise<() => Promise<void>> {
  const deadline = performance.now() + waitMs;
  for (let refusals = 0; ;) {
    try {
      return await lock(place, {
        lockfilePath: place,
        realpath: false,
        stale: staleMs,
        // Told when the machine slept so long that others took the lock over. What is written under a lock
        // here is safe without it (whole appended lines, whole replaced files), so there is nothing to undo.
        onCompromised: () => undefined,
      });
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (process.platform === 'win32' && perhapsHeldOnWindows.has(code)) refusals += 1;
      else if (!held.has(code)) throw writeFailure(error, path.dirname(place));
      if (refusals > 50) throw writeFailure(error, path.dirname(place));
      if (performance.now() > deadline) throw stillHeld(place, waitMs);
    }
    await delay(4 + Math.random() * 20);
  }
}

function stillHeld(place: string, waitMs: number): PreflexorError {
  return new PreflexorError(
    'locked',
    `Another PRefLexOR window or command has been writing for more than ${waitMs / 1000} seconds.`,
    { remedy: `Try again; if no other one is open, delete the folder ${place}.` },
  );
}
