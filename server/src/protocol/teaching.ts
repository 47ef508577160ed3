// Self-teaching: what the on-the-fly dataset keeps of each sample, and what a run of `teach` decides.
// Must not import anything that runs.
import { z } from 'zod';
import { GateVerdict } from './gate.ts';
import { MaskKind, PairMessage } from './training.ts';
import { PairPassage, PairSplit } from './pairs.ts';
import { ModelIdentity, NotePlace } from './reasoning.ts';

/** Why a sample is not trained on. */
export const SampleProblem = z.enum([
  /** A text that is needed has no words. */
  'empty',
  /** It is no question, or one that points at a text which nobody will see. */
  'no-question',
  /** The model declined. */
  'refusal',
  /** The same words again and again, or hardly any words. */
  'babble',
  /** It ends in the middle of its first sentence. */
  'truncated',
  /** Thinking, reflection and answer are not each there once, in order, and closed. */
  'structure',
  /** Chosen and rejected say nearly the same. */
  'too-close',
  /** The question was asked before. */
  'duplicate',
  /** Hardly a word of it stands in the passages. */
  'ungrounded',
  /** The note was deleted meanwhile. */
  'note-gone',
  /** It does not fit into the model's context. */
  'too-long',
]);
export type SampleProblem = z.infer<typeof SampleProblem>;

/** Everything that decides which samples come out, beside the corpus and the model. */
export const DatasetSettings = z.object({
  phase: z.union([z.literal(1), z.literal(2)]),
  /** Passages that a question is made from, and that are looked up for it in the whole corpus. */
  chunks: z.int().min(1).max(8),
  passages: z.int().min(0).max(12),
  /** How many samples may be asked from one passage. */
  perChunk: z.int().min(1).max(50),
  /** What thinking starts from. */
  parts: z.array(z.string().min(1).max(80)).min(1).max(12),
  /** Answers of the current model to each question, of which the best stands against the worst; 0: none. */
  answers: z.int().min(0).max(16),
  /** What they are judged by: closeness to the grounded answer, the critic's marks, or the mean of both. */
  judge: z.enum(['reference', 'critic', 'both']),
  /** Only passages about this; null: any. */
  topic: z.string().min(1).nullable(),
  /** Share of the notes that are held out, and of the samples that are asked from those. */
  heldoutShare: z.number().min(0).max(0.5),
  temperature: z.number().min(0).max(2),
  /** Of the current model's own answers: they have to differ to be told apart. */
  answersTemperature: z.number().min(0).max(2),
  partTokens: z.int().positive(),
  reflectionTokens: z.int().positive(),
  answerTokens: z.int().positive(),
});
export type DatasetSettings = z.infer<typeof DatasetSettings>;

/** What a dataset depends on. Its log is gone on with only by the very same setup. */
export const DatasetSetup = z.object({
  version: z.string(),
  seed: z.int().nonnegative(),
  model: ModelIdentity,
  adapter: z.string().nullable(),
  /** Hash of the wording. */
  prompts: z.string(),
  settings: DatasetSettings,
});
export type DatasetSetup = z.infer<typeof DatasetSetup>;

/** What was measured on a sample; null where it did not come to that. */
export const SampleChecks = z.object({
  problems: z.array(SampleProblem),
  /** Share of the words of the grounded answer that stand in the passages, 0 to 1. */
  grounded: z.number().nullable(),
  /** Share of phrases that come again, in the worse of thinking and answer. */
  repetition: z.number().nullable(),
  /** Share of the words in which the two answers differ. */
  difference: z.number().nullable(),
  /** Closeness of the question to the nearest one before it. */
  nearest: z.number().nullable(),
  /** The model wrote none of its answers with sections by itself: they were opened for it. */
  enforced: z.boolean().optional(),
});
export type SampleChecks = z.infer<typeof SampleChecks>;

export const DatasetSample = z.object({
  /** Counts from 0; the same number draws the same passages. */
  attempt: z.int().nonnegative(),
  time: z.iso.datetime(),
  split: PairSplit,
  note: NotePlace,
  question: z.string(),
  prompt: z.array(PairMessage),
  chosen: z.string(),
  rejected: z.string(),
  /** The answer that was written with the passages in view. */
  reference: z.string(),
  /** The passages that it was asked from, then those that were looked up. */
  evidence: z.array(PairPassage),
  askedFrom: z.int().nonnegative(),
  checks: SampleChecks,
  kept: z.boolean(),
  seconds: z.number().nonnegative(),
  generated: z.int().nonnegative(),
});
export type DatasetSample = z.infer<typeof DatasetSample>;

/** A line of a dataset's log: the setup first, then each sample, kept or not. */
export const DatasetLine = z.discriminatedUnion('line', [
  z.object({ line: z.literal('setup'), schema: z.literal(1), time: z.iso.datetime(), setup: DatasetSetup }),
  DatasetSample.extend({ line: z.literal('sample') }),
]);
export type DatasetLine = z.infer<typeof DatasetLine>;

/** Figures of a whole dataset. Lengths are words. */
export const DatasetDiversity = z.object({
  documents: z.object({ used: z.int(), of: z.int() }),
  chunks: z.object({ used: z.int(), of: z.int() }),
  /** Of all questions that were written, those that had been asked before. */
  duplicateShare: z.number(),
  /** Mean closeness of each kept question to its nearest neighbour. */
  meanNearest: z.number().nullable(),
  meanDifference: z.number().nullable(),
  meanGrounded: z.number().nullable(),
  chosenWords: z.number(),
  rejectedWords: z.number(),
  /** Share of the samples whose chosen answer, without its thinking, is the longer one. */
  longerChosen: z.number().nullable(),
});
export type DatasetDiversity = z.infer<typeof DatasetDiversity>;

