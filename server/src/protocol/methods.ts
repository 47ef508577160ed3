// Every custom request and notification of the language server, declared once.
// docs/lsp-extensions.md has one section per method; a test decodes its examples with these schemas.
import { z } from 'zod';
import { AdaptersState, BlindComparison, RevealedComparison } from './adapters.ts';
import {
  CurationResult,
  PairChoice,
  PairCounts,
  PairDetail,
  PairFilter,
  PairOrder,
  PairPage,
} from './board.ts';
import { EngineStatus, ErrorReport } from './engine.ts';
import { EvidencePlace, GraphSelection, GraphWish } from './graphView.ts';
import { Forgotten, PairsExport, PairsImport } from './keeping.ts';
import { CurationAction, DecisionKind, LedgerRecord, Rating } from './ledger.ts';
import { DownloadProgress, ModelListing } from './models.ts';
import { PairFormat, PairId } from './pairs.ts';
import { QueueEntry, QueueParams, QueuePriority } from './queue.ts';
import {
  BlockId,
  Intent,
  Passage,
  ReasonEvent,
  Run,
  RunId,
  SectionSources,
  StepName,
  UnfinishedRun,
} from './reasoning.ts';
import { Review, ReviewEnd, ReviewParams } from './review.ts';
import { IndexedAnswer, IndexStatus, SearchFilter } from './retrieval.ts';
import { TeachingAction, TeachingEstimate, TeachingStatus } from './teachingWorker.ts';
import { AdapterId } from './training.ts';
import { OffsetRange, Position, ProgressToken, Range, TextDocument } from './text.ts';
import {
  TrainingCursor,
  TrainingPairPlace,
  TrainingPairsPage,
  TrainingRunDetail,
  TrainingRunEntry,
  TrainingRunKey,
} from './trainingRuns.ts';

/** A request: who asks waits for the result, and may cancel. */
export interface RequestMethod<
  P extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
  M extends string = string,
> {
  readonly method: M;
  readonly direction: 'client-to-server';
  readonly params: P;
  readonly result: R;
  /** What streams over `$/progress` under the caller's partial-result token. */
  readonly partial?: z.ZodType;
}

/** A notification: progress and state, never needed to stay correct. */
export interface NotificationMethod<P extends z.ZodType = z.ZodType> {
  readonly method: string;
  readonly direction: 'server-to-client';
  readonly params: P;
}

function request<P extends z.ZodType, R extends z.ZodType, const M extends string>(
  method: M,
  params: P,
  result: R,
  partial?: z.ZodType,
): RequestMethod<P, R, M> {
  return { method, direction: 'client-to-server', params, result, ...(partial && { partial }) };
}

function notification<P extends z.ZodType>(method: string, params: P): NotificationMethod<P> {
  return { method, direction: 'server-to-client', params };
}

/** An annotation block as it stands in a note now. */
export const AnnotationBlock = z.object({
  id: BlockId,
  range: Range,
  offsets: OffsetRange,
  sections: z.array(
    z.object({
      kind: z.enum(['thinking', 'reflection', 'answer']),
      title: z.string(),
      text: z.string(),
      range: Range,
    }),
  ),
  /** `edited`: the answer's text is no longer what the model wrote (null: the run is not known here). */
  edited: z.boolean().nullable(),
});
export type AnnotationBlock = z.infer<typeof AnnotationBlock>;

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

const ofBlock = { textDocument: TextDocument, block: BlockId };

export const DecideParams = z.discriminatedUnion('as', [
  z.object({
    ...ofBlock,
    as: DecisionKind.extract(['accept', 'accept-edited', 'reject']),
    reason: z.string().optional(),
    /** Not on a suggestion that only the history still has: a lens may stand where its block has just gone. */
    onlyInNote: z.boolean().optional(),
  }),
  /** Use this one: the block shows this iteration from now on. */
  z.object({ ...ofBlock, as: z.literal('pick'), iteration: z.int().nonnegative() }),
  z.object({ ...ofBlock, as: z.literal('rate'), iteration: z.int().nonnegative(), rating: Rating }),
]);
export type DecideParams = z.infer<typeof DecideParams>;

