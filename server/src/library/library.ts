// The library of all workspace folders in use, the same for each door: what is indexed and kept current, what a
// search finds, what stands behind a run, what the bibliographies know, and the graph that grows with it all.
import { PreflexorError, sentence, throwIfCancelled } from '../errors.ts';
import { graphOfDecision, graphOfRun, graphOfSample, replacePart, type GraphStore } from '../graph/index.ts';
import type {
  DatasetSample,
  IndexedAnswer,
  IndexReport,
  IndexStatus,
  LedgerRecord,
  Iteration,
  Passage,
  Run,
  SearchFilter,
  SearchResult,
  SectionSources,
  Settings,
} from '../protocol/index.ts';
import {
  chunkDocument,
  cosine,
  embeddedText,
  explain,
  IndexService,
  scan,
  sourcesOf,
  WorkspaceWalker,
  type Chunk,
  type DocumentChunker,
  type DocumentReader,
  type Embedder,
  type IndexProgress,
  type Reranker,
  type ScanSettings,
} from '../retrieval/index.ts';
import { documentKindOf, type ReaderThread } from '../retrieval/readers/index.ts';
import { runOnce } from './indexOnce.ts';
import { Bibliographies, type Bibliography } from './bibliographies.ts';
import { WorkspaceIndex, type EmbedderOf, type StoreFunctions } from './workspaceIndex.ts';

/** A workspace folder with what decides on the files that are indexed. */
export interface IndexedFolder {
  /** Absolute path. */
  readonly root: string;
  readonly settings: Settings;
  /** Globs that `files.exclude` and `search.exclude` switch on. */
  readonly editorExcludes: readonly string[];
}

export interface LibraryParts {
  readonly home: string;
  readonly store: StoreFunctions;
  /** The embedder of a name, with the machine's present settings. */
  readonly embedderOf: (name: string, settings: Settings) => Embedder;
  readonly rerankerOf: (settings: Settings) => Reranker | null;
  /** Reads documents beside this thread. */
  readonly readers: ReaderThread;
  /** Who indexes, for other processes that wait: "the editor", "preflexor index". */
  readonly holder: string;
  readonly tell: (problem: string) => void;
  /** Ends the models. */
  readonly release: () => Promise<void>;
}

/** A chunk has no more tokens than this, whatever the embedder reads: a passage is to be read by people. */
const mostChunkTokens = 256;
const overlapTokens = 32;
/** Room for special tokens and the prefix that some embedders want. */
const embedderReserve = 24;

interface Folder {
  readonly configuration: IndexedFolder;
  readonly index: WorkspaceIndex;
  readonly bibliographies: Bibliographies;
  readonly service: IndexService | null;
  readonly forget: () => void;
}

export class Library {
  readonly #parts: LibraryParts;
  readonly #folders = new Map<string, Folder>();
  readonly #listeners = new Set<(status: IndexStatus) => void>();
  readonly #ending = new Set<Promise<void>>();

  constructor(parts: LibraryParts) {
    this.#parts = parts;
  }

