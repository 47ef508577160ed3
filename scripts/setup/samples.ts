// The sample notes, in a place where a person may write in them.
import { cp, rename, rm, stat } from 'node:fs/promises';

/** Copies a folder unless the copy exists: what a person has written into it stays. Never leaves half a copy. */
export async function copyOnce(from: string, to: string): Promise<void> {
  if (await stat(to).catch(() => undefined)) return;
  const half = `${to}.new`;
  await rm(half, { recursive: true, force: true });
  await cp(from, half, { recursive: true });
  await rename(half, to);
}
