// The ledgers and run stores of the workspaces in use, opened once each: they remember what they have read.
import type { LedgerRecord, Run } from '../protocol/index.ts';
import { openLedger, runsStore, type Ledger, type RunsStore } from '../preferences/index.ts';

/** Hears what is stored, and learns from it: the knowledge graph. Never fails; what goes wrong is its own to tell. */
export interface Learner {
  learnRun(root: string, run: Run): Promise<void>;
  learnDecision(root: string, record: LedgerRecord): Promise<void>;
}

export class Stores {
  readonly #home: string;
  readonly #now: () => number;
  /** null: nobody learns. */
  readonly learner: Learner | null;
  readonly #runs = new Map<string, RunsStore>();
  readonly #ledgers = new Map<string, Promise<Ledger>>();
  readonly #listeners = new Set<(root: string) => void>();

  /** @param home the application home; `now` gives milliseconds since the epoch */
  constructor(home: string, now: () => number, learner: Learner | null = null) {
    this.learner = learner;
    this.#home = home;
    this.#now = now;
  }

  /** Hears of each decision that was recorded, by its workspace. @returns a function that ends the listening */
  onDecision(hear: (root: string) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  /** A decision is in the ledger: who shows what follows from it may look again. */
  decided(root: string): void {
    for (const hear of this.#listeners) hear(root);
  }

  /** The runs of the workspace at `root`. */
  runs(root: string): RunsStore {
    const known = this.#runs.get(root) ?? runsStore(root, { home: this.#home });
    this.#runs.set(root, known);
    return known;
  }

  /** The ledger of the workspace at `root`. @throws PreflexorError when it can't be opened; asked again, it is tried again */
  async ledger(root: string): Promise<Ledger> {
    const known =
      this.#ledgers.get(root) ?? openLedger({ workspaceRoot: root, home: this.#home, now: this.#now });
    this.#ledgers.set(root, known);
    try {
      return await known;
    } catch (error) {
      this.#ledgers.delete(root);
      throw error;
    }
  }
}
