// One step in a workspace: what an entry of a folder is, and whether it is indexed. The scan takes this step for
// every entry, "why is this file not indexed?" for one path, so that both always say the same.
import type { Stats } from 'node:fs';
import * as fsPromises from 'node:fs/promises';
import nodePath from 'node:path';
import type { RefusalCode } from '../../protocol/index.ts';
import { PreflexorError, sentence } from '../../errors.ts';
import { isMissing } from '../../state/index.ts';
import { RuleFile, describeRule, type Rule } from './ruleFile.ts';
import { Rules, type FolderRules, type ScanSettings } from './rules.ts';

/** The part of `node:fs/promises` that looking at a workspace needs; it only reads. */
export type WorkspaceFileSystem = Pick<
  typeof fsPromises,
  'lstat' | 'open' | 'opendir' | 'readFile' | 'realpath' | 'stat'
>;

export const nodeWorkspaceFileSystem: WorkspaceFileSystem = fsPromises;

export interface WalkerOptions {
  readonly fileSystem?: WorkspaceFileSystem;
  readonly platform?: NodeJS.Platform;
}

/** A file that is to be indexed. */
export interface ScannedFile {
  /** Relative to the workspace, forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Modification time, whole milliseconds since the epoch. */
  readonly modified: number;
}

/** A folder on the way. `linked`: reached through a link that leads out of the workspace. */
export interface Folder {
  readonly rules: FolderRules;
  readonly linked: boolean;
}

/** What one entry came to. */
export type Visit =
  | { readonly kind: 'folder'; readonly folder: Folder }
  | { readonly kind: 'file'; readonly file: ScannedFile; readonly takenIn: Rule | null }
  /** Left out by a rule, or not a file at all: nothing is wrong. */
  | { readonly kind: 'left-out'; readonly code: RefusalCode; readonly reason: string }
  /** It should be indexed and cannot be: listed with the reason. */
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly reason: string }
  | { readonly kind: 'missing' };

/** What a folder's entry is before links are followed. */
export type EntryType = 'file' | 'folder' | 'link' | 'other';

/** Rule files are short; a longer one is not read as one. */
const longestRuleFile = 1_000_000;

export class WorkspaceWalker {
  readonly root: string;
  readonly #rules: Rules;
  readonly #fileSystem: WorkspaceFileSystem;
  readonly #paths: nodePath.PlatformPath;
  readonly #ignoreCase: boolean;
  #realRoot: string | null = null;

  /** @param root the workspace folder, absolute */
  constructor(root: string, settings: ScanSettings, options: WalkerOptions = {}) {
    const platform = options.platform ?? process.platform;
    this.root = root;
    this.#rules = new Rules(settings);
    this.#fileSystem = options.fileSystem ?? nodeWorkspaceFileSystem;
    this.#paths = platform === 'win32' ? nodePath.win32 : nodePath.posix;
    this.#ignoreCase = platform === 'win32' || platform === 'darwin';
  }

  get settings(): ScanSettings {
    return this.#rules.settings;
  }

  /** The absolute path of a path that is relative to the workspace. */
  absolute(path: string): string {
    return path === '' ? this.root : this.#paths.join(this.root, ...path.split('/'));
  }

