// Which indexes a table of chunks gets at which size, and bringing them up to date.
import { Index, type IndexConfig, type Table } from '@lancedb/lancedb';

/** How vectors are searched. */
export type VectorPlan =
  | { readonly kind: 'flat' }
  | { readonly kind: 'ivf-flat'; readonly partitions: number }
  | { readonly kind: 'ivf-pq'; readonly partitions: number; readonly subVectors: number };

/**
 * From so many rows on. Reasons, measured with 384 dimensions on two busy cores (`node bench/retrieval.ts`
 * measures them anew):
 * - flat: exact, nothing to build, and about 1 µs a row: 10 ms at the bound.
 * - ivf-flat: whole vectors in partitions. Built in about a second for 50,000 rows where ivf-pq takes a minute
 *   (training its codebooks costs the same for few rows as for many), at the same recall; but it keeps a
 *   second copy of each vector.
 * - ivf-pq: a sixteenth of the memory, and the only one whose partitions stay small enough to read at a
 *   million rows. What quantising loses, refining brings back.
 */
const bounds = { ivfFlat: 10_000, ivfPq: 150_000 } as const;

/** From so many rows on filters get indexes; below, reading the column is as quick. */
const scalarBound = 5_000;

/** Partitions that a search looks into, of `partitionsFor(rows)`. */
export const probes = 20;

/** Candidates whose whole vectors are compared after ivf-pq has found them: at least so many. */
const refined = 100;

/** The refine factor for `k` results: at k = 10 it is 10, and never under 3. */
export function refineFactor(k: number): number {
  return Math.max(3, Math.ceil(refined / Math.max(1, k)));
}

export function vectorPlan(rows: number, dimensions: number): VectorPlan {
  if (rows < bounds.ivfFlat) return { kind: 'flat' };
  const partitions = partitionsFor(rows);
  if (rows < bounds.ivfPq) return { kind: 'ivf-flat', partitions };
  return { kind: 'ivf-pq', partitions, subVectors: subVectorsFor(dimensions) };
}

/**
 * About the square root of the rows, as a power of two, so that growing tables are not trained again for each
 * few rows: 128 at 10,000, 512 at 200,000, 1,024 at a million.
 */
function partitionsFor(rows: number): number {
  return 2 ** Math.round(Math.log2(Math.sqrt(rows)));
}

/** Four dimensions a code: 96 for 384 dimensions, 256 for 1,024. */
function subVectorsFor(dimensions: number): number {
  for (const width of [4, 8, 2]) if (dimensions % width === 0) return dimensions / width;
  return 1;
}

/** An index's name says what it was built with: LanceDB does not tell. */
export function planName(plan: VectorPlan): string {
  switch (plan.kind) {
    case 'flat':
      return 'vector_flat';
    case 'ivf-flat':
      return `vector_ivf_flat_${plan.partitions}`;
    case 'ivf-pq':
      return `vector_ivf_pq_${plan.partitions}_${plan.subVectors}`;
  }
}

/**
 * Whether the index that is there has to give way: another kind is due, or the table has outgrown its
 * partitions fourfold (or shrunk as much).
 */
export function outgrown(existing: string, wanted: VectorPlan): boolean {
  const name = planName(wanted);
  if (existing === name) return false;
  const pattern = /^vector_(ivf_flat|ivf_pq)_(\d+)/;
  const [, kind, partitions] = pattern.exec(existing) ?? [];
  const [, wantedKind, wantedPartitions] = pattern.exec(name) ?? [];
  if (kind === undefined || kind !== wantedKind) return true;
  const ratio = Number(wantedPartitions) / Number(partitions);
  return ratio >= 2 || ratio <= 0.5;
}

/**
 * The same for every language: words by Unicode's rules (Chinese, Japanese and Thai by dictionary), lower
 * case, accents folded; no stemming and no stop words, which both need to know the language. No positions:
 * nobody asks for phrases, and they would double the index.
 */
export function fullTextIndex(): Index {
  return Index.fts({
    baseTokenizer: 'icu/split',
    lowercase: true,
    asciiFolding: true,
    stem: false,
    removeStopWords: false,
    withPosition: false,
  });
}

const scalarIndexes: readonly (readonly [string, () => Index])[] = [
  ['id', () => Index.btree()],
  ['document', () => Index.btree()],
  ['source', () => Index.btree()],
  ['text_hash', () => Index.btree()],
  ['modified', () => Index.btree()],
  ['kind', () => Index.bitmap()],
  ['tag_keys', () => Index.labelList()],
];

export function vectorIndex(plan: VectorPlan): Index | null {
  switch (plan.kind) {
    case 'flat':
      return null;
    case 'ivf-flat':
      return Index.ivfFlat({ numPartitions: plan.partitions, distanceType: 'cosine', ...training });
    case 'ivf-pq':
      return Index.ivfPq({
        ...{ numPartitions: plan.partitions, numSubVectors: plan.subVectors, distanceType: 'cosine' },
        ...training,
      });
  }
}

/** LanceDB's own are 256 and 50: four times the time for the same recall after refining. */
const training = { sampleRate: 64, maxIterations: 20 } as const;

/** Steps that bring a table's indexes to what its size asks for, each a commit of its own; none is the rule. */
export function missingIndexes(
  existing: readonly IndexConfig[],
  rows: number,
  dimensions: number,
): readonly ((table: Table) => Promise<void>)[] {
  const steps: ((table: Table) => Promise<void>)[] = [];
  const on = (column: string) => existing.filter(({ columns }) => columns.includes(column));
  if (on('searchable').length === 0)
    steps.push((table) => table.createIndex('searchable', { config: fullTextIndex() }));
  if (rows >= scalarBound) {
    for (const [column, config] of scalarIndexes)
      if (on(column).length === 0) steps.push((table) => table.createIndex(column, { config: config() }));
  }
  return [...steps, ...vectorSteps(on('vector'), vectorPlan(rows, dimensions))];
}

function vectorSteps(
  existing: readonly IndexConfig[],
  plan: VectorPlan,
): readonly ((table: Table) => Promise<void>)[] {
  const config = vectorIndex(plan);
  const drop = existing
    .filter(({ name }) => outgrown(name, plan))
    .map(
      ({ name }) =>
        (table: Table) =>
          table.dropIndex(name),
    );
  if (config === null || existing.some(({ name }) => !outgrown(name, plan)))
    return config === null ? drop : [];
  // The new one first: in between, searches have two to choose from, and never none.
  return [(table) => table.createIndex('vector', { config, name: planName(plan) }), ...drop];
}
