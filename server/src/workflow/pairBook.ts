// The pairs of one folder as the curation board works on them: derived once, kept until something changes, with what
// the checks find in them, and changed by ledger entries alone.
import path from 'node:path';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import {
  changesPair,
  CuratedPairs,
  curationsIn,
  type CuratedPair,
  type CurationRecord,
  type Decision,
  type EmbedTexts,
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
  PreferencePair,
} from '../protocol/index.ts';
import { nextUlid } from '../state/index.ts';
import { PairChecks } from './pairChecks.ts';
import { workspacePairs, type PairsRequest, type WorkspacePairs } from './pairs.ts';
import { countsOf, rowOf, selectPairs, type BoardPair, type FoundPlace } from './pairSelection.ts';
import type { Stores } from './stores.ts';

/** Finds places in the folder's notes that mean something like a text. @throws PreflexorError */
export type SearchNotes = (text: string, signal: AbortSignal) => Promise<readonly FoundPlace[]>;

export interface PairBookParts {
  readonly stores: Stores;
  readonly now: () => number;
  readonly searchNotes: SearchNotes;
  /** Near-duplicates are looked for with it. @throws PreflexorError `no-model` where there is no embedder */
  readonly embed: EmbedTexts;
  /** Hears that pairs or their findings are others than before. */
  readonly changed: (counts: PairCounts) => void;
}

export interface PageQuery {
  readonly filter: PairFilter;
  readonly order: PairOrder;
  readonly offset: number;
  readonly limit: number;
}

interface Content {
  readonly source: WorkspacePairs;
  readonly curated: CuratedPairs;
  readonly device: string;
}

/** One pair, and what is to be done to it. */
interface Wanted {
  readonly known: CuratedPair;
  readonly action: CurationAction;
}

export class PairBook {
  readonly #parts: PairBookParts;
  #content: Content | null = null;
  #loading: Promise<void> | null = null;
  readonly #life = new AbortController();
  #stale = true;
  readonly #checks: PairChecks;
  /** All that stand with what was found in them, and how many there are of each kind, until one of the two changes. */
  #shown: { readonly pairs: readonly BoardPair[]; readonly counts: PairCounts } | null = null;
  /** What was selected last, for the next page of it. */
  #selected: { readonly key: string; readonly pairs: readonly BoardPair[]; problem: string | null } | null =
    null;

