// The ledger's `curate` lines laid over derived and imported pairs, in their order. Nothing is overwritten, so each
// state that a pair was in can be had again. A pair that was split rests while its parts stand for it, and one that was
// merged into another rests while that stands: taken back, it is there again.
import type { Curation, LedgerRecord, PreferencePair } from '../../protocol/index.ts';
import { asCurated, curationsIn, withAction, type CurationRecord } from './curation.ts';
import { mergedPair, partsOf, type Curated, type Outcome } from './splitting.ts';

/** A pair after a curation. */
export interface CuratedState {
  /** null: as it was derived, imported or split off. */
  readonly record: CurationRecord | null;
  readonly pair: PreferencePair;
  /** The ids of its parts, while it is split. */
  readonly parts: readonly string[] | null;
  /** The pairs that are merged into it, by their ids as they were derived. */
  readonly merged: readonly string[];
}

/** A pair with all that made it what it is. */
export interface CuratedPair {
  /** Its id as it was derived, imported or split off. */
  readonly origin: string;
  /** As it was then. */
  readonly first: PreferencePair;
  /** The first state, and one for each line about it. Never empty. */
  readonly states: readonly CuratedState[];
  /** As it is. */
  readonly pair: PreferencePair;
}

const standFor = 'Other pairs stand for it by now.';

type State = Omit<CuratedState, 'record'>;

export class CuratedPairs {
  readonly #all = new Map<string, CuratedPair>();
  /** Begun as parts of others, and in how many that are split now each stands. */
  readonly #parts = new Map<string, number>();
  /** Into which pairs each is merged now. */
  readonly #mergedInto = new Map<string, ReadonlySet<string>>();
  /** By their decisions, for lines whose pair has another text by now; made when the first such line comes. */
  #byEntries: { readonly size: number; readonly groups: ReadonlyMap<string, readonly string[]> } | null =
    null;

  /** @param records in the order of their ids */
  constructor(pairs: readonly PreferencePair[], records: readonly CurationRecord[]) {
    for (const pair of pairs) this.#begin(pair.id, pair);
    for (const record of records) this.add(record);
  }

  get(origin: string): CuratedPair | null {
    return this.#all.get(origin) ?? null;
  }

  /** All that ever were, those that rest among them. */
  all(): Iterable<CuratedPair> {
    return this.#all.values();
  }

