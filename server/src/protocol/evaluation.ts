// What `eval` reads and writes: questions, the journal of what is done, the report. The report's names are a contract
// with tools that build on it (docs/cli.md).
import { z } from 'zod';
import { ModelIdentity, Sampler } from './reasoning.ts';

/** The experiments of the method's section 6, by their numbers there. */
export const experimentNames = {
  structure: 1,
  dataset: 2,
  masking: 3,
  'mask-share': 4,
  iterations: 5,
  methods: 6,
  benchmark: 7,
  reflections: 8,
  training: 9,
  models: 10,
} as const;
export const ExperimentName = z.enum([
  'structure',
  'dataset',
  'masking',
  'mask-share',
  'iterations',
  'methods',
  'benchmark',
  'reflections',
  'training',
  'models',
]);
export type ExperimentName = z.infer<typeof ExperimentName>;

/** An answer that is known, as it can be compared. `choice` counts from 0. */
export const KnownAnswer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('number'), value: z.string() }),
  z.object({ kind: z.literal('choice'), index: z.int().nonnegative() }),
  z.object({ kind: z.literal('text'), text: z.string() }),
]);
export type KnownAnswer = z.infer<typeof KnownAnswer>;

export const EvaluationQuestion = z.object({
  id: z.string().min(1),
  question: z.string().min(1),
  /** What the question is about; null: it stands alone. */
  context: z.string().nullable(),
  /** Options to choose from; null: the answer is free. */
  choices: z.array(z.string()).min(2).max(26).nullable(),
  answer: KnownAnswer.nullable(),
});
export type EvaluationQuestion = z.infer<typeof EvaluationQuestion>;

/** What a result depends on. A journal is gone on with only by the very same setup. */
export const EvaluationSetup = z.object({
  experiment: ExperimentName,
  /** Of the program. */
  version: z.string(),
  seed: z.int().nonnegative(),
  iterations: z.int().nonnegative(),
  sampler: Sampler,
  /** Hash of the prompts of reasoning, and of those that only experiments use. */
  prompts: z.string(),
  /** What it is measured on: questions, or samples that are to be made, or held-out pairs. */
  questions: z.object({ source: z.string(), sha256: z.string(), count: z.int().nonnegative() }),
  /** As they were asked for. */
  models: z.array(z.string()),
  critic: z.string(),
  adapter: z.string().nullable(),
  /** Every further number of experiments that make samples or train. */
  work: z.record(z.string(), z.json()).optional(),
});
export type EvaluationSetup = z.infer<typeof EvaluationSetup>;

/** Which files did one unit of the work. */
export const UnitMakers = z.object({
  model: ModelIdentity,
  /** 0: a server does not say. */
  parameters: z.int().nonnegative(),
  adapter: z.string().nullable(),
  backend: z.string(),
  critic: ModelIdentity,
  criticAdapter: z.string().nullable(),
});
export type UnitMakers = z.infer<typeof UnitMakers>;

/** A line of `runs.jsonl`: the setup first, then each finished unit. */
export const JournalLine = z.discriminatedUnion('line', [
  z.object({
    line: z.literal('setup'),
    schema: z.literal(1),
    time: z.iso.datetime(),
    setup: EvaluationSetup,
  }),
  z.object({
    line: z.literal('unit'),
    unit: z.string(),
    seconds: z.number().nonnegative(),
    by: UnitMakers,
    /** What the experiment keeps of it; each experiment decodes its own. */
    result: z.json(),
  }),
  /** A question that this model can't be asked, and why. */
  z.object({ line: z.literal('failed'), unit: z.string(), why: z.string() }),
]);
export type JournalLine = z.infer<typeof JournalLine>;

/** A mean with its 95 % interval and standard deviation; a share is a mean of zeros and ones. */
export const Estimate = z.object({
  n: z.int().nonnegative(),
  /** null without a value. */
  mean: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  deviation: z.number().nullable(),
});
export type Estimate = z.infer<typeof Estimate>;

/** One number of a report: `of` says which method, iteration or model it is of. */
export const Figure = Estimate.extend({ of: z.string(), what: z.string() });
export type Figure = z.infer<typeof Figure>;

export const ReportSection = z.object({
  title: z.string(),
  /** What is measured and how, in sentences. */
  text: z.string(),
  figures: z.array(Figure),
  /** File of the plot beside the report; null: there is none. */
  plot: z.string().nullable(),
});
export type ReportSection = z.infer<typeof ReportSection>;

export const EvaluationReport = z.object({
  schema: z.literal(1),
  experiment: ExperimentName,
  number: z.int(),
  title: z.string(),
  setup: EvaluationSetup,
  /** Every set of files that took part. */
  makers: z.array(UnitMakers),
  units: z.object({ finished: z.int().nonnegative(), failed: z.int().nonnegative() }),
  /** Of computation, over all starts. */
  seconds: z.number().nonnegative(),
  sections: z.array(ReportSection),
  /** What does not follow from the numbers. */
  cautions: z.array(z.string()),
  failures: z.array(z.object({ unit: z.string(), why: z.string() })),
});
export type EvaluationReport = z.infer<typeof EvaluationReport>;
