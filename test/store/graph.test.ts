// The graph's tables: nodes and edges are there once, evidence is gathered and taken back by source.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { GraphEdge, GraphNode } from '../../server/src/protocol/index.ts';
import {
  openGraphTables,
  openIndex,
  repairIndex,
  type GraphStore,
} from '../../server/src/retrieval/store/index.ts';
import { never } from '../../server/src/retrieval/testing/examples.ts';
import { identityOf, optionsFor, temporaryFolder } from './support.ts';

async function graph(t: TestContext, folder = temporaryFolder(t)): Promise<GraphStore> {
  const store = await openGraphTables(optionsFor(folder));
  t.after(() => store.close());
  return store;
}

async function all(store: GraphStore): Promise<{ nodes: GraphNode[]; edges: GraphEdge[] }> {
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  for await (const part of store.readAll()) {
    nodes.push(...part.nodes);
    edges.push(...part.edges);
  }
  return {
    nodes: nodes.sort((a, b) => (a.id < b.id ? -1 : 1)),
    edges: edges.sort((a, b) => (a.from + a.to + a.kind < b.from + b.to + b.kind ? -1 : 1)),
  };
}

const node = (id: string, label = id): GraphNode => ({ id, kind: 'concept', label });
const evidence = (source: string, start = 0) => ({ source, start, end: start + 5 });
const edge = (from: string, to: string, ...places: GraphEdge['evidence']): GraphEdge => ({
  ...{ from, to, kind: 'mentions' },
  evidence: places,
});

test('given an empty graph, when read, then nothing', async (t) => {
  assert.deepEqual(await all(await graph(t)), { nodes: [], edges: [] });
});

test('given a node twice, when read, then it is there once with its later label', async (t) => {
  const store = await graph(t);
  await store.upsertNodes([node('a', 'old'), node("b'%", '🙂')]);
  await store.upsertNodes([node('a', 'older'), node('a', 'new')]);
  assert.deepEqual((await all(store)).nodes, [node('a', 'new'), node("b'%", '🙂')]);
});

test('given an edge told again, when read, then it is there once with the evidence of both, each place once', async (t) => {
  const store = await graph(t);
  await store.upsertEdges([edge('a', 'b', evidence('1.md'))]);
  await store.upsertEdges([
    edge('a', 'b', evidence('2.md'), evidence('1.md')),
    edge('a', 'b', evidence('3.md')),
  ]);
  await store.upsertEdges([{ ...edge('a', 'b'), kind: 'cites' }]);
  assert.deepEqual((await all(store)).edges, [
    { ...edge('a', 'b'), kind: 'cites' },
    edge('a', 'b', evidence('1.md'), evidence('2.md'), evidence('3.md')),
  ]);
});

test('given a source that is taken back, when read, then its evidence is gone, and edges and nodes that had nothing else', async (t) => {
  const store = await graph(t);
  await store.upsertNodes(['a', 'b', 'c', 'alone'].map((id) => node(id)));
  await store.upsertEdges([
    edge('a', 'b', evidence("o'1.md"), evidence('2.md')),
    edge('a', 'c', evidence("o'1.md")),
    edge('b', 'alone'),
  ]);
  await store.removeBySource("o'1.md");
  const { nodes, edges } = await all(store);
  assert.deepEqual(edges, [edge('a', 'b', evidence('2.md')), edge('b', 'alone')]);
  assert.deepEqual(
    nodes.map(({ id }) => id),
    ['a', 'alone', 'b'],
  );
});

test('given many edges, when told and taken back, then all and none of them', async (t) => {
  const store = await graph(t);
  const many = Array.from({ length: 1_200 }, (_, at) => edge(`n${at}`, 'hub', evidence('big.md', at)));
  await store.upsertNodes([node('hub'), ...many.map(({ from }) => node(from))]);
  await store.upsertEdges(many);
  assert.equal((await all(store)).edges.length, many.length);
  await store.removeBySource('big.md');
  assert.deepEqual(await all(store), { nodes: [], edges: [] });
});

test('given a graph beside an index, when the index is damaged and dropped, then the graph stays', async (t) => {
  const folder = temporaryFolder(t);
  const store = await graph(t, folder);
  await store.upsertNodes([node('a')]);
  const options = optionsFor(folder);
  await (await openIndex(options, identityOf())).close();
  const { readdirSync, writeFileSync } = await import('node:fs');
  for (const file of readdirSync(options.address, { recursive: true, encoding: 'utf8' }))
    if (/_catalogue.*manifest$/.test(file)) writeFileSync(`${options.address}/${file}`, 'garbage');
  assert.equal(await repairIndex(options, never), 'dropped');
  const again = await graph(t, folder);
  assert.deepEqual((await all(again)).nodes, [node('a')]);
});
