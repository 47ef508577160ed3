// Keeps the index of one workspace folder current for as long as a door holds it: runs are started by changes, by
// settings and on demand, one after the other. Knows no watcher: the doors tell it what changed.
import { PreflexorError, sentence } from '../../errors.ts';
import type { FailedFile, IndexedAnswer, IndexReport, IndexStatus } from '../../protocol/index.ts';
import type { Embedder, IndexStore } from '../ports.ts';
import { ChangeQueue, realTimers, type ChangeTimes, type Pending, type Timers } from './changes.ts';
import { explain } from './explain.ts';
import {
  defaultLimits,
  type DocumentChunker,
  type DocumentReader,
  type IndexLimits,
  type IndexProgress,
  type VectorCache,
} from './parts.ts';
import type { ScanSettings } from './rules.ts';
import { runIndex } from './runIndex.ts';
import { coveredBy } from './scan.ts';
import { WorkspaceWalker, type WalkerOptions } from './workspaceWalker.ts';
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

export interface ServiceParts {
  /** The workspace folder, absolute. */
  readonly root: string;
  readonly settings: ScanSettings;
  readonly reader: DocumentReader;
  readonly chunker: DocumentChunker;
  readonly embedder: Embedder;
  /** `rebuild`: `building` is to be an empty index. Errors: `index-failed` is answered by a rebuild. */
  openIndex(options: { readonly rebuild: boolean }, signal: AbortSignal): Promise<OpenedIndex>;
  /** Holds off other processes that would write the same index. */
  exclusively<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly timers?: Timers;
  readonly times?: ChangeTimes;
  readonly limits?: IndexLimits;
  readonly walker?: WalkerOptions;
}

/** Window focus does not look at everything again before so many milliseconds have passed. */
const focusPauseMs = 60_000;
/** Rebuilds in a row, after which a broken index waits for the next change. */
const rebuildsInARow = 2;

const ruleFiles = /(^|\/)(\.gitignore|\.preflexorignore)$|^\.git\/info\/exclude$/;
const notOurs = /^(\.git|\.preflexor)(\/|$)/;

