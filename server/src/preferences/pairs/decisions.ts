// From the decisions on one subject (a paragraph and a question about it) to preferences: edits, chains of rejection
// and acceptance, picks, hunks, ratings, and what stands alone. In the order of the ledger; the last word counts.
import type { LedgerRecord, Run, SegmentKind } from '../../protocol/index.ts';
import { offeredSections, sectionsOf, type Sections } from './completion.ts';
import { pickedOver, ratingOf } from './extras.ts';
import { sideOf, strengths, strengthWithReason, type Preference, type Side } from './preference.ts';
import type { Settled } from './settled.ts';

/** What is known of a subject beyond its records. */
export interface Surroundings {
  readonly runs: ReadonlyMap<string, Run>;
  /** How the text that a decision accepted stands by now. */
  readonly settled: (record: LedgerRecord) => Settled;
}

const accepting: ReadonlySet<LedgerRecord['kind']> = new Set(['accept', 'accept-edited']);
const refusing: ReadonlySet<LedgerRecord['kind']> = new Set(['reject', 'regenerate']);

/** Preferences of one subject. `records` are in the order of their ids. */
export function preferencesOf(
  subject: string,
  records: readonly LedgerRecord[],
  around: Surroundings,
): Preference[] {
  const base = (record: LedgerRecord): Base => ({
    ...{ subject, record, run: (record.run && around.runs.get(record.run)) || null },
    ...{ about: 'whole', entries: [record.id], settled: 'unknown', reason: record.texts.reason },
  });
  const last = lastOfEachBlock(records, ({ kind }) => accepting.has(kind) || refusing.has(kind));
  return [
    ...settlings([...last.values()].sort(byId), around, base),
    ...picks(records, base),
    ...comparisons(records, base),
    ...hunks(records, last, base),
    ...ratings(records, base),
  ];
}

type Base = Omit<Preference, 'chosen' | 'rejected' | 'signal' | 'strength'>;
type BaseOf = (record: LedgerRecord) => Base;

const byId = (a: LedgerRecord, b: LedgerRecord): number => (a.id < b.id ? -1 : 1);

function lastOfEachBlock(
  records: readonly LedgerRecord[],
  is: (record: LedgerRecord) => boolean,
): Map<string, LedgerRecord> {
  return new Map(records.filter(is).map((record) => [record.block, record]));
}

/** What was accepted against what the model wrote, and against what was rejected before it. */
function settlings(records: readonly LedgerRecord[], around: Surroundings, base: BaseOf): Preference[] {
  const found: Preference[] = [];
  let refused: LedgerRecord[] = [];
  for (const record of records) {
    if (refusing.has(record.kind)) {
      refused.push(record);
      continue;
    }
    found.push(...accepted(record, refused, around.settled(record), base));
    refused = [];
  }
  return [...found, ...refused.map((record) => loneReject(record, base))];
}

function accepted(
  record: LedgerRecord,
  refused: readonly LedgerRecord[],
  settled: Settled,
  base: BaseOf,
): Preference[] {
  const offered = side(record, offeredSections(record));
  const rewritten = settled.state === 'rewritten';
  const answer = rewritten ? settled.text : (record.texts.result ?? record.texts.offered);
  const edited = rewritten || record.kind === 'accept-edited';
  const standing = edited ? side(record, { ...offeredSections(record), answer }) : offered;
  const own = { ...base(record), settled: settled.state, chosen: standing };
  const found: Preference[] = [];
  if (standing.text !== offered.text) {
    const signal = rewritten ? 'settled' : 'edit';
    found.push({ ...own, rejected: offered, signal, strength: strengths[signal] });
  }
  for (const before of refused) {
    const rejected = side(before, offeredSections(before));
    const reason = before.texts.reason ?? record.texts.reason;
    const entries = [before.id, record.id];
    const strength = strengths.regenerate;
    if (rejected.text !== standing.text)
      found.push({ ...own, rejected, signal: 'regenerate', strength, reason, entries });
  }
  if (found.length > 0) return found;
  return [{ ...own, rejected: null, signal: 'accept', strength: strengths.accept }];
}

function loneReject(record: LedgerRecord, base: BaseOf): Preference {
  const strength = record.texts.reason === null ? strengths.reject : strengthWithReason;
  const rejected = side(record, offeredSections(record));
  return { ...base(record), chosen: null, rejected, signal: 'reject', strength };
}

function side(record: LedgerRecord, sections: Partial<Sections>, iteration = record.iteration): Side {
  return sideOf(sections, record.run, iteration);
}

