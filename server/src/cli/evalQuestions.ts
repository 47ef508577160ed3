// The questions of `preflexor eval`: a file that the user names, or a few about the paragraphs of the workspace.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import { questionsFromParagraphs, readQuestions, type SourceParagraph } from '../evaluation/index.ts';
import { paragraphAt } from '../notes/index.ts';
import type { EvaluationQuestion } from '../protocol/index.ts';

export interface AskedQuestions {
  readonly questions: readonly EvaluationQuestion[];
  /** For the report: a file's name, or the workspace. */
  readonly source: string;
}

/** A benchmark is some megabytes; a larger file is something else. */
const mostBytes = 200_000_000;
/** Of a workspace's notes: enough to choose a few paragraphs from. */
const mostNotes = 500;
const mostNoteBytes = 1_000_000;
const usualCount = 5;

/**
 * Reads a file of questions. @param limit the first so many; undefined: all
 * @throws PreflexorError `bad-input`
 */
export async function questionsOfFile(file: string, limit: number | undefined): Promise<AskedQuestions> {
  let text: string;
  try {
    const { size } = await stat(resolve(file));
    if (size > mostBytes) throw new Error('it is too large');
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(resolve(file)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PreflexorError('bad-input', `The questions in ${file} can't be read: ${reason}.`, {
      remedy: 'Name a file of JSON lines in UTF-8.',
      cause: error,
    });
  }
  return { questions: readQuestions(text, basename(file)).slice(0, limit), source: basename(file) };
}

/**
 * Questions about paragraphs of the workspace's notes, the same for the same notes and seed.
 * @param asked what a paragraph can be asked
 * @throws PreflexorError `bad-input` where there is no paragraph to ask about, `cancelled`
 */
export async function questionsOfWorkspace(
  root: string,
  asked: readonly string[],
  { limit = usualCount, seed }: { readonly limit?: number | undefined; readonly seed: number },
  signal: AbortSignal,
): Promise<AskedQuestions> {
  const paragraphs: SourceParagraph[] = [];
  for (const path of await notesBelow(root, signal)) {
    throwIfCancelled(signal);
    paragraphs.push(...(await paragraphsOf(root, path)));
  }
  const questions = questionsFromParagraphs(paragraphs, asked, limit, seed);
  if (questions.length > 0) return { questions, source: 'paragraphs of the workspace' };
  throw new PreflexorError('bad-input', `No note in ${root} has a paragraph that could be asked about.`, {
    remedy: 'Name the folder of your notes with --workspace, or a file of questions with --questions.',
  });
}

/** Markdown files, in the order of their paths; hidden folders and packages are left out. */
async function notesBelow(root: string, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const folders = [''];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    throwIfCancelled(signal);
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name)) folders.push(path);
      else if (entry.isFile() && entry.name.endsWith('.md')) found.push(path);
      if (found.length >= mostNotes) return found;
    }
  }
  return found;
}

async function paragraphsOf(root: string, path: string): Promise<SourceParagraph[]> {
  const file = join(root, path);
  const { size } = await stat(file).catch(() => ({ size: Infinity }));
  if (size > mostNoteBytes) return [];
  const note = await readFile(file, 'utf8').catch(() => '');
  const found = new Map<number, SourceParagraph>();
  for (const { index } of note.matchAll(/(?<=^|\n[ \t]*\n)[^\s]/g)) {
    const paragraph = paragraphOrNull(note, index);
    if (paragraph) found.set(paragraph.start, { path, text: paragraph.text });
  }
  return [...found.values()];
}

/** Headings, tables and the like are no paragraphs. */
function paragraphOrNull(note: string, offset: number): { start: number; text: string } | null {
  try {
    return paragraphAt(note, offset);
  } catch {
    return null;
  }
}
