// What is kept of teaching between starts: the run that is under way and the offer that waits, for the machine; and for
// each folder which of the writer's pairs a finished run had.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { LearntPairs, TeachingRecord, type TeachingOffer } from '../../protocol/index.ts';
import { homePlaces, prepareWorkspace, withLock, workspacePlaces, writeDurably } from '../../state/index.ts';

const nothing: TeachingRecord = { schema: 1, current: null, offer: null };

export class RecordFile {
  readonly #file: string;
  readonly #lock: string;

  /** @param home the application home */
  constructor(home: string) {
    const places = homePlaces(home);
    this.#file = join(places.home, 'teaching.json');
    this.#lock = join(places.locks, 'teaching-record.lock');
  }

  /** A file that can't be understood counts as none: what a run did is in its own folder. */
  async read(): Promise<TeachingRecord> {
    return (await stored(this.#file, TeachingRecord)) ?? nothing;
  }

  /** @throws PreflexorError `disk-full`, `read-only`, `locked` */
  async change(change: (record: TeachingRecord) => TeachingRecord): Promise<TeachingRecord> {
    return await withLock([this.#lock], async () => {
      const record = change(await this.read());
      await writeDurably(this.#file, `${JSON.stringify(record)}\n`);
      return record;
    });
  }
}

/**
 * Leaves an offer to the writer, which every editor of this machine finds with its next look.
 * @param home the application home
 * @throws PreflexorError `disk-full`, `read-only`, `locked`
 */
export async function offerAdapter(home: string, offer: Omit<TeachingOffer, 'later'>): Promise<void> {
  await new RecordFile(home).change((record) => ({ ...record, offer: { ...offer, later: false } }));
}

function learntFile(root: string): string {
  return join(workspacePlaces(root).teaching, 'learnt.json');
}

/** How many of these pairs no finished run had. */
export async function countNew(root: string, pairs: readonly string[]): Promise<number> {
  const learnt = new Set((await stored(learntFile(root), LearntPairs))?.pairs ?? []);
  return pairs.filter((pair) => !learnt.has(pair)).length;
}

/** @param now milliseconds since the epoch */
export async function keepLearnt(root: string, pairs: readonly string[], now: number): Promise<void> {
  await prepareWorkspace(workspacePlaces(root), 'teaching');
  const learnt: LearntPairs = { schema: 1, time: new Date(now).toISOString(), pairs: [...pairs] };
  await writeDurably(learntFile(root), `${JSON.stringify(learnt)}\n`);
}

async function stored<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}
