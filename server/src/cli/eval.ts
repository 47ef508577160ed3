// preflexor eval: an experiment of the method's section 6 on the user's own questions and model, with its report.
import { join, resolve } from 'node:path';
import {
  createCritic,
  createEngine,
  createShelf,
  criticFor,
  promptsFolder,
  type EngineOptions,
} from '../composition.ts';
import type { Engine, LanguageModel } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import {
  evaluate,
  evaluationPromptVersion,
  markdownOf,
  questionsHash,
  type Decisions,
  type EvaluationProgress,
} from '../evaluation/index.ts';
import {
  experimentNames,
  ExperimentName,
  type EvaluationReport,
  type EvaluationSetup,
  type Intent,
  type Run,
  type Sampler,
  type Settings,
} from '../protocol/index.ts';
import type { PromptSet } from '../reasoning/index.ts';
import { prepareWorkspace, workspaceOf, workspacePlaces } from '../state/index.ts';
import { noAdapter, type AdapterShelf } from '../training/index.ts';
import { programVersion } from '../version.ts';
import { Stores, workspacePrompts } from '../workflow/index.ts';
import { engineOptions, settingsOf, type Context, type SamplingOptions } from './context.ts';
import { questionsOfFile, questionsOfWorkspace, type AskedQuestions } from './evalQuestions.ts';
import { withEvalWork, type EvalWork, type WorkOptions } from './evalWork.ts';

export interface EvalOptions extends SamplingOptions, WorkOptions {
  readonly questions?: string;
  readonly out?: string;
  readonly models?: readonly string[];
  readonly critic?: string;
  readonly iterations: number;
  readonly limit?: number;
}

/** Taken where no seed is named, so that the same command goes on with what it began. */
const usualSeed = 1;

/** What a paragraph is asked where there is no file of questions. */
const askedIntents: readonly Intent[] = [
  'assumptions',
  'mechanisms',
  'counter-argument',
  'clarify',
  'strengthen',
];

/** An experiment by its name or its number in the method. @throws PreflexorError `bad-input` */
export function experimentOf(text: string): ExperimentName {
  const named = ExperimentName.options.find(
    (name) => name === text || String(experimentNames[name]) === text,
  );
  if (named) return named;
  const known = ExperimentName.options.map((name) => `${experimentNames[name]} (${name})`).join(', ');
  throw new PreflexorError('bad-input', `There is no experiment ${text}.`, {
    remedy: `These there are: ${known}.`,
  });
}

export async function evalCommand(experiment: string, options: EvalOptions, context: Context): Promise<void> {
  const { output, signal, home } = context;
  const name = experimentOf(experiment);
  const settings = settingsOf({ ...context.options, ...options });
  const shelf = new EngineShelf(name, options, settings, context);
  const root = await workspaceOf({
    home,
    ...(context.options.workspace !== undefined && { workspace: context.options.workspace }),
  });
  const prompts = await workspacePrompts(promptsFolder(), root, settings['reasoning.promptSet']);
  const seed = context.options.seed ?? usualSeed;
  const folder = await folderFor(root, name, options.out);
  try {
    await withEvalWork(name, { root, folder, seed }, options, context, async (work) => {
      const asked = work ? noQuestions(work) : await askedFor(root, prompts, seed, options, signal);
      const setup = setupOf(name, options, settings, { asked, prompts, seed, shelf, context, work });
      const decisions = await decisionsOf(root, home, name);
      const { samples, bench, models } = work ?? {};
      const events = evaluate(
        { setup, questions: asked.questions, folder },
        {
          open: (model) => (models ? Promise.resolve(models.student) : shelf.open(model)),
          critic: models && options.critic === undefined ? models.teacher : shelf.critic,
          ...{ prompts, decisions, now: Date.now },
          ...(samples && { samples }),
          ...(bench && { bench }),
        },
        signal,
      );
      const report = await follow(events, folder, context);
      const where = `The report with its plots: ${join(folder, 'report.md')}`;
      output.result(report, `${markdownOf(report)}\n${where}`);
    });
  } finally {
    await shelf.dispose();
  }
}

