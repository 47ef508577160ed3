// One run of the trainer at a time on this machine: a lock in the application home, and a note of the process that
// is at work, which may outlive the one that started it.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import { homePlaces, withLock, writeDurably } from '../state/index.ts';

const Worker = z.object({ pid: z.int().positive(), folder: z.string() });

export interface MachineLock {
  /** Runs `work` alone; `started` is to be told of the trainer's process. Errors: `locked`, with who is at work. */
  hold<T>(folder: string, work: (started: (pid: number) => Promise<void>) => Promise<T>): Promise<T>;
}

export interface MachineLockOptions {
  readonly home: string;
  /** Whether a process of the trainer is alive; by default asks the operating system. */
  readonly isTrainer?: (pid: number) => Promise<boolean>;
}

export function machineLock({ home, isTrainer = isLiveTrainer }: MachineLockOptions): MachineLock {
  const { locks } = homePlaces(home);
  const note = join(locks, 'trainer.json');
  return {
    async hold(folder, work) {
      const alone = async () => {
        const other = await readWorker(note);
        if (other && (await isTrainer(other.pid))) throw atWork(other.folder, other.pid);
        try {
          return await work((pid) => writeDurably(note, `${JSON.stringify({ pid, folder })}\n`));
        } finally {
          await rm(note, { force: true });
        }
      };
      // Settled, so that what fails inside is not taken for the lock's own refusal.
      const [outcome] = await withLock([join(locks, 'trainer.lock')], () => Promise.allSettled([alone()]), {
        waitMs: 0,
      }).catch(async (error: unknown) => {
        if (!PreflexorError.is(error, 'locked')) throw error;
        const other = await readWorker(note);
        throw atWork(other?.folder ?? null, other?.pid ?? null);
      });
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    },
  };
}

async function readWorker(note: string): Promise<z.infer<typeof Worker> | null> {
  const text = await readFile(note, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return Worker.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** A process id may have gone to another program meanwhile: where the system says what it runs, that counts. */
async function isLiveTrainer(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  return command?.includes('preflexor-trainer') ?? true;
}

function atWork(folder: string | null, pid: number | null): PreflexorError {
  const where = folder === null ? '' : ` in ${folder}`;
  const who = pid === null ? '' : ` (process ${pid})`;
  return new PreflexorError('locked', `The trainer is at work${where}${who}, and only one can be.`, {
    remedy: 'Wait until it is done, or stop it.',
  });
}
