// Stores in temporary folders, and chunks to put into them.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { chunkId } from '../../server/src/retrieval/chunkId.ts';
import type { DocumentChange, DocumentRecord, StoredChunk } from '../../server/src/retrieval/ports.ts';
import type { IndexIdentity, StoreOptions } from '../../server/src/retrieval/store/index.ts';

export const dimensions = 8;
export const never = new AbortController().signal;
export const workspaceKey = 'a'.repeat(32);

export function identityOf(embedder = 'small', chunker = '1'): IndexIdentity {
  return {
    embedder: { id: embedder, sha256: sha256(embedder), dimensions, maxTokens: 512 },
    reader: '1',
    chunker,
  };
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'preflexor-store-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Options for a store in `folder`. Reading always looks for news, so that tests need not wait. */
export function optionsFor(folder: string, more: Partial<StoreOptions> = {}): StoreOptions {
  return {
    ...{ address: path.join(folder, 'index'), home: path.join(folder, 'home'), workspaceKey },
    ...{ holder: 'a test', waitMs: 5_000, freshnessSeconds: 0 },
    ...more,
  };
}

/** A vector of length 1 that only depends on the seed. */
export function vectorOf(seed: string, length = dimensions): Float32Array {
  const values = Float32Array.from({ length }, (_, at) => {
    const hash = createHash('sha256').update(`${seed} ${at}`).digest();
    return hash.readUInt32LE(0) / 2 ** 31 - 1;
  });
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

export function chunkOf(document: string, text: string, more: Partial<StoredChunk> = {}): StoredChunk {
  const chunk = {
    ...{ document, source: document, kind: 'markdown' as const, heading: ['Title'], page: null },
    ...{ start: 0, end: text.length, text, readable: text, tags: [], citations: [], modified: 1_000 },
    ...{ textHash: sha256(text).slice(0, 32), vector: vectorOf(text) },
    ...more,
  };
  return { ...chunk, id: more.id ?? chunkId(chunk) };
}

export function recordOf(
  document: string,
  chunks: number,
  more: Partial<DocumentRecord> = {},
): DocumentRecord {
  return {
    ...{ path: document, kind: 'markdown' as const, title: 'Title', bytes: 10, modified: 1_000 },
    ...{ hash: sha256(document), tags: [], dependencies: [], defines: [], chunks, refusal: null },
    ...more,
  };
}

/** A document of these texts, one behind the other. */
export function changeOf(
  document: string,
  texts: readonly string[],
  more: Partial<StoredChunk> = {},
): DocumentChange {
  const chunks = texts.map((text, at) =>
    chunkOf(document, text, { start: at * 1000, end: at * 1000 + text.length, ...more }),
  );
  return { record: recordOf(document, texts.length, { hash: sha256(texts.join('\n')) }), chunks };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