  /** The folders that are open now. Indexing of those whose settings want it begins by itself. */
  setFolders(folders: readonly IndexedFolder[]): void {
    const roots = new Set(folders.map(({ root }) => root));
    for (const [root, folder] of this.#folders) if (!roots.has(root)) void this.#end(root, folder);
    for (const configuration of folders) this.#setFolder(configuration, true);
  }

  /** One folder without a service of its own: for the command line, which says when to index. */
  openFolder(configuration: IndexedFolder): void {
    this.#setFolder(configuration, false);
  }

  async search(
    root: string,
    query: string,
    { k, filter }: { readonly k: number; readonly filter: SearchFilter },
    signal: AbortSignal,
  ): Promise<SearchResult> {
    const folder = this.#folders.get(root);
    if (!folder) return { passages: [], nothingRelevant: false, best: null, threshold: 0 };
    const reranker = this.#parts.rerankerOf(folder.configuration.settings);
    const result = await folder.index.search(query, { k, filter, reranker }, signal);
    return { ...result, passages: await this.#withCitekeys(folder, result.passages, signal) };
  }

  /** Which passages stand behind which section. @throws PreflexorError as `search` */
  async sourcesOf(
    root: string,
    iterations: readonly Iteration[],
    passages: readonly Passage[],
    signal: AbortSignal,
  ): Promise<SectionSources[]> {
    const folder = this.#folders.get(root);
    if (!folder || passages.length === 0) return [];
    return await sourcesOf(iterations, passages, folder.index.embedder, signal);
  }

  /** The same for a stored run; worked out once, when it was made. */
  async sources(root: string, run: Run, signal: AbortSignal): Promise<readonly SectionSources[]> {
    return run.sources ?? (await this.sourcesOf(root, run.iterations, run.passages, signal));
  }

  /** Cosine similarity of two texts. */
  async similarity(root: string, one: string, other: string, signal: AbortSignal): Promise<number> {
    const folder = this.#folders.get(root);
    if (!folder) return 0;
    const [first, second] = await folder.index.embedder.embed([one, other], 'passage', signal);
    throwIfCancelled(signal);
    return first && second ? cosine(first, second) : 0;
  }

  /**
   * Vectors of texts that are no part of the index, in their order; remembered beside it.
   * @throws PreflexorError `no-model`, `cancelled`
   */
  async embed(root: string, texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const folder = this.#folders.get(root);
    if (!folder) throw new PreflexorError('no-model', 'This folder is not open.');
    return await folder.index.embed(texts, signal);
  }

  /** Whether there is an index to be searched. */
  async isIndexed(root: string): Promise<boolean> {
    return (await this.#required(root).index.serving()) !== null;
  }

  /** What is indexed of each document, without vectors, a document at a time in no order; nothing without an index. */
  async *chunks(root: string, signal: AbortSignal): AsyncGenerator<readonly Chunk[]> {
    const store = await this.#required(root).index.serving();
    for (const { path, kind, chunks } of (await store?.documents()) ?? []) {
      throwIfCancelled(signal);
      if (chunks === 0 || kind === 'bibtex') continue;
      yield ((await store?.chunksOf(path)) ?? []).map(({ vector: _vector, ...chunk }) => chunk);
    }
  }

  status(root: string): IndexStatus {
    return this.#folders.get(root)?.service?.status() ?? offStatus(root);
  }

  onStatus(hear: (status: IndexStatus) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  /** Brings the index up to date, or makes it anew beside the old one. Resolves when it is done or was paused. */
  async index(root: string, options: { readonly rebuild: boolean }, signal: AbortSignal): Promise<void> {
    const folder = this.#required(root);
    const { service, index } = folder;
    if (!service)
      throw new PreflexorError('bad-input', 'Indexing is switched off here.', {
        remedy: 'Set preflexor.retrieval.enabled.',
      });
    throwIfCancelled(signal);
    const stop = (): void => {
      service.pause();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (options.rebuild) {
        await index.beginAnew();
        service.rebuild();
      } else {
        service.rescan();
      }
      await service.settled();
    } finally {
      signal.removeEventListener('abort', stop);
    }
    throwIfCancelled(signal);
    const { state, message } = service.status();
    if (state === 'failed')
      throw new PreflexorError('index-failed', message ?? 'The index could not be kept.');
  }

  pause(root: string): Promise<void> {
    this.#folders.get(root)?.service?.pause();
    return Promise.resolve();
  }

  resume(root: string): Promise<void> {
    this.#folders.get(root)?.service?.resume();
    return Promise.resolve();
  }

  /** One whole run, without a service. `paths`: relative to the workspace; null: all of it. */
  async indexOnce(
    root: string,
    paths: readonly string[] | null,
    onStep: (step: IndexProgress) => void,
    signal: AbortSignal,
  ): Promise<IndexReport> {
    const { configuration, index } = this.#required(root);
    return await runOnce({
      ...{ configuration, index, paths, onStep, signal },
      settings: scanSettings(configuration),
      reader: this.#reader(configuration),
      chunker: this.#chunker(index),
    });
  }

  async explain(root: string, path: string, signal: AbortSignal): Promise<IndexedAnswer> {
    const folder = this.#required(root);
    if (folder.service) return await folder.service.explain(path);
    const walker = new WorkspaceWalker(root, scanSettings(folder.configuration));
    return await explain(walker, path, async (asked) => {
      const store = await folder.index.serving();
      throwIfCancelled(signal);
      return (await store?.documents())?.find((record) => record.path === asked) ?? null;
    });
  }

  /** A folder that is not open is read all the same. */
  async bibliographies(root: string, signal: AbortSignal): Promise<readonly Bibliography[]> {
    const folder = this.#folders.get(root);
    return await (
      folder?.bibliographies ?? new Bibliographies(root, (stop) => bibFiles(root, null, stop))
    ).read(signal);
  }

  changed(root: string, paths: readonly string[]): void {
    const folder = this.#folders.get(root);
    for (const path of paths) folder?.service?.changed(path);
    if (paths.some((path) => /\.bib$|ignore$/i.test(path))) folder?.bibliographies.refresh();
  }

  /** The graph grows with a run and with what the writer decides on it. Its failures are told, not thrown. */
  async learnRun(root: string, run: Run): Promise<void> {
    const { signal } = new AbortController();
    await this.#learn(root, async (store, folder) => {
      const index = await folder.index.serving();
      const chunks = (await index?.chunksOf(run.note.path)) ?? [];
      await replacePart(store, await graphOfRun(run, run.sources ?? [], chunks, signal));
    });
  }

  /** The graph grows with a sample of self-teaching. Its failures are told, not thrown. */
  async learnSample(root: string, sample: DatasetSample): Promise<void> {
    const { signal } = new AbortController();
    await this.#learn(root, async (store, folder) => {
      const index = await folder.index.serving();
      const chunks: Chunk[] = [];
      for (const source of new Set(sample.evidence.map((place) => place.source)))
        chunks.push(...((await index?.chunksOf(source)) ?? []));
      await replacePart(store, await graphOfSample(sample, chunks, signal));
    });
  }

