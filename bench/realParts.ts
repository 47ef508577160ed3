// The parts of retrieval as they are shipped, for the benchmarks: readers in their thread, the embedder of the
// catalogue in its process, LanceDB in a folder. The models are those of PREFLEXOR_HOME, else of the tests.
import { join } from 'node:path';
import { testHome } from '../scripts/setup/paths.ts';
import { createEmbedder } from '../server/src/composition.ts';
import type { LlamaEmbedder } from '../server/src/engine/index.ts';
import { chunkerFor, WorkspaceIndex } from '../server/src/library/index.ts';
import { lanceDb, readerScript } from '../server/src/libraryComposition.ts';
import { defaultSettings } from '../server/src/protocol/index.ts';
import type { DocumentReader } from '../server/src/retrieval/index.ts';
import { documentKindOf, ReaderThread } from '../server/src/retrieval/readers/index.ts';
import type { BenchParts } from './indexing.ts';

export interface RealParts extends BenchParts {
  readonly embedder: LlamaEmbedder;
  /** The index of a workspace, kept in `home`. */
  workspace(home: string, root: string): WorkspaceIndex;
}

const maxBytes = 50_000_000;

export default function realParts(): Promise<RealParts> {
  const settings = defaultSettings();
  const home = process.env['PREFLEXOR_HOME'] ?? testHome;
  const embedder = createEmbedder(settings, home, { onLog: () => undefined });
  const readers = new ReaderThread({ script: readerScript(), timeLimit: 120_000, memoryLimit: 1024 });
  const reader: DocumentReader = {
    kindOf: documentKindOf,
    read: (path, bytes, readOther, signal) =>
      readers.readDocument(path, bytes, { readOther, maxBytes, signal }),
  };
  const workspace = (place: string, root: string): WorkspaceIndex =>
    new WorkspaceIndex({
      ...{ root, home: place, store: lanceDb(), holder: 'the benchmark', address: '' },
      embedder: settings['retrieval.embedder'],
      embedderOf: () => embedder,
      tell: (problem) => {
        throw new Error(problem);
      },
    });
  return Promise.resolve({
    name: `${settings['retrieval.embedder']}, LanceDB, without the graph`,
    ...{ reader, embedder, workspace },
    chunker: chunkerFor(() => embedder),
    openIndex: (place) => workspace(place, join(place, 'notes')).forIndexing(new AbortController().signal),
    dispose: async () => {
      await Promise.all([embedder.dispose(), readers.close()]);
    },
  });
}