export const DecideResult = z.object({
  entry: LedgerRecord,
  /** Set when the ledger of this folder could not be written and the entry waits elsewhere. */
  warning: z.string().nullable(),
});
export type DecideResult = z.infer<typeof DecideResult>;

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

/** A passage with the address of its file; null where its source does not lie in the folder. */
export const LocatedPassage = Passage.extend({ uri: z.string().nullable() });
export type LocatedPassage = z.infer<typeof LocatedPassage>;

/** Passages that were found, the best first. Empty with `nothingRelevant` when no passage is good enough. */
export const FoundPassages = z.object({
  passages: z.array(LocatedPassage),
  nothingRelevant: z.boolean(),
  /** The best cosine similarity that was seen, and the threshold that it was held against. */
  best: z.number().nullable(),
  threshold: z.number(),
});
export type FoundPassages = z.infer<typeof FoundPassages>;

/** The folder that a request is about: the one of this document, else every workspace folder. */
const ofFolder = { textDocument: TextDocument.optional() };

const mostPassages = z.int().min(1).max(100);

export const IndexAction = z.enum(['start', 'pause', 'resume', 'rebuild']);
export type IndexAction = z.infer<typeof IndexAction>;

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
export const decideRequest = request('preflexor/decide', DecideParams, DecideResult);
/** Reviews a suggestion change by change. Nothing of the note changes before `apply`, which is one edit. */
export const reviewRequest = request(
  'preflexor/review',
  ReviewParams,
  z.object({
    /** As it is now; null: it is over. */
    review: Review.nullable(),
    /** Of `apply`: the last line that the ledger got, as of `preflexor/decide`. */
    decision: DecideResult.nullable(),
  }),
);
export const annotationsRequest = request(
  'preflexor/annotations',
  z.object({ textDocument: TextDocument }),
  z.object({ blocks: z.array(AnnotationBlock), problems: z.array(z.string()) }),
);
export const stripRequest = request(
  'preflexor/strip',
  z.object({ textDocument: TextDocument }),
  z.object({ removed: z.int().nonnegative() }),
);
export const compareRequest = request(
  'preflexor/compare',
  z.object({ textDocument: TextDocument, block: BlockId }),
  z.object({ title: z.string(), paragraph: z.string(), answer: z.string() }),
);
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
export const modelsRequest = request(
  'preflexor/models',
  z.object({}),
  z.object({ models: z.array(ModelListing), current: z.string() }),
);
export const getModelRequest = request(
  'preflexor/getModel',
  z.object({
    id: z.string(),
    workDoneToken: ProgressToken.optional(),
    partialResultToken: ProgressToken.optional(),
  }),
  z.object({ model: ModelListing }),
  z.array(DownloadProgress),
);
export const addModelRequest = request(
  'preflexor/addModel',
  z.object({ file: z.string().min(1) }),
  z.object({ model: ModelListing }),
);
/** The key of a model server, kept in memory only. It is sent to servers at this address and to no other. */
export const setKeyRequest = request(
  'preflexor/setKey',
  z.object({
    /** As setting `preflexor.engine.url` has it; what counts is its scheme, host and port. */
    address: z.string().min(1).max(2000),
    /** null: it is forgotten. */
    key: z.string().min(1).max(10_000).nullable(),
  }),
  z.object({}),
);
export const unloadRequest = request('preflexor/unload', z.object({}), z.object({}));
export const statusRequest = request('preflexor/status', z.object({}), EngineStatus);

