// One size of bench/retrieval.ts, in a process of its own so that memory is that size's alone.
//   node bench/retrievalRun.ts FOLDER ROWS [BASE-VECTORS]
import { connect, type Table } from '@lancedb/lancedb';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { searchWith } from '../server/src/retrieval/search.ts';
import {
  openForSearch,
  openIndex,
  type OpenIndex,
  type StoreOptions,
} from '../server/src/retrieval/store/index.ts';
import { median, percentile } from './measure.ts';
import { dimensions, SeededRows } from './seededRows.ts';

const [folder = '', rowsText = '', baseFile] = process.argv.slice(2);
const rows = Number(rowsText);
const source = new SeededRows(baseFile);
const never = new AbortController().signal;
const options: StoreOptions = {
  ...{ address: join(folder, 'index'), home: join(folder, 'home'), workspaceKey: 'bench' },
  holder: 'bench/retrieval.ts',
};
const identity = {
  embedder: { id: 'seeded', sha256: 'seeded', dimensions, maxTokens: 512 },
  ...{ reader: '1', chunker: '1' },
};
/** Chunks that the indexer would hand over at once. */
const batch = 10_000;
const k = 10;
const warmUps = 20;
const timed = 200;
/** Each is a look at every vector: about a second at a million rows. */
const exactQueries = rows > 500_000 ? 40 : 100;

