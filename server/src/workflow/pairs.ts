// The preference pairs of a workspace: derived from its ledger, its runs and its notes as they are now, with those
// that were imported. Reads; writes nothing.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import {
  curatedPairs,
  defaultQuietMs,
  defaultSplit,
  derivePairs,
  ImportedPairs,
  isFolderOff,
  recordingAllowed,
  type LedgerProblem,
  type PresentNote,
  type SplitRule,
} from '../preferences/index.ts';
import type { LedgerRecord, PreferencePair, Run } from '../protocol/index.ts';
import type { Stores } from './stores.ts';

export interface PairsRequest {
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly quietMs?: number;
  readonly split?: SplitRule;
  /** The setting `preferences.record`. */
  readonly record: boolean;
}

export interface WorkspacePairs {
  /** Those that stand, as the writer left them. */
  readonly pairs: readonly PreferencePair[];
  /** All that there are, as they were before the writer curated them. */
  readonly uncurated: readonly PreferencePair[];
  /** The ledger that they follow from. */
  readonly records: readonly LedgerRecord[];
  /** Lines of the ledger and of imported files that could not be used. */
  readonly problems: readonly LedgerProblem[];
}

const filesAtOnce = 16;
/** Nobody writes a longer note by hand, and nothing is looked for in such a file. */
const mostNoteBytes = 20_000_000;

/** @throws PreflexorError `cancelled`; what opening the ledger throws */
export async function workspacePairs(
  request: PairsRequest,
  stores: Stores,
  signal: AbortSignal,
): Promise<WorkspacePairs> {
  const { root, now, record } = request;
  const { records, problems } = await (await stores.ledger(root)).read();
  throwIfCancelled(signal);
  const runs = await runsOf(records, stores, root, signal);
  const notes = await presentNotes(root, new Set(records.map(({ note }) => note.path)), record, signal);
  const options = { now, quietMs: request.quietMs ?? defaultQuietMs, split: request.split ?? defaultSplit };
  const derived = await derivePairs({ records, runs, notes }, options, signal);
  const imported = await new ImportedPairs(root).list(signal);
  const known = new Set([...derived, ...curatedPairs(derived, records)].map(({ id }) => id));
  // What is derived says more than what came in with a file.
  const uncurated = [...derived, ...imported.pairs.filter(({ id }) => !known.has(id))];
  return {
    pairs: curatedPairs(uncurated, records),
    ...{ uncurated, records },
    problems: [...problems, ...imported.refused],
  };
}

async function runsOf(
  records: readonly LedgerRecord[],
  stores: Stores,
  root: string,
  signal: AbortSignal,
): Promise<Map<string, Run>> {
  const runs = new Map<string, Run>();
  const store = stores.runs(root);
  await inTurns([...new Set(records.flatMap(({ run }) => run ?? []))], signal, async (id) => {
    try {
      runs.set(id, await store.load(id));
    } catch (error) {
      // A run that is gone costs what only it knew, not the decision.
      if (!PreflexorError.is(error, 'unknown-run')) throw error;
    }
  });
  return runs;
}

/** The notes that are there. A path that leads out of the workspace is not followed. */
async function presentNotes(
  root: string,
  paths: ReadonlySet<string>,
  record: boolean,
  signal: AbortSignal,
): Promise<Map<string, PresentNote>> {
  const notes = new Map<string, PresentNote>();
  await inTurns([...paths].filter(isInside), signal, async (notePath) => {
    const folderOff = await isFolderOff(root, notePath);
    const file = path.join(root, notePath);
    const found = await stat(file).catch(() => null);
    const text = found?.isFile() && found.size <= mostNoteBytes ? await readFile(file, 'utf8') : null;
    if (text === null || !found) {
      // Moved or deleted: nothing is known of its text, but its folder may still be switched off.
      if (folderOff || !record) notes.set(notePath, { text: '', modified: Infinity, recording: false });
      return;
    }
    const recording = recordingAllowed(text, { record, folderOff });
    notes.set(notePath, { text, modified: found.mtimeMs, recording });
  });
  return notes;
}

function isInside(notePath: string): boolean {
  const outside =
    notePath.split(/[\\/]/).includes('..') || path.isAbsolute(notePath) || notePath.includes('\0');
  return !outside && notePath !== '';
}

async function inTurns<T>(
  all: readonly T[],
  signal: AbortSignal,
  work: (one: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < all.length; at += filesAtOnce) {
    throwIfCancelled(signal);
    await Promise.all(all.slice(at, at + filesAtOnce).map(work));
  }
}