/** An iteration over the one that was on offer, or over those that the record names. */
function picks(records: readonly LedgerRecord[], base: BaseOf): Preference[] {
  const last = lastOfEachBlock(records, ({ kind }) => kind === 'pick');
  return [...last.values()].flatMap((record) => {
    const own = base(record);
    const { run } = own;
    const picked = sectionsOf(run, record.iteration);
    if (!run || !picked) return pickWithoutRun(record, own);
    const chosen = side(record, picked);
    const over = pickedOver(record) ?? [run.best];
    const pairs = over.flatMap((index) => {
      const other = sectionsOf(run, index);
      const rejected = other && side(record, other, index);
      if (!rejected || rejected.text === chosen.text) return [];
      return [{ ...own, chosen, rejected, signal: 'pick' as const, strength: strengths.pick }];
    });
    if (pairs.length > 0) return pairs;
    return [{ ...own, chosen, rejected: null, signal: 'accept' as const, strength: strengths.accept }];
  });
}

/** Of two answers the one that was preferred; the last word on the same two counts. */
function comparisons(records: readonly LedgerRecord[], base: BaseOf): Preference[] {
  return records.flatMap((record) => {
    if (record.kind !== 'compare' || !record.compared) return [];
    const chosen = side(record, offeredSections(record));
    const rejected = side(record, record.compared);
    if (chosen.text === rejected.text) return [];
    return [{ ...base(record), chosen, rejected, signal: 'compare' as const, strength: strengths.compare }];
  });
}

/** The run is not stored here: what stands in the note after the pick, against what was offered. */
function pickWithoutRun(record: LedgerRecord, own: Base): Preference[] {
  const { result, offered } = record.texts;
  if (result === null || result.trim() === offered.trim()) return [];
  const chosen = side(record, { answer: result });
  const rejected = side(record, { answer: offered }, own.run?.best ?? record.iteration);
  return [{ ...own, chosen, rejected, signal: 'pick', strength: strengths.pick }];
}

/** What is left of a suggestion after some of its changes were refused. Void when the block was rejected after all. */
function hunks(
  records: readonly LedgerRecord[],
  settled: ReadonlyMap<string, LedgerRecord>,
  base: BaseOf,
): Preference[] {
  const last = lastOfEachBlock(records, ({ kind }) => kind === 'hunk');
  return [...last.values()].flatMap((record) => {
    const { result, offered, paragraph } = record.texts;
    const end = settled.get(record.block);
    const refused = end !== undefined && refusing.has(end.kind);
    // Later the whole was accepted, perhaps with more changes: that decision says it better.
    const overtaken = end !== undefined && end.id > record.id && accepting.has(end.kind);
    const nothingTaken = result === null || result.trim() === paragraph.trim();
    if (refused || overtaken || nothingTaken || result.trim() === offered.trim()) return [];
    const rejected = side(record, offeredSections(record));
    const chosen = side(record, { ...offeredSections(record), answer: result });
    return [{ ...base(record), chosen, rejected, signal: 'hunk' as const, strength: strengths.hunk }];
  });
}

/** Sections rated up against those rated down, of the same run; the last rating of a section counts. */
function ratings(records: readonly LedgerRecord[], base: BaseOf): Preference[] {
  const rated = new Map<string, { record: LedgerRecord; section: SegmentKind; good: boolean; side: Side }>();
  for (const record of records) {
    const rating = record.kind === 'rate' ? ratingOf(record) : null;
    if (record.kind !== 'rate') continue;
    const section = rating?.section ?? 'answer';
    const key = JSON.stringify([record.run ?? record.block, record.iteration, section]);
    rated.delete(key);
    if (!rating) continue;
    const sections = sectionsOf(base(record).run, record.iteration) ?? offeredSections(record);
    rated.set(key, {
      record,
      section,
      good: rating.good,
      side: side(record, upTo(rating.section, sections)),
    });
  }
  const all = [...rated.values()].filter(({ side: { text } }) => text !== '');
  return all.flatMap((one) => {
    const { record, section, good } = one;
    const shared = { ...base(record), about: section, signal: 'rate' as const, strength: strengths.rate };
    const opposite = all.filter(
      (other) =>
        other.good !== good &&
        other.section === section &&
        (other.record.run ?? other.record.block) === (record.run ?? record.block) &&
        other.side.text !== one.side.text,
    );
    if (opposite.length === 0)
      return [{ ...shared, chosen: good ? one.side : null, rejected: good ? null : one.side }];
    if (!good) return [];
    return opposite.map((other) => {
      const later = record.id > other.record.id ? record : other.record;
      const entries = [record.id, other.record.id].sort();
      return { ...shared, record: later, entries, chosen: one.side, rejected: other.side };
    });
  });
}

/** A completion up to the section that was rated: what comes after it was not. */
function upTo(section: SegmentKind, { thinking, reflection, answer }: Sections): Partial<Sections> {
  if (section === 'thinking') return { thinking };
  if (section === 'reflection') return { thinking, reflection };
  return { thinking, reflection, answer };
}
