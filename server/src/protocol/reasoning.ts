// What a run of reasoning is, while it goes on (events) and when it is done (the stored record).
// The command line prints these same shapes, so names here are a contract: see docs/lsp-extensions.md.
import { z } from 'zod';
import { OffsetRange } from './text.ts';

/** The parts of a model's answer (method: tokens and structure). */
export const SegmentKind = z.enum(['thinking', 'reflection', 'answer']);
export type SegmentKind = z.infer<typeof SegmentKind>;

/** What the tolerant reader had to guess. */
export const SegmentProblem = z.enum([
  /** A start marker without its end marker: everything after it was taken. */
  'unclosed',
  /** An end marker without its start marker: everything before it was taken. */
  'stray-end',
  /** A start marker inside a section of its own kind or of another one. */
  'nested',
  /** The token budget ended the section before its end marker came. */
  'truncated',
]);
export type SegmentProblem = z.infer<typeof SegmentProblem>;

/**
 * One section of a completion.
 * `tokens` are indices into the completion's tokens, the section's markers left out;
 * `withMarkers` takes them in. The two are what masks in training are made of.
 */
export const Segment = z.object({
  kind: SegmentKind,
  text: z.string(),
  tokens: OffsetRange,
  withMarkers: OffsetRange,
  problems: z.array(SegmentProblem),
});
export type Segment = z.infer<typeof Segment>;

/** The marker pair of each section, as the model in hand writes it. */
export const MarkerProfile = z.object({
  id: z.string().min(1),
  thinking: z.object({ start: z.string().min(1), end: z.string().min(1) }),
  reflection: z.object({ start: z.string().min(1), end: z.string().min(1) }),
});
export type MarkerProfile = z.infer<typeof MarkerProfile>;

/** The paper's markers, written as ordinary text, so that any model's vocabulary can spell them. */
export const preflexorMarkers: MarkerProfile = {
  id: 'preflexor',
  thinking: { start: '<|thinking|>', end: '<|/thinking|>' },
  reflection: { start: '<|reflect|>', end: '<|/reflect|>' },
};

/** Tokens evaluated for one step: `reused` of the prompt's tokens came out of the KV cache. */
export const TokenCounts = z.object({
  prompt: z.int().nonnegative(),
  reused: z.int().nonnegative(),
  generated: z.int().nonnegative(),
});
export type TokenCounts = z.infer<typeof TokenCounts>;

/** What a run is made of, step by step. The critic writes critiques, improved thinking, scores and the integration. */
export const StepName = z.enum(['thinking', 'reflection', 'answer', 'critique', 'score', 'integration']);
export type StepName = z.infer<typeof StepName>;

/**
 * One completion of a run. A run that was cut off goes on from its finished steps, and a branch is a run that
 * begins with steps of another one.
 */
export const Step = z.object({
  /** The iteration that it belongs to; the integration belongs to the last one. */
  iteration: z.int().nonnegative(),
  name: StepName,
  /** Which of several thinking sections or readings it is, from 0. */
  part: z.int().nonnegative(),
  by: z.enum(['reasoner', 'critic']),
  /** As generated, in the form in which it is stored. */
  text: z.string(),
  /** Tokens of the text; `tokens.generated` counts an end marker as well. */
  length: z.int().nonnegative(),
  problems: z.array(SegmentProblem),
  tokens: TokenCounts,
  seconds: z.number().nonnegative(),
});
export type Step = z.infer<typeof Step>;

/** What the critic's rubric asks, each from 0 (not at all) to 10 (fully). */
export const Rubric = z.object({
  grounded: z.number().min(0).max(10),
  answers: z.number().min(0).max(10),
  specific: z.number().min(0).max(10),
  consistent: z.number().min(0).max(10),
});
export type Rubric = z.infer<typeof Rubric>;

/** What is asked of a paragraph, and what the answer is to be: the suggestion takes the paragraph's place. */
export const Task = z.object({ question: z.string().min(1), answerWith: z.string().min(1) });
export type Task = z.infer<typeof Task>;

/** A failure signature of the method with what was measured and what it means. */
export const Signal = z.object({
  name: z.enum([
    'generic',
    'empty-reflection',
    'no-change',
    'same-meaning',
    'degradation',
    'loop',
    'truncation',
  ]),
  value: z.number(),
  threshold: z.number(),
  verdict: z.enum(['fine', 'doubtful', 'failed']),
});
export type Signal = z.infer<typeof Signal>;

