// Teaching in the background: what editors show of it, what it would take, and what is kept of it between starts.
// Must not import anything that runs.
import { z } from 'zod';
import { WatchFinding } from './teaching.ts';
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
  /** Of both phases; 0 where the trainer refuses. */
  steps: z.int().nonnegative(),
  /** That each refresh is to have. */
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
  /** The report's file; null: it was trained by hand or elsewhere. */
  report: z.string().nullable(),
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

const ofPhase = { phase: z.union([z.literal(1), z.literal(2)]), refresh: z.int().positive() };
const step = z.int().nonnegative();
const figure = z.number().nullable();
const figures = { loss: figure, 'rewards/margins': figure, 'rewards/accuracies': figure };

/** Lines of `preflexor teach --json` by which its way is followed; all others are passed over. */
export const TeachingLine = z.discriminatedUnion('event', [
  z.object({ event: z.literal('stage'), stage: TeachingStatus.shape.stage.unwrap(), ...ofPhase }),
  /** Samples that are there from an earlier start; without them, training goes on after a pause. */
  z.object({ event: z.literal('resumed'), samples: z.int().optional(), kept: z.int().optional() }),
  z.object({ event: z.literal('sample'), kept: z.boolean() }),
  z.object({ event: z.literal('started'), step, steps: z.int().positive() }),
  z.object({
    event: z.literal('step'),
    step,
    ...figures,
    tokens_per_second: z.number(),
    seconds_remaining: z.number(),
  }),
  z.object({ event: z.literal('eval'), step, ...figures }),
  z.object({ event: z.literal('paused') }),
  z.object({ event: z.literal('watch'), findings: z.array(WatchFinding) }),
  z.object({
    event: z.literal('verdict'),
    offered: z.boolean(),
    why: z.string(),
    report: z.string(),
    adapter: AdapterId.nullable(),
  }),
  /** How it broke off: the last line. */
  z.object({
    event: z.literal('failed'),
    code: z.string(),
    message: z.string(),
    remedy: z.string().nullable(),
  }),
]);
export type TeachingLine = z.infer<typeof TeachingLine>;

/** A run of teaching as the application home remembers it over restarts. */
export const TeachingRun = z.object({
  /** The folder of notes, and the run's own (paths). */
  root: z.string(),
  run: z.string(),
  started: z.iso.datetime(),
  preset: TeachingPreset,
  /** What was started by itself is held by what the settings ask for; what the writer started is not. */
  askedBy: z.enum(['writer', 'worker']),
  /** `running` without a process that does it: it was broken off by a restart, and goes on. */
  state: z.enum(['running', 'paused', 'held', 'failed']),
  says: z.string().nullable(),
  /** Attempts that broke off one after the other, and when the last one did. */
  failures: z.int().nonnegative(),
  failedAt: z.iso.datetime().nullable(),
  /** Findings of the watch list that the writer has seen, and goes on with. */
  ignored: z.array(WatchFinding.shape.name),
  /** Those that paused it. */
  findings: z.array(WatchFinding.shape.name),
  estimate: TeachingEstimate.nullable(),
  /** The writer's pairs at its start, by their ids. */
  pairs: z.array(z.string()),
});
export type TeachingRun = z.infer<typeof TeachingRun>;

/** `teaching.json` of the application home. */
export const TeachingRecord = z.object({
  schema: z.literal(1),
  current: TeachingRun.nullable(),
  offer: TeachingOffer.nullable(),
});
export type TeachingRecord = z.infer<typeof TeachingRecord>;

/** `learnt.json` beside a folder's runs: the writer's pairs that a finished run had, by their ids. */
export const LearntPairs = z.object({
  schema: z.literal(1),
  time: z.iso.datetime(),
  pairs: z.array(z.string()),
});
export type LearntPairs = z.infer<typeof LearntPairs>;
