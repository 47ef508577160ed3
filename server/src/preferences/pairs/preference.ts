// A preference while it is being derived: two sides with where they came from, before it has an id and a split.
import type { LedgerRecord, PairMeta, PairSignal, PairSpan, Run } from '../../protocol/index.ts';
import { completionOf, type Sections } from './completion.ts';

export interface Side {
  readonly text: string;
  readonly spans: readonly PairSpan[];
  readonly run: string | null;
  readonly iteration: number | null;
}

export interface Preference {
  /** The question and the paragraph that all decisions on one place share. */
  readonly subject: string;
  /** The decision that it follows from: the later one, where there are two. */
  readonly record: LedgerRecord;
  /** The run whose prompt both sides are held to answer. */
  readonly run: Run | null;
  readonly chosen: Side | null;
  readonly rejected: Side | null;
  readonly about: PairMeta['about'];
  readonly signal: PairSignal;
  readonly strength: number;
  readonly entries: readonly string[];
  readonly settled: PairMeta['settled'];
  readonly reason: string | null;
}

/**
 * How far each signal is to be trusted. What the writer wrote or chose with both texts in view counts most; a lone
 * click, which may be haste, least. The order is a judgement, no measurement.
 */
export const strengths: Readonly<Record<PairSignal, number>> = {
  edit: 1,
  pick: 1,
  compare: 1,
  settled: 0.9,
  hunk: 0.9,
  regenerate: 0.8,
  rate: 0.7,
  accept: 0.5,
  reject: 0.5,
  generated: 0.5,
  imported: 0.5,
};

/** A reason in the writer's own words shows that a rejection was meant. */
export const strengthWithReason = 0.7;

export function sideOf(sections: Partial<Sections>, run: string | null, iteration: number | null): Side {
  return { ...completionOf(sections), run, iteration };
}
