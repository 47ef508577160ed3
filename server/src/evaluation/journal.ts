// The journal of an experiment: a line for its setup, then one for each finished unit, on the disk before the next
// one begins. A torn last line is what a killed process leaves: it is passed over, and its unit done again.
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import { PreflexorError } from '../errors.ts';
import { EvaluationSetup, JournalLine } from '../protocol/index.ts';
import { isMissing, makeFolders, nodeFileSystem, writeFailure, type FileSystem } from '../state/index.ts';

export type UnitLine = Extract<JournalLine, { line: 'unit' }>;
export type FailedLine = Extract<JournalLine, { line: 'failed' }>;

export const journalName = 'runs.jsonl';

export interface Journal {
  /** What is done, in the order in which it was done; each unit once. */
  readonly done: readonly (UnitLine | FailedLine)[];
  /** Returns once the line is on the disk. @throws PreflexorError `read-only`, `disk-full` */
  append(line: UnitLine | FailedLine): Promise<void>;
}

/**
 * Opens the journal in `folder`, which is made if need be.
 * @throws PreflexorError `bad-input` when the journal there is of another setup, or damaged before its last line
 */
export async function openJournal(
  folder: string,
  setup: EvaluationSetup,
  now: () => number,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Journal> {
  await makeFolders(folder, { fileSystem });
  const file = path.join(folder, journalName);
  const text = await textOf(file, fileSystem);
  const { lines, whole } = journalLines(text, file);
  const [first, ...rest] = lines;
  // As JSON has it: without the fields that have no value.
  const wanted = EvaluationSetup.parse(JSON.parse(JSON.stringify(setup)));
  if (first && (first.line !== 'setup' || !isDeepStrictEqual(first.setup, wanted)))
    throw otherSetup(folder, first.line === 'setup' ? first.setup : null, wanted);
  const done = rest.filter((line) => line.line !== 'setup');
  // What a torn line left is cut off, so that the next line begins a line.
  if (whole < text.length) await cutTo(file, Buffer.byteLength(text.slice(0, whole)), fileSystem);
  if (!first) {
    const time = new Date(now()).toISOString();
    await appendLine(file, { line: 'setup', schema: 1, time, setup }, fileSystem);
  }
  return {
    done,
    append: async (line) => {
      await appendLine(file, line, fileSystem);
      done.push(line);
    },
  };
}

/** The lines of a journal, and how many characters of the text they take. */
export function journalLines(text: string, file: string): { lines: JournalLine[]; whole: number } {
  const lines: JournalLine[] = [];
  let whole = 0;
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    if (end < 0) break;
    const line = decode(text.slice(start, end));
    if (line === null) {
      throw new PreflexorError('bad-input', `Line ${lines.length + 1} of ${file} is damaged.`, {
        remedy: 'Choose another folder with --out, or delete this one to begin again.',
      });
    }
    lines.push(line);
    whole = start = end + 1;
  }
  return { lines, whole };
}

function decode(text: string): JournalLine | null {
  try {
    const decoded = JournalLine.safeParse(JSON.parse(text));
    return decoded.success ? decoded.data : null;
  } catch {
    return null;
  }
}

/** Names what differs, since the same command was probably meant. */
function otherSetup(folder: string, old: EvaluationSetup | null, young: EvaluationSetup): PreflexorError {
  const keys = Object.keys(young) as (keyof EvaluationSetup)[];
  const differing = keys.filter((key) => !isDeepStrictEqual(old?.[key], young[key]));
  const what = `${folder} holds an experiment with other settings (${differing.join(', ')}).`;
  return new PreflexorError('bad-input', what, {
    remedy: 'Choose another folder with --out, or delete this one to begin again.',
  });
}

async function textOf(file: string, fileSystem: FileSystem): Promise<string> {
  try {
    return await fileSystem.readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

async function cutTo(file: string, bytes: number, fileSystem: FileSystem): Promise<void> {
  const handle = await fileSystem.open(file, 'r+');
  try {
    await handle.truncate(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function appendLine(file: string, line: JournalLine, fileSystem: FileSystem): Promise<void> {
  try {
    const handle = await fileSystem.open(file, 'a');
    try {
      await handle.writeFile(`${JSON.stringify(line)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw writeFailure(error, path.dirname(file));
  }
}
