// Gathers a completion's events so that a fast model does not send hundreds of messages a second.
// Neighbouring text events become one; the first text goes out at once.
import type { GenerateEvent } from '../../protocol/index.ts';

const batchMs = 30;

/** Sends when text has waited long enough, and at once whatever is not text. */
export class EventBatch {
  readonly #send: (events: GenerateEvent[]) => void;
  readonly #now: () => number;
  #events: GenerateEvent[] = [];
  #textSent = -Infinity;

  constructor(send: (events: GenerateEvent[]) => void, now: () => number) {
    this.#send = send;
    this.#now = now;
  }

  add(event: GenerateEvent): void {
    const last = this.#events.at(-1);
    if (event.event === 'text' && last?.event === 'text') {
      last.text += event.text;
      last.tokens.push(...event.tokens);
    } else {
      this.#events.push(event.event === 'text' ? { ...event, tokens: [...event.tokens] } : event);
    }
    // Tokens come one by one and an end comes after them, so there is always a next event: no timer is needed.
    if (event.event === 'text') {
      if (this.#now() - this.#textSent < batchMs) return;
      this.#textSent = this.#now();
    }
    this.#send(this.#events);
    this.#events = [];
  }
}
