// Where the library's parts are put together from settings: readers, embedder, reranker and store, the same for every
// door. LanceDB is loaded when an index is first opened, the embedder when a text is first embedded.
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createEmbedder, createReranker, type HostOptions } from './composition.ts';
import { ModelStore, type LlamaEmbedder, type LlamaReranker } from './engine/index.ts';
import { Library, type StoreFunctions } from './library/index.ts';
import type { Settings } from './protocol/index.ts';
import type { Embedder, EmbedderIdentity } from './retrieval/index.ts';
import { ReaderThread } from './retrieval/readers/index.ts';
import { homePlaces, makeFolders, writeDurably } from './state/index.ts';

export interface LibraryOptions extends HostOptions {
  /** Who indexes, for other processes that wait: "the editor", "preflexor index". */
  readonly holder: string;
}

/** The library for one process. Starts nothing before it is asked for something. */
export function createLibrary(home: string, options: LibraryOptions): Library {
  const embedders = new Models<LlamaEmbedder>();
  const rerankers = new Models<LlamaReranker | null>();
  const embedderOf = (name: string, settings: Settings): Embedder => {
    const wanted = { ...settings, 'retrieval.embedder': name };
    const embedder = embedders.get(keyOf(wanted, name), () => createEmbedder(wanted, home, options));
    return rememberingIdentity(embedder, name, home);
  };
  return new Library({
    ...{ home, embedderOf, store: lanceDb(), holder: options.holder, tell: options.onLog },
    rerankerOf: (settings) =>
      rerankers.get(keyOf(settings, settings['retrieval.reranker']), () =>
        createReranker(settings, home, options),
      ),
    readers: new ReaderThread({ script: readerScript(), timeLimit: 120_000, memoryLimit: 1024 }),
    release: async () => {
      for (const model of [...embedders.all(), ...rerankers.all()]) await model?.dispose();
    },
  });
}

/** Models by what the settings say of them; another setting makes another model, and the old one ends when idle. */
class Models<M> {
  readonly #made = new Map<string, M>();

  get(key: string, make: () => M): M {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  all(): readonly M[] {
    return [...this.#made.values()];
  }
}

function keyOf(settings: Settings, name: string): string {
  return JSON.stringify([
    name,
    settings['engine.gpu'],
    settings['engine.threads'],
    settings['engine.idleUnloadMinutes'],
  ]);
}

/** The store on LanceDB, which is loaded when it is first asked for something. */
export function lanceDb(): StoreFunctions {
  const room = () => import('./retrieval/store/index.ts');
  return {
    openIndex: async (options, identity) => (await room()).openIndex(options, identity),
    openForSearch: async (options) => (await room()).openForSearch(options),
    repairIndex: async (options, signal) => (await room()).repairIndex(options, signal),
    openGraphTables: async (options) => (await room()).openGraphTables(options),
  };
}

const Identity = z.object({
  id: z.string(),
  sha256: z.string(),
  dimensions: z.int().positive(),
  maxTokens: z.int().positive(),
});
const Remembered = z.record(z.string(), Identity);

/** Opening an index asks who the embedder is: that must not load a model each time a folder is opened. */
function rememberingIdentity(embedder: LlamaEmbedder, name: string, home: string): Embedder {
  const file = join(homePlaces(home).cache, 'embedders.json');
  const identity = async (signal: AbortSignal): Promise<EmbedderIdentity> => {
    const found = await new ModelStore({ home }).findEmbedder(name, { signal });
    const { size, mtimeMs } = await stat(found.file);
    const key = `${name} ${found.file} ${size} ${Math.round(mtimeMs)}`;
    const known = await remembered(file);
    const same = known[key];
    if (same) return same;
    const asked = await embedder.identity(signal);
    await remember(file, { ...known, [key]: asked });
    return asked;
  };
  return {
    identity,
    embed: (texts, as, signal) => embedder.embed(texts, as, signal),
    countTokens: (texts, signal) => embedder.countTokens(texts, signal),
  };
}

async function remembered(file: string): Promise<Record<string, EmbedderIdentity>> {
  try {
    return Remembered.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Missing or damaged: asked again.
    return {};
  }
}

async function remember(file: string, identities: Record<string, EmbedderIdentity>): Promise<void> {
  try {
    await makeFolders(dirname(file), { mode: 0o700 });
    await writeDurably(file, JSON.stringify(identities));
  } catch {
    // A home that can't be written has the model loaded each time.
  }
}

/** The reader's thread beside the bundle, or its source where the sources run as they are. */
export function readerScript(): string {
  const bundled = fileURLToPath(new URL('./readerThread.js', import.meta.url));
  return existsSync(bundled)
    ? bundled
    : fileURLToPath(new URL('./retrieval/readers/thread.ts', import.meta.url));
}
