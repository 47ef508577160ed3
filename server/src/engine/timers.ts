// Time as a port, so that tests can hold it.

export interface Timers {
  /** Milliseconds, from any point on. */
  readonly now: () => number;
  /** Calls `work` after `ms`; the function that it gives takes that back. */
  readonly after: (ms: number, work: () => void) => () => void;
}

export const realTimers: Timers = {
  now: () => performance.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
