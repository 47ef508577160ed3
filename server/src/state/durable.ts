// Writing that survives a crash: afterwards a file holds either all of the old or all of the new content.
// Knows nothing of what is written.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PreflexorError } from '../errors.ts';
import { isMissing, nodeFileSystem, systemCode, writeFailure } from './fileSystem.ts';
import type { FileOptions, FileSystem } from './fileSystem.ts';

/** Not made of the file's name: that may be as long as names can be. `.preflexor/.gitignore` names the ending. */
const temporaryPrefix = '.preflexor-';
const temporarySuffix = '.tmp';

/** Codes with which file systems say that a folder cannot be synced (network and FUSE mounts mostly). */
const syncNotOffered = new Set([
  'EINVAL',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EISDIR',
  'EBADF',
  'EACCES',
  'EPERM',
]);

/** Codes of a rename on Windows while a virus scanner or another program has one of the files open. */
const busyOnWindows = new Set(['EPERM', 'EACCES', 'EBUSY']);

/**
 * Replaces `file` by `data` as a whole: temporary file in the same folder, fsync, rename, fsync of the folder.
 * Text that comes piece by piece is never held as a whole.
 * A link is followed, the file's permissions stay, and a file that may not be written is not replaced.
 * After any failure the old content stands and the temporary file is gone.
 * Errors: `disk-full`, `read-only` (folder or file), `bad-input` (not a plain file); others as they come.
 */
export async function writeDurably(
  file: string,
  data: string | Uint8Array | AsyncIterable<string>,
  options: FileOptions = {},
): Promise<void> {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const platform = options.platform ?? process.platform;
  const target = await followLinks(file, fileSystem);
  const folder = path.dirname(target);
  const temporary = path.join(
    folder,
    `${temporaryPrefix}${randomBytes(8).toString('hex')}${temporarySuffix}`,
  );
  const mode = await modeOfReplaced(target, fileSystem);
  try {
    const handle = await fileSystem.open(temporary, 'wx', mode ?? 0o666);
    try {
      await handle.writeFile(data);
      // The mode given to open is cut by the umask.
      if (mode !== null) await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await replace(temporary, target, fileSystem, platform);
    await syncFolder(folder, { fileSystem, platform });
  } catch (error) {
    await fileSystem.unlink(temporary).catch(() => undefined);
    throw writeFailure(error, folder);
  }
}

/** Makes a folder's entries durable. Windows has no such call, and some file systems refuse it: then nothing. */
export async function syncFolder(folder: string, options: FileOptions = {}): Promise<void> {
  if ((options.platform ?? process.platform) === 'win32') return;
  try {
    const handle = await (options.fileSystem ?? nodeFileSystem).open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!syncNotOffered.has(systemCode(error) ?? '')) throw error;
  }
}

/**
 * Makes `folder` and what is missing above it, durably. With `within`, that folder must exist already:
 * a workspace that was deleted is not made again. `mode` holds for every folder that is made.
 * Errors: as `writeDurably`; `bad-input` when something that is not a folder is in the way.
 */
export async function makeFolders(
  folder: string,
  options: FileOptions & { readonly within?: string; readonly mode?: number } = {},
): Promise<void> {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const existing = await statOrNull(folder, fileSystem);
  if (existing?.isDirectory()) return;
  if (existing) {
    throw new PreflexorError('bad-input', `${folder} is not a folder.`, {
      remedy: 'Move it away, so that PRefLexOR can make a folder there.',
    });
  }
  const parent = path.dirname(folder);
  if (folder === options.within || parent === folder) {
    throw new PreflexorError('bad-input', `The folder ${folder} is not there.`);
  }
  await makeFolders(parent, options);
  try {
    await fileSystem.mkdir(folder, { mode: options.mode ?? 0o777 });
    await syncFolder(parent, options);
  } catch (error) {
    // Another window was quicker.
    if (systemCode(error) !== 'EEXIST') throw writeFailure(error, parent);
  }
}

/**
 * Removes temporary files that a killed process left in `folder` more than an hour ago. Never throws: what
 * cannot be removed now goes another time.
 */
export async function removeLeftovers(folder: string, options: FileOptions = {}): Promise<void> {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const names = await fileSystem.readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(temporaryPrefix) || !name.endsWith(temporarySuffix)) continue;
    const file = path.join(folder, name);
    const written = await fileSystem.stat(file).catch(() => null);
    if (written && Date.now() - written.mtimeMs > 3_600_000)
      await fileSystem.unlink(file).catch(() => undefined);
  }
}

async function followLinks(file: string, fileSystem: FileSystem): Promise<string> {
  try {
    return await fileSystem.realpath(file);
  } catch (error) {
    if (isMissing(error)) return path.resolve(file);
    throw writeFailure(error, path.dirname(file));
  }
}

/** The permissions of the file that is about to be replaced; null when there is none. */
async function modeOfReplaced(file: string, fileSystem: FileSystem): Promise<number | null> {
  const existing = await statOrNull(file, fileSystem);
  if (!existing) return null;
  if (!existing.isFile()) throw new PreflexorError('bad-input', `${file} is not a plain file.`);
  try {
    await fileSystem.access(file, constants.W_OK);
  } catch (error) {
    throw new PreflexorError('read-only', `The file ${file} cannot be written.`, {
      remedy: 'Give yourself the right to write it, or work in a copy, and try again.',
      cause: error,
    });
  }
  return existing.mode & 0o7777;
}

async function statOrNull(file: string, fileSystem: FileSystem) {
  try {
    return await fileSystem.stat(file);
  } catch (error) {
    if (isMissing(error)) return null;
    throw writeFailure(error, path.dirname(file));
  }
}

async function replace(
  from: string,
  to: string,
  fileSystem: FileSystem,
  platform: NodeJS.Platform,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await fileSystem.rename(from, to);
      return;
    } catch (error) {
      if (platform !== 'win32' || attempt === 8 || !busyOnWindows.has(systemCode(error) ?? '')) throw error;
      await delay(2 ** attempt);
    }
  }
}
