// What the writer made of single pairs on the curation board: what each action does to a pair. Pure; that the actions
// follow each other, and that pairs rest because of others, is curatedPairs.ts's.
import type {
  Curation,
  CurationAction,
  LedgerRecord,
  PairCuration,
  PairSide,
  PreferencePair,
} from '../../protocol/index.ts';
import { spansIn } from './completion.ts';
import { pairId } from './derive.ts';
import type { Curated } from './splitting.ts';

/** A ledger line that changes a pair. */
export type CurationRecord = LedgerRecord & { readonly curation: Curation };

/** The lines that curate, in the order of their ids. */
export function curationsIn(records: readonly LedgerRecord[]): CurationRecord[] {
  return records
    .filter((record): record is CurationRecord => record.kind === 'curate' && record.curation !== undefined)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The pair with what is known of its curation; nothing, where nobody has touched it. */
export function asCurated(pair: PreferencePair, origin: string): Curated {
  const untouched = { excluded: null, tags: [], edited: [], flipped: false, reviewed: false, entries: [] };
  return { ...pair, curation: { ...(pair.curation ?? untouched), origin } };
}

/** What an action does to one pair, whatever there is beside it. */
export type PlainAction = Exclude<CurationAction, { do: 'revert' | 'split' | 'merge' }>;

/** A pair after one action; itself where the action changes nothing. */
export function withAction(pair: Curated, action: PlainAction): Curated {
  const { curation } = pair;
  const seen = (change: Partial<PairCuration>): Curated => ({
    ...pair,
    curation: { ...curation, reviewed: true, ...change },
  });
  switch (action.do) {
    case 'edit':
      return edited(pair, action.side, action.text);
    case 'flip':
      return flipped(pair);
    case 'exclude':
      return seen({ excluded: action.reason });
    case 'include':
      return seen({ excluded: null });
    case 'tag': {
      const others = curation.tags.filter((tag) => tag !== action.tag);
      return seen({ tags: action.on ? [...others, action.tag].sort() : others });
    }
    case 'rate':
      return { ...seen({}), strength: action.strength };
    case 'review':
      return seen({});
  }
}

function edited(pair: Curated, side: PairSide, text: string): Curated {
  const { curation } = pair;
  const changed: Curated = {
    ...pair,
    [side]: text,
    spans: { ...pair.spans, [side]: spansIn(text) },
    curation: { ...curation, reviewed: true, edited: [...new Set([...curation.edited, side])].sort() },
  };
  const wants = changed.rejected === null ? changed.wants : null;
  return { ...changed, wants, id: pairId(changed) };
}

/** A lone accept becomes a lone reject, and the other way round. */
function flipped(pair: Curated): Curated {
  const { curation } = pair;
  const swapped = <T>({ chosen, rejected }: { readonly chosen: T; readonly rejected: T }) => ({
    chosen: rejected,
    rejected: chosen,
  });
  const sides = swapped(pair);
  const wants = sides.chosen !== null && sides.rejected === null ? 'rejected' : null;
  const changed: Curated = {
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
