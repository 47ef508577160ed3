// A small real implementation of the editor's port to retrieval: it reads the files of a folder into memory,
// paragraph by paragraph, and compares texts by the words they share. No models, nothing on disk.
import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import { throwIfCancelled } from '../../server/src/errors.ts';
import {
  replacePart,
  type GraphPart,
  type GraphStore,
  type StoredEdge,
  type StoredNode,
} from '../../server/src/graph/index.ts';
import { MemoryGraphStore } from '../../server/src/graph/testing/memoryGraphStore.ts';
import type { Bibliography, IndexedFolder, Retrieval } from '../../server/src/lsp/retrieval.ts';
import type {
  Evidence,
  FailedFile,
  IndexStatus,
  IndexedAnswer,
  Iteration,
  Passage,
  Run,
  SearchFilter,
  SearchResult,
  SectionSources,
} from '../../server/src/protocol/index.ts';
import { readEntries } from './bibtex.ts';
import { pagesOfPdf } from './pdfText.ts';

/** Below this share of common words a passage is not relevant. */
const threshold = 0.2;
const ownFolders = /^(?:\.preflexor|\.git|node_modules)(?:\/|$)/;

interface Folder {
  readonly configuration: IndexedFolder;
  readonly passages: Map<string, readonly Passage[]>;
  readonly failed: Map<string, FailedFile>;
  paused: boolean;
  working: Promise<void>;
  status: IndexStatus;
}

export class MemoryRetrieval implements Retrieval {
  readonly #folders = new Map<string, Folder>();
  readonly #listeners = new Set<(status: IndexStatus) => void>();
  /** Called before each file is read: a test can hold it here. */
  readonly #beforeFile: (path: string) => Promise<void>;

  constructor(beforeFile: (path: string) => Promise<void> = () => Promise.resolve()) {
    this.#beforeFile = beforeFile;
  }

