// The graph's tables: rows of each owner are there once, and go with their owner; a new index leaves them alone.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { StoredEdge, StoredNode } from '../../server/src/graph/index.ts';
import {
  openGraphTables,
  openIndex,
  repairIndex,
  type GraphTablesStore,
} from '../../server/src/retrieval/store/index.ts';
import { never } from '../../server/src/retrieval/testing/examples.ts';
import { identityOf, optionsFor, temporaryFolder } from './support.ts';

async function graph(t: TestContext, folder = temporaryFolder(t)): Promise<GraphTablesStore> {
  const store = await openGraphTables(optionsFor(folder));
  t.after(() => store.close());
  return store;
}

async function all(store: GraphTablesStore): Promise<{ nodes: StoredNode[]; edges: StoredEdge[] }> {
  const nodes: StoredNode[] = [];
  const edges: StoredEdge[] = [];
  for await (const part of store.readAll()) {
    nodes.push(...part.nodes);
    edges.push(...part.edges);
  }
  const order = (row: StoredNode | StoredEdge): string =>
    JSON.stringify([row.owner, 'id' in row ? row.id : row.from]);
  const sorted = <R extends StoredNode | StoredEdge>(rows: R[]): R[] =>
    rows.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return { nodes: sorted(nodes), edges: sorted(edges) };
}

const node = (owner: string, id: string, label = id): StoredNode => ({
  ...{ owner, id, kind: 'concept', label },
  ...{ weight: 2, strong: true, alias: null },
});
const edge = (owner: string, from: string, to: string, start = 0): StoredEdge => ({
  ...{ owner, from, to, kind: 'mentions', count: 1 },
  evidence: [{ source: 'a.md', start, end: start + 5 }],
});

test('given an empty graph, when read, then nothing', async (t) => {
  assert.deepEqual(await all(await graph(t)), { nodes: [], edges: [] });
});

test('given rows told again by their owner, when read, then the later ones stand once', async (t) => {
  const store = await graph(t);
  await store.upsertNodes([node('document:1', 'a', 'old'), node("document:it's %", '🙂')]);
  await store.upsertNodes([node('document:1', 'a', 'older'), node('document:1', 'a', 'new')]);
  await store.upsertEdges([edge('document:1', 'a', 'b')]);
  await store.upsertEdges([edge('document:1', 'a', 'b', 7)]);
  const { nodes, edges } = await all(store);
  assert.deepEqual(nodes, [node('document:1', 'a', 'new'), node("document:it's %", '🙂')]);
  assert.deepEqual(edges, [edge('document:1', 'a', 'b', 7)]);
});

test('given two owners that say the same, when one goes, then what the other says stays', async (t) => {
  const store = await graph(t);
  for (const owner of ['document:1', "run:'; DROP"]) {
    await store.upsertNodes([node(owner, 'a')]);
    await store.upsertEdges([edge(owner, 'a', 'b')]);
  }
  await store.removeBySource(["run:'; DROP", 'document:that is not there']);
  assert.deepEqual(await all(store), {
    nodes: [node('document:1', 'a')],
    edges: [edge('document:1', 'a', 'b')],
  });
});

test('given three owners, when the rows of two are read, then none of the third', async (t) => {
  const store = await graph(t);
  const owners = ["document:it's %", 'document:2', 'run:3'];
  await store.upsertNodes(owners.map((owner) => node(owner, 'a')));
  await store.upsertEdges(owners.map((owner) => edge(owner, 'a', 'b')));
  const found: string[] = [];
  for await (const { nodes, edges } of store.readOwned(["document:it's %", 'run:3', 'run:4']))
    found.push(...[...nodes, ...edges].map(({ owner }) => owner));
  assert.deepEqual(found.sort(), ["document:it's %", "document:it's %", 'run:3', 'run:3']);
});

test('given an owner that was removed, when it says something twice, then it stands once', async (t) => {
  const store = await graph(t);
  await store.upsertNodes([node('document:1', 'a')]);
  await store.removeBySource(['document:1']);
  await store.upsertNodes([node('document:1', 'b', 'first')]);
  await store.upsertNodes([node('document:1', 'b', 'second')]);
  assert.deepEqual((await all(store)).nodes, [node('document:1', 'b', 'second')]);
});

test('given a graph on disk, when opened again, optimised, and the index beside it repaired, then it is the same', async (t) => {
  const folder = temporaryFolder(t);
  const first = await openGraphTables(optionsFor(folder));
  for (let at = 0; at < 4; at += 1)
    await first.upsertNodes(Array.from({ length: 400 }, (_, index) => node(`document:${at}`, `n${index}`)));
  await first.optimise(never);
  await first.close();
  const index = await openIndex(optionsFor(folder), identityOf('a'));
  await index.close();
  await repairIndex(optionsFor(folder), never);
  assert.equal((await all(await graph(t, folder))).nodes.length, 1600);
});
