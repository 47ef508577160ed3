// How fast a completion is being written, by the events that have come so far.
import type { GenerateEvent } from '../../protocol/index.ts';

/** Tokens a second of one completion, from when its prompt had been evaluated. */
export class Speedometer {
  readonly #now: () => number;
  #started: number | null = null;
  #tokens = 0;

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes more events; null while there is nothing to tell. */
  after(events: readonly GenerateEvent[]): number | null {
    for (const event of events) {
      if (event.event === 'prompt') this.#started = this.#now();
      if (event.event === 'text') this.#tokens += event.tokens.length;
    }
    const seconds = this.#started === null ? 0 : (this.#now() - this.#started) / 1000;
    return seconds > 0 && this.#tokens > 0 ? this.#tokens / seconds : null;
  }
}
