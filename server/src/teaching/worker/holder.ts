// Who teaches on this machine: one process at a time, whichever window or command it is. A note in the application home
// says its process and when that began, so that a note whose process died, or whose number went to another program, is
// known for what it is.
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PreflexorError } from '../../errors.ts';
import { homePlaces, withLock, writeDurably } from '../../state/index.ts';
import type { Processes } from './processes.ts';

const Note = z.object({
  schema: z.literal(1),
  pid: z.int().positive(),
  /** When the process began, in the system's own words; null: it does not say. */
  began: z.string().nullable(),
  token: z.string(),
  /** The run's folder. */
  run: z.string(),
});
/** Who is at work. */
export type Holder = Pick<z.infer<typeof Note>, 'pid' | 'run'>;

export class TeachingHolder {
  readonly #note: string;
  readonly #lock: string;
  readonly #processes: Processes;

  /** @param home the application home */
  constructor(home: string, processes: Processes) {
    const { locks } = homePlaces(home);
    this.#note = join(locks, 'teaching.json');
    this.#lock = join(locks, 'teaching.lock');
    this.#processes = processes;
  }

  /** Who teaches now; null: nobody. */
  async current(): Promise<Holder | null> {
    const note = await this.#read();
    return note && (await this.#isAtWork(note)) ? { pid: note.pid, run: note.run } : null;
  }

  /** Runs `work` as the only one that teaches. @throws PreflexorError `locked`, with who is at work */
  async hold<T>(run: string, work: () => Promise<T>): Promise<T> {
    const token = randomBytes(12).toString('hex');
    const { pid } = process;
    const began = await this.#processes.beganAt(pid);
    // Held for a moment only, so that the machine may sleep in the middle of a run.
    await withLock([this.#lock], async () => {
      const other = await this.current();
      if (other) throw atWork(other);
      const note: z.infer<typeof Note> = { schema: 1, pid, began, token, run };
      await writeDurably(this.#note, `${JSON.stringify(note)}\n`);
    });
    try {
      return await work();
    } finally {
      if ((await this.#read())?.token === token) await rm(this.#note, { force: true });
    }
  }

  async #read(): Promise<z.infer<typeof Note> | null> {
    try {
      return Note.parse(JSON.parse(await readFile(this.#note, 'utf8')));
    } catch {
      // None is there, or none that we wrote.
      return null;
    }
  }

  async #isAtWork({ pid, began }: z.infer<typeof Note>): Promise<boolean> {
    if (!this.#processes.isAlive(pid)) return false;
    const now = began === null ? null : await this.#processes.beganAt(pid);
    // Where the system does not say, a live process counts.
    return now === null || now === began;
  }
}

function atWork({ pid, run }: Holder): PreflexorError {
  return new PreflexorError('locked', `Teaching is at work already, in ${run} (process ${pid}).`, {
    remedy: 'One run at a time: wait until it is done, or cancel it where it was started.',
  });
}
