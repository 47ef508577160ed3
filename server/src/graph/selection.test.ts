// Parts of a graph: what a view is sent of a large one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GraphEdge, GraphNode } from '../protocol/index.ts';
import { GraphIndex } from './selection.ts';

const never = new AbortController().signal;

const node = (id: string, kind: GraphNode['kind'] = 'concept', label = id): GraphNode => ({
  id,
  kind,
  label,
});
const edge = (from: string, to: string, source = 'a.md', start = 0): GraphEdge => ({
  ...{ from, to, kind: 'mentions', count: 1 },
  evidence: [{ source, start, end: start + 5 }],
});

async function indexOf(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Promise<GraphIndex> {
  async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
    await Promise.resolve();
    yield* items;
  }
  return await GraphIndex.read({ nodes: () => each(nodes), edges: () => each(edges) }, never);
}

/** hub — a, b, c; a — far — farther; lone. */
const small = await indexOf(
  [
    ...[
      node('hub'),
      node('a', 'chunk'),
      node('b'),
      node('c', 'citation'),
      node('far', 'concept', 'Far Away'),
    ],
    ...[node('farther'), node('lone'), node('document:a.md', 'document')],
  ],
  [
    ...[edge('hub', 'a'), edge('hub', 'b', 'b.md'), edge('hub', 'c', 'b.md', 90)],
    ...[edge('a', 'far', 'a.md', 50), edge('far', 'farther', 'b.md')],
  ],
);
const ids = (graph: { nodes: readonly { id: string }[] }): string[] => graph.nodes.map(({ id }) => id);

test('given a limit, when the graph is asked for, then what is linked most comes, with the links among it alone', () => {
  const graph = small.select({ limit: 3 }, null);
  assert.deepEqual(ids(graph), ['hub', 'a', 'far']);
  assert.deepEqual(
    graph.edges.map(({ from, to }) => `${from} ${to}`),
    ['hub a', 'a far'],
  );
  assert.deepEqual([graph.matching, graph.total, graph.nodes[0]?.links], [8, { nodes: 8, edges: 5 }, 3]);
  assert.deepEqual(graph.notes, ['a.md']);
});

test('given nodes, when their surroundings are asked for, then circles grow around them as far as is said', () => {
  assert.deepEqual(ids(small.select({ near: ['far'], limit: 9 }, null)), ['far', 'a', 'farther']);
  assert.deepEqual(ids(small.select({ near: ['far'], depth: 2, limit: 9 }, null)), [
    'far',
    'a',
    'farther',
    'hub',
  ]);
  assert.deepEqual(small.select({ near: ['gone'], limit: 9 }, null).nodes, []);
});

test('given words, a note or kinds, when they narrow the graph, then only what fits comes', () => {
  assert.deepEqual(small.select({ text: 'away FAR', limit: 9 }, null).found, ['far']);
  assert.deepEqual(ids(small.select({ text: 'away FAR', limit: 9 }, null)), ['far', 'a', 'farther']);
  assert.deepEqual(ids(small.select({ note: 'a.md', limit: 9 }, null)).sort(), [
    'a',
    'document:a.md',
    'far',
    'hub',
  ]);
  assert.deepEqual(ids(small.select({ kinds: ['citation'], limit: 9 }, null)), ['c']);
  assert.deepEqual(ids(small.select({ near: ['hub'], kinds: ['citation'], limit: 9 }, null)), ['hub', 'c']);
});

test('given a stretch of a note, when it is asked what it says, then it is what has evidence there', () => {
  assert.deepEqual(small.saidIn({ note: 'a.md', start: 0, end: 60 }), ['a', 'far']);
  assert.deepEqual(small.saidIn({ note: 'b.md', start: 91, end: 92 }), ['c']);
  assert.deepEqual(small.saidIn({ note: 'a.md', start: 6, end: 40 }), []);
});

test('given a graph far larger than a view, when it is asked for, then no more nodes and links come than it can draw', async () => {
  const many = Array.from({ length: 20_000 }, (_, at) => node(`n${at}`));
  const edges = many.flatMap(({ id }, at) =>
    [1, 2, 3, 5, 8].map((step) => edge(id, `n${(at * 7 + step) % many.length}`)),
  );
  const graph = (await indexOf(many, edges)).select({ limit: 5000 }, null);
  assert.deepEqual([graph.nodes.length, graph.matching], [5000, 20_000]);
  assert.ok(graph.edges.length <= 20_000);
});
