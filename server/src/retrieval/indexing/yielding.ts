// Turns of the event loop: long loops give one away every so many steps, so that an editor stays quick.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cancelled } from '../../errors.ts';

/** Waits until everything else that is due has had its turn. */
export type GiveTurn = () => Promise<void>;

export const giveTurn: GiveTurn = async () => {
  await nextTurn();
};

/** Counts steps, and gives a turn away after each `every` of them. */
export class Turns {
  readonly #every: number;
  readonly #give: GiveTurn;
  #steps = 0;

  constructor(every: number, give: GiveTurn = giveTurn) {
    this.#every = every;
    this.#give = give;
  }

  async step(): Promise<void> {
    this.#steps += 1;
    if (this.#steps % this.#every === 0) await this.#give();
  }
}

/**
 * The promise, or `cancelled` as soon as the signal is aborted: for work that may not look at a signal in time.
 * The work itself may still go on; its result is dropped.
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(cancelled());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    // Whichever of the two came second is of no interest, and must not end the process.
    work.catch(() => undefined);
    aborted.catch(() => undefined);
  }
}

/** Lets work pass, or holds it. */
export class Gate {
  #closed: { readonly opened: Promise<void>; readonly open: () => void } | null = null;

  get paused(): boolean {
    return this.#closed !== null;
  }

  pause(): void {
    if (this.#closed) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#closed = { opened: promise, open: () => resolve(undefined) };
  }

  resume(): void {
    this.#closed?.open();
    this.#closed = null;
  }

  /** Waits while paused. Errors: `cancelled`. */
  async pass(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled();
    while (this.#closed) await abortable(this.#closed.opened, signal);
  }
}
