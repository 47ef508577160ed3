// Keeping tables quick: small pieces joined, new rows taken into the indexes, old versions pruned, and the
// indexes that fit the size. Under the writer's lock; the caller sees to that.
import type { Table } from '@lancedb/lancedb';
import { throwIfCancelled } from '../../errors.ts';
import { missingIndexes } from './indexes.ts';

/**
 * Milliseconds that old versions are kept: another process may still be reading what it opened. Searches take
 * milliseconds and handles look for news after seconds.
 */
const keepVersionsMs = 10 * 60_000;

interface Tables {
  readonly chunks: Table;
  readonly documents: Table;
  readonly dimensions: number;
}

/** Does what is worth it, step by step; between steps it looks at the signal. */
export async function optimise(tables: Tables, signal: AbortSignal): Promise<void> {
  // Compacting first: it would have to rewrite indexes that are built before it.
  for (const table of [tables.documents, tables.chunks]) {
    throwIfCancelled(signal);
    if (await worthCompacting(table)) await compact(table);
  }
  await buildIndexes(tables, signal);
}

export async function compact(table: Table): Promise<void> {
  await table.optimize({ cleanupOlderThan: new Date(Date.now() - keepVersionsMs) });
}

/** Builds the indexes that the chunks' number asks for and that are not there, and drops those outgrown. */
export async function buildIndexes(
  { chunks, dimensions }: Pick<Tables, 'chunks' | 'dimensions'>,
  signal: AbortSignal,
): Promise<void> {
  const rows = await chunks.countRows();
  for (const step of missingIndexes(await chunks.listIndices(), rows, dimensions)) {
    throwIfCancelled(signal);
    await step(chunks);
  }
}

/** Whether compacting would change something: rows no index knows of, small pieces, versions that are past. */
async function worthCompacting(table: Table): Promise<boolean> {
  const [indexes, stats] = await Promise.all([table.listIndices(), table.stats()]);
  if (stats.fragmentStats.numSmallFragments > 1) return true;
  if (indexes.some(({ numUnindexedRows }) => (numUnindexedRows ?? 0) > 0)) return true;
  const versions = await table.listVersions();
  const last = Math.max(...versions.map(({ version }) => version));
  return versions.some(
    ({ version, timestamp }) => version < last && timestamp.getTime() < Date.now() - keepVersionsMs,
  );
}
