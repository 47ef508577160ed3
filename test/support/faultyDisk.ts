// Node's own file system with faults built in, and real small or read-only disks.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { nodeFileSystem } from '../../server/src/state/index.ts';
import type { FileSystem } from '../../server/src/state/index.ts';

/** A step that changes what is on the disk. `bytes`: how many a write is about to write, else 0. */
export interface Step {
  readonly operation: 'open' | 'write' | 'sync' | 'truncate' | 'mkdir' | 'rename' | 'unlink';
  readonly file: string;
  readonly bytes: number;
}

/** Hears of each step before it happens. It may throw, or say how many bytes of a write go through. */
export type Watcher = (step: Step) => number | undefined;

/** The real file system, with `watch` asked before each step that changes the disk. */
export function watchedFileSystem(watch: Watcher): FileSystem {
  const step = (operation: Step['operation'], file: unknown) =>
    watch({ operation, file: String(file), bytes: 0 });
  return {
    ...nodeFileSystem,
    open: async (file, flags = 'r', mode) => {
      if (flags !== 'r') step('open', file);
      return watchedHandle(await nodeFileSystem.open(file, flags, mode), String(file), watch);
    },
    mkdir: (async (folder, options) => {
      step('mkdir', folder);
      return await nodeFileSystem.mkdir(folder, options);
    }) as FileSystem['mkdir'],
    rename: async (from, to) => {
      step('rename', to);
      await nodeFileSystem.rename(from, to);
    },
    unlink: async (file) => {
      step('unlink', file);
      await nodeFileSystem.unlink(file);
    },
  };
}

function watchedHandle(handle: FileHandle, file: string, watch: Watcher): FileHandle {
  const write = async (data: Uint8Array, offset = 0, length = data.length - offset) => {
    const through = watch({ operation: 'write', file, bytes: length }) ?? length;
    return await handle.write(data, offset, through, null);
  };
  const watched = {
    write,
    writeFile: async (data: string | Uint8Array) => {
      const bytes = Buffer.from(data as string);
      for (let at = 0; at < bytes.length;) at += (await write(bytes, at)).bytesWritten;
    },
    sync: async () => {
      watch({ operation: 'sync', file, bytes: 0 });
      await handle.sync();
    },
    datasync: async () => {
      watch({ operation: 'sync', file, bytes: 0 });
      await handle.datasync();
    },
    truncate: async (length: number) => {
      watch({ operation: 'truncate', file, bytes: 0 });
      await handle.truncate(length);
    },
  };
  return new Proxy(handle, {
    get: (target, name): unknown => {
      if (Object.hasOwn(watched, name)) return Reflect.get(watched, name);
      const value: unknown = Reflect.get(target, name, target);
      return value instanceof Function ? (value.bind(target) as unknown) : value;
    },
  });
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made for a test`), { code });
}

/** Refuses every change at or below `folder` with the given code. */
export function refuse(folder: string, code: string): Watcher {
  return ({ file }) => {
    if (isWithin(folder, file)) throw systemError(code);
    return undefined;
  };
}

/** A disk under `folder` with room for `room` more bytes: the write that crosses it goes through in part. */
export function roomFor(folder: string, room: number): Watcher {
  let left = room;
  return ({ operation, file, bytes }) => {
    if (operation !== 'write' || !isWithin(folder, file)) return undefined;
    if (left === 0) throw systemError('ENOSPC');
    const through = Math.min(left, bytes);
    left -= through;
    return through;
  };
}

/**
 * Power fails at the step with this number (from 0): a write goes through by half, anything else not at all,
 * and nothing after it happens any more. `steps()` says how many were asked for.
 */
export function powerFailure(at: number): { readonly watch: Watcher; readonly failed: () => boolean } {
  let count = 0;
  let halfWritten = false;
  return {
    watch: ({ operation, bytes }) => {
      const now = count;
      count += 1;
      if (now < at) return undefined;
      if (now === at && operation === 'write' && !halfWritten) {
        halfWritten = true;
        return bytes >> 1;
      }
      throw systemError('EPOWER');
    },
    failed: () => count > at,
  };
}

function isWithin(folder: string, file: string): boolean {
  return file === folder || file.startsWith(folder + path.sep);
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'preflexor-folder-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/**
 * A real disk of `kilobytes`, mounted in memory for one test; or the reason why there is none here
 * (mounting needs Linux and root).
 */
export function smallDisk(
  t: TestContext,
  kilobytes: number,
): { folder: string; makeReadOnly: () => void } | string {
  if (process.platform !== 'linux') return `no tmpfs on ${process.platform}`;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'preflexor-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    return `mounting a tmpfs is not possible here: ${String(error).split('\n').join(' ')}`;
  }
  t.after(() => {
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });
  return { folder, makeReadOnly: () => execFileSync('mount', ['-o', 'remount,ro', folder]) };
}

/**
 * Takes the right to write away from one folder while `work` runs. Gives the reason instead where that does
 * not bind: for root, and on Windows.
 */
export async function withoutWriting(folder: string, work: () => Promise<void>): Promise<string | null> {
  if (process.platform === 'win32') return 'folders have no such permission on Windows';
  if (process.getuid?.() === 0) return 'root may write everywhere';
  chmodSync(folder, 0o555);
  try {
    await work();
  } finally {
    chmodSync(folder, 0o755);
  }
  return null;
}
