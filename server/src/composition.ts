// Where the parts of the engine are put together from settings: the same for every door.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createLlamaEngine,
  createRemoteEngine,
  ModelStore,
  type Engine,
  type RemoteAdapter,
} from './engine/index.ts';
import { preflexorMarkers, type Settings } from './protocol/index.ts';

export interface EngineOptions {
  /** A GGUF LoRA adapter's file, or null. */
  readonly adapter: string | null;
  /** The key of the model server, where the settings name one. */
  readonly key?: string | null;
  /** Hears what the engine host writes. */
  readonly onLog: (line: string) => void;
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
 * The critic that the settings ask for: another model, or the model itself without its adapter. null: it is the
 * reasoner. The weights are mapped from the same file, so that two processes hold them once.
 */
export function createCritic(settings: Settings, home: string, options: EngineOptions): Engine | null {
  const model = settings['reasoning.critic'];
  const adapter = settings['engine.url'] === '' ? options.adapter : settings['engine.urlAdapter'] || null;
  if (model === '' && adapter === null) return null;
  if (model === '' && settings['engine.url'] !== '') return createServerEngine(settings, options, false);
  const critic = model === '' ? settings : { ...settings, model, 'engine.url': '' };
  return createEngine(critic, home, { ...options, adapter: null });
}

/** The folder with the built-in prompts: beside the bundle, or where the sources run as they are. */
export function promptsFolder(): string {
  const bundled = fileURLToPath(new URL('./prompts', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../prompts', import.meta.url));
}

/** The engine host beside the bundle, or its source where the sources run as they are. */
function hostModule(): string {
  const bundled = fileURLToPath(new URL('./engineHost.js', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('./engine/llama/host.ts', import.meta.url));
}
