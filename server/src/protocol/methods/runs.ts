// Reasoning about paragraphs: runs that begin, wait, stop and are kept.
import { z } from 'zod';
import { ErrorReport } from '../engine.ts';
import { DecisionKind, Rating } from '../ledger.ts';
import { QueueEntry, QueueParams, QueuePriority } from '../queue.ts';
import { BlockId, Intent, ReasonEvent, Run, RunId, StepName, UnfinishedRun } from '../reasoning.ts';
import { Position, ProgressToken, Range, TextDocument } from '../text.ts';
import { notification, request } from './kinds.ts';

/** How a finished run came to the writer. */
export const Placement = z.enum([
  /** Inserted below the paragraph. */
  'inserted',
  /** The paragraph was changed beyond recognition or is gone: kept in the sidebar only. */
  'sidebar',
  /** Setting `preflexor.annotations.storage` is `sidecar`. */
  'sidecar',
]);

export const ReasonParams = z.object({
  textDocument: TextDocument,
  /** Where the cursor is. Left out when `replaces` names the block whose paragraph it is. */
  position: Position.optional(),
  /** Replaces the question that the intent would ask. */
  question: z.string().min(1).optional(),
  intent: Intent.optional(),
  seed: z.int().nonnegative().optional(),
  /** Rounds after the draft; left out, as the settings say. */
  iterations: z.int().min(0).max(20).optional(),
  /** An unfinished run to go on with, in place of a position. */
  resume: RunId.optional(),
  /** A run whose steps before this one are kept; from there on it is written anew. */
  branch: z.object({ run: RunId, iteration: z.int().nonnegative(), step: StepName }).optional(),
  /** Regenerate: the block to be replaced, decided as `regenerate`. */
  replaces: BlockId.optional(),
  workDoneToken: ProgressToken.optional(),
  partialResultToken: ProgressToken.optional(),
});
export type ReasonParams = z.infer<typeof ReasonParams>;

export const ReasonResult = z.object({
  run: Run,
  placement: Placement,
  /** Why the block did not go into the note. */
  reason: z.string().nullable(),
});
export type ReasonResult = z.infer<typeof ReasonResult>;

/** The paragraphs of a section or of a whole note, each in a run of its own. */
export const ReasonManyParams = z.object({
  textDocument: TextDocument,
  scope: QueuePriority.exclude(['paragraph']),
  /** Where the cursor is: needed for a section. */
  position: Position.optional(),
  question: z.string().min(1).optional(),
  intent: Intent.optional(),
  seed: z.int().nonnegative().optional(),
  iterations: z.int().min(0).max(20).optional(),
  workDoneToken: ProgressToken.optional(),
  partialResultToken: ProgressToken.optional(),
});
export type ReasonManyParams = z.infer<typeof ReasonManyParams>;

const ofEntry = { entry: z.string().min(1) };

/** What happens to one run of several, by its place in the queue. */
export const QueuedStep = z.discriminatedUnion('step', [
  z.object({ step: z.literal('event'), ...ofEntry, event: ReasonEvent }),
  z.object({ step: z.literal('placed'), ...ofEntry, result: ReasonResult }),
  z.object({ step: z.literal('failed'), ...ofEntry, failure: ErrorReport }),
  z.object({ step: z.literal('stopped'), ...ofEntry }),
]);
export type QueuedStep = z.infer<typeof QueuedStep>;

export const reasonRequest = request('preflexor/reason', ReasonParams, ReasonResult, z.array(ReasonEvent));

export const reasonManyRequest = request(
  'preflexor/reasonMany',
  ReasonManyParams,
  z.object({
    queued: z.int().positive(),
    /** Paragraphs that have a suggestion already, or wait for one. */
    skipped: z.int().nonnegative(),
    finished: z.int().nonnegative(),
    stopped: z.int().nonnegative(),
    failures: z.array(ErrorReport),
  }),
  z.array(QueuedStep),
);

export const queueRequest = request(
  'preflexor/queue',
  QueueParams,
  z.object({
    entries: z.array(QueueEntry),
    /** Of `find`; null: it is not there any more, or its note is closed. */
    place: z.object({ uri: z.string(), range: Range }).nullable(),
  }),
);

/** Ends the thinking of a run that goes on: it answers with what it has, and no more rounds follow. */
export const answerNowRequest = request(
  'preflexor/answerNow',
  z.object({ run: RunId }),
  /** false: this run does not go on (any more). */
  z.object({ hurried: z.boolean() }),
);

/** Stops every run and download of this server; their requests end as cancelled. */
export const stopRequest = request(
  'preflexor/stop',
  z.object({}),
  z.object({ stopped: z.int().nonnegative() }),
);

export const RunSummary = z.object({
  id: RunId,
  block: BlockId,
  time: z.iso.datetime(),
  question: z.string(),
  /** 0: it was stopped before its draft was done. */
  iterations: z.int().nonnegative(),
  /** The last decision on its block. */
  decision: DecisionKind.nullable(),
});
export type RunSummary = z.infer<typeof RunSummary>;

/** A run that was cut off or stopped, as lists show it. */
export const UnfinishedSummary = z.object({
  id: RunId,
  block: BlockId,
  time: z.iso.datetime(),
  question: z.string(),
  /** Finished steps: from there it can be gone on with. */
  steps: z.int().nonnegative(),
});
export type UnfinishedSummary = z.infer<typeof UnfinishedSummary>;

/** What the writer thinks of one section of a run. */
export const SectionRating = Rating.extend({ iteration: z.int().nonnegative() });
export type SectionRating = z.infer<typeof SectionRating>;

export const runsRequest = request(
  'preflexor/runs',
  z.object({ textDocument: TextDocument }),
  z.object({ runs: z.array(RunSummary), unfinished: z.array(UnfinishedSummary) }),
);

export const runRequest = request(
  'preflexor/run',
  z.object({ textDocument: TextDocument, run: RunId }),
  /** The last rating of each section. */
  z.object({ run: Run, ratings: z.array(SectionRating) }),
);

export const unfinishedRunRequest = request(
  'preflexor/unfinishedRun',
  z.object({ textDocument: TextDocument, run: RunId }),
  z.object({ run: UnfinishedRun }),
);

export const deleteRunRequest = request(
  'preflexor/deleteRun',
  z.object({ textDocument: TextDocument, run: RunId }),
  /** false: there was none. */
  z.object({ deleted: z.boolean() }),
);

export const blockInsertedNotification = notification(
  'preflexor/didInsertBlock',
  z.object({ uri: z.string(), block: BlockId, range: Range }),
);

export const queueNotification = notification(
  'preflexor/didChangeQueue',
  /** What goes on, then what waits, in the order of their turns. */
  z.object({ entries: z.array(QueueEntry) }),
);
