// The pairs of one folder as the curation board works on them: derived once, kept until something changes, with what
// the checks find in them, and changed by ledger entries alone.
import { setImmediate as breathe } from 'node:timers/promises';
import path from 'node:path';
import { PreflexorError, sentence, throwIfCancelled } from '../errors.ts';
import {
  changesPair,
  checkPair,
  checkSet,
  curationsIn,
  curationsOf,
  lastState,
  statesOf,
  type CurationRecord,
  type Decision,
} from '../preferences/index.ts';
import type {
  Curation,
  CurationAction,
  CurationResult,
  LedgerRecord,
  PairChoice,
  PairCounts,
  PairDetail,
  PairFilter,
  PairHistoryState,
  PairOrder,
  PairPage,
  PairProblem,
  PreferencePair,
} from '../protocol/index.ts';
import { nextUlid } from '../state/index.ts';
import { workspacePairs, type PairsRequest, type WorkspacePairs } from './pairs.ts';
import { countsOf, isKept, rowOf, selectPairs, type BoardPair, type FoundPlace } from './pairSelection.ts';
import type { Stores } from './stores.ts';

/** Finds places in the folder's notes that mean something like a text. @throws PreflexorError */
export type SearchNotes = (text: string, signal: AbortSignal) => Promise<readonly FoundPlace[]>;

export interface PairBookParts {
  readonly stores: Stores;
  readonly now: () => number;
  readonly searchNotes: SearchNotes;
  /** Hears that pairs or their findings are others than before. */
  readonly changed: (counts: PairCounts) => void;
}

export interface PageQuery {
  readonly filter: PairFilter;
  readonly order: PairOrder;
  readonly offset: number;
  readonly limit: number;
}

/** A pair with all that made it what it is. */
interface Entry {
  readonly origin: string;
  readonly derived: PreferencePair;
  readonly curations: readonly CurationRecord[];
  readonly pair: PreferencePair;
}

interface Content {
  readonly source: WorkspacePairs;
  readonly entries: Map<string, Entry>;
  readonly device: string;
}

const checkedAtOnce = 20;

export class PairBook {
  readonly #parts: PairBookParts;
  #content: Content | null = null;
  #loading: Promise<void> | null = null;
  readonly #life = new AbortController();
  #stale = true;
  /** By id of the content, from which alone it follows; what is no longer asked for goes with the next check. */
  #single = new Map<string, readonly PairProblem[]>();
  #together = new Map<string, PairProblem[]>();
  #remarks: readonly string[] = [];
  #checks: AbortController | null = null;
  /** What was selected last, for the next page of it. */
  #selected: { readonly key: string; readonly pairs: readonly BoardPair[]; problem: string | null } | null =
    null;

  constructor(parts: PairBookParts) {
    this.#parts = parts;
  }

  /** Something that pairs follow from has changed: they are derived anew when they are asked for. */
  invalidate(): void {
    this.#stale = true;
  }

  dispose(): void {
    this.#life.abort();
    this.#checks?.abort();
  }

