// Whether the writer's decisions on a note may be kept: the setting, a file in a folder, and the note's own front
// matter. Whoever is in doubt keeps nothing.
import path from 'node:path';
import { frontMatterEnd } from '../notes/index.ts';
import { isMissing, nodeFileSystem, type FileSystem } from '../state/index.ts';

/** A file of this name switches recording off for its folder and all beneath it; what it holds does not matter. */
export const offFileName = '.preflexor-off';

const offWords = /^(off|false|no|never|none|0)$/i;

export interface RecordingSettings {
  /** The setting `preferences.record`. */
  readonly record: boolean;
  /** Whether a folder above the note is switched off (`isFolderOff`). */
  readonly folderOff: boolean;
}

/**
 * Whether decisions on a note, runs about it and pairs from it may be kept. `preflexor: off` in its front matter
 * says no, also where the rest of it is damaged; nothing in a note can switch on what settings switch off.
 */
export function recordingAllowed(note: string, { record, folderOff }: RecordingSettings): boolean {
  return record && !folderOff && !isNoteOff(note);
}

function isNoteOff(note: string): boolean {
  const head = note.slice(0, frontMatterEnd(note));
  for (const [, quoted] of head.matchAll(/^preflexor[ \t]*[:=][ \t]*(.*)$/gim)) {
    const value = (quoted ?? '').replace(/[ \t]#.*$/, '').trim();
    if (offWords.test(value.replace(/^(["'])(.*)\1$/, '$2'))) return true;
  }
  return false;
}

/**
 * Whether the note's folder, or one above it up to the workspace's own, holds the off file.
 * @param notePath relative to the workspace, with forward slashes
 */
export async function isFolderOff(
  root: string,
  notePath: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<boolean> {
  const folders = notePath.split('/').slice(0, -1);
  for (let depth = 0; depth <= folders.length; depth += 1) {
    const file = path.join(root, ...folders.slice(0, depth), offFileName);
    try {
      await fileSystem.stat(file);
      return true;
    } catch (error) {
      // Something that can't be looked at may be there.
      if (!isMissing(error)) return true;
    }
  }
  return false;
}
