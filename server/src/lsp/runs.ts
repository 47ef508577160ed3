// One run at a time, the others waiting in line, each of them to be stopped alone or all at once.
// Two runs that took turns step by step would throw away each other's KV cache.
import { cancelled, throwIfCancelled } from '../errors.ts';

/** A queue of cancellable work. */
export class RunQueue {
  readonly #active = new Set<AbortController>();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs `work` after everything that was added before.
   * @param signal aborts this piece of work, also while it waits
   * @throws PreflexorError `cancelled` when it was stopped
   */
  async add<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const both = AbortSignal.any([signal, controller.signal]);
    this.#active.add(controller);
    const before = this.#last;
    const turn = Promise.withResolvers<undefined>();
    this.#last = turn.promise;
    try {
      await Promise.race([before, aborted(both)]);
      throwIfCancelled(both);
      return await work(both);
    } finally {
      this.#active.delete(controller);
      // Whoever was stopped while waiting must not let the next one overtake the run before.
      void before.then(() => {
        turn.resolve(undefined);
      });
    }
  }

  /** How many are running or waiting. */
  get size(): number {
    return this.#active.size;
  }

  /** Stops all of them; says how many. */
  stopAll(): number {
    const { size } = this.#active;
    for (const controller of this.#active) controller.abort(cancelled());
    return size;
  }
}

/** Resolves when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
