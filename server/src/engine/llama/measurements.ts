// Remembers measured thread counts in a JSON file, one entry per machine, model and backend.
// A cache: a file that is lost or broken only means that it is measured again.
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { ThreadCounts } from './threads.ts';

const Measurement = z.object({
  prompt: z.int().positive(),
  generation: z.int().positive(),
  /** Milliseconds since the epoch. */
  time: z.int().nonnegative(),
  /** Whether the machine was otherwise idle; if it was not, it holds for an hour. */
  quiet: z.boolean(),
});
export type Measurement = z.infer<typeof Measurement>;

const File = z.object({ schema: z.literal(1), threads: z.record(z.string(), Measurement) });

/** What a measurement holds for. */
export interface MeasurementKey {
  /** Says which weights: size and modification time, or a hash. */
  readonly model: string;
  readonly processor: string;
  readonly cores: number;
  readonly backend: string;
  readonly library: string;
}

export function keyText({ model, processor, cores, backend, library }: MeasurementKey): string {
  return [model, processor, `${cores} cores`, backend, library].join(' | ');
}

const disturbedValidMs = 60 * 60 * 1000;

/** The remembered counts, or null when there are none that hold. */
export async function recall(file: string, key: MeasurementKey, now: number): Promise<ThreadCounts | null> {
  const found = (await readAll(file))[keyText(key)];
  if (!found || found.prompt > key.cores || found.generation > key.cores) return null;
  if (!found.quiet && Math.abs(now - found.time) > disturbedValidMs) return null;
  return { prompt: found.prompt, generation: found.generation };
}

/**
 * Adds a measurement. Two that write at once leave a whole file with one of the two entries.
 * Throws what the file system throws: not being able to remember is for the caller to report.
 */
export async function remember(file: string, key: MeasurementKey, measurement: Measurement): Promise<void> {
  const threads = { ...(await readAll(file)), [keyText(key)]: measurement };
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(`${JSON.stringify({ schema: 1, threads }, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function readAll(file: string): Promise<Record<string, Measurement>> {
  try {
    return File.parse(JSON.parse(await readFile(file, 'utf8'))).threads;
  } catch {
    return {};
  }
}