/**
 * A passage that the model was shown; `text` equals the source file's text at `[start, end)`. A PDF's text is
 * what its reader makes of it: its pages, joined by form feeds.
 */
export const Passage = z.object({
  id: z.string(),
  source: z.string(),
  heading: z.array(z.string()),
  page: z.int().positive().nullable(),
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
  text: z.string(),
  score: z.number(),
  /** What the score was made of: cosine similarity, full-text score, and the reranker's, where they ran. */
  scores: z
    .object({ vector: z.number().nullable(), text: z.number().nullable(), rerank: z.number().nullable() })
    .optional(),
  /** `text` as a person reads it: without tags and commands. Left out where it is the same. */
  readable: z.string().optional(),
  /** The citation key of the work that the passage is from, where a bibliography says so. */
  citekey: z.string().optional(),
});
export type Passage = z.infer<typeof Passage>;

/** Which passages stand behind one section of a run: what it says agrees with what they say. */
export const SectionSources = z.object({
  iteration: z.int().nonnegative(),
  kind: z.enum(['thinking', 'reflection', 'answer']),
  passages: z.array(
    z.object({
      /** Id of one of the run's passages. */
      id: z.string(),
      /** Cosine similarity of the closest sentence of the section, 0 to 1. */
      support: z.number(),
      /** That sentence, in the words of the section. */
      sentence: z.string(),
    }),
  ),
});
export type SectionSources = z.infer<typeof SectionSources>;

/** One round of thinking, reflecting and answering. Index 0 is the draft, everywhere. */
export const Iteration = z.object({
  index: z.int().nonnegative(),
  thinking: z.string(),
  reflection: z.string(),
  answer: z.string(),
  score: z.number().nullable(),
  signals: z.array(Signal),
  tokens: TokenCounts,
  seconds: z.number().nonnegative(),
  segments: z.array(Segment),
  /** What this iteration set out to mend: the reflection before it, or a critique that was asked for. */
  feedback: z
    .object({ from: z.enum(['reflection', 'critic']), text: z.string() })
    .nullable()
    .optional(),
  /** The critic's readings of this iteration; how far they lie apart says how far the score is to be trusted. */
  rubrics: z.array(Rubric).optional(),
});
export type Iteration = z.infer<typeof Iteration>;

/** How the texts of a run were sampled. */
export const Sampler = z.object({
  seed: z.int().nonnegative(),
  temperature: z.number().nonnegative(),
  thinkingTokens: z.int().positive(),
  reflectionTokens: z.int().positive(),
  answerTokens: z.int().positive(),
  /** Whether a section was kept from repeating its own phrases. */
  avoidLoops: z.boolean().optional(),
  /** The critic's temperature; left out, it is the reasoner's. */
  criticTemperature: z.number().nonnegative().optional(),
});
export type Sampler = z.infer<typeof Sampler>;

/** The file that made a text: two models with the same name differ by their hash. */
export const ModelIdentity = z.object({
  id: z.string(),
  file: z.string(),
  sha256: z.string(),
});
export type ModelIdentity = z.infer<typeof ModelIdentity>;

/** Everything needed to say where a text came from, and to make it again. */
export const Provenance = z.object({
  model: ModelIdentity,
  adapter: z.string().nullable(),
  promptVersion: z.string(),
  prompt: z.string(),
  sampler: Sampler,
  backend: z.string(),
  threads: z.object({ prompt: z.int().positive(), generation: z.int().positive() }),
  version: z.string(),
  /** Who criticised and integrated; left out, the run had no critic. */
  critic: z.object({ model: ModelIdentity, adapter: z.string().nullable() }).optional(),
});
export type Provenance = z.infer<typeof Provenance>;

/** Where a run was asked for. `hash` is the sha256 of the note's text at that time. */
export const NotePlace = z.object({
  path: z.string(),
  hash: z.string(),
  range: OffsetRange,
});
export type NotePlace = z.infer<typeof NotePlace>;

export const StoppedBecause = z.enum([
  'finished',
  /** Two iterations said the same. */
  'converged',
  /** The score fell: the best iteration was kept. */
  'degraded',
  /** The writer wanted the answer now. */
  'answer-now',
  'stopped',
  'failed',
]);

/** Run identifiers are ULIDs; block identifiers are what stands in the note's comment lines. */
export const RunId = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'not a run id (26 letters and digits)');
export const BlockId = z.string().regex(/^[0-9a-z]{6,32}$/, 'not a block id (6 or more of 0-9a-z)');

