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
  ModelStore,
  realTimers,
  type Engine,
  type LlamaEmbedder,
  type LlamaReranker,
} from './engine/index.ts';
import { preflexorMarkers, type Settings } from './protocol/index.ts';
import { homePlaces } from './state/index.ts';

export interface HostOptions {
  /** Hears what the engine host writes. */
  readonly onLog: (line: string) => void;
  /** The process's one budget: with it, embedding makes room for generation. */
  readonly compute?: ComputeBudget;
}

export interface EngineOptions extends HostOptions {
  /** A GGUF LoRA adapter's file, or null. */
  readonly adapter: string | null;
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
  const models = new ModelStore({ home });
  return createLlamaEngine({
    modelName: settings.model,
    resolveModel: (signal) => models.findModel(settings.model, { signal }),
    gpu: settings['engine.gpu'],
    contextTokens: settings['engine.contextTokens'],
    threads: settings['engine.threads'],
    idleUnloadMs: settings['engine.idleUnloadMinutes'] * 60_000,
    adapter: options.adapter,
    hostModule: hostModule(),
    measurementsFile: join(home, 'measurements.json'),
    onLog: options.onLog,
    ...(options.compute && { compute: options.compute }),
  });
}

function createServerEngine(settings: Settings, { key = null, onLog }: EngineOptions): Engine {
  const adapter = settings['engine.urlAdapter'];
  return createRemoteEngine({
    address: settings['engine.url'],
    model: settings['engine.urlModel'],
    adapter:
      adapter === ''
        ? null
        : /^\d+$/.test(adapter)
          ? { lora: Number(adapter), scale: 1 }
          : { model: adapter },
    contextTokens: settings['engine.contextTokens'],
    markers: preflexorMarkers,
    ...{ key, onLog },
  });
}

/**
 * The critic that the settings ask for: another model, or the model itself without its adapter. null: it is the
 * reasoner. The weights are mapped from the same file, so that two processes hold them once.
 */
export function createCritic(settings: Settings, home: string, options: EngineOptions): Engine | null {
  const model = settings['reasoning.critic'];
  const adapter = settings['engine.url'] === '' ? options.adapter : settings['engine.urlAdapter'] || null;
  if (model === '' && adapter === null) return null;
  const critic = model === '' ? settings : { ...settings, model, 'engine.url': '' };
  return createEngine({ ...critic, 'engine.urlAdapter': '' }, home, { ...options, adapter: null });
}

/** The folder with the built-in prompts: beside the bundle, or where the sources run as they are. */
export function promptsFolder(): string {
  const bundled = fileURLToPath(new URL('./prompts', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../prompts', import.meta.url));
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
