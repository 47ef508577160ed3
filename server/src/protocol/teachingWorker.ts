// Teaching in the background: what editors show of it, what it would take, and what is kept of it between starts.
// Must not import anything that runs.
import { z } from 'zod';
import { AdapterId, HeldoutResult } from './training.ts';

/** When teaching starts: setting `teaching.start`. */
export const TeachingMode = z.enum(['off', 'manual', 'automatic']);
export type TeachingMode = z.infer<typeof TeachingMode>;

/** Numbers for a run, by name: setting `teaching.preset`. */
export const TeachingPreset = z.enum(['quick', 'overnight', 'paper']);
export type TeachingPreset = z.infer<typeof TeachingPreset>;

export const TeachingState = z.enum([
  /** Nothing goes on. */
  'idle',
  'starting',
  'running',
  /** The writer's own work has the machine; it goes on after it by itself. */
  'yielding',
  'stopping',
  /** By the writer. It goes on when they say so. */
  'paused',
  /** By what the settings ask for (plugged in, the time of day, …). It goes on by itself. */
  'held',
  /** It broke off; what was done is kept. */
  'failed',
]);
export type TeachingState = z.infer<typeof TeachingState>;

/** What a run would take, before it starts. Bytes are of memory at its peak. */
export const TeachingEstimate = z.object({
  bytes: z.number().nonnegative(),
  /** 0: not known. */
  availableBytes: z.number().nonnegative(),
  /** Of training, and of making the samples where an earlier run says how long one takes (else null). */
  trainingSeconds: z.number().nonnegative(),
  samplesSeconds: z.number().nonnegative().nullable(),
  diskBytes: z.number().nonnegative(),
  freeDiskBytes: z.number().nonnegative(),
  steps: z.int().positive(),
  samples: z.int().positive(),
  /** The writer's own pairs that go in. */
  writerPairs: z.int().nonnegative(),
  /** Why it can't be, with the numbers; null: it can. */
  refusal: z.string().nullable(),
});
export type TeachingEstimate = z.infer<typeof TeachingEstimate>;

/** The last figures of a run, as its logs have them. */
export const TeachingMetrics = z.object({
  /** Samples that were kept, of those that were made, and how many are wanted. */
  samples: z.object({ kept: z.int(), made: z.int(), wanted: z.int().nullable() }).nullable(),
  loss: z.number().nullable(),
  margin: z.number().nullable(),
  accuracy: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  /** Of this phase's training. */
  secondsLeft: z.number().nullable(),
  heldout: HeldoutResult.omit({ records: true }).nullable(),
});
export type TeachingMetrics = z.infer<typeof TeachingMetrics>;

/** An adapter that passed the gate and that the writer has not answered yet. */
export const TeachingOffer = z.object({
  adapter: AdapterId,
  time: z.iso.datetime(),
  why: z.string(),
  /** The report's file. */
  report: z.string(),
  /** The writer saw it and wants to decide later. */
  later: z.boolean(),
});
export type TeachingOffer = z.infer<typeof TeachingOffer>;

export const TeachingStatus = z.object({
  state: TeachingState,
  mode: TeachingMode,
  /** What it does, or why it does nothing, in a sentence. */
  says: z.string(),
  /** The folder of notes that is learnt from, as a URI. */
  folder: z.string().nullable(),
  /** The run's folder (a path), where logs, samples and report are; null: there was none. */
  run: z.string().nullable(),
  /** Another window or a command does it: it can't be paused from here. */
  elsewhere: z.boolean(),
  /** When this run began. */
  started: z.iso.datetime().nullable(),
  stage: z.enum(['dataset', 'training', 'gate']).nullable(),
  phase: z.union([z.literal(1), z.literal(2)]).nullable(),
  refresh: z.int().positive().nullable(),
  /** Of this phase's training. */
  step: z.int().nonnegative().nullable(),
  steps: z.int().positive().nullable(),
  metrics: TeachingMetrics.nullable(),
  estimate: TeachingEstimate.nullable(),
  /** Pairs since the last run; null: not looked for yet. */
  newPairs: z.int().nonnegative().nullable(),
  offer: TeachingOffer.nullable(),
});
export type TeachingStatus = z.infer<typeof TeachingStatus>;

/** `later`: the offered adapter was seen, and is to be decided on another time. */
export const TeachingAction = z.enum(['start', 'pause', 'resume', 'cancel', 'later']);
export type TeachingAction = z.infer<typeof TeachingAction>;
