// The stored runs of a workspace: every iteration's text, one file per run in `.preflexor/runs/`.
// The files are the truth; summaries of them are cached in the application home and can be lost at any time.
import path from 'node:path';
import { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import { Run, RunId, RunSummary, UnfinishedRun } from '../protocol/index.ts';
import {
  homePlaces,
  isMissing,
  makeFolders,
  nodeFileSystem,
  prepareWorkspace,
  removeLeftovers,
  syncFolder,
  systemCode,
  workspaceKey,
  workspacePlaces,
  writeDurably,
  writeFailure,
} from '../state/index.ts';
import type { FileOptions, FileSystem, WorkspacePlaces } from '../state/index.ts';
import { firstIssue, newerSchema, parseStored } from './storedJson.ts';

/** A run as lists show it; the decision on its block is in the ledger. */
export const StoredRun = RunSummary.omit({ decision: true }).extend({ notePath: z.string() });
export type StoredRun = z.infer<typeof StoredRun>;

/** A file in the runs folder that is no run; it is left alone. */
export interface RunProblem {
  readonly file: string;
  readonly reason: string;
}

export interface RunsOptions extends FileOptions {
  /** The application home, where summaries are cached between processes; without it each process reads all runs. */
  readonly home?: string;
}

export interface RunsStore {
  /** Keeps a run durably; the same id again replaces it. Errors: `bad-input`, `read-only`, `disk-full`. */
  save(run: Run): Promise<void>;
  /** Errors: `unknown-run` when there is none with this id (or what is there is damaged). */
  load(id: string): Promise<Run>;
  /**
   * The runs of one note, by its path in the workspace as records hold it (of all notes without one), newest
   * first: by id, which begins with the time.
   */
  list(notePath?: string): Promise<StoredRun[]>;
  /** Files in the runs folder that cannot be used. */
  problems(): Promise<RunProblem[]>;
  /** The newest run that made this block, or null. */
  findByBlock(block: string): Promise<Run | null>;
  /** Whether there was one. */
  remove(id: string): Promise<boolean>;
  /** Keeps what is done of a run, durably; the same id again replaces it. Errors: as `save`. */
  saveUnfinished(run: UnfinishedRun): Promise<void>;
  /** Errors: `unknown-run` when nothing unfinished has this id (or what is there is damaged). */
  loadUnfinished(id: string): Promise<UnfinishedRun>;
  /** Unfinished runs of one note (of all notes without one), newest first. Damaged ones are left out. */
  unfinished(notePath?: string): Promise<UnfinishedRun[]>;
  /** Whether there was one. */
  removeUnfinished(id: string): Promise<boolean>;
}

/** The runs of a workspace. Makes no folder before the first run is saved. */
export function runsStore(workspaceRoot: string, options: RunsOptions = {}): RunsStore {
  return new FileRuns(workspaceRoot, options);
}

/** What a file was found to hold, as long as `version` (which changes with the file) stays. */
const CachedFile = z.object({
  version: z.string(),
  holds: z.union([StoredRun, z.object({ reason: z.string() })]),
});
type CachedFile = z.infer<typeof CachedFile>;

const Cache = z.object({ schema: z.literal(1), files: z.array(z.tuple([RunId, CachedFile])) });

const finished = '.json';
const unfinished = '.unfinished.json';

class FileRuns implements RunsStore {
  readonly #options: RunsOptions;
  readonly #fileSystem: FileSystem;
  readonly #places: WorkspacePlaces;
  #cache: Map<string, CachedFile> | null = null;

  constructor(workspaceRoot: string, options: RunsOptions) {
    this.#options = options;
    this.#fileSystem = options.fileSystem ?? nodeFileSystem;
    this.#places = workspacePlaces(workspaceRoot);
  }

  async save(run: Run): Promise<void> {
    const checked = Run.safeParse(run);
    if (!checked.success) {
      throw new PreflexorError('bad-input', `This run cannot be stored: ${firstIssue(checked.error)}.`, {
        cause: checked.error,
      });
    }
    await prepareWorkspace(this.#places, 'runs', this.#options);
    await writeDurably(this.#file(run.id), `${JSON.stringify(run)}\n`, this.#options);
  }

  async load(id: string): Promise<Run> {
    if (!RunId.safeParse(id).success) throw unknownRun(`"${id.slice(0, 80)}" is not the id of a run.`);
    let text: string;
    try {
      text = await this.#fileSystem.readFile(this.#file(id), 'utf8');
    } catch (error) {
      if (isMissing(error)) throw unknownRun(`There is no run ${id} in ${this.#places.root}.`);
      throw error;
    }
    const decoded = decodeRun(text, id);
    if ('reason' in decoded)
      throw unknownRun(`The stored run ${this.#file(id)} cannot be used: ${decoded.reason}.`);
    return decoded;
  }

  async list(notePath?: string): Promise<StoredRun[]> {
    const runs = [...(await this.#scan()).values()].flatMap(({ holds }) =>
      'reason' in holds ? [] : [holds],
    );
    return runs
      .filter((run) => notePath === undefined || run.notePath === notePath)
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  async problems(): Promise<RunProblem[]> {
    const problems = [...(await this.#scan())].flatMap(([id, { holds }]) =>
      'reason' in holds ? [{ file: this.#file(id), reason: holds.reason }] : [],
    );
    return problems.sort((a, b) => (a.file < b.file ? -1 : 1));
  }

  async findByBlock(block: string): Promise<Run | null> {
    const newest = (await this.list()).find((run) => run.block === block);
    return newest ? await this.load(newest.id) : null;
  }

  async remove(id: string): Promise<boolean> {
    return await this.#unlink(id, this.#file(id));
  }

  async saveUnfinished(run: UnfinishedRun): Promise<void> {
    await prepareWorkspace(this.#places, 'runs', this.#options);
    await writeDurably(this.#file(run.id, unfinished), `${JSON.stringify(run)}\n`, this.#options);
  }

  async loadUnfinished(id: string): Promise<UnfinishedRun> {
    const missing = `There is no unfinished run ${id.slice(0, 80)} in ${this.#places.root}.`;
    if (!RunId.safeParse(id).success) throw unknownRun(missing);
    try {
      const text = await this.#fileSystem.readFile(this.#file(id, unfinished), 'utf8');
      const decoded = UnfinishedRun.safeParse(parseStored(text));
      if (decoded.success && decoded.data.id === id) return decoded.data;
    } catch (error) {
      if (!isMissing(error) && !(error instanceof SyntaxError)) throw error;
    }
    throw unknownRun(missing);
  }

  async unfinished(notePath?: string): Promise<UnfinishedRun[]> {
    const runs: UnfinishedRun[] = [];
    for (const id of (await this.#ids(unfinished)).sort().reverse()) {
      const run = await this.loadUnfinished(id).catch(() => null);
      if (run && (notePath === undefined || run.note.path === notePath)) runs.push(run);
    }
    return runs;
  }

  async removeUnfinished(id: string): Promise<boolean> {
    return await this.#unlink(id, this.#file(id, unfinished));
  }

  async #unlink(id: string, file: string): Promise<boolean> {
    if (!RunId.safeParse(id).success) return false;
    try {
      await this.#fileSystem.unlink(file);
      await syncFolder(this.#places.runs, this.#options);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw writeFailure(error, this.#places.runs);
    }
  }

  /** `id` is checked to be a ULID wherever it comes from outside: it is never a path. */
  #file(id: string, ending = finished): string {
    return path.join(this.#places.runs, id + ending);
  }

  /**
   * Every run file and what it holds. Each file is looked at (size, time, inode: a rename makes a new inode)
   * and read only when the cache does not know just this state of it: right after a crash, beside another
   * window, after a merge, and quick with thousands of runs.
   */
  async #scan(): Promise<ReadonlyMap<string, CachedFile>> {
    const known = this.#cache ?? (await this.#readCache());
    const ids = await this.#ids();
    await removeLeftovers(this.#places.runs, this.#options);
    const found = new Map<string, CachedFile>();
    let changed = ids.length !== known.size;
    for (let at = 0; at < ids.length; at += 64) {
      const looked = await Promise.all(
        ids.slice(at, at + 64).map(async (id) => [id, await this.#look(id, known.get(id))] as const),
      );
      for (const [id, file] of looked) {
        if (file !== null) found.set(id, file);
        changed ||= file !== known.get(id);
      }
    }
    this.#cache = found;
    if (changed) await this.#writeCache(found);
    return found;
  }

  async #ids(ending = finished): Promise<string[]> {
    try {
      const names = await this.#fileSystem.readdir(this.#places.runs);
      const ids = names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
      return ids.filter((id) => RunId.safeParse(id).success);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** null: the file went away meanwhile. */
  async #look(id: string, known: CachedFile | undefined): Promise<CachedFile | null> {
    const file = this.#file(id);
    try {
      const { ino, size, mtimeNs, ctimeNs } = await this.#fileSystem.stat(file, { bigint: true });
      const version = [ino, size, mtimeNs, ctimeNs].join(':');
      if (known?.version === version) return known;
      // Should the file be replaced just now, its new content stands under the old version: read again next time.
      const decoded = decodeRun(await this.#fileSystem.readFile(file, 'utf8'), id);
      return { version, holds: 'reason' in decoded ? decoded : summaryOf(decoded) };
    } catch (error) {
      if (isMissing(error)) return null;
      return { version: '', holds: { reason: `cannot be read (${systemCode(error) ?? String(error)})` } };
    }
  }

  async #cacheFile(): Promise<string | null> {
    if (this.#options.home === undefined) return null;
    const key = await workspaceKey(this.#places.root, this.#options);
    return path.join(homePlaces(this.#options.home).cache, key, 'runs.json');
  }

  async #readCache(): Promise<Map<string, CachedFile>> {
    const file = await this.#cacheFile();
    if (file === null) return new Map();
    try {
      const text = await this.#fileSystem.readFile(file, 'utf8');
      return new Map(Cache.parse(JSON.parse(text)).files);
    } catch {
      // Missing, damaged or of another version: made again from the run files.
      return new Map();
    }
  }

  async #writeCache(files: ReadonlyMap<string, CachedFile>): Promise<void> {
    const file = await this.#cacheFile();
    if (file === null) return;
    try {
      await makeFolders(path.dirname(file), { ...this.#options, mode: 0o700 });
      await writeDurably(file, JSON.stringify({ schema: 1, files: [...files] }), this.#options);
    } catch {
      // A home that cannot be written makes the next list slower, nothing else.
    }
  }
}

/** Total: any text gives a run or a reason. */
function decodeRun(text: string, id: string): Run | { reason: string } {
  let value: unknown;
  try {
    value = parseStored(text);
  } catch {
    return { reason: 'it is not whole JSON' };
  }
  const newer = newerSchema(value, 1);
  if (newer !== null) return { reason: `a newer PRefLexOR wrote it (schema ${newer}); update this one` };
  const decoded = Run.safeParse(value);
  if (!decoded.success) return { reason: firstIssue(decoded.error) };
  if (decoded.data.id !== id) return { reason: `it holds another run, ${decoded.data.id}` };
  // Not zod's copy, which lacks the fields that this version does not know. The schema transforms nothing.
  return value as Run;
}

function summaryOf(run: Run): StoredRun {
  return {
    id: run.id,
    block: run.block,
    time: run.time,
    question: run.question,
    iterations: run.iterations.length,
    notePath: run.note.path,
  };
}

function unknownRun(message: string): PreflexorError {
  return new PreflexorError('unknown-run', message, {
    remedy: 'List the runs of the note, and take one of those.',
  });
}
