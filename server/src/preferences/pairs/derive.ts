// Derives preference pairs from all of a ledger and its runs. Pure: the same history gives the same pairs, however
// often and on whichever machine; nothing derived is stored.
import { createHash } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import { throwIfCancelled } from '../../errors.ts';
import type { LedgerRecord, PairMessage, PreferencePair, Run } from '../../protocol/index.ts';
import { passagesOf, promptOf } from './completion.ts';
import { consistent } from './consistent.ts';
import { preferencesOf } from './decisions.ts';
import type { Preference } from './preference.ts';
import { settledText, type PresentNote, type Settled } from './settled.ts';
import { splitOf, type SplitRule } from './split.ts';

export interface History {
  readonly records: readonly LedgerRecord[];
  /** By id; runs that are not here cost what only they know (iterations that were not offered, passages). */
  readonly runs: ReadonlyMap<string, Run>;
  /** By path in the workspace; a note that is not here is taken to be as it was, with recording on. */
  readonly notes: ReadonlyMap<string, PresentNote>;
}

export interface DeriveOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How long a note must have been left alone before its text counts as settled. */
  readonly quietMs: number;
  readonly split: SplitRule;
}

export const defaultQuietMs = 10 * 60_000;
const subjectsAtOnce = 200;
/** Kinds that say nothing of which text is better. */
const passedOver: ReadonlySet<LedgerRecord['kind']> = new Set(['forget', 'curate', 'offer']);

/**
 * All pairs of a history, in the order of the decisions. Breathes between subjects.
 * @throws PreflexorError `cancelled`
 */
export async function derivePairs(
  history: History,
  options: DeriveOptions,
  signal: AbortSignal,
): Promise<PreferencePair[]> {
  const records = [...new Map(history.records.map((record) => [record.id, record])).values()]
    .filter(({ kind, recording }) => recording !== 'off' && !passedOver.has(kind))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const settled = settledOf(history, options, records);
  const found: Preference[] = [];
  const subjects = Map.groupBy(records, subjectOf);
  let at = 0;
  for (const [subject, own] of subjects) {
    found.push(...preferencesOf(subject, own, { runs: history.runs, settled }));
    if ((at += 1) % subjectsAtOnce === 0) await breathe();
    throwIfCancelled(signal);
  }
  found.sort((a, b) => (a.record.id < b.record.id ? -1 : a.record.id > b.record.id ? 1 : 0));
  const agreed = consistent(
    consistent(found, ({ subject }) => subject),
    (one) => hash([promptOfPreference(one)]),
  );
  throwIfCancelled(signal);
  return withoutTwins(
    agreed.map((one) => pairOf(one, subjects.get(one.subject)?.[0] ?? one.record, history, options)),
  );
}

/** The id of a pair's content. */
export function pairId(pair: Pick<PreferencePair, 'prompt' | 'chosen' | 'rejected' | 'about'>): string {
  const prompt = pair.prompt.map(({ role, content }) => [role, content]);
  return hash([prompt, pair.chosen, pair.rejected, pair.about]);
}

function hash(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);
}

/** Decisions on the same question about the same paragraph belong together, whichever block they were made on. */
function subjectOf({ texts: { question, paragraph }, block }: LedgerRecord): string {
  return question === '' && paragraph === '' ? hash([block]) : hash([question, paragraph]);
}

function settledOf(
  { notes }: History,
  { now, quietMs }: DeriveOptions,
  records: readonly LedgerRecord[],
): (record: LedgerRecord) => Settled {
  const byNote = Map.groupBy(records, ({ note }) => note.path);
  // The last time that each text was a paragraph that was asked about.
  const asked = new Map(records.map(({ id, texts }) => [texts.paragraph.trim(), id]));
  return (record) => {
    const note = notes.get(record.note.path);
    const { result, offered, paragraph } = record.texts;
    if (!note || now - note.modified < quietMs) return { state: 'unknown' };
    const accepted = result ?? offered;
    // It was the paragraph of a later question: what stands there now came of that.
    if ((asked.get(accepted.trim()) ?? '') > record.id) return { state: 'unknown' };
    return settledText(note, accepted, () => {
      const others = (byNote.get(record.note.path) ?? [])
        .filter(({ block, texts }) => block !== record.block && (texts.result ?? '') !== accepted)
        .flatMap(({ texts }) => [texts.paragraph, texts.offered, texts.result ?? '']);
      return [...new Set([paragraph, ...others])].filter((text) => text.trim() !== '');
    });
  };
}

function promptOfPreference({ record, run }: Preference): PairMessage[] {
  return promptOf(record.texts, record.provenance?.prompt ?? run?.provenance.prompt ?? null, run);
}

function pairOf(
  one: Preference,
  first: LedgerRecord,
  { notes }: History,
  { split }: DeriveOptions,
): PreferencePair {
  const { record, run, chosen, rejected, about, signal, strength, settled, reason } = one;
  const content = {
    prompt: promptOfPreference(one),
    chosen: chosen?.text ?? null,
    rejected: rejected?.text ?? null,
    about,
  };
  const recording = notes.get(record.note.path)?.recording ?? true;
  const provenance = record.provenance ?? run?.provenance ?? null;
  return {
    ...{ schema: 1, id: pairId(content), time: record.time, signal, strength, ...content },
    wants: signal === 'accept' ? 'rejected' : null,
    spans: { chosen: [...(chosen?.spans ?? [])], rejected: [...(rejected?.spans ?? [])] },
    passages: passagesOf(run),
    note: record.note,
    entries: [...one.entries],
    runs: { chosen: chosen?.run ?? null, rejected: rejected?.run ?? null },
    iterations: { chosen: chosen?.iteration ?? null, rejected: rejected?.iteration ?? null },
    ...{ settled, reason, provenance: provenance && withoutPrompt(provenance) },
    split: splitOf(first, split),
    consent: recording ? 'given' : 'withdrawn',
  };
}

function withoutPrompt({ prompt: _prompt, ...rest }: Run['provenance']): Omit<Run['provenance'], 'prompt'> {
  return rest;
}

/** The same content derived twice is one pair: the stronger, with the lines of both. */
function withoutTwins(pairs: readonly PreferencePair[]): PreferencePair[] {
  const found = new Map<string, PreferencePair>();
  for (const pair of pairs) {
    const known = found.get(pair.id);
    const stronger = known && known.strength > pair.strength ? known : pair;
    const entries = [...new Set([...(known?.entries ?? []), ...pair.entries])].sort();
    found.set(pair.id, known ? { ...stronger, entries } : pair);
  }
  return [...found.values()];
}
