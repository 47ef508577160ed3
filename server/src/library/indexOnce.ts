// One whole run of the indexer over a workspace, for the command line.
import { PreflexorError } from '../errors.ts';
import type { IndexReport } from '../protocol/index.ts';
import {
  defaultLimits,
  Gate,
  giveTurn,
  runIndex,
  WorkspaceWalker,
  type DocumentChunker,
  type DocumentReader,
  type IndexProgress,
  type ScanSettings,
} from '../retrieval/index.ts';
import type { IndexedFolder } from './library.ts';
import type { WorkspaceIndex } from './workspaceIndex.ts';

export interface OneRun {
  readonly configuration: IndexedFolder;
  readonly index: WorkspaceIndex;
  readonly settings: ScanSettings;
  readonly reader: DocumentReader;
  readonly chunker: DocumentChunker;
  readonly paths: readonly string[] | null;
  readonly onStep: (step: IndexProgress) => void;
  readonly signal: AbortSignal;
}

/** A damaged index is mended and the run done again, once. @throws PreflexorError as the indexer does */
export async function runOnce(run: OneRun): Promise<IndexReport> {
  const { index, signal } = run;
  const work = () => index.exclusively(() => attempt(run), signal);
  return await work().catch((error: unknown) => {
    if (!PreflexorError.is(error, 'index-failed')) throw error;
    return work();
  });
}

async function attempt({
  configuration,
  index,
  settings,
  reader,
  chunker,
  paths,
  onStep,
  signal,
}: OneRun): Promise<IndexReport> {
  const opened = await index.forIndexing(signal);
  // A new index beside the old one is whole only when everything is in it.
  const isNew = opened.serving !== opened.building;
  const report = await runIndex(
    {
      ...{ reader, chunker, giveTurn },
      walker: new WorkspaceWalker(configuration.root, settings),
      embedder: index.embedder,
      store: opened.building,
      cache: opened.cache,
      gate: new Gate(),
      limits: defaultLimits,
      now: Date.now,
      onProgress: onStep,
    },
    { paths: isNew ? null : paths, changed: new Set(), urgent: () => [] },
    signal,
  );
  if (isNew) await opened.commit();
  return report;
}
