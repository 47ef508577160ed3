// Runs an experiment: unit by unit, each kept before the next begins, and the report of all of them at the end.
import path from 'node:path';
import type { LanguageModel, LoadedModel } from '../engine/languageModel.ts';
import { PreflexorError, sentence, throwIfCancelled } from '../errors.ts';
import type {
  EvaluationQuestion,
  EvaluationReport,
  EvaluationSetup,
  ExperimentName,
  UnitMakers,
} from '../protocol/index.ts';
import type { PromptSet } from '../reasoning/index.ts';
import { writeDurably, type FileSystem } from '../state/index.ts';
import type { Asking } from './asking.ts';
import {
  needed,
  readingOf,
  type Decisions,
  type Done,
  type Experiment,
  type SampleMaker,
  type Tools,
  type TrainingBench,
  type Unit,
} from './experiment.ts';
import {
  benchmark,
  dataset,
  iterations,
  masking,
  maskShare,
  methods,
  models,
  reflections,
  structure,
  training,
} from './experiments/index.ts';
import { openJournal, type Journal, type UnitLine } from './journal.ts';
import { markdownOf, reportOf } from './report.ts';

/** What is to be evaluated. */
export interface Evaluation {
  readonly setup: EvaluationSetup;
  readonly questions: readonly EvaluationQuestion[];
  /** Where journal and report are; made if need be. */
  readonly folder: string;
}

export interface EvaluationPorts {
  /** The model of this name in the setup. The one that was opened before may be closed. */
  readonly open: (name: string, signal: AbortSignal) => Promise<LanguageModel>;
  readonly critic: LanguageModel;
  readonly prompts: PromptSet;
  readonly decisions: Decisions;
  /** For the experiments that make samples, and those that train. */
  readonly samples?: SampleMaker;
  readonly bench?: TrainingBench;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly fileSystem?: FileSystem;
}

/** Before each unit, and once more at the end. */
export interface EvaluationProgress {
  readonly done: number;
  readonly of: number;
  /** null: all is done. */
  readonly unit: string | null;
}

/**
 * Does what is not done yet, and writes `report.json`, `report.md` and the plots.
 * A question that does not fit into a model's context is set aside with its reason; any other failure ends the
 * experiment, which goes on from there at the next start.
 * @throws PreflexorError `bad-input` (no known answers, a folder with another setup), `cancelled`, or what a model throws
 */
export async function* evaluate(
  evaluation: Evaluation,
  ports: EvaluationPorts,
  signal: AbortSignal,
): AsyncGenerator<EvaluationProgress, EvaluationReport> {
  return yield* experiments[evaluation.setup.experiment](evaluation, ports, signal);
}

type Runner = typeof evaluate;

/** Each experiment knows its own results; outside, all are alike. */
function runnerOf<Result, Question>(experiment: Experiment<Result, Question>): Runner {
  return (evaluation, ports, signal) => new Work(experiment, evaluation, ports, signal).run();
}

const experiments: Readonly<Record<ExperimentName, Runner>> = {
  structure: runnerOf(structure),
  dataset: runnerOf(dataset),
  masking: runnerOf(masking),
  'mask-share': runnerOf(maskShare),
  iterations: runnerOf(iterations),
  methods: runnerOf(methods),
  benchmark: runnerOf(benchmark),
  reflections: runnerOf(reflections),
  training: runnerOf(training),
  models: runnerOf(models),
};

class Work<Result, Question> {
  readonly #experiment: Experiment<Result, Question>;
  readonly #evaluation: Evaluation;
  readonly #ports: EvaluationPorts;
  readonly #signal: AbortSignal;

  constructor(
    experiment: Experiment<Result, Question>,
    evaluation: Evaluation,
    ports: EvaluationPorts,
    signal: AbortSignal,
  ) {
    this.#experiment = experiment;
    this.#evaluation = evaluation;
    this.#ports = ports;
    this.#signal = signal;
  }