function say(text: string): void {
  process.stderr.write(`  ${rows.toLocaleString('en')} rows: ${text}\n`);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** Writes all rows; gives the seconds that the store took for it, without making them. */
async function fill(index: OpenIndex): Promise<number> {
  const store = index.building?.store;
  if (!store) throw new Error('There is an index already.');
  let spent = 0;
  for (let from = 0; from < rows; from += batch) {
    const changes = source.changes(from, Math.min(rows, from + batch));
    spent += await seconds(() => store.apply(changes));
    if (from % (10 * batch) === 0) say(`written ${(from + batch).toLocaleString('en')}`);
  }
  return spent;
}

interface Contender {
  readonly name: string;
  readonly run: (query: { text: string; vector: Float32Array }) => Promise<readonly string[]>;
}

/** What LanceDB does by itself on the very same table: the same index, the same probes and refining. */
function bareContenders(table: Table): readonly Contender[] {
  const query = (vector: Float32Array) =>
    table.query().nearestTo(vector).distanceType('cosine').nprobes(20).refineFactor(10).limit(k);
  const idsOf = (found: unknown[]) => (found as { id: string }[]).map(({ id }) => id);
  return [
    {
      name: 'bare vector search, ids',
      run: async ({ vector }) => idsOf(await query(vector).select(['id', '_distance']).toArray()),
    },
    {
      name: 'bare vector search, whole rows',
      run: async ({ vector }) => idsOf(await query(vector).toArray()),
    },
  ];
}

function ownContenders(index: OpenIndex): readonly Contender[] {
  const store = index.serving?.store;
  if (!store) throw new Error('There is no index.');
  const hybrid =
    (filter: { notSources?: string[] }) => async (query: { text: string; vector: Float32Array }) => {
      const found = await searchWith({ store }, query, { k, signal: never, threshold: 0, filter });
      return found.passages.map(({ id }) => id);
    };
  return [
    {
      name: 'vector search, ids',
      run: async ({ vector }) => (await store.vectorHits(vector, k, {}, never)).map(({ id }) => id),
    },
    {
      name: 'vector search, whole chunks',
      run: async ({ vector }) =>
        (await store.vectorSearch(vector, k, {}, never)).map(({ chunk }) => chunk.id),
    },
    {
      name: 'full text, ids',
      run: async ({ text }) => (await store.textHits(text, k, {}, never)).map(({ id }) => id),
    },
    { name: 'hybrid', run: hybrid({}) },
    { name: 'hybrid, without one note', run: hybrid({ notSources: ['folder 1/note 1.md'] }) },
  ];
}

interface Latency {
  readonly name: string;
  readonly p50: number;
  readonly p95: number;
}

/** Turn by turn, so that whatever else the machine does meets all alike. Milliseconds. */
async function latencies(contenders: readonly Contender[]): Promise<readonly Latency[]> {
  const times = contenders.map((): number[] => []);
  for (let turn = -warmUps; turn < timed; turn += 1) {
    const query = source.query(turn + warmUps, rows);
    for (const [at, contender] of contenders.entries()) {
      const spent = await seconds(() => contender.run(query));
      if (turn >= 0) times[at]?.push(spent * 1000);
    }
  }
  return contenders.map(({ name }, at) => ({
    ...{ name, p50: median(times[at] ?? []), p95: percentile(times[at] ?? [], 0.95) },
  }));
}

/** recall@10 of each contender against looking at every vector. */
async function recalls(table: Table, contenders: readonly Contender[]): Promise<Record<string, number>> {
  const found = contenders.map(() => 0);
  const exactMs: number[] = [];
  for (let turn = 0; turn < exactQueries; turn += 1) {
    const query = source.query(10_000 + turn, rows);
    let exact = new Set<string>();
    exactMs.push(
      1000 *
        (await seconds(async () => {
          const nearest = table.query().nearestTo(query.vector).distanceType('cosine').bypassVectorIndex();
          const all = (await nearest.limit(k).select(['id', '_distance']).toArray()) as { id: string }[];
          exact = new Set(all.map(({ id }) => id));
        })),
    );
    for (const [at, contender] of contenders.entries())
      found[at] = (found[at] ?? 0) + (await contender.run(query)).filter((id) => exact.has(id)).length;
  }
  const shares = contenders.map(({ name }, at) => [name, (found[at] ?? 0) / (k * exactQueries)] as const);
  return { ...Object.fromEntries(shares), exactMs: median(exactMs) };
}

function bytesIn(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Bytes of the rows and indexes as they are now; the disk also holds what is pruned minutes later. */
async function presentBytes(table: Table): Promise<number> {
  const indexes = await table.listIndices();
  const indexBytes = indexes.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  return (await table.stats()).totalBytes + indexBytes;
}

const building = await openIndex(options, identity);
const fillSeconds = await fill(building);
say(`written in ${fillSeconds.toFixed(1)} s, building the indexes`);
const indexSeconds = await seconds(async () => building.building?.store.optimise(never));
await building.switchOver();
await building.close();
say(`indexes built in ${indexSeconds.toFixed(1)} s, searching`);

let index: OpenIndex | null = null;
const reopenSeconds = await seconds(async () => {
  index = await openForSearch(options);
  await index?.serving?.store.documents();
});
const opened = index as OpenIndex | null;
if (!opened) throw new Error('The index is not there.');
const connection = await connect(options.address);
const [name = ''] = (await connection.listTables()).tables.filter((table) => table.includes('_chunks_'));
const table = await connection.openTable(name);
const bare = bareContenders(table);
const own = ownContenders(opened);
const latency = await latencies([...bare, ...own]);
const memoryMiB = process.memoryUsage().rss / 2 ** 20;
say('comparing with exact search');
const recall = await recalls(
  table,
  [...bare, ...own].filter(({ name: label }) => label.includes('vector search, ids')),
);
const p95 = (label: string) => latency.find((entry) => entry.name === label)?.p95 ?? NaN;
process.send?.({
  ...{ rows, latencyMs: latency, recallAt10: recall, fillSeconds, indexSeconds, reopenSeconds, memoryMiB },
  bytesPerChunk: (await presentBytes(table)) / rows,
  diskBytesPerChunk: bytesIn(options.address) / rows,
  indexes: (await table.listIndices()).map((entry) => `${entry.name} ${entry.indexType}`),
  // Of the 95th percentiles; over 1: ours takes longer.
  ratios: {
    vectorIds: p95('vector search, ids') / p95('bare vector search, ids'),
    vectorWholeChunks: p95('vector search, whole chunks') / p95('bare vector search, whole rows'),
  },
});
await opened.close();
connection.close();
if (process.connected) process.disconnect();
