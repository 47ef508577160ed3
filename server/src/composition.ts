// Where the parts of the engine are put together from settings: the same for every door.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ComputeBudget,
  ComputeFiles,
  createLlamaEngine,
  ModelStore,
  realTimers,
  type ChatTokenizer,
  type FoundModel,
  type LlamaEngine,
} from './engine/index.ts';
import type { Settings } from './protocol/index.ts';
import { homePlaces } from './state/index.ts';
import {
  AdapterRegistry,
  AdapterShelf,
  createTrainerProcess,
  findTrainer,
  machineLock,
  noAdapter,
  type Trainer,
  type TrainerPlace,
} from './training/index.ts';

export interface EngineOptions {
  /** An adapter's id, GGUF file or PEFT folder; `base`: none; null: the one that is in use on the model. */
  readonly adapter: string | null;
  /** Where adapters are looked for; whoever gives it also disposes of it. */
  readonly shelf?: AdapterShelf;
  /** Hears what the engine host writes. */
  readonly onLog: (line: string) => void;
}

/** The engine that the settings ask for. Starts nothing: the model is loaded when it is first needed. */
export function createEngine(settings: Settings, home: string, options: EngineOptions): LlamaEngine {
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
    compute: createComputeBudget(home),
  });
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

/** The threads of this machine, of which generation takes first. */
export function createComputeBudget(home: string): ComputeBudget {
  const signs = new ComputeFiles({
    folder: homePlaces(home).locks,
    process: process.pid,
    now: Date.now,
    isAlive: isRunning,
    timers: realTimers,
  });
  return new ComputeBudget({ cores: availableParallelism(), signs, timers: realTimers });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
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
  const engine = createEngine(small, home, { adapter: noAdapter, onLog });
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

/** The trainer, looked for when it is first needed. */
export function createTrainer(home: string, onLog: (text: string) => void): Trainer {
  return createTrainerProcess({
    place: findProgram,
    lock: machineLock({ home }),
    onLog,
  });
}

/** Where the trainer is. @throws PreflexorError `trainer-failed` with how to build it */
export function findProgram(): TrainerPlace {
  return findTrainer({ root: programRoot() });
}

/** The folder with package.json: above dist/, or above server/src/. */
function programRoot(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const above = ['..', join('..', '..')].map((way) => join(here, way));
  return above.find((folder) => existsSync(join(folder, 'node_modules'))) ?? join(here, '..');
}
