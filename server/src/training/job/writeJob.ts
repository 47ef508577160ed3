// Writes a job's folder: data, settings, adapters, scripts, configurations of other tools, and what to do with it in
// words. `job.json` comes last: a folder with it is whole.
import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import type { JobRecord, TrainerRecord } from '../../protocol/index.ts';
import { isMissing, makeFolders, writeDurably } from '../../state/index.ts';
import { accelerateFiles } from './accelerate.ts';
import { axolotlFiles, llamaFactoryFiles } from './otherTools.ts';
import type { PreparedJob } from './prepareJob.ts';
import { jobReadme } from './readme.ts';

/**
 * @param scripts the folder with the Python files that a job takes along
 * @returns the files' names, in their order
 * @throws PreflexorError `bad-input` when the folder is not empty; `disk-full`, `read-only`, `cancelled`
 */
export async function writeJob(
  folder: string,
  prepared: PreparedJob,
  scripts: string,
  signal: AbortSignal,
): Promise<string[]> {
  await requireEmpty(folder);
  const { job, records, heldout, start, reference } = prepared;
  const files = new Map<string, string>([
    ['train.jsonl', jsonLines(records)],
    ...(heldout.length > 0 ? [['heldout.jsonl', jsonLines(heldout)] as const] : []),
    ...accelerateFiles(),
    ...llamaFactoryFiles(prepared),
    ...axolotlFiles(prepared),
    ...(await scriptsIn(scripts)),
    ['README.md', jobReadme(job)],
    ['job.json', `${JSON.stringify(job, null, 2)}\n`],
  ]);
  await makeFolders(folder);
  if (start !== null) await cp(start, path.join(folder, 'start'), { recursive: true });
  if (reference !== null) await cp(reference, path.join(folder, 'reference'), { recursive: true });
  for (const [name, content] of files) {
    throwIfCancelled(signal);
    const file = path.join(folder, name);
    await makeFolders(path.dirname(file));
    await writeDurably(file, content);
  }
  return [...files.keys()];
}

async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  if (names.length === 0) return;
  throw new PreflexorError('bad-input', `${folder} is not empty.`, { remedy: 'Name a new folder.' });
}

async function scriptsIn(folder: string): Promise<[string, string][]> {
  const names = (await readdir(folder)).filter((name) => /\.(py|txt)$/.test(name)).sort();
  const read = async (name: string): Promise<[string, string]> => [
    name,
    await readFile(path.join(folder, name), 'utf8'),
  ];
  return await Promise.all(names.map(read));
}

/** One record a line. Masks are written out, also where every token counts. */
function jsonLines(records: readonly TrainerRecord[]): string {
  return records.map((record) => `${JSON.stringify(rowOf(record))}\n`).join('');
}

/** Losses of a job compare: both sides are there. */
function rowOf({ prompt, chosen = [], rejected = [], chosenMask, rejectedMask }: TrainerRecord): JobRecord {
  return {
    ...{ prompt, chosen, rejected },
    chosen_mask: chosenMask ?? chosen.map(() => 1 as const),
    rejected_mask: rejectedMask ?? rejected.map(() => 1 as const),
  };
}
