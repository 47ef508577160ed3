// Remembers what a step was done for, so that it is not done again. A stamp is a JSON file under .cache/
// that is written after the step; a broken or missing one only means that the step runs once more.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Whether the stamp at `file` says exactly `content`. */
export function isStamped(file: string, content: Record<string, string>): boolean {
  try {
    return readFileSync(file, 'utf8') === serialise(content);
  } catch {
    return false;
  }
}

export function stamp(file: string, content: Record<string, string>): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, serialise(content));
}

function serialise(content: Record<string, string>): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/**
 * The sha256 over names and bytes of files and, recursively, folders (`leaveOut` is asked for each file's
 * name). What does not exist counts as absent: making it later changes the hash.
 */
export function hashOf(
  root: string,
  entries: readonly string[],
  leaveOut: (name: string) => boolean,
): string {
  const hash = createHash('sha256');
  for (const file of entries.flatMap((entry) => filesUnder(root, entry)).sort()) {
    if (leaveOut(path.basename(file))) continue;
    const bytes = readFileSync(path.join(root, file));
    hash.update(`${file}\0${String(bytes.length)}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** Paths of the files at or below `entry`, relative to `root`, with forward slashes. */
export function filesUnder(root: string, entry: string): string[] {
  try {
    return readdirSync(path.join(root, entry), { recursive: true, withFileTypes: true })
      .filter((found) => found.isFile())
      .map((found) => path.relative(root, path.join(found.parentPath, found.name)).replaceAll('\\', '/'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOTDIR') return [entry.replaceAll('\\', '/')];
    if (code === 'ENOENT') return [];
    throw error;
  }
}