  async learnDecision(root: string, record: LedgerRecord): Promise<void> {
    await this.#learn(root, (store) => replacePart(store, graphOfDecision(record)));
  }

  /** @throws PreflexorError as the store does */
  async graph(root: string): Promise<GraphStore> {
    return await this.#required(root).index.graph();
  }

  /**
   * Takes documents out of the index, and what owners say out of the graph; `all`: everything of this workspace.
   * A document that is still in the workspace comes back with the next indexing, unless it is excluded.
   * @returns how many there were
   * @throws PreflexorError as the store does
   */
  async forget(
    root: string,
    what: { readonly paths: readonly string[]; readonly owners: readonly string[] } | 'all',
    signal: AbortSignal,
  ): Promise<{ readonly documents: number; readonly owners: number }> {
    const { index } = this.#required(root);
    index.dropTexts();
    const store = await index.serving();
    const known = ((await store?.documents()) ?? []).map(({ path }) => path);
    throwIfCancelled(signal);
    const paths = what === 'all' ? known : known.filter((path) => what.paths.includes(path));
    if (paths.length > 0) await store?.remove(paths);
    const graph = await index.graph();
    const wanted = what === 'all' ? null : new Set(what.owners);
    const gone = new Set(what === 'all' ? [] : what.paths);
    const owners = new Set<string>();
    for await (const { nodes, edges } of graph.readAll()) {
      throwIfCancelled(signal);
      for (const { owner } of [...nodes, ...edges]) if (wanted?.has(owner) ?? true) owners.add(owner);
      // A sample stands for every note that it was made from.
      for (const { owner, evidence } of edges)
        if (owner.startsWith('sample:') && evidence.some(({ source }) => gone.has(source))) owners.add(owner);
    }
    if (owners.size > 0) await graph.removeBySource([...owners]);
    return { documents: paths.length, owners: owners.size };
  }

  async dispose(): Promise<void> {
    for (const [root, folder] of this.#folders) void this.#end(root, folder);
    await Promise.all(this.#ending);
    await Promise.all([this.#parts.readers.close(), this.#parts.release()]);
  }

  async #learn(root: string, work: (store: GraphStore, folder: Folder) => Promise<void>): Promise<void> {
    const folder = this.#folders.get(root);
    if (!folder?.configuration.settings['retrieval.enabled']) return;
    try {
      // Without an index there are no documents that a run could be about.
      if ((await folder.index.serving()) !== null) await work(await folder.index.graph(), folder);
    } catch (error) {
      if (!PreflexorError.is(error, 'cancelled'))
        this.#parts.tell(`The knowledge graph could not be kept. ${sentence(error)}`);
    }
  }

  #required(root: string): Folder {
    const folder = this.#folders.get(root);
    if (folder) return folder;
    throw new PreflexorError('bad-input', `The folder ${root} is not open.`, {
      remedy: 'Open it in the editor.',
    });
  }

  #setFolder(configuration: IndexedFolder, keptCurrent: boolean): void {
    const { root } = configuration;
    const known = this.#folders.get(root);
    if (known && sameIndex(known.configuration, configuration)) {
      if (JSON.stringify(known.configuration) === JSON.stringify(configuration)) return;
      this.#folders.set(root, { ...known, configuration });
      known.service?.configure(scanSettings(configuration));
      known.bibliographies.refresh();
      return;
    }
    const ended = known ? this.#end(root, known) : Promise.resolve();
    this.#folders.set(root, this.#begin(configuration, keptCurrent, ended));
  }

  /** @param before what has to have ended before the index may be opened: its files are the same */
  #begin(configuration: IndexedFolder, keptCurrent: boolean, before: Promise<void>): Folder {
    const { root, settings } = configuration;
    const { home, store, holder, tell, embedderOf } = this.#parts;
    const embedders: EmbedderOf = (name) => embedderOf(name, settings);
    const index = new WorkspaceIndex({
      ...{ root, home, store, holder, tell, embedderOf: embedders },
      address: settings['retrieval.address'],
      embedder: settings['retrieval.embedder'],
    });
    const bibliographies = new Bibliographies(root, (signal) =>
      bibFiles(root, scanSettings(configuration), signal),
    );
    const service = keptCurrent && settings['retrieval.enabled'] ? this.#service(configuration, index) : null;
    const forget = service?.onStatus((status) => {
      for (const listener of this.#listeners) listener(status);
    });
    if (service) void before.then(() => service.start());
    return { configuration, index, bibliographies, service, forget: forget ?? (() => undefined) };
  }

  #service(configuration: IndexedFolder, index: WorkspaceIndex): IndexService {
    return new IndexService({
      root: configuration.root,
      settings: scanSettings(configuration),
      reader: this.#reader(configuration),
      chunker: this.#chunker(index),
      embedder: index.embedder,
      openIndex: (_options, signal) => index.forIndexing(signal),
      exclusively: (work, signal) => index.exclusively(work, signal),
    });
  }