  setFolders(folders: readonly IndexedFolder[]): void {
    const roots = new Set(folders.map(({ root }) => root));
    for (const root of this.#folders.keys()) if (!roots.has(root)) this.#folders.delete(root);
    for (const configuration of folders) {
      const { root } = configuration;
      const known = this.#folders.get(root);
      if (known && JSON.stringify(known.configuration) === JSON.stringify(configuration)) continue;
      const folder: Folder = {
        configuration,
        passages: new Map(),
        failed: new Map(),
        paused: known?.paused ?? false,
        working: Promise.resolve(),
        status: statusOf(root),
      };
      this.#folders.set(root, folder);
      if (configuration.settings['retrieval.enabled']) void this.#begin(folder, null);
      else this.#tell(folder, {});
    }
  }

  search(
    root: string,
    query: string,
    { k, filter }: { readonly k: number; readonly filter: SearchFilter },
    signal: AbortSignal,
  ): Promise<SearchResult> {
    throwIfCancelled(signal);
    const folder = this.#folders.get(root);
    const scored = [...(folder?.passages.values() ?? [])]
      .flat()
      .filter(({ source }) => !filter.notSources?.includes(source))
      .filter(({ source }) => !filter.folders || filter.folders.some((one) => source.startsWith(`${one}/`)))
      .map((passage) => withScore(passage, likeness(query, passage.text)))
      .sort((a, b) => b.score - a.score);
    const passages = scored.filter(({ score }) => score >= threshold).slice(0, k);
    return Promise.resolve({
      passages,
      nothingRelevant: passages.length === 0,
      best: scored[0]?.score ?? null,
      threshold,
    });
  }

  sources(root: string, run: Run, signal: AbortSignal): Promise<readonly SectionSources[]> {
    return this.sourcesOf(root, run.iterations, run.passages, signal);
  }

  similarity(_root: string, one: string, other: string): Promise<number> {
    return Promise.resolve(likeness(one, other));
  }

  forget(
    root: string,
    what: { readonly paths: readonly string[] } | 'all',
  ): Promise<{ readonly documents: number; readonly owners: number }> {
    const { passages } = this.#folders.get(root) ?? { passages: new Map<string, readonly Passage[]>() };
    const gone = [...passages.keys()].filter((name) => what === 'all' || what.paths.includes(name));
    for (const name of gone) passages.delete(name);
    return Promise.resolve({ documents: gone.length, owners: 0 });
  }

  embed(_root: string, texts: readonly string[]): Promise<readonly Float32Array[]> {
    return Promise.resolve(texts.map(wordVector));
  }

  sourcesOf(
    _root: string,
    iterations: readonly Iteration[],
    passages: readonly Passage[],
    signal: AbortSignal,
  ): Promise<SectionSources[]> {
    throwIfCancelled(signal);
    const kinds = ['thinking', 'reflection', 'answer'] as const;
    return Promise.resolve(
      iterations.flatMap((iteration) =>
        kinds.map((kind) => {
          const sentences = iteration[kind].match(/[^.!?]+[.!?]?/g) ?? [];
          const supporting = passages.flatMap(({ id, text }) => {
            const [best] = sentences
              .map((sentence) => ({ id, sentence: sentence.trim(), support: likeness(sentence, text) }))
              .sort((a, b) => b.support - a.support);
            return best && best.support >= threshold ? [best] : [];
          });
          return { iteration: iteration.index, kind, passages: supporting };
        }),
      ),
    );
  }

  status(root: string): IndexStatus {
    return this.#folders.get(root)?.status ?? statusOf(root);
  }

  onStatus(hear: (status: IndexStatus) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  async index(root: string, { rebuild }: { readonly rebuild: boolean }, signal: AbortSignal): Promise<void> {
    const folder = this.#folders.get(root);
    if (!folder) return;
    if (rebuild) folder.passages.clear();
    await this.#begin(folder, null, signal);
    throwIfCancelled(signal);
  }

  pause(root: string): Promise<void> {
    const folder = this.#folders.get(root);
    if (folder) {
      folder.paused = true;
      this.#tell(folder, { state: 'paused' });
    }
    return Promise.resolve();
  }

  async resume(root: string): Promise<void> {
    const folder = this.#folders.get(root);
    if (!folder) return;
    folder.paused = false;
    await this.#begin(folder, null);
  }

  async explain(root: string, file: string): Promise<IndexedAnswer> {
    const folder = this.#folders.get(root);
    const rule = folder && excludedBy(folder.configuration, file);
    const chunks = folder?.passages.get(file)?.length ?? 0;
    const failed = folder?.failed.get(file);
    const missing = await stat(path.join(root, file)).then(
      () => false,
      () => true,
    );
    const answer = (code: IndexedAnswer['code'], reason: string): IndexedAnswer => {
      return { path: file, indexed: code === null, chunks, code, reason };
    };
    if (missing) return answer('unreadable', 'There is no such file.');
    if (rule) return answer('excluded', rule);
    if (failed) return answer(failed.code, failed.reason);
    return chunks > 0
      ? answer(null, `It is in the index with ${chunks} passages.`)
      : answer('empty', 'There is no text in it.');
  }

  async bibliographies(root: string): Promise<readonly Bibliography[]> {
    const files = (await filesBelow(root)).filter((file) => file.endsWith('.bib'));
    return await Promise.all(
      files.map(async (file) => {
        const text = await readFile(path.join(root, file), 'utf8');
        return { path: file, text, entries: readEntries(text) };
      }),
    );
  }

  /** Passages of documents, and long words as their concepts. */
  async graph(root: string): Promise<GraphStore> {
    const store = new MemoryGraphStore();
    for (const [file, passages] of this.#folders.get(root)?.passages ?? [])
      await replacePart(store, partOf(file, passages));
    return store;
  }

  learnRun(): Promise<void> {
    return Promise.resolve();
  }

  learnDecision(): Promise<void> {
    return Promise.resolve();
  }

  changed(root: string, paths: readonly string[]): void {
    const folder = this.#folders.get(root);
    if (folder) void this.#begin(folder, paths);
  }

  async dispose(): Promise<void> {
    const working = [...this.#folders.values()].map((folder) => folder.working);
    this.#folders.clear();
    await Promise.all(working);
  }

  #begin(folder: Folder, paths: readonly string[] | null, signal?: AbortSignal): Promise<void> {
    folder.working = folder.working.then(() => this.#pass(folder, paths, signal));
    return folder.working;
  }

  async #pass(folder: Folder, paths: readonly string[] | null, signal?: AbortSignal): Promise<void> {
    const { root } = folder.configuration;
    const goesOn = (): boolean =>
      !folder.paused && signal?.aborted !== true && this.#folders.get(root) === folder;
    if (!goesOn()) return;
    this.#tell(folder, { state: 'scanning', done: 0, total: 0 });
    const files = paths ?? (await filesBelow(root));
    for (const [done, file] of files.entries()) {
      this.#tell(folder, { state: 'indexing', done, total: files.length });
      await this.#beforeFile(file);
      if (!goesOn()) break;
      await this.#read(folder, file);
    }
    const state = folder.paused ? 'paused' : 'idle';
    this.#tell(folder, { state, done: state === 'idle' ? files.length : folder.status.done });
  }

  async #read(folder: Folder, file: string): Promise<void> {
    folder.passages.delete(file);
    folder.failed.delete(file);
    if (excludedBy(folder.configuration, file)) return;
    try {
      const passages = await passagesOf(folder.configuration.root, file);
      folder.passages.set(file, passages);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      const reason = `It could not be read: ${error instanceof Error ? error.message : String(error)}`;
      folder.failed.set(file, { path: file, code: 'damaged', reason });
    }
  }

  #tell(folder: Folder, change: Partial<IndexStatus>): void {
    const { root, settings } = folder.configuration;
    const passages = [...folder.passages.values()];
    folder.status = {
      ...folder.status,
      root,
      state: settings['retrieval.enabled'] ? folder.status.state : 'off',
      ...change,
      files: passages.length,
      chunks: passages.reduce((sum, some) => sum + some.length, 0),
      failed: [...folder.failed.values()],
      embedder: 'shared words',
    };
    for (const hear of this.#listeners) hear(folder.status);
  }
}

function partOf(file: string, passages: readonly Passage[]): GraphPart {
  const owner = `document:${file}` as const;
  const node = (kind: StoredNode['kind'], id: string, label: string): StoredNode => {
    return { owner, id, kind, label, weight: 1, strong: true, alias: null };
  };
  const edge = (kind: StoredEdge['kind'], from: string, to: string, place: Evidence): StoredEdge => {
    const { source, start, end } = place;
    return { owner, from, to, kind, count: 1, evidence: [{ source, start, end }] };
  };
  const nodes = new Map<string, StoredNode>([[owner, node('document', owner, file)]]);
  const edges: StoredEdge[] = [];
  for (const passage of passages) {
    const chunk = `chunk:${passage.id}`;
    nodes.set(chunk, node('chunk', chunk, passage.text.slice(0, 60)));
    edges.push(edge('contains', owner, chunk, passage));
    for (const word of passage.text.matchAll(/\p{L}{9,}/gu)) {
      const concept = `concept:${word[0].toLowerCase()}`;
      nodes.set(concept, node('concept', concept, word[0].toLowerCase()));
      const start = passage.start + word.index;
      const place = { source: file, start, end: start + word[0].length };
      edges.push(edge('mentions', chunk, concept, place));
    }
  }
  return { owner, nodes: [...nodes.values()], edges };
}

function statusOf(root: string): IndexStatus {
  return {
    root,
    state: 'off',
    files: 0,
    chunks: 0,
    done: 0,
    total: 0,
    failed: [],
    embedder: null,
    message: null,
  };
}

function excludedBy({ settings, editorExcludes }: IndexedFolder, file: string): string | null {
  if (ownFolders.test(file)) return 'It belongs to PRefLexOR or to version control.';
  const matches = (glob: string): boolean => picomatch(glob, { dot: true })(file);
  const glob = [...settings['retrieval.exclude'], ...editorExcludes].find(matches);
  if (glob !== undefined) return `The setting ${JSON.stringify(glob)} leaves it out.`;
  return settings['retrieval.include'].some(matches) ? null : 'It is no kind of file that is indexed.';
}

async function filesBelow(root: string): Promise<string[]> {
  // A folder that goes away while it is looked at has no files.
  const found = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((file) => !ownFolders.test(file))
    .sort();
}

async function passagesOf(root: string, file: string): Promise<Passage[]> {
  const bytes = await readFile(path.join(root, file));
  if (file.endsWith('.pdf')) return passagesOfPages(file, await pagesOfPdf(bytes));
  if (file.endsWith('.bib')) return [];
  const text = bytes.toString('utf8');
  const heading: string[] = [];
  const passages: Passage[] = [];
  for (const match of text.matchAll(/\S[^\n]*(?:\n[^\n]*\S[^\n]*)*/g)) {
    const title = /^(#{1,6}) (.*)/.exec(match[0]);
    if (title?.[1] && title[2]) heading.splice(title[1].length - 1, Infinity, title[2]);
    else passages.push(passageOf(file, [...heading], null, match.index, match[0]));
  }
  return passages;
}

function passagesOfPages(file: string, pages: readonly string[]): Passage[] {
  let start = 0;
  return pages.map((text, index) => {
    const passage = passageOf(file, [], index + 1, start, text);
    start += text.length + 1;
    return passage;
  });
}

function passageOf(
  source: string,
  heading: string[],
  page: number | null,
  start: number,
  text: string,
): Passage {
  const id = createHash('sha256')
    .update(`${source} ${String(start)} ${text}`)
    .digest('hex')
    .slice(0, 32);
  return { id, source, heading, page, start, end: start + text.length, text, score: 0 };
}

function withScore(passage: Passage, score: number): Passage {
  return { ...passage, score, scores: { vector: score, text: null, rerank: null } };
}

/** Cosine of the two texts' sets of words, 0 to 1. */
function likeness(a: string, b: string): number {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  const common = [...left].filter((word) => right.has(word)).length;
  return common === 0 ? 0 : common / Math.sqrt(left.size * right.size);
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu));
}

/** Which words occur, and how often, each in a place that follows from its letters. */
function wordVector(text: string): Float32Array {
  const counts = new Float32Array(256);
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    const place = createHash('sha256').update(word).digest().readUInt8();
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const length = Math.hypot(...counts) || 1;
  return counts.map((count) => count / length);
}
