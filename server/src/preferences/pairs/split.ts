// Which pairs are held out. Decided for a subject as a whole by the note and the time of its first decision, never
// pair by pair: texts of one paragraph would otherwise stand on both sides. The same history gives the same split,
// and a note that was trained on never becomes held out by notes that come to it.
import { createHash } from 'node:crypto';
import type { LedgerRecord, PairSplit } from '../../protocol/index.ts';

export interface SplitRule {
  /** Share of the notes that are held out, 0 to 1. */
  readonly share: number;
  /** ISO time: subjects that were first decided on at or after it are held out too. null: none for their time. */
  readonly since: string | null;
}

export const defaultSplit: SplitRule = { share: 0.1, since: null };

export function splitOf(first: Pick<LedgerRecord, 'note' | 'time'>, { share, since }: SplitRule): PairSplit {
  if (since !== null && Date.parse(first.time) >= Date.parse(since)) return 'held-out';
  const digest = createHash('sha256').update(`split:${first.note.path}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32 < share ? 'held-out' : 'train';
}
