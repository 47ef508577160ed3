// What an experiment is: units of work that can be done one after the other and kept, and what is read off them.
import type { z } from 'zod';
import type {
  DatasetDiversity,
  DatasetEnd,
  DatasetSample,
  Estimate,
  EvaluationQuestion,
  EvaluationSetup,
  ExperimentName,
  LedgerRecord,
  MaskOptions,
  Run,
  UnitMakers,
} from '../protocol/index.ts';
import type { Asking } from './asking.ts';
import type { Finding } from './figures.ts';
import type { Measured } from './experiments/measured.ts';
import type { Judging } from './judge.ts';
import { seedFor } from './random.ts';
import { estimate, share } from './statistics.ts';

/** One piece of work, small enough to be lost when the process is killed, or one that goes on by itself. */
export interface Unit<Question = EvaluationQuestion> {
  readonly id: string;
  readonly question: Question;
  /** The model that is asked, by its name in the setup; null: the critic alone has work. */
  readonly model: string | null;
  readonly phase: string;
}

/** Makes pairs out of the corpus, as self-teaching does. */
export interface SampleMaker {
  /** Goes on until so many samples are kept, or no more can be made. Gives all that were made, kept or not. */
  upTo(
    kept: number,
    signal: AbortSignal,
  ): Promise<{
    readonly samples: readonly DatasetSample[];
    readonly diversity: DatasetDiversity;
    readonly end: DatasetEnd;
  }>;
}

/** Trains on one set of pairs and measures on another. */
export interface TrainingBench {
  readonly makers: UnitMakers;
  /** Trains with this mask and measures the adapter; a run that was broken off goes on. @param name of the run */
  trained(
    name: string,
    mask: Pick<MaskOptions, 'kind' | 'share'>,
    signal: AbortSignal,
  ): Promise<{ readonly measured: Measured; readonly steps: number; readonly loss: number | null }>;
}

/** What a unit works with. */
export interface Tools<Result, Question = EvaluationQuestion> {
  readonly asking: Asking;
  readonly judging: Judging;
  /** null where an experiment asks questions alone. */
  readonly samples: SampleMaker | null;
  readonly bench: TrainingBench | null;
  readonly iterations: number;
  readonly setup: EvaluationSetup;
  /** Results of units that are done. */
  readonly earlier: () => readonly Done<Result, Question>[];
}

export interface Done<Result, Question = EvaluationQuestion> {
  readonly unit: Unit<Question>;
  readonly result: Result;
}

/** What the writer has decided so far, where the workspace has a ledger. */
export interface Decisions {
  readonly records: readonly LedgerRecord[];
  /** The runs that they are about, by id, as far as they are kept. */
  readonly runs: ReadonlyMap<string, Run>;
}

/** What figures are made with. */
export interface Reading {
  readonly setup: EvaluationSetup;
  readonly decisions: Decisions;
  readonly estimate: (values: readonly number[]) => Estimate;
  readonly share: (values: readonly boolean[]) => Estimate;
}

/** @template Question null for experiments that make samples or train, and ask nothing of a list */
export interface Experiment<Result, Question = EvaluationQuestion> {
  readonly name: ExperimentName;
  readonly title: string;
  /** What is counted: a model is loaded for questions and samples only. */
  readonly measures: 'questions' | 'samples' | 'pairs';
  /** Decodes what the journal holds of a unit. */
  readonly result: z.ZodType<Result>;
  /** Whether each question must have a known answer. */
  readonly needsAnswers: boolean;
  /** In the recursion each model criticises itself; otherwise the critic of the setup does. */
  readonly ownCritic: boolean;
  units(
    questions: readonly EvaluationQuestion[],
    models: readonly string[],
    setup: EvaluationSetup,
  ): Unit<Question>[];
  run(unit: Unit<Question>, tools: Tools<Result, Question>, signal: AbortSignal): Promise<Result>;
  findings(done: readonly Done<Result, Question>[], reading: Reading): Finding[];
}

/** A tool that an experiment can't do without, which its door brings along. */
export function needed<T>(tool: T | null, what: string): T {
  if (tool === null) throw new Error(`This experiment was started without ${what}.`);
  return tool;
}

/** One unit for each question and each model. */
export function unitsOf(
  questions: readonly EvaluationQuestion[],
  models: readonly string[],
  phase: string,
): Unit[] {
  return models.flatMap((model) =>
    questions.map((question) => ({
      id: [phase, ...(models.length > 1 ? [model] : []), question.id].join(' '),
      ...{ question, model, phase },
    })),
  );
}

/** The ways to make figures, with intervals that depend on the setup's seed alone. */
export function readingOf(setup: EvaluationSetup, decisions: Decisions): Reading {
  const seed = seedFor(setup.seed, 'bootstrap');
  return {
    ...{ setup, decisions },
    estimate: (values) => estimate(values, seed),
    share,
  };
}
