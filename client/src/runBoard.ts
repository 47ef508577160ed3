// Which runs there are for each note, and which of them is shown. The Iterations view reads it, features write it.
// Knows neither VS Code nor the server; what is stored on disk it is told as summaries.
import type {
  DecisionKind,
  ReasonEvent,
  RunEntry,
  RunSummary,
  StreamKind,
  UnfinishedSummary,
} from '../../server/src/protocol/index.ts';
import { askedRun, isActive, withDecision, withEvent, type RunModel } from './runModel.ts';

/** Finished runs that are kept in memory; older ones are read from disk when they are asked for. */
const keptRuns = 20;

/** What changed. `text`: nothing but more text at the end of a section that was already there. */
export interface BoardChange {
  readonly uri: string;
  readonly key: string;
  readonly text: { readonly iteration: number; readonly kind: StreamKind; readonly text: string } | null;
  /** The run came to its end, or its suggestion to its place: what is on disk has changed. */
  readonly ended: boolean;
}

interface Held {
  readonly uri: string;
  readonly model: RunModel;
}

export class RunBoard {
  /** By key, in the order in which they came. */
  readonly #held = new Map<string, Held>();
  readonly #summaries = new Map<string, readonly RunSummary[]>();
  readonly #unfinished = new Map<string, readonly UnfinishedSummary[]>();
  readonly #selected = new Map<string, string>();
  readonly #listeners = new Set<(change: BoardChange) => void>();
  #asked = 0;