/** Experiments with work of their own ask nothing of a list. */
function noQuestions({ measured }: EvalWork): AskedQuestions {
  return { questions: [], source: measured.source };
}

/** Shows how far it is, and says what a failure leaves. */
async function follow(
  work: AsyncGenerator<EvaluationProgress, EvaluationReport>,
  folder: string,
  { output }: Context,
): Promise<EvaluationReport> {
  let begun = false;
  try {
    for (;;) {
      const step = await work.next();
      if (step.done) return step.value;
      begun = true;
      const { done, of, unit } = step.value;
      if (unit !== null) output.progress(`${done} of ${of} done: ${unit}`);
    }
  } catch (error) {
    if (begun) output.say(`What is done is kept in ${folder}; the same command goes on from there.`);
    throw error;
  }
}

async function askedFor(
  root: string,
  prompts: PromptSet,
  seed: number,
  { questions, limit }: EvalOptions,
  signal: AbortSignal,
): Promise<AskedQuestions> {
  if (questions !== undefined) return await questionsOfFile(questions, limit);
  const asked = askedIntents.map((intent) => prompts.tasks[intent].question);
  return await questionsOfWorkspace(root, asked, { limit, seed }, signal);
}

interface SetupParts {
  readonly asked: AskedQuestions;
  readonly prompts: PromptSet;
  readonly seed: number;
  readonly shelf: EngineShelf;
  readonly context: Context;
  readonly work: EvalWork | null;
}

function setupOf(
  experiment: ExperimentName,
  { iterations }: EvalOptions,
  settings: Settings,
  { asked: { questions, source }, prompts, seed, shelf, context, work }: SetupParts,
): EvaluationSetup {
  return {
    ...{ experiment, version: programVersion, seed, iterations },
    sampler: samplerOf(settings, seed),
    prompts: `${prompts.version} ${evaluationPromptVersion}`,
    questions: work?.measured ?? { source, sha256: questionsHash(questions), count: questions.length },
    models: [...shelf.models],
    critic: shelf.criticName,
    adapter: context.options.adapter ?? null,
    ...(work && { work: work.numbers }),
  };
}

function samplerOf(settings: Settings, seed: number): Sampler {
  return {
    seed,
    temperature: settings['reasoning.temperature'],
    criticTemperature: settings['reasoning.criticTemperature'],
    thinkingTokens: settings['reasoning.thinkingTokens'],
    reflectionTokens: settings['reasoning.reflectionTokens'],
    answerTokens: settings['reasoning.answerTokens'],
    avoidLoops: settings['reasoning.avoidLoops'],
  };
}

async function folderFor(root: string, name: ExperimentName, out: string | undefined): Promise<string> {
  if (out !== undefined) return resolve(out);
  const places = workspacePlaces(root);
  await prepareWorkspace(places, 'evaluations');
  return join(places.evaluations, name);
}

/** What the writer has decided, for the experiments that read it. */
async function decisionsOf(root: string, home: string, name: ExperimentName): Promise<Decisions> {
  const runs = new Map<string, Run>();
  if (name !== 'iterations' && name !== 'reflections') return { records: [], runs };
  const stores = new Stores(home, Date.now);
  const { records } = await (await stores.ledger(root)).read();
  const wanted = records.flatMap(({ kind, run }) =>
    run !== null && (kind === 'pick' || kind === 'accept') ? [run] : [],
  );
  for (const id of new Set(wanted)) {
    const run = await stores
      .runs(root)
      .load(id)
      .catch(() => null);
    // A run that was deleted, or can't be read, costs its decision's place in the figures.
    if (run) runs.set(id, run);
  }
  return { records, runs };
}

