// Preference pairs out to a file, or a folder where the format is one, and in from one, the same for every door.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  defaultSplit,
  ExportRegister,
  exportPairs,
  ImportedPairs,
  importPairs,
} from '../preferences/index.ts';
import type { PairFormat, PairsExport, PairsImport, PreferencePair } from '../protocol/index.ts';
import { workspaceKey, writeDurably } from '../state/index.ts';

export interface ExportRequest {
  readonly root: string;
  readonly home: string;
  readonly pairs: readonly PreferencePair[];
  /** Absolute. A folder that is there is filled, not emptied. */
  readonly place: string;
  readonly format: PairFormat;
  readonly strict: boolean;
}

/** @throws PreflexorError `cancelled`; what writing throws */
export async function exportTo(request: ExportRequest, signal: AbortSignal): Promise<PairsExport> {
  const { root, home, pairs, place, format, strict } = request;
  const { files, exported, leftOut } = await exportPairs(pairs, format, { strict }, signal);
  const register = new ExportRegister(home);
  const notes = new Set(exported.flatMap(({ note }) => note?.path ?? []));
  const about = { workspace: await workspaceKey(root), notes, time: new Date().toISOString() };
  const written: string[] = [];
  for (const { name, content } of files) {
    const file = name === null ? place : path.join(place, name);
    await mkdir(path.dirname(file), { recursive: true });
    // Registered first: an adapter must never be trained on a file that nobody knows of.
    await register.add(content, about);
    await writeDurably(file, content);
    written.push(file);
  }
  return { files: written, exported: exported.length, leftOut: [...leftOut] };
}

/** @throws PreflexorError `bad-input`, `cancelled` */
export async function importFrom(
  { root, file, now }: { readonly root: string; readonly file: string; readonly now: number },
  signal: AbortSignal,
): Promise<PairsImport> {
  const { pairs, refused } = await importPairs(file, { now, split: defaultSplit }, signal);
  const store = new ImportedPairs(root);
  const known = new Set((await store.list(signal)).pairs.map(({ id }) => id));
  const added = pairs.filter(({ id }) => !known.has(id));
  await store.add(added);
  return { imported: added.length, known: pairs.length - added.length, refused: [...refused] };
}
