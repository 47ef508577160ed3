// What an experiment is: units of work that can be done one after the other and kept, and what is read off them.
import type { z } from 'zod';
import type {
  Estimate,
  EvaluationQuestion,
  EvaluationSetup,
  ExperimentName,
  LedgerRecord,
  Run,
} from '../protocol/index.ts';
import type { Asking } from './asking.ts';
import type { Finding } from './figures.ts';
import type { Judging } from './judge.ts';
import { seedFor } from './random.ts';
import { estimate, share } from './statistics.ts';

/** One piece of work, small enough to be lost when the process is killed. */
export interface Unit {
  readonly id: string;
  readonly question: EvaluationQuestion;
  /** The model that is asked, by its name in the setup; null: the critic alone has work. */
  readonly model: string | null;
  readonly phase: string;
}

/** What a unit works with. */
export interface Tools<Result> {
  readonly asking: Asking;
  readonly judging: Judging;
  readonly iterations: number;
  readonly setup: EvaluationSetup;
  /** Results of units that are done. */
  readonly earlier: () => readonly Done<Result>[];
}

export interface Done<Result> {
  readonly unit: Unit;
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

export interface Experiment<Result> {
  readonly name: ExperimentName;
  readonly title: string;
  /** Decodes what the journal holds of a unit. */
  readonly result: z.ZodType<Result>;
  /** Whether each question must have a known answer. */
  readonly needsAnswers: boolean;
  /** In the recursion each model criticises itself; otherwise the critic of the setup does. */
  readonly ownCritic: boolean;
  units(questions: readonly EvaluationQuestion[], models: readonly string[]): Unit[];
  run(unit: Unit, tools: Tools<Result>, signal: AbortSignal): Promise<Result>;
  findings(done: readonly Done<Result>[], reading: Reading): Finding[];
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
