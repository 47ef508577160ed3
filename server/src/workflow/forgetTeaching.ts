// Forgetting in the folders of self-teaching and of experiments: what was made of a note goes, samples, pairs, token ids
// and checkpoints; verdicts, reports and curves stay, which hold no text.
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { throwIfCancelled } from '../errors.ts';
import { isMissing, workspacePlaces } from '../state/index.ts';

/** Files of a run that say which notes it is of; each names them as JSON does. */
const telling = new Set(['samples.jsonl', 'pairs.jsonl', 'heldout.jsonl', 'run.json']);

/** What holds no text in a run that is done: its numbers, what the gate said, and its report. */
const harmless = /^(?:(?:teach|report|gate)\.json|report\.md|[\w-]+\.svg|\.gitignore)$/;

/**
 * @param notes their paths in the workspace; null: all
 * @returns how many runs and experiments something was removed from
 * @throws PreflexorError `cancelled`; what the file system throws
 */
export async function forgetTeaching(
  root: string,
  notes: ReadonlySet<string> | null,
  signal: AbortSignal,
): Promise<number> {
  const { teaching, evaluations } = workspacePlaces(root);
  let count = 0;
  for (const folder of [...(await foldersIn(teaching)), ...(await foldersIn(evaluations))]) {
    throwIfCancelled(signal);
    if (notes === null) await rm(folder, { recursive: true, force: true });
    else if (!(await isAbout(folder, notes))) continue;
    else if (path.dirname(folder) === teaching && (await isDone(folder))) await removeTexts(folder);
    // What is not done could only be gone on with by what is to be forgotten.
    else await rm(folder, { recursive: true, force: true });
    count += 1;
  }
  return count;
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function isAbout(folder: string, notes: ReadonlySet<string>): Promise<boolean> {
  const wanted = [...notes].map((note) => JSON.stringify(note));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || !telling.has(entry.name)) continue;
    const text = await readFile(path.join(entry.parentPath, entry.name), 'utf8');
    if (wanted.some((name) => text.includes(name))) return true;
  }
  return false;
}

async function isDone(folder: string): Promise<boolean> {
  return (await readdir(folder)).includes('report.json');
}

async function removeTexts(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name.startsWith('phase-')) await removeTexts(place);
    else if (!harmless.test(entry.name)) await rm(place, { recursive: true, force: true });
  }
}
