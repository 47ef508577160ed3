// Which pairs fit a filter and in which order they come, what a list shows of each, and how many there are of each
// kind. Pure.
import type {
  PairCounts,
  PairFilter,
  PairOrder,
  PairProblem,
  PairProblemCode,
  PairRow,
  PairStateFilter,
  Passage,
  PreferencePair,
} from '../protocol/index.ts';

/** A pair on the board. */
export interface BoardPair {
  /** Its id as it was derived. */
  readonly origin: string;
  /** As the writer left it. */
  readonly pair: PreferencePair;
  readonly findings: readonly PairProblem[];
}

/** Of what was found in the notes, as far as it matters here. */
export type FoundPlace = Pick<Passage, 'source' | 'start' | 'end' | 'score'>;

const excerptLength = 160;
/** Characters that both sides share and that are shown before the first one that differs. */
const shownBefore = 24;
/** A passage of the same note that is not the pair's own place says less. */
const elsewhereInNote = 0.5;

export function isExcluded({ curation }: PreferencePair): boolean {
  return (curation?.excluded ?? null) !== null;
}

/** Whether a pair is trained on. */
export function isKept(pair: PreferencePair): boolean {
  return pair.consent === 'given' && !isExcluded(pair);
}

/** Whether a check found something that the writer has not looked at. */
export function isWaiting({ pair, findings }: BoardPair): boolean {
  return isKept(pair) && findings.length > 0 && pair.curation?.reviewed !== true;
}

function isInState(one: BoardPair, state: PairStateFilter): boolean {
  switch (state) {
    case 'kept':
      return isKept(one.pair);
    case 'waiting':
      return isWaiting(one);
    case 'excluded':
      return isExcluded(one.pair);
    case 'curated':
      return (one.pair.curation?.entries.length ?? 0) > 0;
    case 'all':
      return true;
  }
}

/** Lower-cased, made once for each pair: a list is searched with every letter that is typed. */
const haystacks = new WeakMap<PreferencePair, string>();

function haystackOf(pair: PreferencePair): string {
  const known = haystacks.get(pair);
  if (known !== undefined) return known;
  const { prompt, chosen, rejected, reason, note, curation } = pair;
  const parts = [
    ...prompt.filter(({ role }) => role === 'user').map(({ content }) => content),
    ...[chosen ?? '', rejected ?? '', reason ?? '', note?.path ?? ''],
    ...[curation?.excluded ?? '', ...(curation?.tags ?? [])],
  ];
  const haystack = parts.join('\n').toLowerCase();
  haystacks.set(pair, haystack);
  return haystack;
}

/**
 * The pairs that fit, in their order.
 * @param places what the notes say to `filter.meaning`; the order is then by how well they fit
 */
