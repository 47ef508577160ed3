// Runs that wait for the model: one goes on at a time, the others wait in an order that the writer can change. Two
// runs that took turns step by step would throw away each other's KV cache. Knows neither an editor nor a protocol.
import { cancelled, throwIfCancelled } from '../errors.ts';
import type { QueueEntry, QueuePriority } from '../protocol/index.ts';

/** What is known of a run while it waits. */
export interface QueuedRun extends Omit<QueueEntry, 'id' | 'state'> {
  /** Where its paragraph stood when it was asked about; null: a run that goes on or is written anew. */
  readonly start: number | null;
}

/** Whether a run's turn can come now; else it lets others by. */
export type IsReady = () => boolean;

interface Waiting {
  readonly id: string;
  readonly about: QueuedRun;
  readonly controller: AbortController;
  readonly isReady: IsReady;
  readonly begin: () => void;
}

/** First comes what the writer asked for by hand, then sections, then whole notes. */
const ranks: Record<QueuePriority, number> = { paragraph: 0, section: 1, note: 2 };

/** Of a paragraph's text in a list, in UTF-16 code units. */
const longestShown = 500;

export class RunQueue {
  #running: Waiting | null = null;
  readonly #waiting: Waiting[] = [];
  readonly #onChange: () => void;
  #count = 0;

  /** @param onChange hears each change of the entries */
  constructor(onChange: () => void = () => undefined) {
    this.#onChange = onChange;
  }

  /**
   * Runs `work` when its turn has come: behind what waits with the same priority or a higher one, before the rest.
   * @param signal aborts this piece of work, also while it waits
   * @throws PreflexorError `cancelled` when it was stopped
   */
  async add<T>(
    about: QueuedRun,
    signal: AbortSignal,
    work: (signal: AbortSignal, id: string) => Promise<T>,
    isReady: IsReady = () => true,
  ): Promise<T> {
    const controller = new AbortController();
    const both = AbortSignal.any([signal, controller.signal]);
    const turn = Promise.withResolvers<undefined>();
    this.#count += 1;
    const entry: Waiting = {
      ...{ id: `q${this.#count}`, about, controller, isReady },
      begin: () => {
        turn.resolve(undefined);
      },
    };
    this.#place(entry);
    this.#changed();
    try {
      await Promise.race([turn.promise, aborted(both)]);
      throwIfCancelled(both);
      return await work(both, entry.id);
    } finally {
      this.#remove(entry);
    }
  }

  /** What goes on, then what waits, in the order of their turns. */
  get entries(): QueueEntry[] {
    const shown = (state: QueueEntry['state'], { id, about }: Waiting): QueueEntry => {
      const { uri, paragraph: text, priority } = about;
      const paragraph = text.length > longestShown ? `${text.slice(0, longestShown - 1)}…` : text;
      return { id, uri, paragraph, priority, state };
    };
    return [
      ...(this.#running ? [shown('running', this.#running)] : []),
      ...this.#waiting.map((entry) => shown(entry.isReady() ? 'waiting' : 'held', entry)),
    ];
  }

  /** Whether a run about this paragraph goes on or waits. */
  holds(uri: string, paragraph: string): boolean {
    return this.#all().some(({ about }) => about.uri === uri && about.paragraph === paragraph);
  }

  /** What an entry is about; null: there is none (any more). */
  about(id: string): QueuedRun | null {
    return this.#all().find((entry) => entry.id === id)?.about ?? null;
  }

  /** How many are running or waiting. */
  get size(): number {
    return this.#waiting.length + (this.#running ? 1 : 0);
  }

  /**
   * Puts a waiting run in front of another one that waits. @returns whether it waits itself
   * @param before null: behind all; one that does not wait (any more): it is the first
   */
  move(id: string, before: string | null): boolean {
    const at = this.#waiting.findIndex((entry) => entry.id === id);
    const [entry] = at < 0 || id === before ? [] : this.#waiting.splice(at, 1);
    if (!entry) return false;
    const place = this.#waiting.findIndex((other) => other.id === before);
    this.#waiting.splice(before === null ? this.#waiting.length : Math.max(0, place), 0, entry);
    this.#changed();
    return true;
  }

  /** Stops these, running or waiting; the others go on. @returns how many there were */
  cancel(ids: readonly string[]): number {
    const meant = this.#all().filter(({ id }) => ids.includes(id));
    for (const { controller } of meant) controller.abort(cancelled());
    return meant.length;
  }

  /** Stops all of them; says how many. */
  stopAll(): number {
    return this.cancel(this.#all().map(({ id }) => id));
  }

  /** What a run waits for may have come, or gone. */
  wake(): void {
    if (this.#waiting.length > 0) this.#changed();
  }

  #all(): Waiting[] {
    return [...(this.#running ? [this.#running] : []), ...this.#waiting];
  }

  #place(entry: Waiting): void {
    const rank = ranks[entry.about.priority];
    const at = this.#waiting.findIndex(({ about }) => ranks[about.priority] > rank);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, entry);
  }

  #remove(entry: Waiting): void {
    if (this.#running === entry) this.#running = null;
    const at = this.#waiting.indexOf(entry);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#changed();
  }

  #changed(): void {
    const next = this.#running ? -1 : this.#waiting.findIndex(({ isReady }) => isReady());
    const [entry] = next < 0 ? [] : this.#waiting.splice(next, 1);
    if (entry) {
      this.#running = entry;
      entry.begin();
    }
    this.#onChange();
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