export class IndexService {
  readonly #parts: ServiceParts;
  readonly #timers: Timers;
  readonly #gate = new Gate();
  readonly #queue: ChangeQueue;
  readonly #listeners = new Set<(status: IndexStatus) => void>();
  readonly #disposed = new AbortController();
  #walker: WorkspaceWalker;
  #urgent: readonly string[] = [];
  #opened: OpenedIndex | null = null;
  #serving: IndexStore | null = null;
  #rebuild = false;
  #brokenInARow = 0;
  #lastWhole = -Infinity;
  #run: { readonly ended: Promise<void>; readonly restart: AbortController } | null = null;
  #status: IndexStatus;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.#timers = parts.timers ?? realTimers;
    this.#walker = new WorkspaceWalker(parts.root, parts.settings, parts.walker);
    this.#queue = new ChangeQueue(this.#timers, () => this.#kick(), parts.times);
    this.#status = {
      root: parts.root,
      state: 'idle',
      files: 0,
      chunks: 0,
      done: 0,
      total: 0,
      failed: [],
      embedder: null,
      message: null,
    };
  }

  /** Looks at the whole workspace; call it once at the start. */
  start(): void {
    this.#queue.everything();
  }

  /** A file's content changed, as the editor or a watcher says. Absolute, or relative to the workspace. */
  changed(path: string): void {
    this.#told(path, true);
  }

  /** A file or a folder came. */
  created(path: string): void {
    this.#told(path, true);
  }

  /** A file or a folder went. */
  deleted(path: string): void {
    this.#told(path, false);
  }

  /** Looks at everything again: names, sizes and times; what is the same is not read. */
  rescan(): void {
    this.#queue.everything();
  }

  /** The window came to the front: changes from outside may have been missed. At most once a minute. */
  focused(): void {
    if (this.#timers.now() - this.#lastWhole >= focusPauseMs) this.rescan();
  }

  /** Files that go first, the first one first: those that the writer has open. */
  prioritise(paths: readonly string[]): void {
    this.#urgent = paths.flatMap((path) => this.#walker.relative(path) ?? []);
  }

  /** Other rules: files that they leave out now go, files that they take in now come. */
  configure(settings: ScanSettings): void {
    this.#walker = new WorkspaceWalker(this.#parts.root, settings, this.#parts.walker);
    this.#run?.restart.abort();
    this.#queue.everything();
  }

  /** Within a second nothing is read or embedded any more, until `resume`. */
  pause(): void {
    this.#gate.pause();
    this.#show({ state: 'paused' });
  }

  resume(): void {
    if (!this.#gate.paused) return;
    this.#gate.resume();
    this.#show({ state: this.#run ? 'indexing' : 'idle' });
    this.#kick();
  }

  /** Makes the index anew beside the one there is, which serves meanwhile where the store can do that. */
  rebuild(): void {
    this.#rebuild = true;
    this.#brokenInARow = 0;
    this.#run?.restart.abort();
    this.#queue.everything();
  }

  /** What a search asks: null as long as nothing is open. */
  serving(): IndexStore | null {
    return this.#serving;
  }

  status(): IndexStatus {
    return this.#status;
  }

  /** @returns a way to hear no more */
  onStatus(listener: (status: IndexStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Why a file is not indexed, by the very rules of the scan. Errors: `bad-input`, `index-failed`. */
  async explain(path: string): Promise<IndexedAnswer> {
    return await explain(this.#walker, path, async (asked) => {
      const records = (await this.#serving?.documents()) ?? [];
      return records.find((record) => record.path === asked) ?? null;
    });
  }

  /** Resolves when nothing is going on and nothing that could go on waits. */
  async settled(): Promise<void> {
    while (this.#run) await this.#run.ended;
  }

  /** Stops within a second; what was done stays. */
  async dispose(): Promise<void> {
    this.#disposed.abort();
    this.#queue.dispose();
    await this.settled();
    await this.#close();
    this.#listeners.clear();
  }

  #told(path: string, changed: boolean): void {
    const relative = this.#walker.relative(path);
    if (relative === null) return;
    if (ruleFiles.test(relative)) this.#queue.path('', false);
    else if (!notOurs.test(relative)) this.#queue.path(relative, changed);
  }

  #kick(): void {
    if (this.#run || this.#disposed.signal.aborted || this.#gate.paused) return;
    const pending = this.#queue.take();
    if (!pending) return;
    const restart = new AbortController();
    const signal = AbortSignal.any([restart.signal, this.#disposed.signal]);
    const ended = this.#attempt(pending, signal).then((again) => {
      this.#run = null;
      if (again) this.#kick();
    });
    this.#run = { ended, restart };
  }

  /** One run and its end. @returns whether to go on with what waits */
  async #attempt(pending: Pending, signal: AbortSignal): Promise<boolean> {
    try {
      const report = await this.#parts.exclusively(() => this.#runOnce(pending, signal), signal);
      this.#brokenInARow = 0;
      const failed = [...report.files.failed, ...this.#failedElsewhere(pending, report)];
      this.#show({
        state: this.#gate.paused ? 'paused' : 'idle',
        message: null,
        chunks: report.chunks,
        failed,
      });
      return true;
    } catch (error) {
      this.#queue.putBack(pending);
      // Stopped by other settings, a rebuild or the end: the first two have left something in the queue.
      if (signal.aborted) return true;
      if (PreflexorError.is(error, 'index-failed')) return await this.#afterBroken(error);
      this.#show({ state: 'failed', message: sentence(error) });
      return false;
    }
  }

  async #runOnce(pending: Pending, signal: AbortSignal): Promise<IndexReport> {
    const opened = await this.#open(signal);
    const whole = pending.paths === null || opened.serving !== opened.building;
    const startedAt = this.#timers.now();
    const report = await runIndex(
      {
        ...this.#parts,
        walker: this.#walker,
        store: opened.building,
        cache: opened.cache,
        gate: this.#gate,
        limits: this.#parts.limits ?? defaultLimits,
        now: () => this.#timers.now(),
        onProgress: (progress) => this.#showProgress(progress),
        giveTurn,
      },
      { paths: whole ? null : pending.paths, changed: pending.changed, urgent: () => this.#urgent },
      signal,
    );
    if (whole) this.#lastWhole = startedAt;
    if (opened.serving !== opened.building) await this.#switch(opened);
    return report;
  }

  async #open(signal: AbortSignal): Promise<OpenedIndex> {
    if (this.#opened && !this.#rebuild) return this.#opened;
    await this.#close();
    if (this.#rebuild) this.#show({ message: 'The index is being rebuilt.' });
    const opened = await this.#parts.openIndex({ rebuild: this.#rebuild }, signal);
    this.#rebuild = false;
    this.#opened = opened;
    this.#serving = opened.serving ?? opened.building;
    this.#show({ embedder: opened.embedder });
    return opened;
  }

  async #switch(opened: OpenedIndex): Promise<void> {
    await opened.commit();
    this.#opened = { ...opened, serving: opened.building };
    this.#serving = opened.building;
  }

  async #close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    this.#serving = null;
    // A broken index may refuse even that; what is on the disk does not depend on it.
    await opened?.close().catch(() => undefined);
  }

  /** A broken index is rebuilt, never fatal; one that cannot even be rebuilt waits for the next change. */
  async #afterBroken(error: PreflexorError): Promise<boolean> {
    await this.#close();
    this.#rebuild = true;
    this.#queue.putBack({ paths: null, changed: new Set() });
    this.#brokenInARow += 1;
    if (this.#brokenInARow <= rebuildsInARow) {
      this.#show({ message: `${sentence(error)} The index is being rebuilt.` });
      return true;
    }
    this.#brokenInARow = 0;
    this.#show({ state: 'failed', message: sentence(error) });
    return false;
  }

  /** A run of some paths says nothing of the files elsewhere that only a scan finds wanting. */
  #failedElsewhere({ paths }: Pending, report: IndexReport): FailedFile[] {
    if (paths === null) return [];
    const [asked, told] = [new Set(paths), new Set(report.files.failed.map(({ path }) => path))];
    return this.#status.failed.filter(
      ({ path, code }) =>
        (code === 'too-large' || code === 'unreadable') && !told.has(path) && !coveredBy(path, asked),
    );
  }

  #showProgress(progress: IndexProgress): void {
    this.#show(this.#gate.paused ? { ...progress, state: 'paused' } : progress);
  }

  #show(change: Partial<IndexStatus>): void {
    this.#status = { ...this.#status, ...change };
    for (const listener of this.#listeners) listener(this.#status);
  }
}
