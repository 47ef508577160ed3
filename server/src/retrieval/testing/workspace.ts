// A workspace folder with files of a test's own, and an index of it out of the small parts beside this file.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  Gate,
  WorkspaceWalker,
  everything,
  giveTurn,
  runIndex,
  type IndexParts,
  type IndexRequest,
  type ScanSettings,
  type VectorCache,
} from '../indexing/index.ts';
import type { IndexReport } from '../../protocol/index.ts';
import { HashEmbedder } from './hashEmbedder.ts';
import { RecordingStore } from './recordingStore.ts';
import { paragraphChunker, plainReader, type PlainReader } from './plainDocuments.ts';

export const plainSettings: ScanSettings = {
  editorExcludes: [],
  include: ['**/*.{md,tex,txt,bib}'],
  exclude: [],
  maxFileBytes: 1_000_000,
};

/** Modification times that only go up, so that no two writes look the same. */
let clock = Date.UTC(2026, 0, 1);

/** A temporary folder that goes with the test. Its name has a blank and an umlaut. */
export function workspace(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'preflexor notés '));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) put(folder, path, text);
  return folder;
}

/** Writes a file with a time that no other one has. */
export function put(folder: string, path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  clock += 1000;
  utimesSync(file, new Date(clock), new Date(clock));
}

/** A vector cache in memory that forgets nothing. */
export class MemoryCache implements VectorCache {
  readonly vectors = new Map<string, Float32Array>();

  find(textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const found = textHashes.flatMap((hash) => {
      const vector = this.vectors.get(hash);
      return vector ? [[hash, vector] as const] : [];
    });
    return Promise.resolve(new Map(found));
  }

  keep(vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
    for (const [hash, vector] of vectors) this.vectors.set(hash, vector);
    return Promise.resolve();
  }
}

/** Parts whose inside a test can look at. */
export interface TestParts extends IndexParts {
  readonly reader: PlainReader;
  readonly embedder: HashEmbedder;
  readonly store: RecordingStore;
}

/** The parts of an index of `folder`, small ones unless others are handed in. */
export function testParts(folder: string, parts: Partial<TestParts> = {}): TestParts {
  return {
    walker: new WorkspaceWalker(folder, plainSettings),
    reader: plainReader(),
    chunker: paragraphChunker,
    embedder: new HashEmbedder(),
    store: new RecordingStore(),
    cache: new MemoryCache(),
    gate: new Gate(),
    limits: { batchChunks: 8, textsPerCall: 2, filesAhead: 3, bytesAhead: 1_000_000 },
    now: () => 0,
    onProgress: () => {},
    giveTurn,
    ...parts,
  };
}

/** One run over everything, unless the request says otherwise. */
export async function index(
  parts: IndexParts,
  request: Partial<IndexRequest> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<IndexReport> {
  return await runIndex(parts, { ...everything, ...request }, signal);
}