  #reader({ settings }: IndexedFolder): DocumentReader {
    const maxBytes = Math.round(settings['retrieval.maxFileMegabytes'] * 1_000_000);
    return {
      kindOf: documentKindOf,
      read: (path, bytes, readOther, signal) =>
        this.#parts.readers.readDocument(path, bytes, { readOther, maxBytes, signal }),
    };
  }

  #chunker(index: WorkspaceIndex): DocumentChunker {
    return index.keeper.chunker(chunkerFor(() => index.embedder));
  }

  /** A passage of a file that a bibliography names as a work's own is cited by that work's key. */
  async #withCitekeys(folder: Folder, passages: readonly Passage[], signal: AbortSignal): Promise<Passage[]> {
    if (passages.length === 0) return [];
    const keys = new Map<string, string>();
    for (const { path, entries } of await folder.bibliographies.read(signal)) {
      for (const { key, file, start } of entries) {
        keys.set(`${path}:${start}`, key);
        const name = file?.split(/[\\/]/).at(-1);
        if (name) keys.set(name, key);
      }
    }
    return passages.map((passage) => {
      const { source, start } = passage;
      const citekey = keys.get(`${source}:${start}`) ?? keys.get(source.split('/').at(-1) ?? '');
      return citekey === undefined ? passage : { ...passage, citekey };
    });
  }

  #end(root: string, folder: Folder): Promise<void> {
    this.#folders.delete(root);
    folder.forget();
    const ended = (folder.service?.dispose() ?? Promise.resolve())
      .then(() => folder.index.dispose())
      .catch((error: unknown) => {
        this.#parts.tell(sentence(error));
      });
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
    return ended;
  }
}

/** Cuts documents into chunks of a size that people and the embedder can read. */
export function chunkerFor(embedder: () => Embedder): DocumentChunker {
  return {
    chunk: async (document, modified, signal) => {
      const { maxTokens } = await embedder().identity(signal);
      return await chunkDocument(document, {
        countTokens: (texts) => embedder().countTokens(texts, signal),
        maxTokens: Math.max(16, Math.min(mostChunkTokens, maxTokens - embedderReserve)),
        overlapTokens,
        ...{ modified, signal },
      });
    },
    embeddedText,
  };
}

/** The settings that decide which index it is, beside the folder. */
const indexKeys = [
  'retrieval.enabled',
  'retrieval.embedder',
  'retrieval.reranker',
  'retrieval.address',
  'retrieval.maxFileMegabytes',
  'engine.gpu',
  'engine.threads',
] as const satisfies readonly (keyof Settings)[];

function sameIndex(one: IndexedFolder, other: IndexedFolder): boolean {
  return indexKeys.every((key) => one.settings[key] === other.settings[key]);
}

function scanSettings({ settings, editorExcludes }: IndexedFolder): ScanSettings {
  return {
    editorExcludes: [
      {
        setting: 'files.exclude or search.exclude',
        globs: Object.fromEntries(editorExcludes.map((glob) => [glob, true])),
      },
    ],
    include: settings['retrieval.include'],
    exclude: settings['retrieval.exclude'],
    maxFileBytes: Math.round(settings['retrieval.maxFileMegabytes'] * 1_000_000),
  };
}

/** Bibliographies are looked for by the rules of the index, whatever is to be included in it. */
async function bibFiles(
  root: string,
  settings: ScanSettings | null,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const rules = settings ?? { editorExcludes: [], exclude: [], maxFileBytes: Number.MAX_SAFE_INTEGER };
  const walker = new WorkspaceWalker(root, { ...rules, include: ['**/*.bib'] });
  const { files } = await scan(walker, { signal });
  return [...files.keys()].sort();
}

function offStatus(root: string): IndexStatus {
  return {
    ...{ root, state: 'off', files: 0, chunks: 0, done: 0, total: 0 },
    ...{ failed: [], embedder: null, message: null },
  };
}