  /** @returns a function that ends the listening */
  onChange(listener: (change: BoardChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * A run was asked for: it is shown from now on. @returns its key
   * @param after the run before it in the queue: it is shown only if that one is, or none is
   */
  begin(uri: string, question: string, now: number, after: string | null = null): string {
    this.#asked += 1;
    const key = `asked-${this.#asked}`;
    this.#held.set(key, { uri, model: askedRun(key, question, now) });
    if (after === null || (this.#selected.get(uri) ?? after) === after) this.#selected.set(uri, key);
    this.#forgetOld();
    this.#tell(uri, key);
    return key;
  }

  /** Takes in one step of a run's stream. */
  event(key: string, event: ReasonEvent, now: number): void {
    const before = this.#held.get(key)?.model;
    if (!before) return;
    if (event.event === 'started') this.#goesOn(key, event.run);
    const appended =
      event.event === 'text' && isOpen(before, event.iteration, event.kind)
        ? { iteration: event.iteration, kind: event.kind, text: event.text }
        : null;
    this.#put(key, withEvent(before, event, now), appended);
  }

  /** Changes a run in any other way. */
  update(key: string, change: (model: RunModel) => RunModel): void {
    const held = this.#held.get(key);
    if (held) this.#put(key, change(held.model), null);
  }

  /** Takes a run away that never began. */
  remove(key: string): void {
    const held = this.#held.get(key);
    if (!held) return;
    this.#held.delete(key);
    if (this.#selected.get(held.uri) === key) this.#selected.delete(held.uri);
    this.#tell(held.uri, key);
  }

  /** Holds a run that was read from disk. */
  addStored(uri: string, model: RunModel): void {
    this.#held.set(model.key, { uri, model });
    this.#forgetOld();
    this.#tell(uri, model.key);
  }

  /** What the server knows of a note's runs. */
  setSummaries(
    uri: string,
    summaries: readonly RunSummary[],
    unfinished: readonly UnfinishedSummary[] = [],
  ): void {
    this.#summaries.set(uri, summaries);
    this.#unfinished.set(uri, unfinished);
    for (const { id, decision } of summaries) {
      if (decision === null) continue;
      for (const [key, { model }] of this.#held)
        if (model.run === id) this.#replace(key, withDecision(model, decision));
    }
    this.#tell(uri, this.shownKey(uri) ?? '');
  }

  /** The writer decided on a block. */
  decided(uri: string, block: string, decision: DecisionKind): void {
    const summaries = this.#summaries.get(uri);
    if (summaries) {
      this.#summaries.set(
        uri,
        summaries.map((summary) => (summary.block === block ? { ...summary, decision } : summary)),
      );
    }
    for (const [key, held] of this.#held) {
      if (held.uri === uri && held.model.block === block)
        this.#replace(key, withDecision(held.model, decision));
    }
    this.#tell(uri, this.shownKey(uri) ?? '');
  }

  /** A stored run is gone: it is neither listed nor shown any more. */
  deleted(uri: string, run: string): void {
    this.#summaries.set(
      uri,
      (this.#summaries.get(uri) ?? []).filter(({ id }) => id !== run),
    );
    this.#unfinished.set(
      uri,
      (this.#unfinished.get(uri) ?? []).filter(({ id }) => id !== run),
    );
    for (const [key, { model }] of this.#held) if (model.run === run) this.#held.delete(key);
    const selected = this.#selected.get(uri);
    if (selected !== undefined && !this.entries(uri).some(({ key }) => key === selected))
      this.#selected.delete(uri);
    this.#tell(uri, this.shownKey(uri) ?? '');
  }

  /** Shows another run of the note, by its key. */
  select(uri: string, key: string): void {
    this.#selected.set(uri, key);
    this.#tell(uri, key);
  }

  /** The run that is shown for a note: the selected one, else the newest. */
  shownKey(uri: string): string | null {
    const selected = this.#selected.get(uri);
    if (selected !== undefined)
      return this.#held.has(selected) ? selected : (this.#keyOfRun(selected) ?? selected);
    return this.entries(uri)[0]?.key ?? null;
  }

  /** null: it is not in memory, or there is no such run. */
  model(key: string): RunModel | null {
    return this.#held.get(key)?.model ?? null;
  }

  uriOf(key: string): string | null {
    return this.#held.get(key)?.uri ?? null;
  }

  /** All runs of a note, newest first: those in memory and those on disk. */
  entries(uri: string): RunEntry[] {
    const summaries = this.#summaries.get(uri) ?? [];
    const held = [...this.#held.values()]
      .filter((candidate) => candidate.uri === uri)
      .map(({ model }) => model)
      .reverse();
    const known = new Set(held.map(({ run }) => run));
    const entries: RunEntry[] = [
      ...held.map((model) => {
        const { key, question, askedAt, state, decision } = model;
        const resumable = model.resumable && !isActive(model);
        return { key, question, time: new Date(askedAt).toISOString(), state, decision, resumable };
      }),
      ...(this.#unfinished.get(uri) ?? [])
        .filter(({ id }) => !known.has(id))
        .map(({ id, question, time }) => {
          return { key: id, question, time, state: 'stopped', decision: null, resumable: true } as const;
        }),
      ...summaries
        .filter(({ id }) => !known.has(id))
        .map(({ id, question, time, iterations, decision }) => {
          return {
            key: id,
            question,
            time,
            state: iterations > 0 ? 'finished' : 'stopped',
            decision,
            resumable: false,
          } as const;
        }),
    ];
    return entries.sort((a, b) => b.time.localeCompare(a.time));
  }

  /** Runs that go on, over all notes. */
  get active(): number {
    return [...this.#held.values()].filter(({ model }) => isActive(model)).length;
  }

  #put(key: string, model: RunModel, text: BoardChange['text']): void {
    const before = this.#held.get(key);
    if (!before || !this.#replace(key, model)) return;
    const ended = isActive(before.model) && !isActive(model);
    const placed = before.model.placement === null && model.placement !== null;
    this.#tell(before.uri, key, text, ended || placed);
  }

  /** @returns whether it is another one */
  #replace(key: string, model: RunModel): boolean {
    const held = this.#held.get(key);
    if (!held || held.model === model) return false;
    this.#held.set(key, { uri: held.uri, model });
    return true;
  }

  /** A run that was stopped goes on under another key: what was held of it is shown there. */
  #goesOn(key: string, run: string): void {
    for (const [other, { model }] of this.#held) {
      if (other !== key && model.run === run) this.#held.delete(other);
    }
  }

  #keyOfRun(run: string): string | undefined {
    return [...this.#held.values()].find(({ model }) => model.run === run)?.model.key;
  }

  #forgetOld(): void {
    const shown = new Set([...this.#selected.values()]);
    const idle = [...this.#held].filter(([key, { model }]) => !isActive(model) && !shown.has(key));
    for (const [key] of idle.slice(0, Math.max(0, idle.length - keptRuns))) this.#held.delete(key);
  }

  #tell(uri: string, key: string, text: BoardChange['text'] = null, ended = false): void {
    for (const listener of this.#listeners) listener({ uri, key, text, ended });
  }
}

function isOpen(model: RunModel, iteration: number, kind: StreamKind): boolean {
  const last = model.iterations.find(({ index }) => index === iteration)?.sections.at(-1);
  return last?.kind === kind && !last.done;
}
