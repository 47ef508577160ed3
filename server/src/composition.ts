// Where the parts of the engine are put together from settings: the same for every door.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ComputeBudget,
  ComputeFiles,
  createLlamaEmbedder,
  createLlamaEngine,
  createLlamaReranker,
  createRemoteEngine,
  criticBeside,
  ModelStore,
  realTimers,
  type ChatTokenizer,
  type Engine,
  type FoundModel,
  type LanguageModel,
  type LlamaEmbedder,
  type LlamaEngine,
  type LlamaReranker,
  type RemoteAdapter,
} from './engine/index.ts';
import { preflexorMarkers, type Settings } from './protocol/index.ts';
import { homePlaces } from './state/index.ts';
import { realProcesses, realSystem, TeachingHolder } from './teaching/index.ts';
import {
  AdapterRegistry,
  AdapterShelf,
  createTrainerProcess,
  findTrainer,
  machineLock,
  noAdapter,
  type Trainer,
  type TrainerBackend,
  type TrainerPlace,
} from './training/index.ts';

export interface HostOptions {
  /** Hears what the engine host writes. */
  readonly onLog: (line: string) => void;
  /** The process's one budget: with it, embedding makes room for generation. */
  readonly compute?: ComputeBudget;
}

export interface EngineOptions extends HostOptions {
  /** An adapter's id, GGUF file or PEFT folder; `base`: none; null: the one that is in use on the model. */
  readonly adapter: string | null;
  /** Where adapters are looked for; whoever gives it also disposes of it. */
  readonly shelf?: AdapterShelf;
  /** The key of the model server, where the settings name one. */
  readonly key?: string | null;
}

/** The budget of this process, to be shared by all that computes in it. Other processes hear of it by files. */
export function createComputeBudget(home: string): ComputeBudget {
  const signs = new ComputeFiles({
    ...{ folder: homePlaces(home).locks, process: process.pid, now: Date.now, timers: realTimers },
    isAlive: isRunning,
  });
  return new ComputeBudget({ cores: availableParallelism(), signs, timers: realTimers });
}

