// Messages between the client and its webviews. A view may be hidden and miss messages, so what it shows
// comes as whole snapshots; the server owns the data, the view only selection and scroll place.
import { z } from 'zod';
import { Iteration, RunId, SegmentKind, SegmentProblem } from './reasoning.ts';
import { RunSummary } from './methods.ts';

/** One iteration while it is being written, or after. */
export const IterationSnapshot = z.object({
  index: z.int().nonnegative(),
  sections: z.array(
    z.object({ kind: SegmentKind, text: z.string(), done: z.boolean(), problems: z.array(SegmentProblem) }),
  ),
  finished: Iteration.omit({ segments: true }).nullable(),
});
export type IterationSnapshot = z.infer<typeof IterationSnapshot>;

/** The run that the Iterations view shows. */
export const RunSnapshot = z.object({
  run: RunId,
  block: z.string(),
  question: z.string(),
  paragraph: z.string(),
  state: z.enum(['waiting', 'running', 'finished', 'stopped', 'failed']),
  /** What it waits for, or why it failed. */
  message: z.string().nullable(),
  fraction: z.number().nullable(),
  iterations: z.array(IterationSnapshot),
  /** Set when it is finished. */
  summary: z.object({ seconds: z.number(), model: z.string(), inNote: z.boolean() }).nullable(),
});
export type RunSnapshot = z.infer<typeof RunSnapshot>;

export const IterationsToView = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    note: z.string().nullable(),
    current: RunSnapshot.nullable(),
    history: z.array(RunSummary),
  }),
  /** More text of the section that is being written; `seq` counts from the last snapshot, so a gap shows. */
  z.object({
    type: z.literal('text'),
    run: RunId,
    seq: z.int().positive(),
    iteration: z.int().nonnegative(),
    kind: SegmentKind,
    text: z.string(),
  }),
]);
export type IterationsToView = z.infer<typeof IterationsToView>;

export const IterationsFromView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** The view saw a gap, and asks for a whole snapshot. */
  z.object({ type: z.literal('lost') }),
  z.object({ type: z.literal('didSelectRun'), run: RunId }),
  z.object({ type: z.literal('didPressStop') }),
  z.object({
    type: z.literal('didDecide'),
    run: RunId,
    as: z.enum(['accept', 'reject', 'regenerate', 'compare', 'reveal']),
  }),
  z.object({ type: z.literal('didPressReason') }),
  z.object({ type: z.literal('didFail'), message: z.string().max(4000) }),
]);
export type IterationsFromView = z.infer<typeof IterationsFromView>;
