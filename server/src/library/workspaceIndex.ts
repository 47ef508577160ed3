// The index of one workspace folder: opening it for writing and for searching, mending it when it is damaged, and
// building a new one beside it. Knows the store by its functions only.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import type { SearchFilter, SearchResult } from '../protocol/index.ts';
import {
  chunkerVersion,
  chunkId,
  FileVectorCache,
  search,
  type Embedder,
  type IndexStore,
  type OpenedIndex,
  type PassageFinder,
  type Reranker,
} from '../retrieval/index.ts';
import { readerVersion } from '../retrieval/readers/index.ts';
import type {
  GraphTablesStore,
  IndexIdentity,
  OpenIndex,
  Repair,
  StoreOptions,
} from '../retrieval/store/index.ts';
import { homePlaces, isMissing, makeFolders, workspaceKey, writeDurably } from '../state/index.ts';
import { GraphKeeper, GraphKeepingStore } from './graphKeeping.ts';

/** What retrieval/store offers; handed in by the doors, because it brings LanceDB with it. */
export interface StoreFunctions {
  readonly openIndex: (options: StoreOptions, identity: IndexIdentity) => Promise<OpenIndex>;
  readonly openForSearch: (options: StoreOptions) => Promise<OpenIndex | null>;
  readonly repairIndex: (options: StoreOptions, signal: AbortSignal) => Promise<Repair>;
  readonly openGraphTables: (options: StoreOptions) => Promise<GraphTablesStore>;
}

/** Gives the embedder of a name: the one in the settings, or that of an older index. */
export type EmbedderOf = (name: string) => Embedder;

export interface WorkspaceIndexParts {
  readonly root: string;
  readonly home: string;
  /** As the setting has it; empty: in the application home. */
  readonly address: string;
  /** Name of the embedder in the settings. */
  readonly embedder: string;
  readonly embedderOf: EmbedderOf;
  readonly store: StoreFunctions;
  /** Who opens it, for those who wait for the writer. */
  readonly holder: string;
  readonly tell: (problem: string) => void;
}

export class WorkspaceIndex {
  readonly #parts: WorkspaceIndexParts;
  readonly keeper: GraphKeeper;
  #options: Promise<StoreOptions> | null = null;
  #open: OpenIndex | null = null;
  /** For searching, as long as nothing is open for writing. */
  #reading: OpenIndex | null = null;
  #graph: Promise<GraphTablesStore> | null = null;
  #texts: { readonly embedder: string; readonly cache: FileVectorCache } | null = null;
  #damaged = false;

  constructor(parts: WorkspaceIndexParts) {
    this.#parts = parts;
    this.keeper = new GraphKeeper(() => this.graph(), parts.tell);
  }

  get embedder(): Embedder {
    return this.#parts.embedderOf(this.#parts.embedder);
  }

