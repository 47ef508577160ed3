// The journal of an experiment: a line for its setup, then one for each finished unit, on the disk before the next
// one begins. A torn last line is what a killed process leaves: it is passed over, and its unit done again.
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import { PreflexorError } from '../errors.ts';
import { EvaluationSetup, JournalLine } from '../protocol/index.ts';
import { makeFolders, nodeFileSystem, openLineLog, type FileSystem } from '../state/index.ts';

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
  const log = await openLineLog(file, fileSystem);
  const lines = log.whole.split('\n').slice(0, -1);
  const [first, ...rest] = lines.map((line, at) => decoded(line, at + 1, file));
  // As JSON has it: without the fields that have no value.
  const wanted = EvaluationSetup.parse(JSON.parse(JSON.stringify(setup)));
  if (first && (first.line !== 'setup' || !isDeepStrictEqual(first.setup, wanted)))
    throw otherSetup(folder, first.line === 'setup' ? first.setup : null, wanted);
  const done = rest.filter((line) => line.line !== 'setup');
  await log.mend();
  if (!first) {
    const time = new Date(now()).toISOString();
    await log.append({ line: 'setup', schema: 1, time, setup } satisfies JournalLine);
  }
  return {
    done,
    append: async (line) => {
      await log.append(line);
      done.push(line);
    },
  };
}

function decoded(text: string, number: number, file: string): JournalLine {
  const line = decode(text);
  if (line !== null) return line;
  throw new PreflexorError('bad-input', `Line ${number} of ${file} is damaged.`, {
    remedy: 'Choose another folder with --out, or delete this one to begin again.',
  });
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
