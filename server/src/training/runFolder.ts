// A run's folder: what it was asked to compute (run.json), what the trainer reads (trainer.json, with the token ids),
// what it said (log.jsonl), its checkpoint and adapter, and how it ended (result.json). Each file is whole or absent.
import { cp, open, readFile, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import { TrainerTrainConfig, TrainingRunRecord, type TrainerLine } from '../protocol/index.ts';
import { isMissing, makeFolders, writeDurably } from '../state/index.ts';
import { trainerConfigName } from './trainerProcess.ts';

const recordName = 'run.json';
const logName = 'log.jsonl';
const resultName = 'result.json';
const checkpointName = 'checkpoint.safetensors';

/** A run as it was begun, to be gone on with. */
export interface BegunRun {
  readonly record: TrainingRunRecord;
  readonly config: TrainerTrainConfig;
  readonly hasCheckpoint: boolean;
}

export class RunFolder {
  readonly path: string;
  #log: FileHandle | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** The run that was begun here, or null. Errors: `bad-input` when its files cannot be understood. */
  async begun(): Promise<BegunRun | null> {
    const record = await this.#read(recordName, TrainingRunRecord);
    const config = await this.#read(trainerConfigName, TrainerTrainConfig);
    // run.json comes first: without the trainer's file nothing was computed yet.
    if (record === null || config === null) return null;
    const names = await readdir(this.path);
    return { record, config, hasCheckpoint: names.includes(checkpointName) };
  }

  /** Makes the folder and writes down what is about to be computed. */
  async begin(record: TrainingRunRecord): Promise<void> {
    await makeFolders(this.path);
    await writeDurably(join(this.path, recordName), `${JSON.stringify(record, null, 2)}\n`);
  }

  /** Copies a PEFT folder into the run's, where it is for as long as the run is. Gives the copy's path. */
  async keep(name: 'start' | 'reference', peft: string): Promise<string> {
    const copy = join(this.path, name);
    await cp(peft, copy, { recursive: true });
    return copy;
  }

  /** Appends a line of the trainer to the log; with a checkpoint, the log is on disk too. */
  async log(line: TrainerLine): Promise<void> {
    this.#log ??= await open(join(this.path, logName), 'a');
    await this.#log.write(`${JSON.stringify(line)}\n`);
    if (line.event === 'checkpoint' || line.event === 'done') await this.#log.datasync();
  }

  async finish(result: unknown): Promise<void> {
    await writeDurably(join(this.path, resultName), `${JSON.stringify(result, null, 2)}\n`);
  }

  async close(): Promise<void> {
    await this.#log?.close();
    this.#log = null;
  }

  async #read<T>(name: string, schema: z.ZodType<T>): Promise<T | null> {
    const path = join(this.path, name);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      throw new PreflexorError(
        'bad-input',
        `The run in ${this.path} cannot be understood: ${name} is broken.`,
        {
          remedy: 'Begin a new run in another folder.',
          cause: error,
        },
      );
    }
  }
}