  /**
   * A path from outside, absolute or relative to the workspace, with forward slashes and without `.` and `..`.
   * Null: it does not lie in the workspace.
   */
  relative(path: string): string | null {
    const found = this.#paths.relative(this.root, this.#paths.resolve(this.root, path));
    const first = found.split(this.#paths.sep)[0];
    if (first === '..' || this.#paths.isAbsolute(found)) return null;
    return found.replaceAll(this.#paths.sep, '/');
  }

  /** The workspace folder, with its rules. Errors: `bad-input` when it cannot be read. */
  async start(): Promise<Folder> {
    try {
      this.#realRoot ??= await this.#fileSystem.realpath(this.root);
      if (!(await this.#fileSystem.stat(this.root)).isDirectory()) throw new Error('not a folder');
    } catch (error) {
      throw this.rootUnreadable(error);
    }
    try {
      const info = await this.#ruleFile('.git/info/exclude', '');
      const rules = { path: '', excluded: null, git: info ? [info] : [], own: [] };
      return { rules: await this.#withRuleFiles(rules), linked: false };
    } catch (error) {
      throw new PreflexorError('bad-input', `In ${this.root}, ${sentence(error)}.`, {
        remedy: 'Mend that file or its permissions; it says what is not to be indexed.',
        cause: error,
      });
    }
  }

  /** What a scan of a workspace that cannot be read ends with: an empty workspace is another thing. */
  rootUnreadable(cause: unknown): PreflexorError {
    return new PreflexorError('bad-input', `The folder ${this.root} cannot be read.`, {
      remedy: 'Name a folder that exists and that you may read.',
      cause,
    });
  }

  /**
   * The names in a folder, in no order, in small steps that never hold up the event loop.
   * Errors: what the file system says when the folder cannot be read.
   */
  async *entries(folder: Folder): AsyncGenerator<{ name: string; type: EntryType }> {
    const handle = await this.#fileSystem.opendir(this.absolute(folder.rules.path), { bufferSize: 128 });
    for await (const entry of handle) yield { name: entry.name, type: entryType(entry) };
  }

  /** Takes one step from a folder into its entry `name`. Never throws for what the disk says. */
  async visit(folder: Folder, name: string, type: EntryType): Promise<Visit> {
    const path = childPath(folder, name);
    try {
      if (type === 'link') return await this.#followLink(folder, name, path);
      if (type === 'other') return leftOut('unknown-kind', `${path} is neither a file nor a folder.`);
      return await this.#decide(folder, name, type === 'folder', folder.linked);
    } catch (error) {
      return isMissing(error) ? { kind: 'missing' } : unreadable(path, error);
    }
  }

  /**
   * Goes the whole way to a path. `wholly: false` leaves `retrieval.include` out of account: for files that a
   * document takes in. The workspace itself is found as a folder. Errors: `bad-input` as from `start`.
   */
  async find(path: string, options: { readonly wholly?: boolean } = {}): Promise<Visit> {
    let folder = await this.start();
    if (path === '') return { kind: 'folder', folder };
    const names = path.split('/');
    for (const [index, name] of names.entries()) {
      const visit = await this.#step(folder, name, index === names.length - 1 && options.wholly === false);
      if (visit.kind !== 'folder') {
        // A file on the way is no folder: what is asked for is not there.
        return visit.kind === 'file' && index < names.length - 1 ? { kind: 'missing' } : visit;
      }
      folder = visit.folder;
    }
    return { kind: 'folder', folder };
  }

  /**
   * The bytes of a file, and its size and time from before they were read: when it changes meanwhile, the next
   * look at it shows another time. Null: it is not there, or no plain file, or has outgrown the limit.
   * Errors: what the file system says when it may not be read.
   */
  async read(path: string): Promise<{ readonly file: ScannedFile; readonly bytes: Uint8Array } | null> {
    try {
      const handle = await this.#fileSystem.open(this.absolute(path), 'r');
      try {
        const visit = this.#file(path, await handle.stat(), null);
        return visit.kind === 'file' ? { file: visit.file, bytes: await handle.readFile() } : null;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async #step(folder: Folder, name: string, anyKind: boolean): Promise<Visit> {
    try {
      const type = entryType(await this.#fileSystem.lstat(this.absolute(childPath(folder, name))));
      if (anyKind && type === 'file') return await this.#decide(folder, name, false, folder.linked, anyKind);
      return await this.visit(folder, name, type);
    } catch (error) {
      return isMissing(error) ? { kind: 'missing' } : unreadable(childPath(folder, name), error);
    }
  }

  async #decide(
    folder: Folder,
    name: string,
    isFolder: boolean,
    linked: boolean,
    anyKind = false,
  ): Promise<Visit> {
    const path = childPath(folder, name);
    const { excluded, takenIn, open } = this.#rules.decide(folder.rules, name, isFolder);
    if (isFolder) {
      if (!open) return leftOut('excluded', excludedBecause(path, excluded?.rule));
      return { kind: 'folder', folder: await this.#enter(folder, path, excluded, linked) };
    }
    if (excluded) return leftOut('excluded', excludedBecause(path, excluded.rule));
    if (!anyKind && !this.#rules.includes(path)) {
      return leftOut(
        'excluded',
        `${path} is left out: no glob of the setting preflexor.retrieval.include takes it in.`,
      );
    }
    const stats = await this.#fileSystem.stat(this.absolute(path));
    return this.#file(path, stats, takenIn);
  }

  #file(path: string, stats: Stats, takenIn: Rule | null): Visit {
    if (!stats.isFile()) return leftOut('unknown-kind', `${path} is not a file.`);
    if (stats.size > this.settings.maxFileBytes) {
      const limit = `the setting preflexor.retrieval.maxFileMegabytes allows ${megabytes(this.settings.maxFileBytes)}`;
      return { kind: 'refused', code: 'too-large', reason: `It has ${megabytes(stats.size)}; ${limit}.` };
    }
    return { kind: 'file', file: { path, bytes: stats.size, modified: Math.floor(stats.mtimeMs) }, takenIn };
  }

  async #enter(
    folder: Folder,
    path: string,
    excluded: FolderRules['excluded'],
    linked: boolean,
  ): Promise<Folder> {
    return { rules: await this.#withRuleFiles({ ...folder.rules, path, excluded }), linked };
  }

  /**
   * A link out of the workspace is followed once. One that leads back into it is not: its target stands there
   * under its own name, and under its own rules. So no way through links is endless.
   */
  async #followLink(folder: Folder, name: string, path: string): Promise<Visit> {
    if (folder.linked)
      return leftOut('excluded', `${path} is a link in a linked folder, and is not followed.`);
    const target = await this.#fileSystem.realpath(this.absolute(path)).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (target === null) return leftOut('unreadable', `${path} is a link that leads nowhere.`);
    const realRoot = (this.#realRoot ??= await this.#fileSystem.realpath(this.root));
    if (this.#within(realRoot, target)) {
      const there = this.#paths.relative(realRoot, target).replaceAll(this.#paths.sep, '/');
      return leftOut(
        'excluded',
        `${path} is a link to ${there || 'the workspace'}, which counts under its own name.`,
      );
    }
    if (this.#within(target, realRoot)) {
      return leftOut('excluded', `${path} is a link to a folder that holds the workspace itself.`);
    }
    const isFolder = (await this.#fileSystem.stat(target)).isDirectory();
    return await this.#decide(folder, name, isFolder, true);
  }

  #within(folder: string, path: string): boolean {
    const relative = this.#paths.relative(folder, path);
    return (
      relative === '' || (relative.split(this.#paths.sep)[0] !== '..' && !this.#paths.isAbsolute(relative))
    );
  }

  async #withRuleFiles(rules: FolderRules): Promise<FolderRules> {
    const prefix = rules.path === '' ? '' : `${rules.path}/`;
    const git = await this.#ruleFile(`${prefix}.gitignore`, rules.path);
    const own = await this.#ruleFile(`${prefix}.preflexorignore`, rules.path);
    return {
      ...rules,
      git: git ? [...rules.git, git] : rules.git,
      own: own ? [...rules.own, own] : rules.own,
    };
  }

  /** Null: there is none. One that is there and cannot be read closes its folder: what it hides must stay hidden. */
  async #ruleFile(path: string, folder: string): Promise<RuleFile | null> {
    const file = this.absolute(path);
    try {
      const stats = await this.#fileSystem.stat(file);
      if (!stats.isFile()) return null;
      if (stats.size > longestRuleFile) throw new Error('it is too long');
      return new RuleFile({ path, folder }, await this.#fileSystem.readFile(file, 'utf8'), this.#ignoreCase);
    } catch (error) {
      if (isMissing(error)) return null;
      throw new Error(`${path} cannot be read`, { cause: error });
    }
  }
}

/** The path of an entry of a folder, relative to the workspace. */
export function childPath(folder: Folder, name: string): string {
  return folder.rules.path === '' ? name : `${folder.rules.path}/${name}`;
}

function entryType(entry: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): EntryType {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'folder';
  return entry.isFile() ? 'file' : 'other';
}

function leftOut(code: RefusalCode, reason: string): Visit {
  return { kind: 'left-out', code, reason };
}

/** What is listed for an entry that the system does not give out. */
export function unreadable(path: string, error: unknown): Visit & { kind: 'refused' } {
  const why = error instanceof Error ? error.message : String(error);
  return { kind: 'refused', code: 'unreadable', reason: `${path} cannot be read: ${why}.` };
}

function excludedBecause(path: string, rule: Rule | undefined): string {
  return rule ? `${path} is left out by a rule. ${describeRule(rule)}` : `${path} is left out.`;
}

function megabytes(bytes: number): string {
  return `${Number((bytes / 1e6).toPrecision(3))} MB`;
}
