// Small parts for bench/indexing.ts: a paragraph reader, an index in memory, and an embedder that sleeps for as long
// as a model would take. They show whether reading, embedding and storing overlap; no number of theirs is a model's.
import { setTimeout as delay } from 'node:timers/promises';
import { noVectorCache } from '../server/src/retrieval/index.ts';
import { HashEmbedder } from '../server/src/retrieval/testing/hashEmbedder.ts';
import { RecordingStore } from '../server/src/retrieval/testing/recordingStore.ts';
import { paragraphChunker, plainReader } from '../server/src/retrieval/testing/plainDocuments.ts';
import type { BenchParts } from './indexing.ts';

/** Milliseconds for each text. */
const embeddingMs = 4;

export default function smallParts(): Promise<BenchParts> {
  return Promise.resolve({
    name: `small parts, ${embeddingMs} ms asleep for each text`,
    reader: plainReader(),
    chunker: paragraphChunker,
    embedder: new HashEmbedder({ dimensions: 384, before: (texts) => delay(embeddingMs * texts.length) }),
    openIndex: () => {
      const store = new RecordingStore();
      return Promise.resolve({
        serving: store,
        building: store,
        cache: noVectorCache,
        embedder: 'hash',
        commit: () => Promise.resolve(),
        close: () => store.close(),
      });
    },
    dispose: () => Promise.resolve(),
  });
}
