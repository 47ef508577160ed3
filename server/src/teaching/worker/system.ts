// What is read of the operating system: small files, folders, and the words of its own programs. Never throws: what
// can't be read is null, and whoever asks decides what that means.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

export interface SystemReader {
  readText(file: string): Promise<string | null>;
  list(folder: string): Promise<readonly string[]>;
  /** What a program writes to stdout; null: it is not there, failed, or took too long. */
  run(program: string, args: readonly string[]): Promise<string | null>;
}

const patienceMs = 10_000;

export const realSystem: SystemReader = {
  readText: (file) => readFile(file, 'utf8').catch(() => null),
  list: (folder) => readdir(folder).catch(() => []),
  run: (program, args) =>
    new Promise((resolve) => {
      execFile(program, args, { timeout: patienceMs, windowsHide: true }, (error, stdout) => {
        resolve(error ? null : stdout);
      });
    }),
};