  async *run(): AsyncGenerator<EvaluationProgress, EvaluationReport> {
    const { setup, questions, folder } = this.#evaluation;
    const { needsAnswers } = this.#experiment;
    if (needsAnswers && questions.some(({ answer }) => answer === null)) throw unanswered(questions);
    const journal = await openJournal(folder, setup, this.#ports.now, this.#ports.fileSystem);
    const units = this.#experiment.units(questions, setup.models, setup);
    const done = this.#decoded(journal, units);
    const known = new Set(journal.done.map(({ unit }) => unit));
    for (const [at, unit] of units.entries()) {
      if (known.has(unit.id)) continue;
      throwIfCancelled(this.#signal);
      yield { done: at, of: units.length, unit: unit.id };
      const result = await this.#do(unit, done, journal);
      if (result !== null) done.push({ unit, result });
    }
    yield { done: units.length, of: units.length, unit: null };
    return await this.#report(journal, done);
  }

  /** The results that the journal holds. */
  #decoded(journal: Journal, units: readonly Unit<Question>[]): Done<Result, Question>[] {
    return journal.done.flatMap((line) => {
      const unit = units.find(({ id }) => id === line.unit);
      if (line.line !== 'unit' || !unit) return [];
      const decoded = this.#experiment.result.safeParse(line.result);
      if (decoded.success) return [{ unit, result: decoded.data }];
      throw new PreflexorError('bad-input', `The journal's entry for “${line.unit}” can't be read.`, {
        remedy: 'It was written by another version. Choose another folder with --out.',
        cause: decoded.error,
      });
    });
  }

  /** One unit, kept. null: the model can't be asked this. */
  async #do(
    unit: Unit<Question>,
    done: readonly Done<Result, Question>[],
    journal: Journal,
  ): Promise<Result | null> {
    const { now } = this.#ports;
    const started = now();
    const { tools, by } = await this.#toolsFor(unit, done);
    try {
      const result = await this.#experiment.run(unit, tools, this.#signal);
      throwIfCancelled(this.#signal);
      const seconds = Math.max(0, (now() - started) / 1000);
      await journal.append({ line: 'unit', unit: unit.id, seconds, by, result: asJson(result) });
      return result;
    } catch (error) {
      if (!PreflexorError.is(error, 'context-too-small')) throw error;
      await journal.append({ line: 'failed', unit: unit.id, why: sentence(error) });
      return null;
    }
  }

  async #toolsFor(
    unit: Unit<Question>,
    done: readonly Done<Result, Question>[],
  ): Promise<{ tools: Tools<Result, Question>; by: UnitMakers }> {
    const { setup } = this.#evaluation;
    const { prompts, now, critic, open, samples = null, bench = null } = this.#ports;
    const model = unit.model === null ? critic : await open(unit.model, this.#signal);
    const { sampler, version } = setup;
    const own = this.#experiment.ownCritic ? model : critic;
    const asking: Asking = { model, critic: own, prompts, sampler, now, version };
    const temperature = sampler.criticTemperature ?? sampler.temperature;
    const tools: Tools<Result, Question> = {
      ...{ asking, setup, samples, bench, iterations: setup.iterations, earlier: () => done },
      judging: { critic, prompts, temperature, seed: setup.seed },
    };
    // While it trains, memory is the trainer's.
    if (this.#experiment.measures === 'pairs') return { tools, by: needed(bench, 'a trainer').makers };
    const loaded = await model.load(this.#signal);
    const judge = own === model ? loaded : await own.load(this.#signal);
    return { tools, by: makersOf(loaded, judge) };
  }

  async #report(journal: Journal, done: readonly Done<Result, Question>[]): Promise<EvaluationReport> {
    const { setup, folder } = this.#evaluation;
    const { decisions, fileSystem } = this.#ports;
    const { title, measures } = this.#experiment;
    const { report, plots } = reportOf({
      ...{ title, setup, measures },
      finished: journal.done.filter((line) => line.line === 'unit'),
      failed: journal.done.filter((line) => line.line === 'failed'),
      findings: this.#experiment.findings(done, readingOf(setup, decisions)),
    });
    const options = fileSystem ? { fileSystem } : {};
    for (const [name, svg] of plots) await writeDurably(path.join(folder, name), svg, options);
    await writeDurably(path.join(folder, 'report.md'), markdownOf(report), options);
    // Last: who finds it finds everything that it names.
    await writeDurably(path.join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`, options);
    return report;
  }
}

function makersOf(model: LoadedModel, critic: LoadedModel): UnitMakers {
  return {
    ...{ model: model.identity, parameters: model.parameters, adapter: model.adapter },
    ...{ backend: model.backend, critic: critic.identity, criticAdapter: critic.adapter },
  };
}

/** What the journal keeps: fields without a value are left out, as JSON leaves them out. */
function asJson(value: unknown): UnitLine['result'] {
  return JSON.parse(JSON.stringify(value)) as UnitLine['result'];
}

function unanswered(questions: readonly EvaluationQuestion[]): PreflexorError {
  const without = questions.filter(({ answer }) => answer === null);
  const what = `${without.length} of ${questions.length} questions have no known answer, the first is ${without[0]?.id ?? ''}.`;
  return new PreflexorError('bad-input', `A benchmark needs answers: ${what}`, {
    remedy:
      'Name a file with --questions: {"question": "…", "answer": "… #### 42"} a line, or a BigBench task.',
  });
}
