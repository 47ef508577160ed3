// What the writer made of pairs on the curation board: the ledger's `curate` lines laid over derived and imported
// pairs, in their order. Pure; nothing is overwritten, so each state that a pair was in can be had again.
import type {
  Curation,
  CurationAction,
  LedgerRecord,
  PairSide,
  PreferencePair,
} from '../../protocol/index.ts';
import { spansIn } from './completion.ts';
import { pairId } from './derive.ts';

/** A ledger line that changes a pair. */
export type CurationRecord = LedgerRecord & { readonly curation: Curation };

/** A pair after a curation. */
export interface CuratedState {
  /** null: as it was derived or imported. */
  readonly record: CurationRecord | null;
  readonly pair: PreferencePair;
}

/** The lines that curate, in the order of their ids. */
export function curationsIn(records: readonly LedgerRecord[]): CurationRecord[] {
  return records
    .filter((record): record is CurationRecord => record.kind === 'curate' && record.curation !== undefined)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Which curations are about which pair, by the id of the pair as it was derived. */
export function curationsOf(
  pairs: readonly PreferencePair[],
  records: readonly CurationRecord[],
): ReadonlyMap<string, readonly CurationRecord[]> {
  const known = new Set(pairs.map(({ id }) => id));
  const found = new Map<string, CurationRecord[]>();
  const add = (id: string, record: CurationRecord): void => {
    const own = found.get(id);
    if (own) own.push(record);
    else found.set(id, [record]);
  };
  const lost = records.filter(({ curation }) => !known.has(curation.pair));
  const byEntries =
    lost.length === 0 ? null : Map.groupBy(pairs, ({ entries, about }) => entriesKey(entries, about));
  for (const record of records) {
    const { pair, entries, about } = record.curation;
    if (known.has(pair)) {
      add(pair, record);
      continue;
    }
    // The same decisions gave another text by now. Where they gave several pairs, none is meant for sure.
    const candidates = entries.length === 0 ? [] : (byEntries?.get(entriesKey(entries, about)) ?? []);
    const [only] = candidates;
    if (only && candidates.length === 1) add(only.id, record);
  }
  return found;
}

function entriesKey(entries: readonly string[], about: PreferencePair['about']): string {
  return JSON.stringify([[...entries].sort(), about]);
}

/** All pairs, as the writer left them. */
export function curatedPairs(
  pairs: readonly PreferencePair[],
  records: readonly LedgerRecord[],
): PreferencePair[] {
  const curations = curationsIn(records);
  if (curations.length === 0) return [...pairs];
  const own = curationsOf(pairs, curations);
  return pairs.map((pair) => lastState(pair, own.get(pair.id) ?? []));
}

/** The pair after all these. */
export function lastState(pair: PreferencePair, records: readonly CurationRecord[]): PreferencePair {
  return statesOf(pair, records).at(-1)?.pair ?? pair;
}

/** Every state that a pair was in, the first one as it was derived. */
export function statesOf(pair: PreferencePair, records: readonly CurationRecord[]): CuratedState[] {
  const states: CuratedState[] = [{ record: null, pair }];
  for (const record of records) {
    const before = states.at(-1)?.pair ?? pair;
    const { action } = record.curation;
    const after = action.do === 'revert' ? stateAfter(states, action.to) : withAction(before, action);
    states.push({ record, pair: withEntry(after, pair.id, record.id, states) });
  }
  return states;
}

/** The line may be gone (forgotten, or of another device): then as it was derived. */
function stateAfter(states: readonly CuratedState[], entry: string | null): PreferencePair {
  const found = states.find(({ record }) => (record?.id ?? null) === entry) ?? states[0];
  if (!found) throw new Error('a pair has a first state');
  return found.pair;
}

function withEntry(
  pair: PreferencePair,
  origin: string,
  entry: string,
  before: readonly CuratedState[],
): PreferencePair {
  const entries = [...(before.at(-1)?.pair.curation?.entries ?? []), entry];
  return { ...pair, curation: { ...curationOf(pair, origin), entries } };
}

function curationOf({ curation }: PreferencePair, origin: string): NonNullable<PreferencePair['curation']> {
  if (curation) return { ...curation, origin };
  return { origin, excluded: null, tags: [], edited: [], flipped: false, reviewed: false, entries: [] };
}

/** A pair after one action; itself where the action changes nothing. */
export function withAction(
  pair: PreferencePair,
  action: Exclude<CurationAction, { do: 'revert' }>,
): PreferencePair {
  const curation = curationOf(pair, pair.curation?.origin ?? pair.id);
  const seen = { ...curation, reviewed: true };
  switch (action.do) {
    case 'edit':
      return edited(pair, action.side, action.text);
    case 'flip':
      return flipped(pair);
    case 'exclude':
      return { ...pair, curation: { ...seen, excluded: action.reason } };
    case 'include':
      return { ...pair, curation: { ...seen, excluded: null } };
    case 'tag': {
      const others = curation.tags.filter((tag) => tag !== action.tag);
      return { ...pair, curation: { ...seen, tags: action.on ? [...others, action.tag].sort() : others } };
    }
    case 'rate':
      return { ...pair, strength: action.strength, curation: seen };
    case 'review':
      return { ...pair, curation: seen };
  }
}

function edited(pair: PreferencePair, side: PairSide, text: string): PreferencePair {
  const curation = curationOf(pair, pair.curation?.origin ?? pair.id);
  const changed: PreferencePair = {
    ...pair,
    [side]: text,
    spans: { ...pair.spans, [side]: spansIn(text) },
    curation: { ...curation, reviewed: true, edited: [...new Set([...curation.edited, side])].sort() },
  };
  const wants = changed.rejected === null ? changed.wants : null;
  return { ...changed, wants, id: pairId(changed) };
}

/** A lone accept becomes a lone reject, and the other way round. */
function flipped(pair: PreferencePair): PreferencePair {
  const curation = curationOf(pair, pair.curation?.origin ?? pair.id);
  const swapped = <T>({ chosen, rejected }: { readonly chosen: T; readonly rejected: T }) => ({
    chosen: rejected,
    rejected: chosen,
  });
  const sides = swapped(pair);
  const wants = sides.chosen !== null && sides.rejected === null ? 'rejected' : null;
  const changed: PreferencePair = {
    ...pair,
    ...{ ...sides, wants, spans: swapped(pair.spans), runs: swapped(pair.runs) },
    iterations: swapped(pair.iterations),
    curation: {
      ...curation,
      reviewed: true,
      flipped: !curation.flipped,
      edited: curation.edited.map((side) => (side === 'chosen' ? 'rejected' : 'chosen')).sort(),
    },
  };
  return { ...changed, id: pairId(changed) };
}

/** Whether an action leaves anything to be recorded. */
export function changesPair(before: PreferencePair, after: PreferencePair): boolean {
  const plain = ({ strength, chosen, rejected, curation }: PreferencePair): string => {
    const { entries: _, ...rest } = curation ?? curationOf(before, before.id);
    return JSON.stringify([strength, chosen, rejected, rest]);
  };
  return plain(before) !== plain(after);
}
