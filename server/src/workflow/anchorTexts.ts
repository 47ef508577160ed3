// The plain texts that training must not forget: those that were named, else the writer's own notes, and after them
// a short text that ships. Annotations are taken out, and notes that are switched off are left alone.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { PreflexorError } from '../errors.ts';
import { stripBlocks } from '../notes/index.ts';
import { isFolderOff, recordingAllowed } from '../preferences/index.ts';
import { scan, WorkspaceWalker } from '../retrieval/index.ts';
import { relativeNotePath, workspaceKey } from '../state/index.ts';
import type { AnchorSource } from '../training/index.ts';

export interface AnchorRequest {
  /** Files and folders; null: the workspace's notes and the text that ships. */
  readonly named: readonly string[] | null;
  /** The workspace folder; null where there is none. */
  readonly root: string | null;
  /** The text that ships. */
  readonly shipped: string;
}

export interface AnchorTexts {
  /** Key of the workspace that paths are relative to. */
  readonly workspace: string | null;
  readonly sources: readonly AnchorSource[];
}

/** Of a folder only such files are read; a file that is named may be any text. */
const folderKinds = ['**/*.md', '**/*.markdown', '**/*.txt'];
const mostBytes = 1_000_000;
const mostNamedBytes = 50_000_000;

/** @throws PreflexorError `bad-input` for a named path that is not there or a folder without texts; `cancelled` */
export async function anchorTexts(
  { named, root, shipped }: AnchorRequest,
  signal: AbortSignal,
): Promise<AnchorTexts> {
  const workspace = root === null ? null : await workspaceKey(root);
  if (named !== null) {
    const found = await Promise.all(named.map((name) => namedSources(path.resolve(name), root, signal)));
    return { workspace, sources: found.flat() };
  }
  const own = root === null ? [] : await workspaceSources(root, signal);
  const last: AnchorSource = {
    ...{ from: 'shipped', file: path.basename(shipped) },
    read: () => readText(shipped, mostBytes),
  };
  return { workspace, sources: [...own, last] };
}

async function namedSources(
  place: string,
  root: string | null,
  signal: AbortSignal,
): Promise<AnchorSource[]> {
  const stats = await stat(place).catch((error: unknown) => {
    throw new PreflexorError('bad-input', `${place} is not there.`, {
      remedy: 'Name texts, or folders of texts, that training must not forget.',
      cause: error,
    });
  });
  const files = stats.isDirectory()
    ? (await textsBelow(place, signal)).map((file) => path.join(place, file))
    : [place];
  if (files.length === 0) {
    throw new PreflexorError('bad-input', `${place} holds no text that training could be held to.`, {
      remedy: 'Name a folder with markdown or plain text in it.',
    });
  }
  return files.map((file) => ({
    ...{ from: 'named', file: nameOf(file, root) },
    read: async () => withoutBlocks(file, await readText(file, mostNamedBytes)),
  }));
}

async function workspaceSources(root: string, signal: AbortSignal): Promise<AnchorSource[]> {
  return (await textsBelow(root, signal)).map((file) => ({
    ...{ from: 'workspace', file },
    read: async () => {
      const folderOff = await isFolderOff(root, file);
      const text = await readText(path.join(root, file), mostBytes).catch(() => null);
      if (text === null || !recordingAllowed(text, { record: true, folderOff })) return null;
      return withoutBlocks(file, text);
    },
  }));
}

/** Paths relative to the folder, in order, by the rules of the index. */
async function textsBelow(folder: string, signal: AbortSignal): Promise<string[]> {
  const rules = { editorExcludes: [], exclude: [], include: folderKinds, maxFileBytes: mostBytes };
  const { files } = await scan(new WorkspaceWalker(folder, rules), { signal });
  return [...files.keys()].sort();
}

function nameOf(file: string, root: string | null): string {
  try {
    return root === null ? path.basename(file) : relativeNotePath(root, file);
  } catch (error) {
    if (PreflexorError.is(error, 'bad-input')) return path.basename(file);
    throw error;
  }
}

async function readText(file: string, most: number): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > most) throw new Error('it is too large');
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw new PreflexorError('bad-input', `${file} cannot be read as a text.`, {
      remedy: 'Name UTF-8 text files.',
      cause: error,
    });
  }
}

/** What a model wrote into a note is not what the model shall stay. */
function withoutBlocks(file: string, text: string): string {
  return /\.(md|markdown)$/i.test(file) ? stripBlocks(text).text : text;
}
