// Pauses before a host that keeps crashing is started again, so that it does not keep the machine busy.
import { cancelled } from '../../errors.ts';
import type { Timers } from '../timers.ts';
import type { OnWait } from './sharedTask.ts';

/** The first restart is immediate; then the pauses double. */
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

export class CrashPause {
  readonly #timers: Timers;
  #crashes = 0;
  #last = -Infinity;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  crashed(): void {
    this.#crashes += 1;
    this.#last = this.#timers.now();
  }

  /** Something worked: crashes before it are forgotten. */
  succeeded(): void {
    this.#crashes = 0;
  }

  /** Resolves when a host may be started. @throws `cancelled` */
  async wait(signal: AbortSignal, report: OnWait): Promise<void> {
    if (this.#crashes < 2) return;
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#crashes - 2));
    const rest = this.#last + pause - this.#timers.now();
    if (rest <= 0) return;
    report(`The model process ended ${this.#crashes} times; waiting before it is started again`, null);
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => {
        cancelTimer();
        reject(cancelled());
      };
      const cancelTimer = this.#timers.after(rest, () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      });
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
