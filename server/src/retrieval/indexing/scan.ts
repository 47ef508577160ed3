// Walks a workspace folder and gives the files that are to be indexed. Reads names, sizes and times, never content
// (but of rule files). What one entry comes to is decided in workspaceWalker.ts.
import { throwIfCancelled } from '../../errors.ts';
import type { FailedFile } from '../../protocol/index.ts';
import { isMissing } from '../../state/index.ts';
import { mapAll } from './pipeline.ts';
import {
  childPath,
  unreadable,
  type EntryType,
  type Folder,
  type ScannedFile,
  type Visit,
  type WorkspaceWalker,
} from './workspaceWalker.ts';
import { Gate, Turns, type GiveTurn } from './yielding.ts';

export interface ScanOptions {
  readonly signal: AbortSignal;
  /** Files and folders to look at, relative to the workspace; by default all of it. */
  readonly paths?: readonly string[];
  readonly gate?: Gate;
  readonly giveTurn?: GiveTurn;
}

export interface ScanResult {
  /** By path. */
  readonly files: ReadonlyMap<string, ScannedFile>;
  /** What should be indexed and cannot be, with the reason; by path in order. */
  readonly failed: readonly FailedFile[];
  /** Paths that could not be looked at: what the index knows of them and beneath them still holds. */
  readonly unknown: ReadonlySet<string>;
}

/** Folders that are read at a time, and entries of a folder that are looked at together. */
const foldersAtATime = 8;
const entriesAtATime = 32;
/** Entries after which the event loop gets a turn: deciding about one takes some 10 µs. */
const entriesPerTurn = 64;

/** @throws PreflexorError `bad-input` when the workspace cannot be read, `cancelled` */
export async function scan(walker: WorkspaceWalker, options: ScanOptions): Promise<ScanResult> {
  return await new Scan(walker, options).run();
}

class Scan {
  readonly #walker: WorkspaceWalker;
  readonly #signal: AbortSignal;
  readonly #paths: readonly string[];
  readonly #gate: Gate;
  readonly #turns: Turns;
  readonly #files = new Map<string, ScannedFile>();
  readonly #failed = new Map<string, FailedFile>();
  readonly #unknown = new Set<string>();

  constructor(walker: WorkspaceWalker, options: ScanOptions) {
    this.#walker = walker;
    this.#signal = options.signal;
    this.#paths = options.paths ?? [''];
    this.#gate = options.gate ?? new Gate();
    this.#turns = new Turns(entriesPerTurn, options.giveTurn);
  }

  async run(): Promise<ScanResult> {
    const found = await mapAll(this.#paths, foldersAtATime, async (path) => {
      await this.#gate.pass(this.#signal);
      return this.#note(path, await this.#walker.find(path));
    });
    let level = found.filter((folder) => folder !== null);
    while (level.length > 0) {
      const next = await mapAll(level, foldersAtATime, (folder) => this.#readFolder(folder));
      level = next.flat();
    }
    const failed = [...this.#failed.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    return { files: this.#files, failed, unknown: this.#unknown };
  }

  /** Gives the folders in it that are to be read next. */
  async #readFolder(folder: Folder): Promise<Folder[]> {
    const inner: Folder[] = [];
    let together: { name: string; type: EntryType }[] = [];
    const look = async (): Promise<void> => {
      const visits = await Promise.all(
        together.map(async ({ name, type }) =>
          this.#note(childPath(folder, name), await this.#walker.visit(folder, name, type)),
        ),
      );
      inner.push(...visits.filter((each) => each !== null));
      together = [];
    };
    try {
      for await (const entry of this.#walker.entries(folder)) {
        await this.#gate.pass(this.#signal);
        together.push(entry);
        if (together.length >= entriesAtATime) await look();
        await this.#turns.step();
      }
      await look();
    } catch (error) {
      throwIfCancelled(this.#signal);
      if (folder.rules.path === '') throw this.#walker.rootUnreadable(error);
      // A folder that went away meanwhile is simply not there.
      if (!isMissing(error)) this.#note(folder.rules.path, unreadable(folder.rules.path, error));
    }
    return inner;
  }

  /** Keeps what a visit came to; gives the folder when it is one. */
  #note(path: string, visit: Visit): Folder | null {
    if (visit.kind === 'file') this.#files.set(path, visit.file);
    if (visit.kind === 'refused') {
      this.#failed.set(path, { path, code: visit.code, reason: visit.reason });
      if (visit.code === 'unreadable') this.#unknown.add(path);
    }
    return visit.kind === 'folder' ? visit.folder : null;
  }
}

/** Whether a path, or a folder that it lies in, is in the set. */
export function coveredBy(path: string, set: ReadonlySet<string>): boolean {
  if (set.has(path) || set.has('')) return true;
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    if (set.has(path.slice(0, at))) return true;
  }
  return false;
}
