// The log of a dataset: a line for its setup, then one for each sample, on the disk before the next begins. A torn
// last line is what a killed process leaves: it is cut off, and its sample made again.
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import { PreflexorError } from '../../errors.ts';
import { DatasetLine, DatasetSetup, type DatasetSample } from '../../protocol/index.ts';
import { makeFolders, nodeFileSystem, openLineLog, type FileSystem } from '../../state/index.ts';

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
  const log = await openLineLog(file, fileSystem);
  const lines = log.whole.split('\n').slice(0, -1);
  const [first, ...rest] = lines.map((line, at) => decoded(line, at + 1, file));
  // As JSON has it: without the fields that have no value.
  const wanted = DatasetSetup.parse(JSON.parse(JSON.stringify(setup)));
  if (first && (first.line !== 'setup' || !isDeepStrictEqual(first.setup, wanted)))
    throw otherSetup(file, first.line === 'setup' ? first.setup : null, wanted);
  await log.mend();
  if (!first) {
    const time = new Date(now()).toISOString();
    await log.append({ line: 'setup', schema: 1, time, setup: wanted } satisfies DatasetLine);
  }
  const samples: DatasetSample[] = rest.flatMap((line) => (line.line === 'sample' ? [sampleOf(line)] : []));
  return {
    samples,
    append: async (sample) => {
      await log.append({ line: 'sample', ...sample } satisfies DatasetLine);
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
