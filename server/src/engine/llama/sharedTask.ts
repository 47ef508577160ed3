// One piece of work that several callers wait for. Each may give up on its own; when all have, the work is aborted.
import { cancelled, throwIfCancelled } from '../../errors.ts';

/** What is waited for, and how far it is (0 to 1, null where that is not known). */
export type OnWait = (reason: string, fraction: number | null) => void;

interface Running<T> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  readonly listeners: Set<OnWait>;
  readonly latest: () => Parameters<OnWait> | null;
  callers: number;
}

export class SharedTask<T> {
  readonly #work: (signal: AbortSignal, report: OnWait) => Promise<T>;
  #running: Running<T> | null = null;
  /** Work that was abandoned and has not ended yet: two never run at once. */
  #ending: Promise<unknown> | null = null;

  constructor(work: (signal: AbortSignal, report: OnWait) => Promise<T>) {
    this.#work = work;
  }

  /** Joins the work that is going on, or starts it. @throws `cancelled`, and whatever the work throws */
  async join(signal: AbortSignal, onWait: OnWait): Promise<T> {
    throwIfCancelled(signal);
    const running = (this.#running ??= this.#start());
    running.callers += 1;
    running.listeners.add(onWait);
    const latest = running.latest();
    if (latest) onWait(...latest);
    let giveUp: () => void = () => undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        giveUp = () => {
          reject(cancelled());
        };
        signal.addEventListener('abort', giveUp, { once: true });
        running.promise.then(resolve, reject);
      });
    } finally {
      signal.removeEventListener('abort', giveUp);
      running.listeners.delete(onWait);
      running.callers -= 1;
      if (running.callers === 0) this.#abandon(running);
    }
  }

  #start(): Running<T> {
    const controller = new AbortController();
    const listeners = new Set<OnWait>();
    let latest: Parameters<OnWait> | null = null;
    const begin = () =>
      this.#work(controller.signal, (reason, fraction) => {
        latest = [reason, fraction];
        for (const listener of listeners) listener(reason, fraction);
      });
    const promise = this.#ending === null ? begin() : this.#ending.then(begin);
    const running: Running<T> = { promise, controller, listeners, latest: () => latest, callers: 0 };
    const over = () => {
      if (this.#running === running) this.#running = null;
    };
    // Also keeps a failure that no caller waits for any more from being reported as unhandled.
    promise.then(over, over);
    return running;
  }

  /** Nobody waits any more. Who joins from now on starts anew, when this has ended. */
  #abandon(running: Running<T>): void {
    if (this.#running !== running) return;
    this.#running = null;
    const ending = running.promise.then(
      () => undefined,
      () => undefined,
    );
    this.#ending = ending;
    void ending.then(() => {
      if (this.#ending === ending) this.#ending = null;
    });
    running.controller.abort();
  }
}
