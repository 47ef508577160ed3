// The way of one paragraph through the house, the same for every door.
export {
  planDecision,
  recordDecision,
  type DecidableKind,
  type Decision,
  type PlannedDecision,
} from './decide.ts';
export { offer, type Offer } from './offer.ts';
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
export { Stores } from './stores.ts';
