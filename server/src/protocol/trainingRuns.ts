// Runs of training as the Training view shows them: which there are, their curves, what was watched, said and fed in.
// All of it is read off the files that a run leaves. Must not import anything that runs.
import { z } from 'zod';
import { GateVerdict } from './gate.ts';
import { PairId, PairSignal, PairSplit } from './pairs.ts';
import { WatchFinding } from './teaching.ts';
import { Range } from './text.ts';
import { PreparedCounts } from './training.ts';

/** The run's folder, relative to the workspace folder, with forward slashes. */
export const TrainingRunKey = z.string().min(1).max(1000);
export type TrainingRunKey = z.infer<typeof TrainingRunKey>;

export const TrainingRunState = z.enum([
  'running',
  /** It makes way for generation. */
  'paused',
  'finished',
  /** It ended early on request, with an adapter. */
  'stopped',
  'failed',
  /** Nobody works on it, and it can be gone on with. */
  'broken-off',
]);
export type TrainingRunState = z.infer<typeof TrainingRunState>;

/** One line of the list of runs. */
export const TrainingRunEntry = z.object({
  run: TrainingRunKey,
  /** `teach`: data, both phases and the gate; `train`: one training on a pairs file. */
  kind: z.enum(['teach', 'train']),
  /** When it began. */
  time: z.iso.datetime(),
  model: z.string(),
  state: TrainingRunState,
  /** Whether its adapter is offered; null: that is not known (yet). */
  offered: z.boolean().nullable(),
});
export type TrainingRunEntry = z.infer<typeof TrainingRunEntry>;

const Figure = z.number().nullable();

/** Columns of the same length: the same place in each is the same step. null: not measured, or not finite. */
export const CurveColumns = z.object({
  step: z.array(z.int().nonnegative()),
  margin: z.array(Figure),
  loss: z.array(Figure),
  accuracy: z.array(Figure),
  chosen: z.array(Figure),
  rejected: z.array(Figure),
});
export type CurveColumns = z.infer<typeof CurveColumns>;

/** Which steps of a part are known already. */
export const TrainingCursor = z.object({
  part: z.string().max(40),
  epoch: z.int().nonnegative(),
  steps: z.int().nonnegative(),
});
export type TrainingCursor = z.infer<typeof TrainingCursor>;

/** One curve of a run: a phase of `teach`, with the steps of its refreshes counted through, or a whole training. */
export const TrainingPart = z.object({
  part: z.string().max(40),
  phase: z.union([z.literal(1), z.literal(2)]).nullable(),
  /** Changes when steps that were told are no longer so: a run was gone on with from an earlier checkpoint. */
  epoch: z.int().nonnegative(),
  /** How many steps come before those in `trained`, which are known by the cursor. */
  from: z.int().nonnegative(),
  trained: CurveColumns,
  /** Looks at the held-out pairs, always all. */
  heldout: CurveColumns,
  /** Optimizer steps that are planned, as far as that is known. */
  planned: z.int().nonnegative().nullable(),
  secondsRemaining: z.number().nullable(),
});
export type TrainingPart = z.infer<typeof TrainingPart>;

/** A finding of the watch list, with the refresh of the data that it is about. */
export const WatchEntry = WatchFinding.extend({ refresh: z.int().positive().nullable() });
export type WatchEntry = z.infer<typeof WatchEntry>;

export const TrainingLogEntry = z.object({
  part: z.string().max(40),
  refresh: z.int().positive().nullable(),
  event: z.enum(['begun', 'held-out', 'saved', 'paused', 'resumed', 'warning', 'done', 'failed']),
  step: z.int().nonnegative().nullable(),
  /** In a sentence. */
  says: z.string(),
});
export type TrainingLogEntry = z.infer<typeof TrainingLogEntry>;

/** What went into a part, refresh by refresh. */
export const TrainingData = z.object({
  part: z.string().max(40),
  refresh: z.int().positive().nullable(),
  pairs: PreparedCounts,
  heldout: PreparedCounts.nullable(),
  /** Whether the pairs themselves can be shown: only their ids are kept where they came from elsewhere. */
  listed: z.boolean(),
});
export type TrainingData = z.infer<typeof TrainingData>;

/** The same question before a phase and after it. */
export const SampleComparison = z.object({
  question: z.string(),
  note: z.string(),
  before: z.string(),
  after: z.string(),
});
export type SampleComparison = z.infer<typeof SampleComparison>;

export const TrainingRunDetail = z.object({
  entry: TrainingRunEntry,
  parts: z.array(TrainingPart),
  watch: z.array(WatchEntry),
  /** Of each phase; null: it was not asked (yet). */
  gates: z.array(GateVerdict),
  /** What it came to, in sentences; null: it goes on. */
  why: z.string().nullable(),
  /** The last lines. */
  log: z.array(TrainingLogEntry),
  data: z.array(TrainingData),
  /** What the model answered before phase I, and after it. */
  samples: z.array(SampleComparison),
});
export type TrainingRunDetail = z.infer<typeof TrainingRunDetail>;

/** A pair that was trained on. */
export const TrainingPairRow = z.object({
  /** Line of the pairs file. */
  line: z.int().positive(),
  /** null: the file does not say. */
  pair: PairId.nullable(),
  signal: PairSignal.nullable(),
  split: PairSplit.nullable(),
  note: z.string().nullable(),
  /** First words. */
  question: z.string(),
  chosen: z.string(),
  rejected: z.string(),
});
export type TrainingPairRow = z.infer<typeof TrainingPairRow>;

export const TrainingPairsPage = z.object({
  matching: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  rows: z.array(TrainingPairRow),
});
export type TrainingPairsPage = z.infer<typeof TrainingPairsPage>;

/** Where a pair that was trained on is to be seen now. */
export const TrainingPairPlace = z.object({
  /** Words that find it on the curation board; null: it was generated, and is not there. */
  board: z.string().nullable(),
  /** Where in the notes it came from; null: not known, or gone. */
  place: z.object({ uri: z.string(), range: Range }).nullable(),
});
export type TrainingPairPlace = z.infer<typeof TrainingPairPlace>;
