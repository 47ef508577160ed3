// How processes tell each other that somebody waits for one of them: a small file each in the application home,
// `locks/compute-<process>-<random>.json`, renewed every few seconds while it holds. Advisory only. A file whose
// process died, or that was not renewed, counts for nothing and is removed by whoever sees it.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Timers } from '../timers.ts';
import type { ComputeSigns } from './computeBudget.ts';

export interface ComputeFilesOptions {
  /** `locks` of the application home. */
  readonly folder: string;
  readonly process: number;
  /** Milliseconds since the epoch: the clock that processes share. */
  readonly now: () => number;
  /** Whether a process with this number runs. */
  readonly isAlive: (process: number) => boolean;
  readonly timers: Timers;
}

const Sign = z.object({
  schema: z.literal(1),
  process: z.int().positive(),
  threads: z.int().nonnegative(),
  /** Milliseconds since the epoch until which it holds. */
  until: z.number(),
});

const renewMs = 3_000;
const holdsMs = 10_000;
const pattern = /^compute-\d+-[0-9a-f]+\.json$/;

export class ComputeFiles implements ComputeSigns {
  readonly #options: ComputeFilesOptions;
  readonly #name: string;
  /** Writes and removals happen one after the other, in the order in which they were asked for. */
  #work: Promise<void> = Promise.resolve();
  #cancelRenewal: () => void = () => undefined;

  constructor(options: ComputeFilesOptions) {
    this.#options = options;
    this.#name = `compute-${options.process}-${randomBytes(6).toString('hex')}.json`;
  }

  raise(threads: number): void {
    this.#cancelRenewal();
    this.#then(() => this.#write(threads));
    this.#cancelRenewal = this.#options.timers.after(renewMs, () => {
      this.raise(threads);
    });
  }

  lower(): void {
    this.#cancelRenewal();
    this.#then(() => rm(join(this.#options.folder, this.#name), { force: true }));
  }

  async others(): Promise<number> {
    const names = await readdir(this.#options.folder).catch(() => []);
    const others = names.filter((name) => pattern.test(name) && name !== this.#name);
    return Math.max(0, ...(await Promise.all(others.map((name) => this.#threadsOf(name)))));
  }

  /** Resolves when what was asked for so far is on disk. */
  async settled(): Promise<void> {
    await this.#work;
  }

  #then(work: () => Promise<void>): void {
    // Where nothing can be written, others are not told: that is slower for the writer, and wrong for nobody.
    this.#work = this.#work.then(work).catch(() => undefined);
  }

  async #write(threads: number): Promise<void> {
    const { folder, process, now } = this.#options;
    await mkdir(folder, { recursive: true });
    const sign: z.infer<typeof Sign> = { schema: 1, process, threads, until: now() + holdsMs };
    const temporary = join(folder, `${this.#name}.tmp`);
    await writeFile(temporary, JSON.stringify(sign));
    await rename(temporary, join(folder, this.#name));
  }

  async #threadsOf(name: string): Promise<number> {
    const path = join(this.#options.folder, name);
    try {
      const sign = Sign.parse(JSON.parse(await readFile(path, 'utf8')));
      if (this.#holds(sign)) return sign.threads;
    } catch {
      // Gone in the meantime, or nothing that we wrote: the first needs no removal, the second may go.
    }
    await rm(path, { force: true }).catch(() => undefined);
    return 0;
  }

  #holds({ process, until }: z.infer<typeof Sign>): boolean {
    const { now, isAlive } = this.#options;
    // A clock that was set back must not make a sign hold for ever.
    return until > now() && until <= now() + 2 * holdsMs && isAlive(process);
  }
}
