// The ledgers and run stores of the workspaces in use, opened once each: they remember what they have read.
import { openLedger, runsStore, type Ledger, type RunsStore } from '../preferences/index.ts';

export class Stores {
  readonly #home: string;
  readonly #now: () => number;
  readonly #runs = new Map<string, RunsStore>();
  readonly #ledgers = new Map<string, Promise<Ledger>>();

  /** @param home the application home; `now` gives milliseconds since the epoch */
  constructor(home: string, now: () => number) {
    this.#home = home;
    this.#now = now;
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
