// The way of one paragraph through the house, the same for every door.
export {
  planDecision,
  recordDecision,
  type DecidableKind,
  type Decision,
  type PlannedDecision,
} from './decide.ts';
export {
  forget,
  type ForgetRequest,
  type ForgettingAdapters,
  type ForgettingLibrary,
  type Forgotten,
} from './forget.ts';
export { offer, type Offer } from './offer.ts';
export { PairBook, type PageQuery, type PairBookParts, type SearchNotes } from './pairBook.ts';
export { workspacePairs, type PairsRequest, type WorkspacePairs } from './pairs.ts';
export { asPicked, planPick, planRating, recordPick, type Choice, type PlannedPick } from './pick.ts';
export { workspacePrompts } from './prompts.ts';
export {
  reasonInNote,
  runOfBlock,
  type Branch,
  type Grounding,
  type Note,
  type ReasonRequest,
  type RunOutcome,
  type RunSignals,
  type Services,
} from './reasonInNote.ts';
export { Stores, type Learner } from './stores.ts';
