// The engine's state as the editor shows it: whole snapshots, and those who want to hear of changes.
import type { EngineStatus } from '../../protocol/index.ts';

/** Numbers that change all the time are told at most this often. */
const numbersMs = 250;

export class StatusBoard {
  readonly #listeners = new Set<(status: EngineStatus) => void>();
  readonly #now: () => number;
  readonly #onListenerError: (error: unknown) => void;
  #status: EngineStatus;
  #told = -Infinity;

  constructor(model: string, now: () => number, onListenerError: (error: unknown) => void) {
    this.#now = now;
    this.#onListenerError = onListenerError;
    this.#status = { ...nothingLoaded, state: 'unloaded', model, error: null };
  }

  get(): EngineStatus {
    return this.#status;
  }

  /** Changes the status and tells everybody. */
  set(change: Partial<EngineStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#tell();
  }

  /** Changes numbers only, and tells now and then. */
  setNumbers(change: Pick<Partial<EngineStatus>, 'tokensPerSecond' | 'memoryBytes'>): void {
    this.#status = { ...this.#status, ...change };
    if (this.#now() - this.#told >= numbersMs) this.#tell();
  }

  listen(listener: (status: EngineStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #tell(): void {
    this.#told = this.#now();
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#status);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }
}

/** What holds while there is no model in memory. */
export const nothingLoaded = {
  fraction: null,
  backend: null,
  fallback: null,
  contextTokens: null,
  threads: null,
  tokensPerSecond: null,
  memoryBytes: null,
} as const satisfies Partial<EngineStatus>;