  /** @throws PreflexorError `cancelled` */
  async page(request: PairsRequest, query: PageQuery, signal: AbortSignal): Promise<PairPage> {
    const content = await this.#ready(request, signal);
    const { pairs, problem } = await this.#select(content, query.filter, query.order, signal);
    return {
      folder: path.basename(request.root),
      matching: pairs.length,
      offset: query.offset,
      rows: pairs.slice(query.offset, query.offset + query.limit).map(rowOf),
      counts: countsOf(this.#board(content)),
      remarks: [...this.#remarks],
      checking: this.#checks !== null,
      setAside: content.source.problems.length,
      searchProblem: problem,
    };
  }

  /** @throws PreflexorError `bad-input` when there is no such pair */
  async detail(
    request: PairsRequest,
    origin: string,
    signal: AbortSignal,
  ): Promise<Omit<PairDetail, 'place'> & { readonly about: LedgerRecord | null }> {
    const content = await this.#ready(request, signal);
    const entry = content.entries.get(origin);
    if (!entry) throw unknownPair();
    const decision = content.source.records.find(({ id }) => entry.derived.entries.includes(id));
    return {
      row: rowOf(this.#boardPair(entry)),
      pair: entry.pair,
      findings: [...this.#findingsOf(entry.pair)],
      history: statesOf(entry.derived, entry.curations).map(({ record, pair }): PairHistoryState => ({
        entry: record?.id ?? null,
        time: record?.time ?? pair.time,
        action: record?.curation.action ?? null,
        chosen: pair.chosen,
        rejected: pair.rejected,
      })),
      about: decision ?? null,
    };
  }

  /**
   * Changes pairs: one ledger entry for each that the action changes.
   * @throws PreflexorError `ledger-failed`, `bad-input`, `cancelled`
   */
  async curate(
    request: PairsRequest,
    choice: PairChoice,
    action: CurationAction,
    signal: AbortSignal,
  ): Promise<CurationResult> {
    const content = await this.#ready(request, signal);
    const chosen = Array.isArray(choice)
      ? choice.map((id) => content.entries.get(id) ?? null)
      : (await this.#select(content, choice, 'oldest', signal)).pairs.map(
          ({ origin }) => content.entries.get(origin) ?? null,
        );
    if (chosen.includes(null)) throw unknownPair();
    const wanted = chosen.flatMap((entry) => (entry ? [{ entry, action }] : []));
    return await this.#change(request.root, content, wanted, undefined);
  }

  /** Takes back this device's last change that is not taken back. @throws as `curate` */
  async undo(
    request: PairsRequest,
    signal: AbortSignal,
  ): Promise<CurationResult & { readonly undone: CurationAction | null }> {
    const content = await this.#ready(request, signal);
    const all = [...content.entries.values()].flatMap((entry) =>
      entry.curations.map((record) => ({ entry, record })),
    );
    const taken = new Set(all.flatMap(({ record }) => record.curation.undoes ?? []));
    const last = all
      .filter(({ record: { device, curation } }) => device === content.device && !curation.undoes)
      .filter(({ record: { curation } }) => !taken.has(curation.change))
      .reduce<CurationRecord | null>(
        (found, { record }) => (found && found.id > record.id ? found : record),
        null,
      );
    if (!last) return { changed: [], refused: [], warning: null, undone: null };
    const { change } = last.curation;
    const wanted = all
      .filter(({ record }) => record.curation.change === change)
      .map(({ entry, record }) => {
        const to = entry.curations[entry.curations.indexOf(record) - 1]?.id ?? null;
        return { entry, action: { do: 'revert', to } as const };
      });
    const result = await this.#change(request.root, content, wanted, change);
    return { ...result, undone: last.curation.action };
  }

  async #change(
    root: string,
    content: Content,
    wanted: readonly { readonly entry: Entry; readonly action: CurationAction }[],
    undoes: string | undefined,
  ): Promise<CurationResult> {
    const change = nextUlid(this.#parts.now(), null);
    const blocks = new Map(content.source.records.map(({ id, block }) => [id, block]));
    const refused: { pair: string; reason: string }[] = [];
    const decisions: { entry: Entry; decision: Decision & { curation: Curation } }[] = [];
    for (const { entry, action } of wanted) {
      const { derived } = entry;
      const curation: Curation = {
        ...{ pair: derived.id, entries: [...derived.entries], about: derived.about },
        ...{ action, change, ...(undoes !== undefined && { undoes }) },
      };
      const decision = decisionOf(derived, blocks.get(derived.entries[0] ?? ''), curation);
      const reason = this.#refusal(entry, decision);
      if (reason !== null) refused.push({ pair: entry.origin, reason });
      // What is undone is marked as undone even where it changed nothing.
      else if (undoes !== undefined || changesPair(entry.pair, trial(entry, decision)))
        decisions.push({ entry, decision });
    }
    const ledger = await this.#parts.stores.ledger(root);
    const [first, ...others] = decisions.map(({ decision }) => decision);
    const { records, warning } = first
      ? await ledger.appendAll([first, ...others])
      : { records: [], warning: null };
    const changed = decisions.map(({ entry: { origin }, decision: { curation } }, at) => {
      // As it is by now: another change may have come in between.
      const entry = content.entries.get(origin);
      const record = records[at];
      if (entry && record) {
        const curations = [...entry.curations, { ...record, curation }];
        content.entries.set(origin, {
          ...entry,
          curations,
          pair: lastState(entry.derived, curations),
        });
      }
      return origin;
    });
    // What was derived meanwhile may not know of these lines.
    if (this.#loading || this.#content !== content) this.invalidate();
    if (changed.length > 0) this.#told(content);
    return { changed, refused, warning };
  }

  /** Why an action can't be done to a pair. */
  #refusal(entry: Entry, decision: Decision & { curation: Curation }): string | null {
    const { action } = decision.curation;
    if (action.do === 'edit' && entry.pair.consent === 'withdrawn')
      return 'Recording is switched off for its note: no text of it is kept.';
    const known = new Set(entry.curations.map(({ id }) => id));
    if (action.do === 'revert' && action.to !== null && !known.has(action.to))
      return 'It has never been as that entry left it.';
    const after = trial(entry, decision);
    if (after.chosen !== null && after.chosen.trim() === after.rejected?.trim())
      return 'Chosen and rejected would be the same text.';
    return null;
  }

  /** Pairs are others: lists are selected anew, and the checks go over them. */
  #told(content: Content): void {
    this.#selected = null;
    void this.#check(content);
    this.#parts.changed(countsOf(this.#board(content)));
  }

  /** Derived anew where something changed; who asks while that goes on is answered from what was there before. */
  async #ready(request: PairsRequest, signal: AbortSignal): Promise<Content> {
    for (;;) {
      if (this.#content && !this.#stale) return this.#content;
      throwIfCancelled(signal);
      this.#loading ??= this.#load(request).finally(() => {
        this.#loading = null;
      });
      await this.#loading;
    }
  }

  async #load(request: PairsRequest): Promise<void> {
    this.#stale = false;
    const { stores } = this.#parts;
    let source: WorkspacePairs;
    let device: string;
    try {
      source = await workspacePairs(request, stores, this.#life.signal);
      ({ device } = await stores.ledger(request.root));
    } catch (error) {
      this.#stale = true;
      throw error;
    }
    const own = curationsOf(source.uncurated, curationsIn(source.records));
    const entries = new Map(
      source.uncurated.map((derived, at): [string, Entry] => [
        derived.id,
        {
          ...{ origin: derived.id, derived },
          curations: own.get(derived.id) ?? [],
          pair: source.pairs[at] ?? derived,
        },
      ]),
    );
    const content = { source, entries, device };
    this.#content = content;
    this.#told(content);
  }

  async #select(
    content: Content,
    filter: PairFilter,
    order: PairOrder,
    signal: AbortSignal,
  ): Promise<{ readonly pairs: readonly BoardPair[]; readonly problem: string | null }> {
    const key = JSON.stringify([filter, order]);
    if (this.#selected?.key === key) return this.#selected;
    let places: readonly FoundPlace[] | null = null;
    let problem: string | null = null;
    if (filter.meaning !== undefined) {
      try {
        places = await this.#parts.searchNotes(filter.meaning, signal);
      } catch (error) {
        if (!PreflexorError.is(error) || error.code === 'cancelled') throw error;
        places = [];
        problem = error.message;
      }
    }
    const selected = { key, pairs: selectPairs(this.#board(content), filter, order, places), problem };
    if (problem === null) this.#selected = selected;
    return selected;
  }

  #board(content: Content): BoardPair[] {
    return [...content.entries.values()].map((entry) => this.#boardPair(entry));
  }

  #boardPair({ origin, pair }: Entry): BoardPair {
    return { origin, pair, findings: this.#findingsOf(pair) };
  }

  #findingsOf({ id }: PreferencePair): readonly PairProblem[] {
    return [...(this.#single.get(id) ?? []), ...(this.#together.get(id) ?? [])];
  }

  /** Goes over the pairs that are trained on; what is known of a content is not worked out again. */
  async #check(content: Content): Promise<void> {
    this.#checks?.abort();
    const mine = new AbortController();
    this.#checks = mine;
    try {
      const pairs = [...content.entries.values()].map(({ pair }) => pair).filter(isKept);
      const single = new Map<string, readonly PairProblem[]>();
      let fresh = 0;
      for (const pair of pairs) {
        const known = this.#single.get(pair.id);
        single.set(pair.id, known ?? checkPair(pair));
        // Kept as they come: a change that breaks this off then costs none of them.
        this.#single.set(pair.id, single.get(pair.id) ?? []);
        if (known === undefined && (fresh += 1) % checkedAtOnce === 0) await breathe();
        throwIfCancelled(mine.signal);
      }
      const together = new Map<string, PairProblem[]>();
      const remarks: string[] = [];
      for (const problem of await checkSet(pairs, mine.signal)) {
        if (problem.pairs.length === 0) remarks.push(problem.message);
        for (const id of problem.pairs) together.set(id, [...(together.get(id) ?? []), problem]);
      }
      this.#single = single;
      this.#together = together;
      this.#remarks = remarks;
    } catch (error) {
      if (PreflexorError.is(error, 'cancelled')) return;
      this.#remarks = [`The checks could not be done: ${sentence(error)}`];
    } finally {
      if (this.#checks === mine) this.#checks = null;
    }
    this.#selected = null;
    this.#parts.changed(countsOf(this.#board(content)));
  }
}

/** The pair as it would be. */
function trial(entry: Entry, decision: Decision & { curation: Curation }): PreferencePair {
  const record: CurationRecord = {
    ...decision,
    ...{ schema: 1, id: '7ZZZZZZZZZZZZZZZZZZZZZZZZZ', time: entry.pair.time, device: 'undecided' },
  };
  return lastState(entry.derived, [...entry.curations, record]);
}

/** The ledger's line of a curation: about the pair's note, so that it is forgotten with it. */
function decisionOf(
  derived: PreferencePair,
  block: string | undefined,
  curation: Curation,
): Decision & { curation: Curation } {
  return {
    // Imported pairs came of no block; by its own id each is forgotten alone.
    block: block ?? derived.id,
    ...{ run: null, kind: 'curate', iteration: 0 },
    texts: {
      ...{ question: '', paragraph: '', thinking: '', reflection: '', offered: '' },
      ...{ result: null, reason: null },
    },
    note: derived.note ?? { path: '', hash: '', range: { start: 0, end: 0 } },
    provenance: null,
    curation,
  };
}

function unknownPair(): PreflexorError {
  return new PreflexorError('bad-input', 'This pair is not there any more.', {
    remedy: 'Look at the list again: its note may have been forgotten, or its decision taken back.',
  });
}