export const searchRequest = request(
  'preflexor/search',
  z.object({
    ...ofFolder,
    query: z.string().trim().min(1).max(10_000),
    k: mostPassages.optional(),
    filter: SearchFilter.optional(),
  }),
  FoundPassages,
);
/** What the notes and papers say about the paragraph at a position; the note itself is left out. */
export const relatedRequest = request(
  'preflexor/related',
  z.object({ textDocument: TextDocument, position: Position, k: mostPassages.optional() }),
  FoundPassages.extend({
    /** The paragraph; null: there is none at this position, and no passages. */
    paragraph: Range.nullable(),
  }),
);
/** The passages of a run, by its id or by its block, and which section of which iteration each supports. */
export const sourcesRequest = request(
  'preflexor/sources',
  z
    .object({ textDocument: TextDocument, run: RunId.optional(), block: BlockId.optional() })
    .refine(({ run, block }) => (run === undefined) !== (block === undefined), {
      error: 'either run or block names what is asked for',
    }),
  z.object({
    run: RunId,
    block: BlockId,
    passages: z.array(LocatedPassage),
    sections: z.array(SectionSources),
    unknownCitations: z.array(z.string()),
  }),
);
export const indexRequest = request(
  'preflexor/index',
  z.object({ ...ofFolder, action: IndexAction, workDoneToken: ProgressToken.optional() }),
  z.object({ folders: z.array(IndexStatus) }),
);
export const indexStatusRequest = request(
  'preflexor/indexStatus',
  z.object(ofFolder),
  z.object({ folders: z.array(IndexStatus) }),
);
export const whyNotIndexedRequest = request(
  'preflexor/whyNotIndexed',
  z.object({ uri: z.string().min(1) }),
  IndexedAnswer,
);

/** Pairs of a folder, as many as a list shows at once. */
export const pairsRequest = request(
  'preflexor/pairs',
  z.object({
    ...ofFolder,
    filter: PairFilter.optional(),
    order: PairOrder.optional(),
    offset: z.int().nonnegative().optional(),
    limit: z.int().min(0).max(1000).optional(),
    /** Derive them anew: notes may have changed. Without it what was derived last is asked. */
    refresh: z.boolean().optional(),
  }),
  PairPage,
);
export const pairRequest = request('preflexor/pair', z.object({ ...ofFolder, pair: PairId }), PairDetail);
/** Changes pairs: one ledger entry each. */
export const curateRequest = request(
  'preflexor/curate',
  z.object({ ...ofFolder, pairs: PairChoice, action: CurationAction }),
  CurationResult,
);
/** Takes back the last change that is not taken back yet, by entries of its own. */
export const undoCurationRequest = request(
  'preflexor/undoCuration',
  z.object(ofFolder),
  CurationResult.extend({
    /** What was taken back; null: there was nothing. */
    undone: CurationAction.nullable(),
  }),
);

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
/** Writes the folder's pairs, as the writer left them, for another tool. */
export const exportPairsRequest = request(
  'preflexor/exportPairs',
  z.object({
    ...ofFolder,
    /** URI of the file, or of the folder where the format is one. */
    place: z.string().min(1),
    format: PairFormat,
    /** No column but those that the format has. */
    strict: z.boolean().optional(),
  }),
  PairsExport,
);
export const importPairsRequest = request(
  'preflexor/importPairs',
  z.object({ ...ofFolder, place: z.string().min(1) }),
  PairsImport,
);
/** Takes back what is known of a note, or of all notes of its folder. It cannot be undone. */
export const forgetRequest = request(
  'preflexor/forget',
  z.object({ ...ofFolder, all: z.boolean() }),
  Forgotten,
);

