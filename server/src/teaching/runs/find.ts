// Finds the runs of a workspace by the files that they leave: `teach` in .preflexor, and any folder that training was
// told to write to. Looks into no link, and not without end.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { throwIfCancelled } from '../../errors.ts';
import { workspacePlaces } from '../../state/index.ts';

export interface FoundRun {
  /** Relative to the workspace, with forward slashes. */
  readonly run: string;
  readonly folder: string;
  readonly kind: 'teach' | 'train';
}

/** Folders that are looked into at most, and how deep. */
const mostFolders = 4000;
const deepest = 6;

/** @throws PreflexorError `cancelled` */
export async function findRuns(root: string, signal: AbortSignal): Promise<FoundRun[]> {
  const found: FoundRun[] = [];
  const waiting = [
    { folder: workspacePlaces(root).teaching, depth: 0 },
    { folder: path.resolve(root), depth: 0 },
  ];
  let looked = 0;
  for (let next = waiting.shift(); next !== undefined && looked < mostFolders; next = waiting.shift()) {
    throwIfCancelled(signal);
    looked += 1;
    const { folder, depth } = next;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const files = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
    const kind = files.has('teach.json') ? 'teach' : files.has('run.json') ? 'train' : null;
    if (kind !== null) {
      found.push({ run: path.relative(root, folder).split(path.sep).join('/'), folder, kind });
      continue;
    }
    if (depth === deepest) continue;
    for (const entry of entries)
      if (entry.isDirectory() && isLookedInto(entry.name))
        waiting.push({ folder: path.join(folder, entry.name), depth: depth + 1 });
  }
  return found.filter(({ run }) => run !== '');
}

function isLookedInto(name: string): boolean {
  return !name.startsWith('.') && name !== 'node_modules';
}
