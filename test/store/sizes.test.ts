// A table that grows past the bounds: indexes appear, and searching and filtering give what they gave before.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { connect } from '@lancedb/lancedb';
import type { SearchFilter } from '../../server/src/protocol/index.ts';
import { PreflexorError } from '../../server/src/errors.ts';
import { changeOf, never, vectorOf } from '../../server/src/retrieval/testing/examples.ts';
import { MemoryStore } from '../../server/src/retrieval/testing/memoryStore.ts';
import type { StoreOptions } from '../../server/src/retrieval/store/index.ts';
import { opened, optionsFor, targetOf, temporaryFolder } from './support.ts';

const changes = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => {
    const n = from + at;
    return changeOf(
      `folder ${n % 7}/it's ${n}.md`,
      Array.from({ length: 10 }, (_none, part) => `text ${n} ${part}`),
      {
        tags: n % 3 === 0 ? ['Physics', `Tag${n % 5}`] : [],
        kind: n % 4 === 0 ? 'pdf' : 'markdown',
        modified: n,
      },
    );
  });

async function indexNames(options: StoreOptions): Promise<readonly string[]> {
  const connection = await connect(options.address);
  const [name = ''] = (await connection.listTables()).tables.filter((table) => table.includes('_chunks_'));
  const table = await connection.openTable(name);
  const names = (await table.listIndices()).map((index) => index.name).sort();
  connection.close();
  return names;
}

async function filledStore(t: TestContext) {
  const options = optionsFor(temporaryFolder(t));
  const store = targetOf(await opened(t, options));
  const memory = new MemoryStore();
  const grow = async (from: number, to: number) => {
    await store.apply(changes(from, to));
    await memory.apply(changes(from, to));
  };
  return { options, store, memory, grow };
}

const filters: readonly SearchFilter[] = [
  {},
  { folders: ['folder 3'] },
  { folders: ['folder 1', 'folder 2/'], kinds: ['pdf'] },
  { tags: ['PHYSICS'] },
  { tags: ['tag3', 'none'] },
  { notSources: ["folder 0/it's 0.md", "folder 1/it's 1.md"] },
  { since: new Date(100).toISOString(), until: new Date(200).toISOString() },
  { folders: ['folder 3'], tags: ['physics'], kinds: ['markdown'], notSources: ["folder 3/it's 3.md"] },
];

test('given a table that grows, when optimised, then indexes fit its size, filters hold, and nearly nothing is missed', async (t) => {
  const { options, store, memory, grow } = await filledStore(t);
  await grow(0, 300);
  await store.optimise(never);
  assert.deepEqual(await indexNames(options), ['searchable_idx']);
  await grow(300, 1_100);
  await store.optimise(never);
  const names = await indexNames(options);
  assert.ok(names.includes('vector_ivf_flat_128') && names.includes('tag_keys_idx'), names.join(' '));
  // Rows that no index knows yet are found as well.
  await grow(1_100, 1_120);
  let found = 0;
  let wanted = 0;
  for (const filter of filters) {
    for (const seed of ['p', 'q', 'r', 's']) {
      const query = vectorOf(seed);
      const exact = new Set((await memory.vectorHits(query, 10, filter, never)).map(({ id }) => id));
      const hits = await store.vectorHits(query, 10, filter, never);
      found += hits.filter(({ id }) => exact.has(id)).length;
      wanted += exact.size;
    }
    const all = await store.textHits('text', 20_000, filter, never);
    const every = await memory.textHits('text', 20_000, filter, never);
    assert.deepEqual(
      new Set(all.map(({ id }) => id)),
      new Set(every.map(({ id }) => id)),
      JSON.stringify(filter),
    );
  }
  // Random vectors have no neighbourhoods, and k-means begins at random: ten runs gave 0.963 to 0.991. The goal of 0.97
  // is held on whole sizes by bench/retrieval.ts.
  assert.ok(found / wanted >= 0.95, `recall ${found / wanted}`);
});

test('given a table that shrinks below the bound, when optimised, then it is searched exactly again', async (t) => {
  const { options, store, grow } = await filledStore(t);
  await grow(0, 1_010);
  await store.optimise(never);
  assert.ok((await indexNames(options)).includes('vector_ivf_flat_128'));
  await store.remove(changes(10, 1_010).map(({ record }) => record.path));
  await store.optimise(never);
  assert.ok(!(await indexNames(options)).some((name) => name.startsWith('vector')));
  assert.deepEqual(await store.counts(), { documents: 10, chunks: 100 });
});

test('given a long optimising, when it is stopped, then the caller is free at once and the store is whole', async (t) => {
  const { store, grow } = await filledStore(t);
  await grow(0, 1_100);
  const stop = new AbortController();
  const optimising = store.optimise(stop.signal);
  stop.abort();
  await assert.rejects(optimising, (error) => PreflexorError.is(error, 'cancelled'));
  await store.apply(changes(0, 1));
  await store.optimise(never);
  assert.deepEqual(await store.counts(), { documents: 1_100, chunks: 11_000 });
});
