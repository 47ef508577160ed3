// Teaching in the background, and the training runs that came of it.
import { z } from 'zod';
import { TeachingAction, TeachingEstimate, TeachingStatus } from '../teachingWorker.ts';
import {
  TrainingCursor,
  TrainingPairPlace,
  TrainingPairsPage,
  TrainingRunDetail,
  TrainingRunEntry,
  TrainingRunKey,
} from '../trainingRuns.ts';
import { notification, ofFolder, request } from './kinds.ts';

/** Begins, pauses, resumes or cancels teaching from a folder; the answer comes when that is done. */
export const teachRequest = request(
  'preflexor/teach',
  z.object({ ...ofFolder, action: TeachingAction }),
  TeachingStatus,
);

export const teachingStatusRequest = request('preflexor/teachingStatus', z.object({}), TeachingStatus);

/** What a run would take; trains nothing. */
export const teachingEstimateRequest = request(
  'preflexor/teachingEstimate',
  z.object(ofFolder),
  TeachingEstimate,
);

/** Teaching began, got on, or ended, in this window or another: the last state of it, at most a few times a second. */
export const teachingNotification = notification('preflexor/didChangeTeaching', TeachingStatus);

/** Training runs of a folder, those of other processes too: they are found by their files. The newest first. */
export const trainingRunsRequest = request(
  'preflexor/trainingRuns',
  z.object(ofFolder),
  z.object({ folder: z.string(), runs: z.array(TrainingRunEntry) }),
);

/** One run with its curves; `known` says which of its steps need not be told again. */
export const trainingRunRequest = request(
  'preflexor/trainingRun',
  z.object({ ...ofFolder, run: TrainingRunKey, known: z.array(TrainingCursor).max(10).optional() }),
  TrainingRunDetail,
);

export const trainingPairsRequest = request(
  'preflexor/trainingPairs',
  z.object({
    ...ofFolder,
    run: TrainingRunKey,
    part: z.string().max(40),
    offset: z.int().nonnegative(),
    limit: z.int().min(0).max(1000),
  }),
  TrainingPairsPage,
);

export const trainingPairRequest = request(
  'preflexor/trainingPair',
  z.object({ ...ofFolder, run: TrainingRunKey, part: z.string().max(40), line: z.int().positive() }),
  TrainingPairPlace,
);