  /** Runs `work` as the only writer, on an index that was mended first where it was found damaged. */
  async exclusively<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      if (this.#damaged) await this.#repair(signal);
      const open = await this.#opened(signal);
      return await open.exclusively(work);
    } catch (error) {
      if (PreflexorError.is(error, 'index-failed')) this.#damaged = true;
      if (!PreflexorError.is(error, 'index-replaced')) throw error;
      // Another process has put a new index in its place: opened again, it is that one.
      await this.close();
      throw new PreflexorError('index-failed', error.message, { cause: error });
    }
  }

  /** What the indexer writes to; called within `exclusively`. */
  async forIndexing(signal: AbortSignal): Promise<OpenedIndex> {
    const open = await this.#opened(signal);
    const { id, sha256, dimensions } = await this.embedder.identity(signal);
    const wrapped = new Map<IndexStore, IndexStore>();
    const kept = (store: IndexStore): IndexStore => {
      const known = wrapped.get(store) ?? new GraphKeepingStore(store, this.keeper);
      wrapped.set(store, known);
      return known;
    };
    const { building } = open;
    // A first index that is not whole yet is searched already, and is none that serves instead of it.
    const complete = open.serving?.store === building?.store ? null : open.serving;
    const serving = complete && kept(complete.store);
    return {
      serving,
      building: building ? kept(building.store) : (serving ?? unreachable()),
      cache: new FileVectorCache({
        folder: join(await this.#cacheFolder(), 'vectors'),
        embedder: sha256 || createHash('sha256').update(id).digest('hex'),
        dimensions,
      }),
      embedder: id,
      commit: () => open.switchOver(),
      close: () => this.close(),
    };
  }

  /** Vectors of texts that are no part of the index. @throws PreflexorError `no-model`, `cancelled` */
  async embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const cache = await this.#textCache(signal);
    const hashes = texts.map((text) => createHash('sha256').update(text).digest('hex'));
    const known = new Map(await cache.find(hashes));
    const missing = [...new Map(hashes.map((hash, at) => [hash, texts[at] ?? '']))].filter(
      ([hash]) => !known.has(hash),
    );
    if (missing.length > 0) {
      const vectors = await this.embedder.embed(
        missing.map(([, text]) => text),
        'passage',
        signal,
      );
      throwIfCancelled(signal);
      const fresh = new Map(
        missing.flatMap(([hash], at) => (vectors[at] ? [[hash, vectors[at]] as const] : [])),
      );
      await cache.keep(fresh);
      for (const [hash, vector] of fresh) known.set(hash, vector);
    }
    return hashes.map((hash) => known.get(hash) ?? new Float32Array());
  }

  /** What was remembered of such vectors may be removed from the disk: it is looked for anew. */
  dropTexts(): void {
    this.#texts = null;
  }

  /** Files of its own: those of the indexer belong to whoever writes the index. */
  async #textCache(signal: AbortSignal): Promise<FileVectorCache> {
    const { id, sha256, dimensions } = await this.embedder.identity(signal);
    const embedder = sha256 || createHash('sha256').update(id).digest('hex');
    if (this.#texts?.embedder !== embedder) {
      const folder = join(await this.#cacheFolder(), 'vectors', 'texts');
      this.#texts = { embedder, cache: new FileVectorCache({ folder, embedder, dimensions }) };
    }
    return this.#texts.cache;
  }

  /** The next opening begins a new index beside the present one. */
  async beginAnew(): Promise<void> {
    const file = await this.#epochFile();
    await makeFolders(await this.#cacheFolder(), { mode: 0o700 });
    await writeDurably(file, `${(await this.#epoch()) + 1}\n`);
    await this.close();
  }

  /** @throws PreflexorError `index-failed`, `no-model`, `cancelled` */
  async search(
    query: string,
    options: { readonly k: number; readonly filter: SearchFilter; readonly reranker: Reranker | null },
    signal: AbortSignal,
  ): Promise<SearchResult> {
    const open = this.#open ?? (await this.#openedForSearch());
    const serving = open?.serving;
    // An index of another embedder is asked with that one's vectors, until the new one takes its place.
    const embedder = serving ? this.#parts.embedderOf(serving.identity.embedder.id) : null;
    if (!serving || !embedder) return { passages: [], nothingRelevant: false, best: null, threshold: 0 };
    const { k, filter, reranker } = options;
    return await search({ store: serving.store, embedder, reranker }, query, { k, filter, signal });
  }

  /** What is searched, as a search takes it. @throws Error where there is no index yet */
  async finder(): Promise<PassageFinder> {
    const serving = (this.#open ?? (await this.#openedForSearch()))?.serving;
    return serving?.store ?? unreachable();
  }

  /** The store that is searched, or null where there is no index yet. */
  async serving(): Promise<IndexStore | null> {
    return (this.#open ?? (await this.#openedForSearch()))?.serving?.store ?? null;
  }

  async graph(): Promise<GraphTablesStore> {
    this.#graph ??= this.#storeOptions().then((options) => this.#parts.store.openGraphTables(options));
    try {
      return await this.#graph;
    } catch (error) {
      this.#graph = null;
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = [this.#open, this.#reading];
    this.#open = null;
    this.#reading = null;
    for (const one of open) await one?.close();
  }

  async dispose(): Promise<void> {
    await this.close();
    const graph = this.#graph;
    this.#graph = null;
    await graph?.then(
      (store) => store.close(),
      () => undefined,
    );
  }

  async #opened(signal: AbortSignal): Promise<OpenIndex> {
    if (this.#open) return this.#open;
    const embedder = await this.embedder.identity(signal);
    const epoch = await this.#epoch();
    const reader = epoch === 0 ? readerVersion : `${readerVersion}+${epoch}`;
    const identity = { embedder, reader, chunker: chunkerVersion };
    const reading = this.#reading;
    this.#open = await this.#parts.store.openIndex(await this.#storeOptions(), identity);
    this.#reading = null;
    await reading?.close();
    return this.#open;
  }

  async #openedForSearch(): Promise<OpenIndex | null> {
    this.#reading ??= await this.#parts.store.openForSearch(await this.#storeOptions());
    return this.#reading;
  }

  async #repair(signal: AbortSignal): Promise<void> {
    await this.close();
    await this.#parts.store.repairIndex(await this.#storeOptions(), signal);
    this.#damaged = false;
  }

  #storeOptions(): Promise<StoreOptions> {
    this.#options ??= this.#describe();
    return this.#options;
  }

  async #describe(): Promise<StoreOptions> {
    const { address, home, holder, root } = this.#parts;
    return {
      address: address === '' ? homePlaces(home).index : address,
      workspaceKey: await workspaceKey(root),
      ...{ home, holder, chunkId },
    };
  }

  async #cacheFolder(): Promise<string> {
    return join(homePlaces(this.#parts.home).cache, await workspaceKey(this.#parts.root));
  }

  async #epochFile(): Promise<string> {
    return join(await this.#cacheFolder(), 'index-epoch');
  }

  /** How often the writer asked for a new index. Lost, the index is built once more. */
  async #epoch(): Promise<number> {
    try {
      return Number.parseInt(await readFile(await this.#epochFile(), 'utf8'), 10) || 0;
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  }
}

function unreachable(): never {
  throw new Error('An index that is open for an identity serves or is being built.');
}
