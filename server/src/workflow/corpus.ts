// A workspace's index as the dataset asks from it. What the writer keeps out of learning (`preflexor: off`, a folder
// that is switched off, the setting) is not asked from, also when that changes while samples are made.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { throwIfCancelled } from '../errors.ts';
import { isFolderOff, recordingAllowed } from '../preferences/index.ts';
import type { SearchFilter, SearchResult } from '../protocol/index.ts';
import type { Chunk } from '../retrieval/index.ts';
import type { Corpus, CorpusChunk } from '../teaching/index.ts';

/** What is asked of the library. */
export interface CorpusLibrary {
  chunks(root: string, signal: AbortSignal): AsyncIterable<readonly Chunk[]>;
  search(
    root: string,
    query: string,
    options: { readonly k: number; readonly filter: SearchFilter },
    signal: AbortSignal,
  ): Promise<SearchResult>;
}

/** A topic takes in so many passages. */
const passagesOfTopic = 64;
/** More are not held in memory. */
const mostChunks = 50_000;
const mostBytes = 100_000_000;

/** @param record the setting `preferences.record` */
export function workspaceCorpus(library: CorpusLibrary, root: string, record: boolean): Corpus {
  const hashOf = (document: string): Promise<string | null> => presentHash(root, document, record);
  return {
    async chunks(topic, signal) {
      const wanted = topic === null ? null : await near(topic, signal);
      const found: CorpusChunk[] = [];
      for await (const chunks of library.chunks(root, signal)) {
        const own = wanted === null ? chunks : chunks.filter(({ id }) => wanted.has(id));
        const [first] = own;
        if (!first || (await hashOf(first.document)) === null) continue;
        throwIfCancelled(signal);
        found.push(...own);
        if (found.length >= mostChunks) break;
      }
      return found;
    },
    async search(query, k, leftOut, signal) {
      const filter = leftOut.length > 0 ? { notSources: [...leftOut] } : {};
      const { passages } = await library.search(root, query, { k, filter }, signal);
      const allowed = await Promise.all(passages.map(async ({ source }) => (await hashOf(source)) !== null));
      throwIfCancelled(signal);
      return passages.filter((_, at) => allowed[at]);
    },
    hashOf,
  };

  async function near(topic: string, signal: AbortSignal): Promise<Set<string>> {
    const { passages } = await library.search(root, topic, { k: passagesOfTopic, filter: {} }, signal);
    return new Set(passages.map(({ id }) => id));
  }
}

/** sha256 of a file's bytes; null: it is gone, leads out of the workspace, or is kept out of learning. */
async function presentHash(root: string, document: string, record: boolean): Promise<string | null> {
  const file = path.join(root, document);
  if (path.relative(root, file).startsWith('..')) return null;
  const found = await stat(file).catch(() => null);
  if (!found?.isFile() || found.size > mostBytes) return null;
  const bytes = await readFile(file).catch(() => null);
  if (bytes === null) return null;
  const folderOff = await isFolderOff(root, document);
  const note = /\.(md|markdown)$/i.test(document) ? bytes.toString('utf8') : '';
  if (!recordingAllowed(note, { record, folderOff })) return null;
  return createHash('sha256').update(bytes).digest('hex');
}
