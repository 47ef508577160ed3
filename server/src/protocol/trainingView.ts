// Messages between the client and the Training view. The view asks, again and again while a run goes on.
import { z } from 'zod';
import {
  TrainingCursor,
  TrainingPairsPage,
  TrainingRunDetail,
  TrainingRunEntry,
  TrainingRunKey,
} from './trainingRuns.ts';

export const TrainingToView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('runs'), folder: z.string(), runs: z.array(TrainingRunEntry) }),
  z.object({ type: z.literal('run'), detail: TrainingRunDetail }),
  z.object({ type: z.literal('pairs'), run: TrainingRunKey, part: z.string(), page: TrainingPairsPage }),
  z.object({ type: z.literal('said'), message: z.string() }),
]);
export type TrainingToView = z.infer<typeof TrainingToView>;

/** What a picture or table of the curves is saved as. */
export const CurvesFormat = z.enum(['svg', 'png', 'csv']);
export type CurvesFormat = z.infer<typeof CurvesFormat>;

const part = z.string().max(40);

export const TrainingFromView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('didAskRuns') }),
  z.object({ type: z.literal('didAskRun'), run: TrainingRunKey, known: z.array(TrainingCursor).max(10) }),
  z.object({
    type: z.literal('didAskPairs'),
    run: TrainingRunKey,
    part,
    offset: z.int().nonnegative(),
    limit: z.int().min(1).max(1000),
  }),
  /** Go to the board or to the note. */
  z.object({ type: z.literal('didPressPair'), run: TrainingRunKey, part, line: z.int().positive() }),
  z.object({
    type: z.literal('didExport'),
    format: CurvesFormat,
    /** Of the file, without its ending. */
    name: z.string().min(1).max(200),
    data: z.instanceof(Uint8Array),
  }),
  z.object({ type: z.literal('didFail'), message: z.string().max(4000) }),
]);
export type TrainingFromView = z.infer<typeof TrainingFromView>;
