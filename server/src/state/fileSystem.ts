// The port through which stored data reaches the disk, and what its failures mean to a writer.
// Real runs use Node's own functions; tests hand in the same functions with faults built in.
import * as fsPromises from 'node:fs/promises';
import { PreflexorError } from '../errors.ts';

/** The part of `node:fs/promises` that stored data needs. */
export type FileSystem = Pick<
  typeof fsPromises,
  'access' | 'mkdir' | 'open' | 'readdir' | 'readFile' | 'realpath' | 'rename' | 'stat' | 'unlink'
>;

export const nodeFileSystem: FileSystem = fsPromises;

/** What every function that writes takes from outside; a real run leaves both away. */
export interface FileOptions {
  readonly fileSystem?: FileSystem;
  readonly platform?: NodeJS.Platform;
}

/** The `code` of a failed system call, or null. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** Whether a file or folder was simply not there. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * Turns a failed write into a sentence: `disk-full` or `read-only`, with `folder` named.
 * Anything else is not expected and comes back as it was.
 */
export function writeFailure(error: unknown, folder: string): unknown {
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PreflexorError('disk-full', `There is no room left on the disk for the folder ${folder}.`, {
        remedy: 'Make room on that disk (or ask for a larger quota) and try again.',
        cause: error,
      });
    case 'EACCES':
    case 'EROFS':
    case 'EPERM':
      return new PreflexorError('read-only', `The folder ${folder} cannot be written.`, {
        remedy: 'Give yourself the right to write there, or work in a copy of the folder, and try again.',
        cause: error,
      });
    default:
      return error;
  }
}
