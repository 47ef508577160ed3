// A queue at a counter: one at a time, first come, first served; whoever gives up leaves the queue.
import { cancelled, throwIfCancelled } from '../../errors.ts';

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  /** Resolves when it is the caller's turn, with the function that ends the turn. @throws `cancelled` */
  async take(signal: AbortSignal): Promise<() => void> {
    throwIfCancelled(signal);
    if (this.#taken) await this.#wait(signal);
    this.#taken = true;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const next = this.#waiting.shift();
      // The counter stays taken while it is handed over, so that nobody slips in between.
      if (next) next();
      else this.#taken = false;
    };
  }

  async #wait(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const proceed = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(proceed), 1);
        reject(cancelled());
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(proceed);
    });
  }
}
