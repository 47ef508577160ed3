// The folders in which a workspace keeps its runs of teaching, by their numbers, and what is read back of them.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { TeachReport } from '../../protocol/index.ts';
import { prepareWorkspace, workspacePlaces, writeDurably } from '../../state/index.ts';

/** Numbers of the runs, the newest first. */
export async function runNumbers(root: string): Promise<number[]> {
  const names = await readdir(workspacePlaces(root).teaching).catch(() => []);
  return names
    .map(Number)
    .filter((number) => Number.isInteger(number))
    .sort((one, other) => other - one);
}

/** Makes the place of the runs where it is missing. @returns it, and the newest number in it (0: none) */
export async function prepareRuns(root: string): Promise<{ folder: string; newest: number }> {
  const places = workspacePlaces(root);
  await prepareWorkspace(places, 'teaching');
  // Adapters and checkpoints are large, and can be made again: nothing for a repository of notes.
  await writeDurably(path.join(places.teaching, '.gitignore'), '*\n');
  return { folder: places.teaching, newest: (await runNumbers(root))[0] ?? 0 };
}

/** The report of a run that is done; null: it is not, or was made by another version. */
export async function reportOf(folder: string): Promise<TeachReport | null> {
  return await stored(path.join(folder, 'report.json'), TeachReport);
}

/** A file that is missing, half there or of another version says nothing. */
export async function stored<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}
