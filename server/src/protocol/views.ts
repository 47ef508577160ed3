// Messages between the client and its webviews. A view may be hidden and miss messages, so what it shows
// comes as whole snapshots; the server owns the data, the view only selection and scroll place.
import { z } from 'zod';
import { CurationResult, PairChoice, PairDetail, PairFilter, PairOrder, PairPage } from './board.ts';
import { CurationAction, DecisionKind, Rating } from './ledger.ts';
import { Placement, SectionRating } from './methods/runs.ts';
import { PairId } from './pairs.ts';
import {
  Iteration,
  RunId,
  SegmentKind,
  SegmentProblem,
  StoppedBecause,
  StreamKind,
  TokenCounts,
} from './reasoning.ts';

export const RunState = z.enum(['waiting', 'running', 'finished', 'stopped', 'failed']);
export type RunState = z.infer<typeof RunState>;

/** One section of an iteration while it is being written, or after. */
export const SectionSnapshot = z.object({
  kind: StreamKind,
  text: z.string(),
  done: z.boolean(),
  problems: z.array(SegmentProblem),
  /** How long it took, or has taken until this snapshot. null: not known (a run read from disk). */
  seconds: z.number().nonnegative().nullable(),
  /** Known when the iteration is finished. */
  tokens: z.int().nonnegative().nullable(),
  /** What its step cost, where that is known. */
  counts: TokenCounts.nullable(),
});
export type SectionSnapshot = z.infer<typeof SectionSnapshot>;

export const IterationSnapshot = z.object({
  index: z.int().nonnegative(),
  sections: z.array(SectionSnapshot),
  /** Set when it is finished. */
  facts: Iteration.pick({
    score: true,
    rubrics: true,
    signals: true,
    tokens: true,
    seconds: true,
    feedback: true,
  }).nullable(),
});
export type IterationSnapshot = z.infer<typeof IterationSnapshot>;

/** What the writer can do about a failure, as a button. */
export const RemedyAction = z.enum(['retry', 'chooseModel', 'save', 'showLog', 'reload']);
export type RemedyAction = z.infer<typeof RemedyAction>;

export const FailureSnapshot = z.object({
  message: z.string(),
  remedy: z.string().nullable(),
  actions: z.array(RemedyAction),
});
export type FailureSnapshot = z.infer<typeof FailureSnapshot>;

/** A passage that a section agrees with. A press on it opens its file. */
export const SourceSnapshot = z.object({
  /** Id of one of the run's passages. */
  id: z.string(),
  name: z.string(),
  /** The section's sentence that it stands behind. */
  sentence: z.string(),
});
export type SourceSnapshot = z.infer<typeof SourceSnapshot>;

/** The run that the Iterations view shows. */
export const RunSnapshot = z.object({
  /** The client's name for it, the same from the moment it is asked for: before there is a run id. */
  key: z.string(),
  run: RunId.nullable(),
  question: z.string(),
  paragraph: z.string(),
  state: RunState,
  /** What it waits for, or why its suggestion is not in the note. */
  message: z.string().nullable(),
  /** Share of what it waits for that is done, 0 to 1. */
  fraction: z.number().min(0).max(1).nullable(),
  failure: FailureSnapshot.nullable(),
  iterations: z.array(IterationSnapshot),
  /** The iteration that was picked. */
  best: z.int().nonnegative().nullable(),
  /** The integrated text, where it is not simply the picked iteration's answer. */
  final: z.string().nullable(),
  placement: Placement.nullable(),
  /** The last decision of the writer. */
  decision: DecisionKind.nullable(),
  model: z.string().nullable(),
  seconds: z.number().nonnegative().nullable(),
  /** Works that the model cited and no bibliography knows. */
  unknownCitations: z.array(z.string()),
  /** The iteration that the writer chose in place of the best. */
  picked: z.int().nonnegative().nullable(),
  /** Why it ended; null while it goes on. */
  ended: StoppedBecause.nullable(),
  /** What did not fit into the model's context, each in a sentence. */
  omitted: z.array(z.string()),
  nothingRelevant: z.boolean(),
  sources: z.array(
    z.object({
      iteration: z.int().nonnegative(),
      kind: SegmentKind,
      passages: z.array(SourceSnapshot),
    }),
  ),
  ratings: z.array(SectionRating),
  /** It was stopped or cut off, and can be gone on with. */
  resumable: z.boolean(),
});
export type RunSnapshot = z.infer<typeof RunSnapshot>;

/** One line of the list of a note's runs, newest first. */
export const RunEntry = z.object({
  key: z.string(),
  question: z.string(),
  time: z.iso.datetime(),
  state: RunState,
  decision: DecisionKind.nullable(),
  /** It was stopped or cut off, and can be gone on with. */
  resumable: z.boolean(),
});
export type RunEntry = z.infer<typeof RunEntry>;

