// Where things live: the application home, the workspace of a note, and what is kept in either.
// The same for the editor and the command line, so that both find what the other wrote.
import { createHash, randomInt } from 'node:crypto';
import { realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PreflexorError } from '../errors.ts';
import { makeFolders, writeDurably } from './durable.ts';
import { isMissing, nodeFileSystem } from './fileSystem.ts';
import type { FileOptions } from './fileSystem.ts';
import { withLock } from './locks.ts';
import type { LockOptions } from './locks.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const stateFolder = '.preflexor';

const gitignore = `# Written by PRefLexOR once; yours to change.
# ledger/ (your decisions) and runs/ (the texts they were about) are your data: they are kept with the notes,
# and merge without conflicts because each device writes files of its own. To keep them out of git, add:
#   ledger/
#   runs/
*.tmp
*.lock
`;

/**
 * The folder for models, adapters, indexes and caches: `$PREFLEXOR_HOME`, else the operating system's data
 * folder for applications. An absolute path; the folder need not exist yet.
 */
export function applicationHome(
  env: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const wished = setting(env, 'PREFLEXOR_HOME');
  if (wished !== undefined) return paths.resolve(wished);
  if (platform === 'win32') {
    const user = setting(env, 'USERPROFILE') ?? os.homedir();
    return paths.join(setting(env, 'LOCALAPPDATA') ?? paths.join(user, 'AppData', 'Local'), 'preflexor');
  }
  const user = setting(env, 'HOME') ?? os.homedir();
  if (platform === 'darwin') return paths.join(user, 'Library', 'Application Support', 'preflexor');
  // The XDG base directory specification: a relative path there is invalid and is to be ignored.
  const data = setting(env, 'XDG_DATA_HOME') ?? '';
  return paths.join(paths.isAbsolute(data) ? data : paths.join(user, '.local', 'share'), 'preflexor');
}