/** A part of the knowledge graph; with a position, what is near the paragraph there. */
export const graphRequest = request(
  'preflexor/graph',
  z.object({ ...ofFolder, position: Position.optional(), wish: GraphWish }),
  GraphSelection,
);
/** Where the links of a node can be read. */
export const graphEvidenceRequest = request(
  'preflexor/graphEvidence',
  z.object({ ...ofFolder, node: z.string().max(1000) }),
  z.object({ places: z.array(EvidencePlace) }),
);
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
export const adaptersRequest = request('preflexor/adapters', z.object({}), AdaptersState);
/** Puts an adapter into use on its model, from the next run on; null: the model is to run without. */
export const useAdapterRequest = request(
  'preflexor/useAdapter',
  z.object({ adapter: AdapterId.nullable() }),
  AdaptersState,
);
/** Puts what was in use before into use again. */
export const rollBackAdapterRequest = request('preflexor/rollBackAdapter', z.object({}), AdaptersState);
/** Has the paragraph at a position answered with an adapter and with what is in use, in an order that chance gives. */
export const compareAdaptersRequest = request(
  'preflexor/compareAdapters',
  z.object({
    textDocument: TextDocument,
    position: Position,
    adapter: AdapterId.nullable(),
    seed: z.int().nonnegative().optional(),
    workDoneToken: ProgressToken.optional(),
  }),
  BlindComparison,
);
/** What the writer thinks of a comparison: it becomes a preference pair, and is revealed. */
export const judgeComparisonRequest = request(
  'preflexor/judgeComparison',
  z.object({
    comparison: BlindComparison.shape.id,
    better: z.enum(['first', 'second', 'neither']),
  }),
  RevealedComparison,
);

export const statusNotification = notification('preflexor/didChangeStatus', EngineStatus);
export const blockInsertedNotification = notification(
  'preflexor/didInsertBlock',
  z.object({ uri: z.string(), block: BlockId, range: Range }),
);
export const reviewNotification = notification(
  'preflexor/didChangeReview',
  z.object({
    uri: z.string(),
    /** null: it is over. */
    review: Review.nullable(),
    /** How it ended; null while it goes on. */
    ended: ReviewEnd.nullable(),
  }),
);
export const queueNotification = notification(
  'preflexor/didChangeQueue',
  /** What goes on, then what waits, in the order of their turns. */
  z.object({ entries: z.array(QueueEntry) }),
);
export const indexNotification = notification('preflexor/didChangeIndex', IndexStatus);

/** Decisions or curations changed a folder's pairs, or their checks are done. */
export const pairsNotification = notification(
  'preflexor/didChangePairs',
  z.object({ folder: z.string(), counts: PairCounts }),
);

/** Teaching began, got on, or ended, in this window or another: the last state of it, at most a few times a second. */
export const teachingNotification = notification('preflexor/didChangeTeaching', TeachingStatus);

export const requests = [
  reasonRequest,
  reasonManyRequest,
  queueRequest,
  decideRequest,
  reviewRequest,
  annotationsRequest,
  stripRequest,
  compareRequest,
  runsRequest,
  runRequest,
  unfinishedRunRequest,
  deleteRunRequest,
  answerNowRequest,
  stopRequest,
  modelsRequest,
  getModelRequest,
  addModelRequest,
  setKeyRequest,
  unloadRequest,
  statusRequest,
  searchRequest,
  relatedRequest,
  sourcesRequest,
  indexRequest,
  indexStatusRequest,
  whyNotIndexedRequest,
  pairsRequest,
  pairRequest,
  curateRequest,
  undoCurationRequest,
  trainingRunsRequest,
  trainingRunRequest,
  trainingPairsRequest,
  trainingPairRequest,
  graphRequest,
  graphEvidenceRequest,
  exportPairsRequest,
  importPairsRequest,
  forgetRequest,
  teachRequest,
  teachingStatusRequest,
  teachingEstimateRequest,
  adaptersRequest,
  useAdapterRequest,
  rollBackAdapterRequest,
  compareAdaptersRequest,
  judgeComparisonRequest,
] as const;

export const notifications = [
  statusNotification,
  blockInsertedNotification,
  reviewNotification,
  queueNotification,
  indexNotification,
  pairsNotification,
  teachingNotification,
] as const;
