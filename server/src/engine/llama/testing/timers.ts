// Time that stands still until a test moves it.
import type { Timers } from '../../timers.ts';

interface Entry {
  readonly at: number;
  readonly work: () => void;
}

export class ManualTimers implements Timers {
  #time = 0;
  #entries: Entry[] = [];

  readonly now = (): number => this.#time;

  readonly after = (ms: number, work: () => void): (() => void) => {
    const entry = { at: this.#time + ms, work };
    this.#entries.push(entry);
    return () => {
      this.#entries = this.#entries.filter((each) => each !== entry);
    };
  };

  /** How long each timer that is set still has, shortest first. */
  get waiting(): number[] {
    return this.#entries.map(({ at }) => at - this.#time).sort((a, b) => a - b);
  }

  /** Lets time pass, and what is due happen. */
  advance(ms: number): void {
    this.#time += ms;
    const due = this.#entries.filter(({ at }) => at <= this.#time).sort((a, b) => a.at - b.at);
    this.#entries = this.#entries.filter(({ at }) => at > this.#time);
    for (const { work } of due) work();
  }
}
