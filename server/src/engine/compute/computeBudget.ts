// One budget of processor threads for all that computes. A writer waits for generation, so it takes what it wants;
// what nobody waits for (embedding passages, training) asks before each short piece of work, and gets what is left.
// Knows no model and no file: what other processes are at comes through a port.
//
// For the trainer's driver: `watch` says how many threads are left, at once and whenever that changes. At 0 the
// trainer is told to pause, at 1 or more to go on with that many threads. Its own work raises no sign.
import { cancelled, throwIfCancelled } from '../../errors.ts';
import type { Timers } from '../timers.ts';

/** How processes tell each other that somebody waits for one of them. */
export interface ComputeSigns {
  /** Says that this process works with so many threads, until `lower`. Never throws: it is a courtesy. */
  raise(threads: number): void;
  lower(): void;
  /** The threads of the busiest other process; 0: nobody else is at work. Never throws. */
  others(): Promise<number>;
}

export interface ComputeBudgetOptions {
  /** Processor threads that there are. */
  readonly cores: number;
  readonly signs: ComputeSigns;
  readonly timers: Timers;
}

/**
 * Milliseconds for which the machine still counts as busy after generation ended: a reasoning run is several
 * completions one after the other, and nothing should begin between them.
 */
const lingerMs = 400;

/** Other processes are looked at this often while there is something to wait for. */
const lookMs = 250;

export class ComputeBudget {
  readonly #options: ComputeBudgetOptions;
  /** Threads of each foreground piece of work. */
  readonly #foreground = new Map<symbol, number>();
  readonly #waiting = new Set<() => void>();
  #lingering = { threads: 0, until: -Infinity };

  constructor(options: ComputeBudgetOptions) {
    this.#options = options;
  }

  /** Says that work begins which somebody waits for. It begins at once; the function that it gives ends it. */
  foreground(threads: number): () => void {
    const work = Symbol('work');
    this.#foreground.set(work, threads);
    this.#options.signs.raise(this.#inForeground());
    this.#wake();
    return () => {
      if (!this.#foreground.delete(work)) return;
      const { signs, timers } = this.#options;
      if (this.#foreground.size > 0) {
        signs.raise(this.#inForeground());
      } else {
        signs.lower();
        this.#lingering = { threads, until: timers.now() + lingerMs };
      }
      this.#wake();
    };
  }

  /**
   * Waits until a short piece of work that nobody waits for may begin. Gives the most threads that it may use, 1
   * at least. To be asked again before the next piece. @throws `cancelled`
   */
  async background(signal: AbortSignal): Promise<number> {
    for (;;) {
      throwIfCancelled(signal);
      const left = await this.#left();
      throwIfCancelled(signal);
      if (left > 0) return left;
      await this.#change(signal);
    }
  }

  /**
   * Calls `listener` with the threads that are left, at once and after each change, until `signal` is aborted.
   * Then it resolves.
   */
  async watch(listener: (threadsLeft: number) => void, signal: AbortSignal): Promise<void> {
    let told: number | null = null;
    while (!signal.aborted) {
      const left = await this.#left();
      if (left !== told && !isAborted(signal)) listener((told = left));
      await this.#change(signal).catch(() => undefined);
    }
  }

  /** Threads that this process's foreground work takes; pieces of work do not add up, as each takes turns. */
  #inForeground(): number {
    return Math.max(0, ...this.#foreground.values());
  }

  async #left(): Promise<number> {
    const { cores, signs, timers } = this.#options;
    const others = await signs.others();
    const lingering = timers.now() < this.#lingering.until ? this.#lingering.threads : 0;
    return Math.max(0, cores - Math.max(this.#inForeground(), lingering, others));
  }

  /** Resolves when something changed here, or when it is time to look at the others again. */
  async #change(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        cancelTimer();
        this.#waiting.delete(done);
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        done();
        reject(cancelled());
      };
      const cancelTimer = this.#options.timers.after(lookMs, done);
      this.#waiting.add(done);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** Read anew after an await. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