export const IterationsToView = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    /** The note's name; null: no markdown note is open. */
    note: z.string().nullable(),
    current: RunSnapshot.nullable(),
    entries: z.array(RunEntry),
  }),
  /** More text of the section that is being written; `seq` counts from the last snapshot, so a gap shows. */
  z.object({
    type: z.literal('text'),
    key: z.string(),
    seq: z.int().positive(),
    iteration: z.int().nonnegative(),
    kind: StreamKind,
    text: z.string(),
  }),
]);
export type IterationsToView = z.infer<typeof IterationsToView>;

/** What the buttons of a run do. */
export const RunAction = z.enum(['accept', 'review', 'reject', 'regenerate', 'compare', 'reveal']);
export type RunAction = z.infer<typeof RunAction>;

/** What can be done with one iteration: use this one, regenerate from here, branch. */
export const IterationAction = z.enum(['pick', 'regenerate', 'branch']);
export type IterationAction = z.infer<typeof IterationAction>;

export const IterationsFromView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** The view saw a gap, and asks for a whole snapshot. */
  z.object({ type: z.literal('lost') }),
  z.object({ type: z.literal('didSelectRun'), key: z.string() }),
  z.object({ type: z.literal('didPressStop'), key: z.string() }),
  z.object({ type: z.literal('didPressAction'), key: z.string(), action: RunAction }),
  z.object({ type: z.literal('didPressRemedy'), key: z.string(), action: RemedyAction }),
  z.object({ type: z.literal('didPressAnswerNow'), key: z.string() }),
  /** Go on with a run that was stopped or cut off. */
  z.object({ type: z.literal('didPressResume'), key: z.string() }),
  z.object({ type: z.literal('didPressDelete'), key: z.string() }),
  z.object({
    type: z.literal('didPressIteration'),
    key: z.string(),
    iteration: z.int().nonnegative(),
    action: IterationAction,
  }),
  z.object({ type: z.literal('didRate'), key: z.string(), iteration: z.int().nonnegative(), rating: Rating }),
  z.object({ type: z.literal('didPressSource'), key: z.string(), passage: z.string() }),
  z.object({ type: z.literal('didPressReason') }),
  z.object({ type: z.literal('didFail'), message: z.string().max(4000) }),
]);
export type IterationsFromView = z.infer<typeof IterationsFromView>;

/** What the page view of a PDF is told. Pages are counted from 1; `passage` is text to be marked on the page. */
export const PdfToView = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('document'),
    name: z.string(),
    data: z.instanceof(Uint8Array),
    /** Where character maps and standard fonts are served from, with a slash at its end. */
    resources: z.string(),
    page: z.int().positive(),
    passage: z.string().nullable(),
  }),
  z.object({ type: z.literal('page'), page: z.int().positive(), passage: z.string().nullable() }),
]);
export type PdfToView = z.infer<typeof PdfToView>;

export const PdfFromView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** So that the page is the same when the view is shown again. */
  z.object({ type: z.literal('didTurn'), page: z.int().positive() }),
  z.object({ type: z.literal('didPressOpen') }),
  z.object({ type: z.literal('didFail'), message: z.string().max(4000) }),
]);
export type PdfFromView = z.infer<typeof PdfFromView>;

/** What the curation board is told. Pages and details answer what it asked; `query` is the number that it gave. */
export const BoardToView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('page'), query: z.int().nonnegative(), page: PairPage }),
  z.object({ type: z.literal('detail'), detail: PairDetail }),
  /** Show these: chosen in the tree beside it. */
  z.object({ type: z.literal('filter'), filter: PairFilter }),
  /** The pairs are others than before: what is shown is asked for again. */
  z.object({ type: z.literal('changed') }),
  z.object({
    type: z.literal('done'),
    /** null: there was nothing to undo. */
    action: CurationAction.nullable(),
    undo: z.boolean(),
    result: CurationResult,
  }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);
export type BoardToView = z.infer<typeof BoardToView>;

export const BoardFromView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({
    type: z.literal('didAsk'),
    query: z.int().nonnegative(),
    filter: PairFilter,
    order: PairOrder,
    offset: z.int().nonnegative(),
    limit: z.int().min(1).max(1000),
    /** Derive them anew. */
    refresh: z.boolean(),
  }),
  z.object({ type: z.literal('didFocus'), pair: PairId }),
  z.object({ type: z.literal('didCurate'), pairs: PairChoice, action: CurationAction }),
  z.object({ type: z.literal('didPressUndo') }),
  /** Go to the note. */
  z.object({ type: z.literal('didPressPlace'), pair: PairId }),
  z.object({ type: z.literal('didFail'), message: z.string().max(4000) }),
]);
export type BoardFromView = z.infer<typeof BoardFromView>;