  constructor(parts: PairBookParts) {
    this.#parts = parts;
    this.#checks = new PairChecks(parts.embed, () => {
      this.#forgetShown();
      if (this.#content) parts.changed(this.#show(this.#content).counts);
    });
  }

  /** Something that pairs follow from has changed: they are derived anew when they are asked for. */
  invalidate(): void {
    this.#stale = true;
  }

  dispose(): void {
    this.#life.abort();
    this.#checks.stop();
  }

  /** @throws PreflexorError `cancelled` */
  async page(request: PairsRequest, query: PageQuery, signal: AbortSignal): Promise<PairPage> {
    const content = await this.#ready(request, signal);
    if (query.limit > 0) this.#checks.lookForAlike(() => pairsOf(content));
    const { pairs, problem } = await this.#select(content, query.filter, query.order, signal);
    return {
      folder: path.basename(request.root),
      matching: pairs.length,
      offset: query.offset,
      rows: pairs.slice(query.offset, query.offset + query.limit).map(rowOf),
      counts: this.#show(content).counts,
      remarks: [...this.#checks.remarks],
      checking: this.#checks.busy,
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
    const known = content.curated.get(origin);
    if (!known) throw unknownPair();
    const decision = content.source.records.find(({ id }) => known.first.entries.includes(id));
    return {
      row: rowOf(this.#boardPair(known)),
      pair: known.pair,
      findings: [...this.#checks.findingsOf(known.pair)],
      history: known.states.map(({ record, pair }): PairHistoryState => ({
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
    const ids = Array.isArray(choice)
      ? choice
      : (await this.#select(content, choice, 'oldest', signal)).pairs.map(({ origin }) => origin);
    const wanted = ids.map((id): Wanted => {
      const known = content.curated.get(id);
      if (!known) throw unknownPair();
      return meant(content.curated, { known, action });
    });
    return await this.#change(request.root, content, wanted, undefined);
  }

  /** Takes back this device's last change that is not taken back. @throws as `curate` */
  async undo(
    request: PairsRequest,
    signal: AbortSignal,
  ): Promise<CurationResult & { readonly undone: CurationAction | null }> {
    const content = await this.#ready(request, signal);
    const all = [...content.curated.all()].flatMap((known) =>
      linesOf(known).map((record) => ({ known, record })),
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
      .map(({ known, record }): Wanted => {
        const lines = linesOf(known);
        return { known, action: { do: 'revert', to: lines[lines.indexOf(record) - 1]?.id ?? null } };
      });
    const result = await this.#change(request.root, content, wanted, change);
    return { ...result, undone: last.curation.action };
  }

  async #change(
    root: string,
    content: Content,
    wanted: readonly Wanted[],
    undoes: string | undefined,
  ): Promise<CurationResult> {
    const change = nextUlid(this.#parts.now(), null);
    const blocks = new Map(content.source.records.map(({ id, block }) => [id, block]));
    const refused: { pair: string; reason: string }[] = [];
    const decisions: (Decision & { curation: Curation })[] = [];
    for (const { known, action } of wanted) {
      const { first, origin } = known;
      const curation: Curation = {
        ...{ pair: origin, entries: [...first.entries], about: first.about },
        ...{ action: withEntries(content.curated, action), change, ...(undoes !== undefined && { undoes }) },
      };
      const outcome = outcomeOf(content.curated, known, curation);
      if ('problem' in outcome) refused.push({ pair: origin, reason: outcome.problem });
      // What is undone is marked as undone even where it changed nothing.
      else if (undoes !== undefined || outcome.done)
        decisions.push(decisionOf(first, blocks.get(first.entries[0] ?? ''), curation));
    }
    const ledger = await this.#parts.stores.ledger(root);
    const [first, ...others] = decisions;
    const { records, warning } = first
      ? await ledger.appendAll([first, ...others])
      : { records: [], warning: null };
    const changed = decisions.map(({ curation }, at) => {
      const record = records[at];
      if (record) content.curated.add({ ...record, curation });
      return curation.pair;
    });
    // What was derived meanwhile may not know of these lines.
    if (this.#loading || this.#content !== content) this.invalidate();
    if (changed.length > 0) this.#told(content);
    return { changed, refused, warning };
  }

  /** Pairs are others: lists are selected anew, and the checks go over them. */
  #told(content: Content): void {
    this.#forgetShown();
    this.#checks.begin(() => pairsOf(content));
    this.#parts.changed(this.#show(content).counts);
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
    const curated = new CuratedPairs(source.uncurated, curationsIn(source.records));
    const content = { source, curated, device };
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
    const selected = { key, pairs: selectPairs(this.#show(content).pairs, filter, order, places), problem };
    if (problem === null) this.#selected = selected;
    return selected;
  }

  #show({ curated }: Content): { readonly pairs: readonly BoardPair[]; readonly counts: PairCounts } {
    if (!this.#shown) {
      const pairs = curated.present().map((known) => this.#boardPair(known));
      this.#shown = { pairs, counts: countsOf(pairs) };
    }
    return this.#shown;
  }

  #forgetShown(): void {
    this.#shown = null;
    this.#selected = null;
  }

  #boardPair({ origin, pair }: CuratedPair): BoardPair {
    return { origin, pair, findings: this.#checks.findingsOf(pair) };
  }
}

function pairsOf({ curated }: Content): PreferencePair[] {
  return curated.present().map(({ pair }) => pair);
}

function linesOf({ states }: CuratedPair): CurationRecord[] {
  return states.flatMap(({ record }) => record ?? []);
}

/** Parts of one pair that are merged: what was split is as it was before. */
function meant(curated: CuratedPairs, { known, action }: Wanted): Wanted {
  const partOf = known.first.curation?.partOf;
  if (action.do !== 'merge' || partOf === undefined) return { known, action };
  const isOfTheSame = action.with === partOf || curated.get(action.with)?.first.curation?.partOf === partOf;
  const whole = isOfTheSame ? curated.get(partOf) : null;
  if (!whole) return { known, action };
  return { known: whole, action: { do: 'revert', to: curated.wholeBefore(partOf) } };
}

/** A pair that is named in a line is known again by its decisions. */
function withEntries(curated: CuratedPairs, action: CurationAction): CurationAction {
  if (action.do !== 'merge') return action;
  const other = curated.get(action.with);
  return other ? { ...action, entries: [...other.first.entries] } : action;
}

/** Whether a line would change anything, or why it can't. */
function outcomeOf(
  curated: CuratedPairs,
  { pair, states }: CuratedPair,
  curation: Curation,
): { readonly done: boolean } | { readonly problem: string } {
  const { action } = curation;
  const before = states.at(-1);
  if (!before) return { done: false };
  if (action.do === 'edit' && pair.consent === 'withdrawn')
    return { problem: 'Recording is switched off for its note: no text of it is kept.' };
  if (action.do === 'revert' && action.to !== null && !states.some(({ record }) => record?.id === action.to))
    return { problem: 'It has never been as that entry left it.' };
  const outcome = curated.trial(curation);
  if ('problem' in outcome) return outcome;
  const { chosen, rejected } = outcome.done.pair;
  if (chosen !== null && chosen.trim() === rejected?.trim())
    return { problem: 'Chosen and rejected would be the same text.' };
  return { done: changesPair(before, outcome.done) };
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