/** Why no more samples were made. */
export const DatasetEnd = z.object({
  why: z.enum(['enough', 'passages-used-up', 'samples-fail']),
  message: z.string(),
});
export type DatasetEnd = z.infer<typeof DatasetEnd>;

/** The numbers of one phase's training (method, section 4). */
export const PhaseSettings = z.object({
  learningRate: z.number().positive(),
  beta: z.number().positive(),
  /** Label smoothing of EXO. */
  epsilon: z.number().positive(),
  maxLength: z.int().positive(),
  maxPromptLength: z.int().positive(),
  batch: z.int().positive(),
  accumulation: z.int().positive(),
  clip: z.number().nonnegative(),
  rank: z.int().positive(),
  alpha: z.number().positive(),
  /** Share of the adapter's inputs that is dropped while training. */
  dropout: z.number().min(0).max(0.95).default(0),
  /** Optimizer steps of each refresh; null: three passes over its pairs. */
  steps: z.int().positive().nullable(),
  mask: MaskKind,
  /** Share of each masked section's tokens, 0 to 1. */
  maskShare: z.number().min(0).max(1),
});
export type PhaseSettings = z.infer<typeof PhaseSettings>;

/** Everything that decides what a run of `teach` computes, beside corpus, model and seed. */
export const TeachSettings = z.object({
  /** Kept samples of each refresh, those held out included. */
  samples: z.int().positive(),
  /** How often data is made anew with the current adapter and trained on, in each phase. */
  refreshes: z.int().min(1).max(100),
  dataset: DatasetSettings.omit({ phase: true, answers: true }),
  /** Phase II: answers of the phase I model to each question. */
  answers: z.int().min(2).max(16),
  /** How often each of the writer's own pairs counts beside a generated one; 0: they stay out. */
  writerWeight: z.int().min(0).max(20),
  /** Steps between looks at the held-out pairs. */
  evaluateEvery: z.int().positive(),
  phase1: PhaseSettings,
  phase2: PhaseSettings,
});
export type TeachSettings = z.infer<typeof TeachSettings>;

/** `teach.json` of a run's folder. A run is gone on with only by the very same setup. */
export const TeachSetup = z.object({
  schema: z.literal(1),
  version: z.string(),
  seed: z.int().nonnegative(),
  model: ModelIdentity,
  settings: TeachSettings,
});
export type TeachSetup = z.infer<typeof TeachSetup>;

/** What a run of `teach` would take, before it begins. */
export const TeachEstimate = z.object({
  /** Of both phases together, held-out pairs included. */
  samples: z.int().positive(),
  /**
   * Seconds for a sample that is kept, those that fail their checks included, as the newest run of this model in the
   * workspace took; null: there was none.
   */
  sampleSeconds: z.number().nullable(),
  /** The writer's own pairs that go in. */
  writerPairs: z.int().nonnegative(),
  phases: z.array(
    z.object({
      phase: z.union([z.literal(1), z.literal(2)]),
      /** In all refreshes. */
      steps: z.int().positive(),
      /** Memory at its peak, the least that it can do with, and what is free (0: not known). */
      bytes: z.number(),
      leastBytes: z.number(),
      availableBytes: z.number(),
      /** For texts as long as the token budgets allow: an upper bound. */
      seconds: z.number(),
    }),
  ),
  /** Of the run's folder and the adapters that it leaves. */
  diskBytes: z.number(),
});
export type TeachEstimate = z.infer<typeof TeachEstimate>;

/** One thing on the watch list. `failed` pauses the run. */
export const WatchFinding = z.object({
  name: z.enum([
    'kept-share',
    'duplicate-questions',
    'similarity',
    'coverage',
    'length-drift',
    'heldout-loss',
    'heldout-accuracy',
    'answer-margin',
    'marker-adoption',
    'perplexity',
  ]),
  phase: z.union([z.literal(1), z.literal(2)]),
  value: z.number(),
  threshold: z.number(),
  verdict: z.enum(['fine', 'doubtful', 'failed']),
  says: z.string(),
});
export type WatchFinding = z.infer<typeof WatchFinding>;

/** What became of one phase. */
export const PhaseOutcome = z.object({
  phase: z.union([z.literal(1), z.literal(2)]),
  /** Id in the registry; null: nothing was trained. */
  adapter: z.string().nullable(),
  samples: z.int().nonnegative(),
  kept: z.int().nonnegative(),
  /** Of those kept, samples whose sections had to be opened for the model. */
  enforced: z.int().nonnegative().default(0),
  refused: z.partialRecord(SampleProblem, z.int()),
  diversity: DatasetDiversity.nullable(),
  /** Of the writer's own pairs, those that were mixed in. */
  writerPairs: z.int().nonnegative(),
  /** Why it ended before its adapter was there, in a sentence; null: it did not. */
  failed: z.string().nullable(),
  verdict: GateVerdict.nullable(),
});
export type PhaseOutcome = z.infer<typeof PhaseOutcome>;

/** `report.json` of a run's folder. */
export const TeachReport = z.object({
  schema: z.literal(1),
  setup: TeachSetup,
  phases: z.array(PhaseOutcome),
  watch: z.array(WatchFinding),
  offered: z.boolean(),
  /** The adapter that is offered; null: none. */
  adapter: z.string().nullable(),
  why: z.string(),
  /** Of generation and of training, over all starts as far as logs tell. */
  seconds: z.object({ samples: z.number(), steps: z.number() }),
  plots: z.array(z.string()),
});
export type TeachReport = z.infer<typeof TeachReport>;
