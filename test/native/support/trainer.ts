// Runs the built preflexor-trainer for tests and decodes every line that it writes.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import {
  TrainerLine,
  type TrainerScoreConfig,
  type TrainerTrainConfig,
} from '../../../server/src/protocol/trainer.ts';

export const repository = path.resolve(import.meta.dirname, '../../..');
export const libraries = path.join(
  repository,
  `node_modules/@node-llama-cpp/${platformPackage()}/bins/${platformPackage()}`,
);
export const trainerBinary =
  process.env['PREFLEXOR_TRAINER'] ?? path.join(repository, 'native/build/preflexor-trainer');

type Lines = z.infer<typeof TrainerLine>;
export type LineOf<Event extends Lines['event']> = Extract<Lines, { event: Event }>;
export type TrainerConfig = TrainerScoreConfig | TrainerTrainConfig;

export interface TrainerResult {
  exitCode: number | null;
  lines: Lines[];
  stderr: string;
}

function platformPackage(): string {
  return process.platform === 'darwin' ? `mac-${process.arch}-metal` : `linux-${process.arch}`;
}

/** The real model's path; throws with the remedy when it is missing. */
export function testModel(): string {
  const file = process.env['PREFLEXOR_TEST_MODEL'];
  if (file === undefined || !existsSync(file)) {
    throw new Error('Set PREFLEXOR_TEST_MODEL to SmolLM2-135M-Instruct.Q4_1.gguf.');
  }
  return file;
}

/** A temporary folder that is removed when `use` ends. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-native-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The lines of one kind, in order. */
export function linesOf<Event extends Lines['event']>(
  lines: Lines[],
  event: Event,
): LineOf<Event>[] {
  return lines.filter((line): line is LineOf<Event> => line.event === event);
}

/**
 * Runs the trainer to its end.
 * @param onLine sees each line as it comes, with the process to talk to (or to kill)
 */
export async function runTrainer(
  folder: string,
  config: TrainerConfig | string,
  onLine: (line: Lines, child: ChildProcessWithoutNullStreams) => void = () => undefined,
): Promise<TrainerResult> {
  const file = path.join(folder, 'config.json');
  // A file that is written over is flushed to the disk by some file systems.
  await rm(file, { force: true });
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
  return runTrainerWith([file], onLine);
}

export function runTrainerWith(
  args: string[],
  onLine: (line: Lines, child: ChildProcessWithoutNullStreams) => void = () => undefined,
): Promise<TrainerResult> {
  const child = spawn(trainerBinary, args);
  const lines: Lines[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    createInterface({ input: child.stdout }).on('line', (text) => {
      // A killed process may leave half a line; everything else must decode.
      if (child.killed && !text.endsWith('}')) return;
      const line = TrainerLine.parse(JSON.parse(text));
      lines.push(line);
      onLine(line, child);
    });
    child.once('close', (exitCode) => resolve({ exitCode, lines, stderr }));
  });
}
