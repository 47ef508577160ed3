// The way of one paragraph through the house, the same for every door.
export {
  planDecision,
  recordDecision,
  type DecidableKind,
  type Decision,
  type PlannedDecision,
} from './decide.ts';
export {
  offer,
  reasonInNote,
  runOfBlock,
  type Note,
  type Offer,
  type ReasonRequest,
  type RunOutcome,
  type Services,
} from './reasonInNote.ts';
export { Stores } from './stores.ts';
