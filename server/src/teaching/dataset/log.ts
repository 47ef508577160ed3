// The log of a dataset: a line for its setup, then one for each sample, on the disk before the next begins. A torn
// last line is what a killed process leaves: it is cut off, and its sample made again.
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import { PreflexorError } from '../../errors.ts';
import { DatasetLine, DatasetSetup, type DatasetSample } from '../../protocol/index.ts';
import { isMissing, makeFolders, nodeFileSystem, writeFailure, type FileSystem } from '../../state/index.ts';

export interface DatasetLog {
  /** In the order in which they were made. */
  readonly samples: readonly DatasetSample[];
  /** Returns once the line is on the disk. @throws PreflexorError `read-only`, `disk-full` */
  append(sample: DatasetSample): Promise<void>;
}

/**
 * Opens a log; its folder is made if need be.
 * @throws PreflexorError `bad-input` when it is of another setup, or damaged before its last line
 */
export async function openDatasetLog(
  file: string,
  setup: DatasetSetup,
  now: () => number,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<DatasetLog> {
  await makeFolders(path.dirname(file), { fileSystem });
  const text = await textOf(file, fileSystem);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').slice(0, -1);
  const [first, ...rest] = lines.map((line, at) => decoded(line, at + 1, file));
  // As JSON has it: without the fields that have no value.
  const wanted = DatasetSetup.parse(JSON.parse(JSON.stringify(setup)));
  if (first && (first.line !== 'setup' || !isDeepStrictEqual(first.setup, wanted)))
    throw otherSetup(file, first.line === 'setup' ? first.setup : null, wanted);
  if (whole.length < text.length) await cutTo(file, Buffer.byteLength(whole), fileSystem);
  if (!first) {
    const time = new Date(now()).toISOString();
    await appendLine(file, { line: 'setup', schema: 1, time, setup: wanted }, fileSystem);
  }
  const samples: DatasetSample[] = rest.flatMap((line) => (line.line === 'sample' ? [sampleOf(line)] : []));
  return {
    samples,
    append: async (sample) => {
      await appendLine(file, { line: 'sample', ...sample }, fileSystem);
      samples.push(sample);
    },
  };
}

function sampleOf({ line: _line, ...sample }: Extract<DatasetLine, { line: 'sample' }>): DatasetSample {
  return sample;
}

function decoded(text: string, number: number, file: string): DatasetLine {
  try {
    return DatasetLine.parse(JSON.parse(text));
  } catch (error) {
    throw new PreflexorError('bad-input', `Line ${number} of ${file} is damaged.`, {
      remedy: 'Choose another file, or delete this one to begin again.',
      cause: error,
    });
  }
}

/** Names what differs, since the same command was probably meant. */
function otherSetup(file: string, old: DatasetSetup | null, young: DatasetSetup): PreflexorError {
  const keys = Object.keys(young) as (keyof DatasetSetup)[];
  const differing = keys.filter((key) => !isDeepStrictEqual(old?.[key], young[key]));
  return new PreflexorError(
    'bad-input',
    `${file} is the log of a dataset with something else (${differing.join(', ')}).`,
    { remedy: 'Choose another file, or delete this one to begin again.' },
  );
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

async function appendLine(file: string, line: DatasetLine, fileSystem: FileSystem): Promise<void> {
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