/** A finished run as it is stored in `.preflexor/runs/<id>.json` and printed by `reason --json`. */
export const Run = z.object({
  schema: z.literal(1),
  id: RunId,
  block: BlockId,
  time: z.iso.datetime(),
  note: NotePlace,
  paragraph: z.string(),
  question: z.string(),
  passages: z.array(Passage),
  iterations: z.array(Iteration),
  best: z.int().nonnegative(),
  final: z.string(),
  /** Citation keys in the picked iteration that no bibliography knows: marked in `final` and in the note. */
  unknownCitations: z.array(z.string()).optional(),
  stoppedBecause: StoppedBecause,
  model: z.string(),
  adapter: z.string().nullable(),
  seconds: z.number().nonnegative(),
  provenance: Provenance,
  /** Rounds of recursion that were asked for after the draft. */
  wanted: z.int().nonnegative().optional(),
  steps: z.array(Step).optional(),
  /** The notes were searched and hold nothing relevant. */
  nothingRelevant: z.boolean().optional(),
  /** Which passages stand behind which section. */
  sources: z.array(SectionSources).optional(),
  /** What did not fit into the model's context and was left out, each in a sentence. */
  omitted: z.array(z.string()).optional(),
  /** The run and the step that this one goes on from. */
  branchOf: z.object({ run: RunId, steps: z.int().nonnegative() }).optional(),
  /** What the writer chose to see in place of `best` and `final`, which stay what the run made them. */
  picked: z
    .object({
      iteration: z.int().nonnegative(),
      /** That iteration's answer with unknown works marked. */
      final: z.string(),
      unknownCitations: z.array(z.string()),
    })
    .optional(),
});
export type Run = z.infer<typeof Run>;

/**
 * A run that is going on, or was cut off: `.preflexor/runs/<id>.unfinished.json`, written after each step. It holds
 * all that its further steps depend on, so that it can be gone on with although the note has changed.
 */
export const UnfinishedRun = z.object({
  schema: z.literal(1),
  id: RunId,
  block: BlockId,
  time: z.iso.datetime(),
  note: NotePlace,
  subject: z.object({
    headingPath: z.array(z.string()),
    before: z.string(),
    paragraph: z.string(),
    after: z.string(),
  }),
  task: Task,
  thinkingParts: z.array(z.string()),
  thinkingSections: z.int().positive(),
  reflects: z.boolean(),
  iterations: z.int().nonnegative(),
  scoring: z.boolean(),
  sampler: Sampler,
  passages: z.array(Passage),
  nothingRelevant: z.boolean(),
  steps: z.array(Step),
  branchOf: z.object({ run: RunId, steps: z.int().nonnegative() }).optional(),
});
export type UnfinishedRun = z.infer<typeof UnfinishedRun>;

/** What text streams: the sections of the answer, and what the critic writes. */
export const StreamKind = z.enum([...SegmentKind.options, 'critique', 'integration']);
export type StreamKind = z.infer<typeof StreamKind>;

const inIteration = { run: RunId, iteration: z.int().nonnegative() };

/** What happens during a run, in order; streamed to the sidebar and by `reason --stream`. */
export const ReasonEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('started'),
    run: RunId,
    block: BlockId,
    question: z.string(),
    paragraph: z.string(),
    iterations: z.int().nonnegative(),
  }),
  z.object({ event: z.literal('waiting'), run: RunId, reason: z.string(), fraction: z.number().nullable() }),
  /** What was found in the notes, and is shown to the model. */
  z.object({
    event: z.literal('passages'),
    run: RunId,
    passages: z.array(Passage),
    nothingRelevant: z.boolean(),
  }),
  z.object({ event: z.literal('segment'), ...inIteration, kind: StreamKind }),
  z.object({ event: z.literal('text'), ...inIteration, kind: StreamKind, text: z.string() }),
  z.object({
    event: z.literal('segment-end'),
    ...inIteration,
    kind: StreamKind,
    problems: z.array(SegmentProblem),
  }),
  /** A step is done; from here a run can be taken up again. */
  z.object({ event: z.literal('step'), run: RunId, step: Step }),
  z.object({ event: z.literal('iteration'), run: RunId, iteration: Iteration }),
  z.object({ event: z.literal('finished'), run: RunId, result: Run }),
]);
export type ReasonEvent = z.infer<typeof ReasonEvent>;

export const Intent = z.enum([
  'strengthen',
  'assumptions',
  'mechanisms',
  'counter-argument',
  'clarify',
  'connect',
]);
export type Intent = z.infer<typeof Intent>;
