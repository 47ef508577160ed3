// One workspace's index as it is opened, run, switched and rebuilt: what the service in the editor and the command
// line share. Runs are asked for by its holder, one at a time; it starts none by itself.
import { PreflexorError } from '../../errors.ts';
import type { IndexedAnswer, IndexReport } from '../../protocol/index.ts';
import type { Embedder, IndexStore } from '../ports.ts';
import { explain } from './explain.ts';
import {
  defaultLimits,
  type DocumentChunker,
  type DocumentReader,
  type IndexLimits,
  type IndexProgress,
  type IndexRequest,
  type VectorCache,
} from './parts.ts';
import { runIndex } from './runIndex.ts';
import type { WorkspaceWalker } from './workspaceWalker.ts';
import { Gate, giveTurn } from './yielding.ts';

/** An index that is open for reading and writing. */
export interface OpenedIndex {
  /** What a search asks meanwhile: the index of the embedder before, say. Null: there is none. */
  readonly serving: IndexStore | null;
  /** What runs write to. The same as `serving` when that is up to date in embedder, chunker and schema. */
  readonly building: IndexStore;
  readonly cache: VectorCache;
  /** Name of the embedder of `building`. */
  readonly embedder: string;
  /** `building` takes the place of `serving`. Called after the first whole run, when the two are not the same. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

export interface SessionParts {
  readonly reader: DocumentReader;
  readonly chunker: DocumentChunker;
  readonly embedder: Embedder;
  /** `rebuild`: `building` is to be an empty index. Errors: `index-failed` is answered by a rebuild. */
  openIndex(options: { readonly rebuild: boolean }, signal: AbortSignal): Promise<OpenedIndex>;
  /** Holds off other processes that would write the same index. */
  exclusively<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly limits?: IndexLimits;
  /** Milliseconds; the machine's own clock by default. */
  readonly now?: () => number;
}

/** What a run needs beside the request. */
export interface SessionRun {
  readonly walker: WorkspaceWalker;
  readonly gate?: Gate;
  readonly onProgress?: (progress: IndexProgress) => void;
  /** Hears that an index was opened, before anything is done with it. */
  readonly onOpened?: (opened: OpenedIndex) => void;
}

export class IndexSession {
  readonly #parts: SessionParts;
  #opened: OpenedIndex | null = null;
  #rebuild = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** What a search asks: null as long as nothing is open. */
  serving(): IndexStore | null {
    return this.#opened ? (this.#opened.serving ?? this.#opened.building) : null;
  }

  /** The next run fills an empty index. */
  requestRebuild(): void {
    this.#rebuild = true;
  }

  /** Whether the next run starts with an empty index. */
  get rebuilding(): boolean {
    return this.#rebuild;
  }

  /**
   * Brings the index up to date; one that is built beside another is made whole and takes its place.
   * Errors: as `runIndex`. After `index-failed` the index is closed, and the next run rebuilds it.
   */
  async run(request: IndexRequest, run: SessionRun, signal: AbortSignal): Promise<IndexReport> {
    try {
      return await this.#parts.exclusively(() => this.#runOnce(request, run, signal), signal);
    } catch (error) {
      if (PreflexorError.is(error, 'index-failed')) {
        await this.close();
        this.#rebuild = true;
      }
      throw error;
    }
  }

  /** As `run`, but a broken index is rebuilt at once. */
  async runOrRebuild(request: IndexRequest, run: SessionRun, signal: AbortSignal): Promise<IndexReport> {
    try {
      return await this.run(request, run, signal);
    } catch (error) {
      if (!PreflexorError.is(error, 'index-failed')) throw error;
      return await this.run(request, run, signal);
    }
  }

  /** Why a file is not indexed, by the rules of the scan and by what the index knows. Opens nothing. */
  async explain(walker: WorkspaceWalker, path: string): Promise<IndexedAnswer> {
    return await explain(walker, path, async (asked) => {
      const records = (await this.serving()?.documents()) ?? [];
      return records.find((record) => record.path === asked) ?? null;
    });
  }

  /** Opens the index when it is not open. Errors: those of `openIndex`. */
  async open(signal: AbortSignal): Promise<OpenedIndex> {
    if (this.#opened && !this.#rebuild) return this.#opened;
    await this.close();
    this.#opened = await this.#parts.openIndex({ rebuild: this.#rebuild }, signal);
    this.#rebuild = false;
    return this.#opened;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    // A broken index may refuse even that; what is on the disk does not depend on it.
    await opened?.close().catch(() => undefined);
  }

  async #runOnce(request: IndexRequest, run: SessionRun, signal: AbortSignal): Promise<IndexReport> {
    const opened = await this.open(signal);
    run.onOpened?.(opened);
    const beside = opened.serving !== opened.building;
    const report = await runIndex(
      {
        walker: run.walker,
        reader: this.#parts.reader,
        chunker: this.#parts.chunker,
        embedder: this.#parts.embedder,
        store: opened.building,
        cache: opened.cache,
        gate: run.gate ?? new Gate(),
        limits: this.#parts.limits ?? defaultLimits,
        now: this.#parts.now ?? (() => performance.now()),
        onProgress: run.onProgress ?? (() => {}),
        giveTurn,
      },
      beside ? { ...request, paths: null } : request,
      signal,
    );
    if (!beside) return report;
    await opened.commit();
    this.#opened = { ...opened, serving: opened.building };
    return report;
  }
}
