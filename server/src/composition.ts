// Where the parts of the engine are put together from settings: the same for every door.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLlamaEngine, ModelStore, type Engine } from './engine/index.ts';
import type { Retrieval } from './lsp/retrieval.ts';
import type { IndexStatus, Settings } from './protocol/index.ts';

export interface EngineOptions {
  /** A GGUF LoRA adapter's file, or null. */
  readonly adapter: string | null;
  /** Hears what the engine host writes. */
  readonly onLog: (line: string) => void;
}

/** The engine that the settings ask for. Starts nothing: the model is loaded when it is first needed. */
export function createEngine(settings: Settings, home: string, options: EngineOptions): Engine {
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

/** The engine host beside the bundle, or its source where the sources run as they are. */
function hostModule(): string {
  const bundled = fileURLToPath(new URL('./engineHost.js', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('./engine/llama/host.ts', import.meta.url));
}

/**
 * Retrieval where nothing is indexed: what there is until the index, its embedder and its readers are put together
 * here. It says that it is off, and finds nothing.
 */
export function withoutRetrieval(): Retrieval {
  const status = (root: string): IndexStatus => ({
    root,
    state: 'off',
    files: 0,
    chunks: 0,
    done: 0,
    total: 0,
    failed: [],
    embedder: null,
    message: null,
  });
  return {
    setFolders: () => undefined,
    search: () => Promise.resolve({ passages: [], nothingRelevant: true, best: null, threshold: 0 }),
    sources: () => Promise.resolve([]),
    status,
    onStatus: () => () => undefined,
    index: () => Promise.resolve(),
    pause: () => Promise.resolve(),
    resume: () => Promise.resolve(),
    explain: (_root, path) => {
      const reason = 'This folder is not indexed.';
      return Promise.resolve({ path, indexed: false, chunks: 0, code: null, reason });
    },
    bibliographies: () => Promise.resolve([]),
    changed: () => undefined,
    dispose: () => Promise.resolve(),
  };
}

export { knownCitations } from './lsp/retrieval.ts';
