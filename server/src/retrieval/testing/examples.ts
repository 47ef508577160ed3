// Chunks and documents to put into a store. Their vectors only depend on their texts.
import { createHash } from 'node:crypto';
import { chunkId } from '../chunkId.ts';
import type { DocumentChange, DocumentRecord, StoredChunk } from '../ports.ts';

export const dimensions = 8;
export const never = new AbortController().signal;

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