/** The engines of an experiment: one model at a time, and the critic beside it. */
class EngineShelf {
  readonly models: readonly string[];
  readonly critic: LanguageModel;
  readonly criticName: string;
  readonly #settings: Settings;
  readonly #context: Context;
  readonly #adapters: AdapterShelf;
  readonly #engineOptions: EngineOptions;
  /** Experiment 9 compares the model with itself under this adapter. */
  readonly #trained: string | null;
  readonly #first: { readonly name: string; readonly engine: Engine };
  readonly #ownCritic: Engine;
  #open: { readonly name: string; readonly engine: Engine } | null = null;

  /** @throws PreflexorError `bad-input` for options that do not go together */
  constructor(name: ExperimentName, options: EvalOptions, settings: Settings, context: Context) {
    this.#context = context;
    this.#settings = { ...settings, 'reasoning.critic': options.critic ?? '' };
    refuseOtherOptions(name, options, context);
    this.#adapters = createShelf(context.home);
    const shared = { ...engineOptions(context), shelf: this.#adapters };
    // An adapter belongs to one model: several are compared without.
    this.#engineOptions = name === 'models' ? { ...shared, adapter: noAdapter } : shared;
    this.#trained = name === 'training' ? (context.options.adapter ?? null) : null;
    this.models = this.#trained === null ? modelsOf(options, settings) : [noAdapter, this.#trained];
    const [first = settings.model] = this.models;
    this.#first = { name: first, engine: this.#engine(first) };
    this.#ownCritic = createCritic(this.#settingsFor(first), context.home, this.#engineOptions);
    // Where the critic is no model of its own, it is the first one: the very engine, which is loaded once.
    this.critic = criticFor(this.#settings, this.#first.engine, this.#ownCritic);
    this.criticName = options.critic ?? (this.#trained === null ? first : settings.model);
  }

  async open(name: string): Promise<Engine> {
    if (name === this.#first.name) return this.#first.engine;
    if (this.#open?.name === name) return this.#open.engine;
    await this.#open?.engine.dispose();
    this.#open = { name, engine: this.#engine(name) };
    return this.#open.engine;
  }

  async dispose(): Promise<void> {
    await this.#open?.engine.dispose();
    await this.#first.engine.dispose();
    await this.#ownCritic.dispose();
    await this.#adapters.dispose();
  }

  #engine(name: string): Engine {
    const adapter = this.#trained === null ? {} : { adapter: name };
    return createEngine(this.#settingsFor(name), this.#context.home, { ...this.#engineOptions, ...adapter });
  }

  #settingsFor(name: string): Settings {
    if (this.#trained !== null) return this.#settings;
    const remote = name === serverName(this.#settings);
    return remote ? this.#settings : { ...this.#settings, model: name, 'engine.url': '' };
  }
}

function refuseOtherOptions(name: ExperimentName, { models }: EvalOptions, { options }: Context): void {
  if (name === 'training' && (options.adapter === undefined || options.adapter === noAdapter)) {
    throw new PreflexorError('bad-input', 'Experiment 9 compares the model with its adapter.', {
      remedy: 'Name the adapter with --adapter; "preflexor adapters list" says which there are.',
    });
  }
  if (models === undefined || (name === 'models' && options.adapter === undefined)) return;
  const what =
    name === 'models'
      ? 'An adapter fits one model, not several.'
      : 'Only experiment 10 compares several models.';
  throw new PreflexorError('bad-input', what, { remedy: 'Leave --models or --adapter out.' });
}

/** The models that are named, else the one of the settings; a server's comes last. */
function modelsOf({ models }: EvalOptions, settings: Settings): string[] {
  const server = serverName(settings);
  const local = models ?? (server === null ? [settings.model] : []);
  return [...new Set([...local, ...(server === null ? [] : [server])])];
}

/** How the model behind a server is called among the others; null: there is none. */
function serverName(settings: Settings): string | null {
  const address = settings['engine.url'];
  return address === '' ? null : `server ${URL.parse(address)?.host ?? address}`;
}
