// The way of one paragraph through the house, the same for every door.
export { anchorTexts, type AnchorRequest, type AnchorTexts } from './anchorTexts.ts';
export { comparisonEntry } from './compare.ts';
export { workspaceCorpus, type CorpusLibrary } from './corpus.ts';
export {
  planDecision,
  recordDecision,
  recordDecisions,
  type DecidableKind,
  type Decision,
  type PlannedDecision,
} from './decide.ts';
export { exportTo, importFrom, type ExportRequest } from './exchange.ts';
export { drawRejected, type DrawOptions } from './drawRejected.ts';
export { forget, type ForgetRequest, type ForgettingAdapters, type ForgettingLibrary } from './forget.ts';
export {
  beginReview,
  decideHunk,
  decideRest,
  followNote,
  goFrom,
  hunkAt,
  planReview,
  type HunkReview,
  type PlannedReview,
} from './hunkReview.ts';
export { adapterForNote } from './noteAdapter.ts';
export { offer, type Offer } from './offer.ts';
export { PairBook, type PageQuery, type PairBookParts, type SearchNotes } from './pairBook.ts';
export { workspacePairs, type PairsRequest, type WorkspacePairs } from './pairs.ts';
export { asPicked, planPick, planRating, recordPick, type Choice, type PlannedPick } from './pick.ts';
export { allAsRecorded } from './recording.ts';
export { workspacePrompts } from './prompts.ts';
export {
  reasonInNote,
  reasonUnkept,
  runOfBlock,
  type Branch,
  type Grounding,
  type Note,
  type ReasonRequest,
  type RunOutcome,
  type RunSignals,
  type Services,
} from './reasonInNote.ts';
export { RunQueue, type IsReady, type QueuedRun } from './runQueue.ts';
export { Stores, type Learner } from './stores.ts';