export function selectPairs(
  all: readonly BoardPair[],
  filter: PairFilter,
  order: PairOrder,
  places: readonly FoundPlace[] | null,
): BoardPair[] {
  const words = (filter.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const { state = 'kept', signals, findings, split, note, tag } = filter;
  const fitting = all.filter((one) => {
    const { pair } = one;
    if (!isInState(one, state)) return false;
    if (signals && !signals.includes(pair.signal)) return false;
    if (findings && !one.findings.some(({ code }) => findings.includes(code))) return false;
    if (split !== undefined && pair.split !== split) return false;
    if (note !== undefined && pair.note?.path !== note) return false;
    if (tag !== undefined && pair.curation?.tags.includes(tag) !== true) return false;
    return words.length === 0 || words.every((word) => haystackOf(pair).includes(word));
  });
  if (places) return byMeaning(fitting, places);
  const compare = orders[order];
  return fitting.sort((a, b) => compare(a.pair, b.pair) || (a.origin < b.origin ? -1 : 1));
}

function byMeaning(pairs: readonly BoardPair[], places: readonly FoundPlace[]): BoardPair[] {
  const bySource = Map.groupBy(places, ({ source }) => source);
  return pairs
    .map((one) => ({ one, score: closeness(one.pair, bySource) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ one }) => one);
}

function closeness({ note }: PreferencePair, bySource: ReadonlyMap<string, readonly FoundPlace[]>): number {
  const scores = (note ? (bySource.get(note.path) ?? []) : []).map(({ start, end, score }) => {
    const overlaps = note !== null && start < note.range.end && end > note.range.start;
    return overlaps ? score : score * elsewhereInNote;
  });
  return Math.max(0, ...scores);
}

const textLength = ({ chosen, rejected }: PreferencePair): number =>
  (chosen?.length ?? 0) + (rejected?.length ?? 0);
const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Ids of the ledger's lines keep apart what was decided in the same moment. */
const whenOf = ({ time, entries }: PreferencePair): string => `${time} ${entries.at(-1) ?? ''}`;

const orders: Readonly<Record<PairOrder, (a: PreferencePair, b: PreferencePair) => number>> = {
  newest: (a, b) => byText(whenOf(b), whenOf(a)),
  oldest: (a, b) => byText(whenOf(a), whenOf(b)),
  weakest: (a, b) => a.strength - b.strength,
  strongest: (a, b) => b.strength - a.strength,
  note: (a, b) => byText(a.note?.path ?? '', b.note?.path ?? '') || byText(a.time, b.time),
  longest: (a, b) => textLength(b) - textLength(a),
};

export function rowOf({ origin, pair, findings }: BoardPair): PairRow {
  const { time, signal, strength, about, split, consent, note, curation } = pair;
  return {
    ...{ time, signal, strength, about, split, consent },
    pair: origin,
    note: note?.path ?? null,
    ...excerpts(pair),
    findings: [...new Set(findings.map(({ code }) => code))],
    curation: curation ?? null,
  };
}

/** What the two sides say, from shortly before the place where they begin to differ. */
function excerpts(pair: PreferencePair): Pick<PairRow, 'chosen' | 'rejected'> {
  const [chosen, rejected] = [said(pair, 'chosen'), said(pair, 'rejected')];
  if (chosen === null || rejected === null) return { chosen: cut(chosen, 0), rejected: cut(rejected, 0) };
  let same = 0;
  while (same < chosen.length && chosen[same] === rejected[same]) same += 1;
  const from = chosen.lastIndexOf(' ', Math.max(0, same - shownBefore)) + 1;
  return { chosen: cut(chosen, from), rejected: cut(rejected, from) };
}

/** A side's answer, else what is last in it. */
function said(pair: PreferencePair, side: 'chosen' | 'rejected'): string | null {
  const text = pair[side];
  if (text === null) return null;
  const spans = pair.spans[side];
  const { content } = spans.find(({ kind }) => kind === 'answer') ?? spans.at(-1) ?? {};
  return text
    .slice(content?.start ?? 0, content?.end)
    .replace(/\s+/g, ' ')
    .trim();
}

function cut(text: string | null, from: number): string | null {
  if (text === null) return null;
  const words = from < shownBefore ? text : `…${text.slice(from)}`;
  return words.length > excerptLength ? `${words.slice(0, excerptLength - 1)}…` : words;
}

export function countsOf(all: readonly BoardPair[]): PairCounts {
  const count = (is: (one: BoardPair) => boolean): number => all.filter(is).length;
  const kept = all.filter(({ pair }) => isKept(pair));
  return {
    all: all.length,
    kept: kept.length,
    waiting: count(isWaiting),
    excluded: count(({ pair }) => isExcluded(pair)),
    curated: count((one) => isInState(one, 'curated')),
    signals: tally(kept.map(({ pair }) => pair.signal)),
    findings: tally<PairProblemCode>(
      kept.flatMap(({ findings }) => [...new Set(findings.map(({ code }) => code))]),
    ),
    splits: tally(kept.map(({ pair }) => pair.split)),
    notes: tally(all.flatMap(({ pair }) => pair.note?.path ?? [])),
    tags: tally(all.flatMap(({ pair }) => pair.curation?.tags ?? [])),
  };
}

/** The most frequent first. */
function tally<T extends string>(names: readonly T[]): { name: T; count: number }[] {
  const counts = new Map<T, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || byText(a.name, b.name));
}
