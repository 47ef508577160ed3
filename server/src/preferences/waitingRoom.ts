// Decisions whose workspace could not be written: each in a file of its own in the application home, made as a
// whole (nothing can be torn, no lock is needed), until they move into the ledger, each exactly once.
import path from 'node:path';
import type { LedgerRecord } from '../protocol/index.ts';
import {
  homePlaces,
  isMissing,
  makeFolders,
  nodeFileSystem,
  syncFolder,
  writeDurably,
} from '../state/index.ts';
import type { FileOptions, FileSystem } from '../state/index.ts';
import { appendLines } from './ledgerFile.ts';
import type { LedgerFileContent, LedgerFileReader, LedgerProblem } from './ledgerFile.ts';
import { decodeLine, encodeLine } from './ledgerLines.ts';

const recordEnding = '.jsonl';
/** Says to a person (and to `waitingDecisions`) which workspace a waiting folder belongs to. */
const workspaceNote = 'workspace.txt';

interface WaitingFile {
  readonly file: string;
  readonly record: LedgerRecord;
}

export class WaitingRoom {
  readonly folder: string;
  readonly #workspaceRoot: string;
  readonly #options: FileOptions;
  readonly #fileSystem: FileSystem;

  constructor(folder: string, workspaceRoot: string, options: FileOptions = {}) {
    this.folder = folder;
    this.#workspaceRoot = workspaceRoot;
    this.#options = options;
    this.#fileSystem = options.fileSystem ?? nodeFileSystem;
  }

  /** Keeps one record, durably. Errors: `read-only`, `disk-full`; others as they come. */
  async put(record: LedgerRecord): Promise<void> {
    await makeFolders(this.folder, { ...this.#options, mode: 0o700 });
    const file = this.#fileOf(record);
    try {
      await writeDurably(file, `${encodeLine(record)}\n`, this.#options);
    } catch (error) {
      // It may be there and yet not be durable: what is not acknowledged shall not come up later.
      await this.#fileSystem.unlink(file).catch(() => undefined);
      throw error;
    }
    // Only a help for finding it: the record is safe without it.
    await writeDurably(
      path.join(this.folder, workspaceNote),
      `${this.#workspaceRoot}\n`,
      this.#options,
    ).catch(() => undefined);
  }

  /** The same for several: all of them, or none. */
  async putAll(records: readonly LedgerRecord[]): Promise<void> {
    const kept: LedgerRecord[] = [];
    try {
      for (const record of records) {
        await this.put(record);
        kept.push(record);
      }
    } catch (error) {
      for (const record of kept) await this.#fileSystem.unlink(this.#fileOf(record)).catch(() => undefined);
      throw error;
    }
  }

  #fileOf({ device, id }: LedgerRecord): string {
    return path.join(this.folder, `${device}.${id}${recordEnding}`);
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#names()).length === 0;
  }

  /** All that waits, in the order of ids; damaged files are named and stay where they are. */
  async list(): Promise<{
    readonly files: readonly WaitingFile[];
    readonly problems: readonly LedgerProblem[];
  }> {
    const files: WaitingFile[] = [];
    const problems: LedgerProblem[] = [];
    for (const name of await this.#names()) {
      const file = path.join(this.folder, name);
      try {
        const decoded = decodeLine(await this.#fileSystem.readFile(file));
        if (decoded && 'record' in decoded) files.push({ file, record: decoded.record });
        else problems.push({ file, line: null, reason: decoded?.reason ?? 'empty' });
      } catch (error) {
        // Gone: another window has just moved it into the ledger.
        if (isMissing(error)) continue;
        problems.push({ file, line: null, reason: `cannot be read: ${String(error)}` });
      }
    }
    files.sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
    return { files, problems };
  }

  async read(): Promise<LedgerFileContent> {
    const { files, problems } = await this.list();
    return { records: files.map(({ record }) => ({ line: 1, record })), problems };
  }

  /**
   * Moves what waits into `ledgerFolder`. First the lines become durable there, then the waiting files go; a
   * crash in between leaves both, and the next move finds the ids in the ledger. The caller holds the lock.
   */
  async moveInto(ledgerFolder: string, reader: LedgerFileReader): Promise<void> {
    const { files } = await this.list();
    for (const device of new Set(files.map(({ record }) => record.device))) {
      const waiting = files.filter(({ record }) => record.device === device);
      const target = path.join(ledgerFolder, `${device}${recordEnding}`);
      const present = new Set((await reader.read(target)).records.map(({ record }) => record.id));
      const missing = waiting.filter(({ record }) => !present.has(record.id));
      if (missing.length > 0) {
        await appendLines(
          target,
          missing.map(({ record }) => encodeLine(record)),
          this.#options,
        );
      }
      for (const { file } of waiting) await this.#fileSystem.unlink(file);
    }
    if (files.length > 0) await syncFolder(this.folder, this.#options);
  }

  /** Removes what waits and is to be forgotten. The caller holds the lock. @returns the ids */
  async removeWhere(is: (record: LedgerRecord) => boolean): Promise<string[]> {
    const wanted = (await this.list()).files.filter(({ record }) => is(record));
    for (const { file } of wanted) await this.#fileSystem.unlink(file);
    if (wanted.length > 0) await syncFolder(this.folder, this.#options);
    return wanted.map(({ record }) => record.id);
  }

  async #names(): Promise<string[]> {
    try {
      const names = await this.#fileSystem.readdir(this.folder);
      return names.filter((name) => name.endsWith(recordEnding)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

/** Workspaces whose decisions wait in this application home: for `doctor`, and for one that was moved away. */
export async function waitingDecisions(
  home: string,
): Promise<{ readonly workspace: string | null; readonly folder: string; readonly decisions: number }[]> {
  const root = homePlaces(home).waiting;
  const found = [];
  for (const key of await nodeFileSystem.readdir(root).catch(() => [])) {
    const folder = path.join(root, key);
    const names = await nodeFileSystem.readdir(folder).catch(() => []);
    const decisions = names.filter((name) => name.endsWith(recordEnding)).length;
    const workspace = await nodeFileSystem
      .readFile(path.join(folder, workspaceNote), 'utf8')
      .catch(() => null);
    if (decisions > 0) found.push({ workspace: workspace?.trimEnd() ?? null, folder, decisions });
  }
  return found;
}
