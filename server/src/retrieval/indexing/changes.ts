// What is still to be looked at: paths that changed, gathered until it is quiet for a moment.
import { setTimeout as start, clearTimeout as stop } from 'node:timers';

/** Time, as far as the service needs it. */
export interface Timers {
  /** Milliseconds. */
  now(): number;
  /** Calls `work` after so many milliseconds; gives a way to call it off. */
  after(ms: number, work: () => void): () => void;
}

export const realTimers: Timers = {
  now: () => Date.now(),
  after: (ms, work) => {
    const timer = start(work, ms);
    return () => stop(timer);
  },
};

/** What one run is asked to do. */
export interface Pending {
  /** Null: the whole workspace. */
  readonly paths: readonly string[] | null;
  readonly changed: ReadonlySet<string>;
}

export interface ChangeTimes {
  /** So many milliseconds without a change mean that it is quiet. */
  readonly quietMs: number;
  /** After so many milliseconds from the first change nobody waits for quiet any more. */
  readonly longestMs: number;
}

export const defaultTimes: ChangeTimes = { quietMs: 400, longestMs: 5000 };

/** More single paths than this, and looking at everything is cheaper. */
const manyPaths = 2000;

export class ChangeQueue {
  readonly #timers: Timers;
  readonly #times: ChangeTimes;
  readonly #onDue: () => void;
  #all = false;
  readonly #paths = new Set<string>();
  readonly #changed = new Set<string>();
  #since: number | null = null;
  #callOff: (() => void) | null = null;

  constructor(timers: Timers, onDue: () => void, times: ChangeTimes = defaultTimes) {
    this.#timers = timers;
    this.#onDue = onDue;
    this.#times = times;
  }

  get empty(): boolean {
    return !this.#all && this.#paths.size === 0;
  }

  /** A path came, went or changed; `changed` says that its content did, whatever its size and time say. */
  path(path: string, changed: boolean): void {
    this.#paths.add(path);
    if (changed) this.#changed.add(path);
    if (this.#paths.size > manyPaths) this.#all = true;
    this.#wait();
  }

  /** Everything is to be looked at, at once. */
  everything(): void {
    this.#all = true;
    this.#due();
  }

  /** Work that was taken and not finished. Nobody is woken: it goes with what comes next. */
  putBack(pending: Pending): void {
    if (pending.paths === null) this.#all = true;
    for (const path of pending.paths ?? []) this.#paths.add(path);
    for (const path of pending.changed) this.#changed.add(path);
  }

  /** All that was gathered; null when there is nothing. */
  take(): Pending | null {
    this.#quiet();
    if (this.empty) return null;
    const pending = { paths: this.#all ? null : [...this.#paths], changed: new Set(this.#changed) };
    this.#all = false;
    this.#paths.clear();
    this.#changed.clear();
    return pending;
  }

  /** No timer is left behind. */
  dispose(): void {
    this.#quiet();
  }

  #wait(): void {
    const now = this.#timers.now();
    this.#since ??= now;
    this.#callOff?.();
    const left = Math.max(0, this.#since + this.#times.longestMs - now);
    this.#callOff = this.#timers.after(Math.min(this.#times.quietMs, left), () => this.#due());
  }

  #due(): void {
    this.#quiet();
    this.#onDue();
  }

  #quiet(): void {
    this.#callOff?.();
    this.#callOff = null;
    this.#since = null;
  }
}
