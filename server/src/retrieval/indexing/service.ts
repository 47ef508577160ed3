// Keeps the index of one workspace folder current for as long as a door holds it: runs are started by changes, by
// settings and on demand, one after the other. Knows no watcher: the doors tell it what changed.
import { PreflexorError, sentence } from '../../errors.ts';
import type { FailedFile, IndexedAnswer, IndexReport, IndexStatus } from '../../protocol/index.ts';
import type { IndexStore } from '../ports.ts';
import { ChangeQueue, realTimers, type ChangeTimes, type Pending, type Timers } from './changes.ts';
import type { IndexProgress } from './parts.ts';
import type { ScanSettings } from './rules.ts';
import { coveredBy } from './scan.ts';
import { IndexSession, type SessionParts } from './session.ts';
import { WorkspaceWalker, type WalkerOptions } from './workspaceWalker.ts';
import { Gate } from './yielding.ts';

export interface ServiceParts extends SessionParts {
  /** The workspace folder, absolute. */
  readonly root: string;
  readonly settings: ScanSettings;
  readonly timers?: Timers;
  readonly times?: ChangeTimes;
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
  readonly #session: IndexSession;
  readonly #gate = new Gate();
  readonly #queue: ChangeQueue;
  readonly #listeners = new Set<(status: IndexStatus) => void>();
  readonly #disposed = new AbortController();
  #walker: WorkspaceWalker;
  #urgent: readonly string[] = [];
  #brokenInARow = 0;
  #lastWhole = -Infinity;
  #run: { readonly ended: Promise<void>; readonly restart: AbortController } | null = null;
  #status: IndexStatus;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.#timers = parts.timers ?? realTimers;
    this.#session = new IndexSession({ ...parts, now: () => this.#timers.now() });
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
    this.#session.requestRebuild();
    this.#brokenInARow = 0;
    this.#run?.restart.abort();
    this.#queue.everything();
  }

  /** What a search asks: null as long as nothing is open. */
  serving(): IndexStore | null {
    return this.#session.serving();
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
    return await this.#session.explain(this.#walker, path);
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
    await this.#session.close();
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
      const report = await this.#runOnce(pending, signal);
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
      if (PreflexorError.is(error, 'index-failed')) return this.#afterBroken(error);
      this.#show({ state: 'failed', message: sentence(error) });
      return false;
    }
  }

  async #runOnce(pending: Pending, signal: AbortSignal): Promise<IndexReport> {
    if (this.#session.rebuilding) this.#show({ message: 'The index is being rebuilt.' });
    const startedAt = this.#timers.now();
    const report = await this.#session.run(
      { ...pending, urgent: () => this.#urgent },
      {
        walker: this.#walker,
        gate: this.#gate,
        onProgress: (progress) => this.#showProgress(progress),
        onOpened: ({ embedder }) => this.#show({ embedder }),
      },
      signal,
    );
    if (pending.paths === null) this.#lastWhole = startedAt;
    return report;
  }

  /** A broken index is rebuilt, never fatal; one that cannot even be rebuilt waits for the next change. */
  #afterBroken(error: PreflexorError): boolean {
    this.#queue.putBack({ paths: null, changed: new Set() });
    this.#brokenInARow += 1;
    if (this.#brokenInARow <= rebuildsInARow) return true;
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
