// A file of JSON lines that only grows, each on the disk before the next begins. A torn last line is what a killed
// process leaves.
import path from 'node:path';
import { isMissing, writeFailure, type FileSystem } from './fileSystem.ts';

export interface LineLog {
  /** Its whole lines, each with its end; empty where there is no file yet. */
  readonly whole: string;
  /** Cuts off what a torn line left, so that the next line begins a line. */
  mend(): Promise<void>;
  /** Returns once the value is on the disk, as a line. @throws PreflexorError `read-only`, `disk-full` */
  append(value: unknown): Promise<void>;
}

/** Reads a log; nothing is written before it is mended or appended to, and its folder has to be there by then. */
export async function openLineLog(file: string, fileSystem: FileSystem): Promise<LineLog> {
  const text = await textOf(file, fileSystem);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return {
    whole,
    mend: async () => {
      if (whole.length < text.length) await cutTo(file, Buffer.byteLength(whole), fileSystem);
    },
    append: (value) => appendLine(file, value, fileSystem),
  };
}

async function textOf(file: string, fileSystem: FileSystem): Promise<string> {
  try {
    return await fileSystem.readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

async function cutTo(file: string, bytes: number, fileSystem: FileSystem): Promise<void> {
  const handle = await fileSystem.open(file, 'r+');
  try {
    await handle.truncate(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function appendLine(file: string, value: unknown, fileSystem: FileSystem): Promise<void> {
  try {
    const handle = await fileSystem.open(file, 'a');
    try {
      await handle.writeFile(`${JSON.stringify(value)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw writeFailure(error, path.dirname(file));
  }
}
