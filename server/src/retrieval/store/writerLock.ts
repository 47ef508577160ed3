// One writer at a time, across processes and within one. Readers never ask. LanceDB would survive two writers,
// but two of them would embed the same notes twice.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { PreflexorError } from '../../errors.ts';
import { withLock } from '../../state/index.ts';

const Holder = z.object({ pid: z.int(), name: z.string(), since: z.iso.datetime() });

export interface WriterLockOptions {
  /** The lock's folder. */
  readonly place: string;
  /** Who this is, for those who wait: "the editor", "preflexor index". */
  readonly name: string;
  /** Milliseconds that a single step waits for another writer. */
  readonly waitMs: number;
}

export class WriterLock {
  readonly #options: WriterLockOptions;
  /** Works that run under the lock; while there is one, the lock is ours. */
  #sessions = 0;
  #steps: Promise<unknown> = Promise.resolve();

  constructor(options: WriterLockOptions) {
    this.#options = options;
  }

  /**
   * Runs one step of writing, after all that were asked for before.
   * @throws PreflexorError `locked`, with the name of who writes
   */
  step<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#steps.then(() =>
      this.#sessions > 0 ? work() : this.#locked(work, this.#options.waitMs),
    );
    this.#steps = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Keeps the lock while `work` runs, whatever steps it takes: nobody else writes in between.
   * @throws PreflexorError `locked` after `waitMs`, with the name of who writes
   */
  session<T>(work: () => Promise<T>, waitMs = this.#options.waitMs): Promise<T> {
    if (this.#sessions > 0) return this.#counted(work);
    return this.#locked(() => this.#counted(work), waitMs);
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#sessions += 1;
    try {
      return await work();
    } finally {
      this.#sessions -= 1;
    }
  }

  async #locked<T>(work: () => Promise<T>, waitMs: number): Promise<T> {
    try {
      return await withLock(
        [this.#options.place],
        async () => {
          await this.#sign();
          try {
            return await work();
          } finally {
            await rm(this.#signature, { force: true }).catch(() => undefined);
          }
        },
        { waitMs },
      );
    } catch (error) {
      throw PreflexorError.is(error, 'locked') ? await this.#named(error) : error;
    }
  }

  get #signature(): string {
    return `${this.#options.place}.holder`;
  }

  /** Only told to people, so that a torn or missing one does no harm. */
  async #sign(): Promise<void> {
    const holder = { pid: process.pid, name: this.#options.name, since: new Date().toISOString() };
    await writeFile(this.#signature, JSON.stringify(holder)).catch(() => undefined);
  }

  async #named(error: PreflexorError): Promise<PreflexorError> {
    const text = await readFile(this.#signature, 'utf8').catch(() => '');
    let holder: z.infer<typeof Holder> | undefined;
    try {
      holder = Holder.safeParse(JSON.parse(text)).data;
    } catch {
      return error;
    }
    if (!holder) return error;
    return new PreflexorError(
      'locked',
      `The index is being written by ${holder.name} (process ${holder.pid}, since ${holder.since.slice(11, 16)} UTC).`,
      { remedy: 'Wait until it is done, or stop it there.', cause: error },
    );
  }
}