  /** Those that stand. */
  present(): CuratedPair[] {
    return [...this.#all.values()].filter(({ origin }) => !this.#rests(origin));
  }

  /** Takes in one more line. */
  add(record: CurationRecord): void {
    const { pair, entries, about, action } = record.curation;
    const known = this.#meant(pair, entries, about);
    if (!known) return;
    const before = lastOf(known);
    const outcome = this.#after(known, record.curation);
    // A line that can't be followed by now is part of the history all the same.
    const { pair: after, parts, merged } = 'done' in outcome ? outcome.done : before;
    const curated = asCurated(after, known.origin);
    const lines = [...(before.pair.curation?.entries ?? []), record.id];
    const next: Curated = { ...curated, curation: { ...curated.curation, entries: lines } };
    const states = [...known.states, { record, pair: next, parts, merged }];
    this.#all.set(known.origin, { ...known, states, pair: next });
    if (action.do === 'split' && parts !== null && before.parts === null) this.#beginParts(next);
    this.#follow(known.origin, before, { parts, merged });
  }

  /** What a line would make of a pair, or why it can't. */
  trial(curation: Curation): Outcome<State> {
    const known = this.#all.get(curation.pair);
    return known ? this.#after(known, curation) : { problem: 'This pair is not there any more.' };
  }

  /** The line after which a pair was as it was before it was split, and null for the beginning. */
  wholeBefore(origin: string): string | null {
    const states = this.#all.get(origin)?.states ?? [];
    return states.findLast(({ parts }) => parts === null)?.record?.id ?? null;
  }

  #begin(origin: string, first: PreferencePair): void {
    if (this.#all.has(origin)) return;
    const states = [{ record: null, pair: first, parts: null, merged: [] }];
    this.#all.set(origin, { origin, first, states, pair: first });
  }

  /** The parts begin with what was said of the whole; one that was there before is as it was left. */
  #beginParts(whole: Curated): void {
    const outcome = partsOf(whole);
    if ('problem' in outcome) return;
    for (const part of outcome.done) {
      // What was derived or imported with the same content stands anyway.
      if (this.#all.has(part.id)) continue;
      this.#begin(part.id, part);
      this.#parts.set(part.id, 0);
    }
  }

  /** Keeps count of what rests, and because of what. */
  #follow(
    origin: string,
    before: Pick<State, 'parts' | 'merged'>,
    now: Pick<State, 'parts' | 'merged'>,
  ): void {
    const stands = (part: string, more: number): void => {
      const count = this.#parts.get(part);
      if (count !== undefined) this.#parts.set(part, count + more);
    };
    for (const part of before.parts ?? []) stands(part, -1);
    for (const part of now.parts ?? []) stands(part, 1);
    for (const other of new Set([...before.merged, ...now.merged])) {
      const into = new Set(this.#mergedInto.get(other));
      if (now.merged.includes(other)) into.add(origin);
      else into.delete(origin);
      this.#mergedInto.set(other, into);
    }
  }

  #after(known: CuratedPair, { action, about }: Curation): Outcome<State> {
    const before = lastOf(known);
    const pair = asCurated(before.pair, known.origin);
    switch (action.do) {
      case 'revert': {
        // The line may be gone (forgotten, or of another device): then as it was in the beginning.
        const found = known.states.find(({ record }) => (record?.id ?? null) === action.to);
        const { record: _, ...state } = found ?? firstOf(known);
        const gained = state.merged.filter((other) => !before.merged.includes(other));
        const isSplit = state.parts !== null && before.parts === null;
        // Two that rest because of each other would both be lost.
        if ((gained.length > 0 || isSplit) && [known.origin, ...gained].some((one) => this.#rests(one)))
          return { problem: standFor };
        return { done: state };
      }
      case 'split': {
        if (this.#rests(known.origin)) return { problem: standFor };
        const outcome = partsOf(pair);
        if ('problem' in outcome) return outcome;
        const parts = outcome.done.map(({ id }) => id);
        return { done: { ...before, pair: reviewed(pair), parts } };
      }
      case 'merge': {
        const other = this.#meant(action.with, action.entries ?? [], about);
        if (!other) return { problem: 'The other pair is not there any more.' };
        if (other === known) return { problem: 'It is the same pair.' };
        if (this.#rests(other.origin) || this.#rests(known.origin)) return { problem: standFor };
        const outcome = mergedPair(pair, other.pair);
        if ('problem' in outcome) return outcome;
        return { done: { ...before, pair: outcome.done, merged: [...before.merged, other.origin] } };
      }
      default:
        return { done: { ...before, pair: withAction(pair, action) } };
    }
  }

  /** The pair that a line is about. */
  #meant(id: string, entries: readonly string[], about: PreferencePair['about']): CuratedPair | null {
    const known = this.#all.get(id);
    if (known || entries.length === 0) return known ?? null;
    if (this.#byEntries?.size !== this.#all.size) {
      const firsts = [...this.#all.values()].map(({ first }) => first);
      const groups = Map.groupBy(firsts, ({ entries: own, about: of }) => entriesKey(own, of));
      const ids = new Map([...groups].map(([key, group]) => [key, group.map((one) => one.id)]));
      this.#byEntries = { size: this.#all.size, groups: ids };
    }
    // The same decisions gave another text by now. Where they gave several pairs, none is meant for sure.
    const candidates = this.#byEntries.groups.get(entriesKey(entries, about)) ?? [];
    const [only] = candidates;
    return candidates.length === 1 && only !== undefined ? this.get(only) : null;
  }

  /** Whether others stand for it: its parts, or the pair that it is merged into; or it is a part of what is whole. */
  #rests(origin: string): boolean {
    const isAside = (one: string): boolean => this.#parts.get(one) === 0;
    const known = this.#all.get(origin);
    if (!known || isAside(origin) || lastOf(known).parts !== null) return true;
    return [...(this.#mergedInto.get(origin) ?? [])].some((other) => !isAside(other));
  }
}

/** All pairs that stand, as the writer left them. */
export function curatedPairs(
  pairs: readonly PreferencePair[],
  records: readonly LedgerRecord[],
): PreferencePair[] {
  const curations = curationsIn(records);
  if (curations.length === 0) return [...pairs];
  return new CuratedPairs(pairs, curations).present().map(({ pair }) => pair);
}

function reviewed(pair: Curated): Curated {
  return { ...pair, curation: { ...pair.curation, reviewed: true } };
}

function firstOf({ states }: CuratedPair): CuratedState {
  const [first] = states;
  if (!first) throw new Error('a pair has a first state');
  return first;
}

function lastOf(known: CuratedPair): CuratedState {
  return known.states.at(-1) ?? firstOf(known);
}

function entriesKey(entries: readonly string[], about: PreferencePair['about']): string {
  return JSON.stringify([[...entries].sort(), about]);
}

/** Whether an action leaves anything to be recorded. */
export function changesPair(before: CuratedState, after: State): boolean {
  const plain = ({ pair: { strength, chosen, rejected, curation }, parts, merged }: State): string => {
    const { entries: _, ...rest } = curation ?? asCurated(before.pair, before.pair.id).curation;
    return JSON.stringify([strength, chosen, rejected, rest, parts, merged]);
  };
  return plain(before) !== plain(after);
}
