// The graph that is kept with the index: a document that moves takes along what it says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkId, documentId, type GraphPart } from '../../server/src/graph/index.ts';
import { MemoryGraphStore } from '../../server/src/graph/testing/memoryGraphStore.ts';
import { markdownDocument } from '../../server/src/graph/testing/papers.ts';
import type { StoredChunk } from '../../server/src/retrieval/index.ts';
import { chunkOf, never, recordOf } from '../../server/src/retrieval/testing/examples.ts';
import { MemoryStore } from '../../server/src/retrieval/testing/memoryStore.ts';
import { GraphKeeper, GraphKeepingStore, type KeptGraph } from '../../server/src/library/graphKeeping.ts';

class Graph extends MemoryGraphStore implements KeptGraph {
  optimise(): Promise<void> {
    return Promise.resolve();
  }
}

interface Shelf {
  readonly index: MemoryStore;
  readonly graph: Graph;
  readonly store: GraphKeepingStore;
}

/** Documents of one paragraph each, indexed with their part of the graph. */
async function shelfOf(texts: Readonly<Record<string, string>>): Promise<Shelf> {
  const shelf = { index: new MemoryStore(), graph: new Graph() };
  const problems: string[] = [];
  const keeper = new GraphKeeper(
    () => Promise.resolve(shelf.graph),
    (problem) => problems.push(problem),
  );
  const store = new GraphKeepingStore(shelf.index, keeper);
  for (const [path, text] of Object.entries(texts)) {
    const chunks = [chunkOf(path, text, { heading: [] })];
    const chunker = keeper.chunker({
      chunk: () => Promise.resolve(chunks),
      embeddedText: ({ readable }) => readable,
    });
    await chunker.chunk({ ...markdownDocument(path, text), title: 'Title' }, 1000, never);
    await store.apply([{ record: recordOf(path, 1), chunks }]);
  }
  assert.deepEqual(problems, []);
  return { ...shelf, store };
}

async function contentOf(graph: Graph): Promise<unknown> {
  const rows: Pick<GraphPart, 'nodes' | 'edges'> = { nodes: [], edges: [] };
  const [nodes, edges] = [[...rows.nodes], [...rows.edges]];
  for await (const batch of graph.readAll()) {
    nodes.push(...batch.nodes);
    edges.push(...batch.edges);
  }
  const inOrder = (items: readonly unknown[]) => items.map((item) => JSON.stringify(item)).sort();
  return { nodes: inOrder(nodes), edges: inOrder(edges) };
}

const slip = 'Grain boundaries stop slip bands [@hall1951].';
const hydrogen = 'Hydrogen embrittles pipeline steel [@troiano1960].';
const renamed = (from: string, to: string) => ({ from, to: recordOf(to, 1) });

test('given a document, when it is renamed, then the graph is that of the document under its new name', async () => {
  const shelf = await shelfOf({ 'a.md': slip, 'b.md': hydrogen });
  await shelf.store.rename([renamed('a.md', 'new/c.md')]);
  const wanted = await shelfOf({ 'new/c.md': slip, 'b.md': hydrogen });
  assert.deepEqual(await contentOf(shelf.graph), await contentOf(wanted.graph));
  const [chunk] = (await shelf.index.chunksOf('new/c.md')) as readonly [StoredChunk];
  const owned = shelf.graph.readOwned([documentId('new/c.md')]);
  const { nodes } = (await owned.next()).value as Pick<GraphPart, 'nodes'>;
  assert.ok(nodes.some(({ id }) => id === chunkId(chunk.id)));
});

test('given two documents, when their names are swapped, then each says what its new name says', async () => {
  const shelf = await shelfOf({ 'a.md': slip, 'b.md': hydrogen });
  await shelf.store.rename([renamed('a.md', 'b.md'), renamed('b.md', 'a.md')]);
  const wanted = await shelfOf({ 'b.md': slip, 'a.md': hydrogen });
  assert.deepEqual(await contentOf(shelf.graph), await contentOf(wanted.graph));
});

for (const [what, renames] of [
  ['one document', [renamed('a.md', 'c.md')]],
  ['swapped names', [renamed('a.md', 'b.md'), renamed('b.md', 'a.md')]],
] as const) {
  test(`given ${what} and a kill before the index was renamed, when done again, then the graph is right`, async (t) => {
    const shelf = await shelfOf({ 'a.md': slip, 'b.md': hydrogen });
    const killed = t.mock.method(shelf.index, 'rename', () => Promise.reject(new Error('killed')));
    await assert.rejects(shelf.store.rename(renames), /killed/);
    killed.mock.restore();
    await shelf.store.rename(renames);
    const wanted = await shelfOf({ 'a.md': slip, 'b.md': hydrogen });
    await wanted.store.rename(renames);
    assert.deepEqual(await contentOf(shelf.graph), await contentOf(wanted.graph));
  });
}