function isRunning(process_: number): boolean {
  try {
    return process.kill(process_, 0);
  } catch (error) {
    // Somebody else's process runs all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The engine that the settings ask for. Starts nothing: the model is loaded when it is first needed. */
export function createEngine(settings: Settings, home: string, options: EngineOptions): Engine {
  if (settings['engine.url'] !== '') return createServerEngine(settings, options);
  return createLocalEngine(settings, home, options);
}

/** The engine on a model of this machine. */
export function createLocalEngine(settings: Settings, home: string, options: EngineOptions): LlamaEngine {
  const models = new ModelStore({ home });
  const shelf = options.shelf ?? createShelf(home);
  return createLlamaEngine({
    modelName: settings.model,
    resolveModel: (signal) => models.findModel(settings.model, { signal }),
    gpu: settings['engine.gpu'],
    contextTokens: settings['engine.contextTokens'],
    threads: settings['engine.threads'],
    idleUnloadMs: settings['engine.idleUnloadMinutes'] * 60_000,
    adapter: async (model, signal) => await adapterFile(shelf, options.adapter, model, signal),
    hostModule: hostModule(),
    measurementsFile: join(home, 'measurements.json'),
    onLog: options.onLog,
    ...(options.compute && { compute: options.compute }),
  });
}

/** @param applied whether the server's adapter is to be used: the critic is the model without it */
function createServerEngine(
  settings: Settings,
  { key = null, onLog }: EngineOptions,
  applied = true,
): Engine {
  return createRemoteEngine({
    address: settings['engine.url'],
    model: settings['engine.urlModel'],
    adapter: serverAdapter(settings['engine.urlAdapter'], applied),
    contextTokens: settings['engine.contextTokens'],
    markers: preflexorMarkers,
    ...{ key, onLog },
  });
}

/** By its number an adapter must be switched off in each request: llama-server applies all that it has loaded. */
function serverAdapter(name: string, applied: boolean): RemoteAdapter | null {
  if (/^\d+$/.test(name)) return { lora: Number(name), scale: applied ? 1 : 0 };
  return name === '' || !applied ? null : { model: name };
}

/**
 * The critic that the settings ask for: another model, or the model itself without its adapter. Starts nothing: while
 * the reasoner has no adapter, the second is never loaded (`criticBeside`).
 */
export function createCritic(settings: Settings, home: string, options: EngineOptions): Engine {
  const model = settings['reasoning.critic'];
  if (model === '' && settings['engine.url'] !== '') return createServerEngine(settings, options, false);
  const critic = model === '' ? settings : { ...settings, model, 'engine.url': '' };
  return createEngine(critic, home, { ...options, adapter: noAdapter });
}

/** The critic as a run asks it. @param critic what `createCritic` made */
export function criticFor(settings: Settings, reasoner: LanguageModel, critic: LanguageModel): LanguageModel {
  return settings['reasoning.critic'] === '' ? criticBeside(reasoner, critic) : critic;
}

/** The folder with the built-in prompts: beside the bundle, or where the sources run as they are. */
export function promptsFolder(): string {
  const bundled = fileURLToPath(new URL('./prompts', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../prompts', import.meta.url));
}

/** The text that ships for training to be held to: beside the bundle, or where the sources run as they are. */
export function shippedText(): string {
  const bundled = fileURLToPath(new URL('./texts/anchor.md', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../texts/anchor.md', import.meta.url));
}

/** The Python files that a training job takes along: beside the bundle, or where the sources run as they are. */
export function jobScripts(): string {
  const bundled = fileURLToPath(new URL('./job', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../job', import.meta.url));
}

/** The embedder that the settings ask for. Starts nothing: the model is loaded when it is first needed. */
export function createEmbedder(settings: Settings, home: string, options: HostOptions): LlamaEmbedder {
  const models = new ModelStore({ home });
  return createLlamaEmbedder({
    resolveModel: (signal) => models.findEmbedder(settings['retrieval.embedder'], { signal }),
    ...encoderOptions(settings, options),
  });
}

/** The reranker that the settings ask for; null: they ask for none. */
export function createReranker(settings: Settings, home: string, options: HostOptions): LlamaReranker | null {
  const name = settings['retrieval.reranker'];
  if (name === '') return null;
  const models = new ModelStore({ home });
  return createLlamaReranker({
    resolveModel: (signal) => models.findReranker(name, { signal }),
    ...encoderOptions(settings, options),
  });
}

function encoderOptions(settings: Settings, options: HostOptions) {
  return {
    gpu: settings['engine.gpu'],
    threads: settings['engine.threads'],
    idleUnloadMs: settings['engine.idleUnloadMinutes'] * 60_000,
    hostModule: hostModule(),
    onLog: options.onLog,
    ...(options.compute && { compute: options.compute }),
  };
}

/** The engine host beside the bundle, or its source where the sources run as they are. */
function hostModule(): string {
  const bundled = fileURLToPath(new URL('./engineHost.js', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('./engine/llama/host.ts', import.meta.url));
}

async function adapterFile(
  shelf: AdapterShelf,
  spec: string | null,
  model: FoundModel,
  signal: AbortSignal,
): Promise<{ file: string; name: string } | null> {
  if (spec === noAdapter) return null;
  const adapter = await (spec === null ? shelf.active(model) : shelf.choose(spec, model));
  return adapter && { file: await adapter.gguf(signal), name: adapter.name };
}

/** The adapters of this machine. */
export function createShelf(home: string): AdapterShelf {
  return new AdapterShelf(new AdapterRegistry(home, Date.now));
}

/**
 * Lends a tokenizer of the settings' model: an engine on the processor with the smallest context, which is gone
 * when `work` ends.
 */
export async function withTokenizer<T>(
  settings: Settings,
  home: string,
  onLog: (line: string) => void,
  work: (tokenizer: ChatTokenizer) => Promise<T>,
): Promise<T> {
  const small = {
    ...settings,
    'engine.gpu': 'cpu',
    'engine.contextTokens': 512,
    'engine.threads': 1,
  } as const;
  const engine = createLocalEngine(small, home, { adapter: noAdapter, onLog });
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

/** Who teaches on this machine. */
export function createTeachingHolder(home: string): TeachingHolder {
  return new TeachingHolder(home, realProcesses(process.platform, realSystem));
}

/** The trainer, looked for when it is first needed. */
export function createTrainer(
  home: string,
  onLog: (text: string) => void,
  backend: TrainerBackend = 'cpu',
): Trainer {
  return createTrainerProcess({
    place: () => findProgram(backend),
    lock: machineLock({ home }),
    onLog,
  });
}

/** Where the trainer is. @throws PreflexorError `trainer-failed` with how to build it */
export function findProgram(backend: TrainerBackend = 'cpu'): TrainerPlace {
  return findTrainer({ root: programRoot(), backend });
}

/** The folder with node_modules: dist/ itself in a package, and in a checkout what is above dist/ or server/src/. */
function programRoot(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const ways = ['.', '..', join('..', '..')].map((way) => join(here, way));
  return ways.find((folder) => existsSync(join(folder, 'node_modules'))) ?? join(here, '..');
}