/** An environment variable; an empty one counts as not set. */
function setting(env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

export interface WorkspaceQuestion {
  /** What `--workspace` or the editor's workspace folder says. */
  readonly workspace?: string;
  /** The note in hand. */
  readonly note?: string;
  /** Where to look when there is neither; the current folder by default. */
  readonly folder?: string;
  /** The application home: its own folder is no workspace, even when it is called `.preflexor`. */
  readonly home?: string;
}

/**
 * The folder whose `.preflexor/` holds the ledger and the runs: `workspace`, else the nearest folder at or
 * above the note that has a `.preflexor/`, else the note's own folder. An absolute path.
 * Errors: `bad-input` when `workspace` is not a folder.
 */
export async function workspaceOf(question: WorkspaceQuestion, options: FileOptions = {}): Promise<string> {
  if (question.workspace !== undefined) {
    const workspace = path.resolve(question.workspace);
    if (await isFolder(workspace, options)) return workspace;
    throw new PreflexorError('bad-input', `The workspace ${workspace} is not a folder.`, {
      remedy: 'Name a folder that exists.',
    });
  }
  const start =
    question.note === undefined
      ? path.resolve(question.folder ?? '.')
      : path.dirname(path.resolve(question.note));
  const home = question.home === undefined ? null : path.resolve(question.home);
  for (let folder = start; ; folder = path.dirname(folder)) {
    const state = path.join(folder, stateFolder);
    if (state !== home && (await isFolder(state, options))) return folder;
    if (path.dirname(folder) === folder) return start;
  }
}

/** What is kept inside a workspace. */
export interface WorkspacePlaces {
  readonly root: string;
  readonly folder: string;
  readonly ledger: string;
  readonly runs: string;
  /** Experiments: their journals and reports. */
  readonly evaluations: string;
  /** Runs of self-teaching: data, training, verdicts and reports, each in a folder by its number. */
  readonly teaching: string;
  /** Preference pairs that came in with files, in the canonical form. */
  readonly pairs: string;
  /** The writer's own prompts; only ever read. */
  readonly prompts: string;
}

export function workspacePlaces(root: string): WorkspacePlaces {
  const folder = path.join(path.resolve(root), stateFolder);
  return {
    root: path.resolve(root),
    folder,
    ledger: path.join(folder, 'ledger'),
    runs: path.join(folder, 'runs'),
    evaluations: path.join(folder, 'eval'),
    teaching: path.join(folder, 'teach'),
    pairs: path.join(folder, 'pairs'),
    prompts: path.join(folder, 'prompts'),
  };
}

/**
 * Makes `.preflexor/` with its .gitignore, and the one folder in it that is needed.
 * Never makes the workspace itself. Errors: `read-only`, `disk-full`, `bad-input`.
 */
export async function prepareWorkspace(
  places: WorkspacePlaces,
  need: 'ledger' | 'runs' | 'evaluations' | 'teaching' | 'pairs',
  options: FileOptions = {},
): Promise<void> {
  await makeFolders(places[need], { ...options, within: places.root });
  const ignore = path.join(places.folder, '.gitignore');
  try {
    await (options.fileSystem ?? nodeFileSystem).stat(ignore);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await writeDurably(ignore, gitignore, options);
  }
}

/** What is kept inside the application home. */
export interface HomePlaces {
  readonly home: string;
  readonly device: string;
  readonly locks: string;
  /** Decisions whose workspace could not be written, one folder per workspace key. */
  readonly waiting: string;
  /** What can be made again at any time, one folder per workspace key. */
  readonly cache: string;
  /** The index's tables, of all workspaces that keep it here. */
  readonly index: string;
  /** What was exported, by the hash of the file: so that an adapter trained on it can be told. */
  readonly exports: string;
}

export function homePlaces(home: string): HomePlaces {
  const at = (name: string) => path.join(path.resolve(home), name);
  return {
    home: path.resolve(home),
    device: at('device'),
    locks: at('locks'),
    waiting: at('waiting'),
    cache: at('cache'),
    index: at('index'),
    exports: at('exports'),
  };
}

/**
 * The name under which the application home keeps what belongs to a workspace: 32 hex digits of the sha256
 * of its real path, so that a link to a workspace is that workspace.
 */
export async function workspaceKey(root: string, options: FileOptions = {}): Promise<string> {
  const resolved = path.resolve(root);
  const real = await (options.fileSystem ?? nodeFileSystem).realpath(resolved).catch(() => resolved);
  return createHash('sha256').update(real).digest('hex').slice(0, 32);
}

const deviceForm = /^[0-9a-z]{8,32}$/;

/**
 * This device's id, 12 characters of [0-9a-z]: made at random once, kept in the application home, and the
 * same for two processes that ask at the same moment. Errors: `read-only`, `disk-full`, `locked`.
 */
export async function deviceId(home: string, options: FileOptions & LockOptions = {}): Promise<string> {
  const places = homePlaces(home);
  const known = await readDevice(places.device, options);
  if (known !== null) return known;
  return await withLock(
    [path.join(places.locks, 'device.lock')],
    async () => {
      const meanwhile = await readDevice(places.device, options);
      if (meanwhile !== null) return meanwhile;
      const made = Array.from({ length: 12 }, () => randomInt(36).toString(36)).join('');
      await writeDurably(places.device, `${made}\n`, options);
      return made;
    },
    options,
  );
}

/** A file that holds no id (emptied by a power failure, edited) counts as none. */
async function readDevice(file: string, options: FileOptions): Promise<string | null> {
  try {
    const text = (await (options.fileSystem ?? nodeFileSystem).readFile(file, 'utf8')).trim();
    return deviceForm.test(text) ? text : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** sha256 of a note's text (as UTF-8), 64 hex digits. */
export function noteHash(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/**
 * A note's path as records hold it: relative to the workspace, with forward slashes on every system.
 * Links are looked through only when the plain paths do not fit. Errors: `bad-input` when the note lies
 * outside the workspace.
 */
export function relativeNotePath(
  root: string,
  file: string,
  platform: NodeJS.Platform = process.platform,
): string {
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const found = inside(paths, root, file) ?? inside(paths, realOr(root), realOr(file));
  if (found !== null) return platform === 'win32' ? found.replaceAll('\\', '/') : found;
  throw new PreflexorError('bad-input', `The note ${file} is not inside the workspace ${root}.`, {
    remedy: 'Name the workspace that the note belongs to.',
  });
}

function inside(paths: path.PlatformPath, root: string, file: string): string | null {
  const relative = paths.relative(paths.resolve(root), paths.resolve(file));
  const outside = relative === '' || relative === '..' || relative.startsWith(`..${paths.sep}`);
  return outside || paths.isAbsolute(relative) ? null : relative;
}

function realOr(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

async function isFolder(folder: string, options: FileOptions): Promise<boolean> {
  try {
    return (await (options.fileSystem ?? nodeFileSystem).stat(folder)).isDirectory();
  } catch {
    return false;
  }
}
