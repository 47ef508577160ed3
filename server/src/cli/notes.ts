// Notes on disk: read as the exact text that they are, written back without a torn state.
import { readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PreflexorError } from '../errors.ts';
import { applicationHome, workspaceOf, writeDurably } from '../state/index.ts';
import type { Note } from '../workflow/index.ts';

/**
 * Reads a note.
 * @param workspace `--workspace`, else the note's own place decides
 * @throws PreflexorError `note-missing`, `not-text` (not UTF-8)
 */
export async function readNote(path: string, workspace: string | undefined): Promise<Note> {
  let bytes: Buffer;
  let file: string;
  try {
    file = await realpath(resolve(path));
    bytes = await readFile(file);
  } catch (error) {
    throw new PreflexorError('note-missing', `${path} can't be read.`, {
      remedy: 'Is the path right, and is it a file that you may read?',
      cause: error,
    });
  }
  let text: string;
  try {
    // A byte order mark is part of the text: offsets count it, and it is written back.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new PreflexorError('not-text', `${path} is not a UTF-8 text.`, {
      remedy: 'Only markdown notes can be reasoned about.',
      cause: error,
    });
  }
  const root = await workspaceOf({
    note: file,
    home: applicationHome(),
    ...(workspace !== undefined && { workspace }),
  });
  return { text, file, root };
}

/**
 * Writes a note that was changed, unless somebody else changed it meanwhile.
 * @throws PreflexorError `note-changed`, `read-only`, `disk-full`
 */
export async function writeNote(note: Note, text: string): Promise<void> {
  const now = await readFile(note.file, 'utf8').catch(() => null);
  if (now !== note.text) {
    throw new PreflexorError('note-changed', `${note.file} was changed meanwhile; it has been left alone.`, {
      remedy: 'Run the command again.',
    });
  }
  await writeDurably(note.file, text);
}

/**
 * The offset of `LINE[:COLUMN]`, both counted from 1 as editors show them.
 * @throws PreflexorError `bad-input`
 */
export function offsetAt(text: string, place: string): number {
  const match = /^(\d+)(?::(\d+))?$/.exec(place);
  const line = Number(match?.[1]);
  const column = Number(match?.[2] ?? 1);
  if (!match || line < 1 || column < 1) {
    throw new PreflexorError('bad-input', `"${place}" is not a place.`, {
      remedy: 'Write LINE or LINE:COLUMN.',
    });
  }
  let start = 0;
  for (let current = 1; current < line; current += 1) {
    const end = /\r\n|\r|\n/g;
    end.lastIndex = start;
    const found = end.exec(text);
    if (!found) {
      throw new PreflexorError('bad-input', `The note has ${current} lines; there is no line ${line}.`);
    }
    start = found.index + found[0].length;
  }
  const rest = /[\r\n]/.exec(text.slice(start));
  const length = rest ? rest.index : text.length - start;
  return start + Math.min(column - 1, length);
}
