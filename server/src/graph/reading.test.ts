import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOf } from '../../../test/support/ledgerExamples.ts';
import { PreflexorError } from '../errors.ts';
import type { GraphEdge, GraphNode } from '../protocol/index.ts';
import { graphOfDocument } from './graphOfDocument.ts';
import { graphOfRun } from './graphOfRun.ts';
import { conceptId, documentId } from './identifiers.ts';
import { replacePart, type StoredEdge, type StoredNode } from './ports.ts';
import { openGraph } from './reading.ts';
import { MemoryGraphStore } from './testing/memoryGraphStore.ts';
import { chunksOf, markdownDocument } from './testing/papers.ts';

const never = new AbortController().signal;

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function put(store: MemoryGraphStore, path: string, text: string): Promise<void> {
  const document = markdownDocument(path, text);
  await replacePart(store, await graphOfDocument(document, chunksOf(document), never));
}

async function read(store: MemoryGraphStore): Promise<{ nodes: GraphNode[]; edges: GraphEdge[] }> {
  const graph = await openGraph(store, never);
  return { nodes: await collect(graph.nodes()), edges: await collect(graph.edges()) };
}

/** A store with the given notes, in the given order. */
async function storeOf(notes: Readonly<Record<string, string>>): Promise<MemoryGraphStore> {
  const store = new MemoryGraphStore(3);
  for (const [path, text] of Object.entries(notes)) await put(store, path, text);
  return store;
}

async function sorted(store: MemoryGraphStore): Promise<unknown> {
  const { nodes, edges } = await read(store);
  const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return { nodes: nodes.sort(byText), edges: edges.sort(byText) };
}

const a = 'Grain size sets strength. Grain size is measured.';
const b = 'A twin boundary helps. Each twin boundary is coherent, and grain size matters.';

test('given a concept that two documents have, when the graph is read, then it is one node that counts both', async () => {
  const { nodes } = await read(await storeOf({ 'a.md': a, 'b.md': b }));
  const found = nodes.filter(({ id }) => id === conceptId('grain size'));
  assert.deepEqual(
    found.map(({ label, documents }) => [label, documents]),
    [['grain size', 2]],
  );
});

test('given a document that changed, when its part is replaced, then the graph is as if it had been so from the start', async () => {
  const store = await storeOf({ 'a.md': 'Hot creep ruins blades. Hot creep is slow.', 'b.md': b });
  await put(store, 'a.md', a);
  assert.deepEqual(await sorted(store), await sorted(await storeOf({ 'b.md': b, 'a.md': a })));
});

test('given a document that is removed, when the graph is read, then what only it said is gone and the rest stays', async () => {
  const store = await storeOf({ 'a.md': a, 'b.md': b });
  await store.removeBySource(['document:a.md']);
  const { nodes } = await read(store);
  const ids = nodes.map(({ id }) => id);
  assert.ok(!ids.includes(documentId('a.md')));
  assert.ok(ids.includes(conceptId('twin boundary')));
});

test('given any order of documents, when the graph is read, then it is the same', async () => {
  const one = await sorted(await storeOf({ 'a.md': a, 'b.md': b }));
  assert.deepEqual(await sorted(await storeOf({ 'b.md': b, 'a.md': a })), one);
});

test('given a phrase that stands once in one document, when no other has it, then it is no concept; when one does, it is', async () => {
  // Eight clear concepts leave no room for what stands once.
  const clear =
    'Stiff walls, warm glass, cold steel, green wood, brittle bone, molten tin, porous rock, rusty iron. ';
  const text = `${clear}${clear}The elastic anisotropy of it all is small.`;
  const alone = await read(await storeOf({ 'a.md': text }));
  const both = await read(await storeOf({ 'a.md': text, 'b.md': text.replace('small', 'large') }));
  const has = ({ nodes }: { nodes: GraphNode[] }): boolean =>
    nodes.some(({ id }) => id === conceptId('elastic anisotropy'));
  assert.deepEqual([has(alone), has(both)], [false, true]);
});

const fem = 'The finite element method (FEM) is exact. Finite element method codes are many.';

test('given a note that says only the acronym, when another explains it, then both mention one concept', async () => {
  const { nodes, edges } = await read(
    await storeOf({ 'a.md': fem, 'b.md': 'FEM was slow. We ran FEM twice.' }),
  );
  const concept = conceptId('finite element method');
  assert.deepEqual(
    nodes.filter(({ id }) => id === conceptId('fem')),
    [],
  );
  const found = nodes.find(({ id }) => id === concept);
  assert.deepEqual([found?.label, found?.documents], ['finite element method (FEM)', 2]);
  const sources = edges
    .filter(({ to }) => to === concept)
    .flatMap(({ evidence }) => evidence.map(({ source }) => source));
  assert.deepEqual(new Set(sources), new Set(['a.md', 'b.md']));
});

test('given an acronym with two meanings, when the graph is read, then it stays a concept of its own', async () => {
  const other = 'A field emission microscope (FEM) sees tips. The field emission microscope is old.';
  const { nodes } = await read(
    await storeOf({ 'a.md': fem, 'b.md': other, 'c.md': 'FEM was slow. We ran FEM twice.' }),
  );
  assert.ok(nodes.some(({ id }) => id === conceptId('fem')));
});

test('given a document that says both acronym and expansion, when they are joined, then the edge is one with all places', async () => {
  const text = 'FEM was slow. The finite element method is FEM.';
  const { edges } = await read(await storeOf({ 'a.md': fem, 'b.md': text }));
  const found = edges.filter(
    ({ to, evidence }) =>
      to === conceptId('finite element method') && evidence.some(({ source }) => source === 'b.md'),
  );
  assert.deepEqual(
    found.map(({ count, evidence }) => [count, evidence.map(({ start, end }) => text.slice(start, end))]),
    [[3, ['FEM', 'finite element method', 'FEM']]],
  );
});

test('given a run over a document’s passage, when the graph is read, then what both say is one edge', async () => {
  const store = await storeOf({ 'a.md': `# Results\n\n${a}` });
  const chunk = chunksOf(markdownDocument('a.md', `# Results\n\n${a}`)).at(-1)!;
  const { id, source, heading, start, end, text } = chunk;
  const passages = [{ id, source, heading: [...heading], page: null, start, end, text, score: 1 }];
  await replacePart(
    store,
    await graphOfRun(runOf('01JDF3Z0000000000000000000', { passages }), [], [], never),
  );
  const { nodes, edges } = await read(store);
  const keys = edges.map(({ from, kind, to }) => `${from} ${kind} ${to}`);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(edges.find(({ to, kind }) => kind === 'contains' && to === `chunk:${id}`)?.count, 1);
  // The run knows the path alone; the document's own title stands.
  assert.equal(nodes.filter(({ id: node }) => node === documentId('a.md')).length, 1);
});

test('given a run over a passage of a document that is gone, when the graph is read, then the passage is still there', async () => {
  const store = await storeOf({ 'a.md': a });
  const passages = [
    { id: 'old', source: 'a.md', heading: [], page: null, start: 0, end: 5, text: 'Grain', score: 1 },
  ];
  await replacePart(
    store,
    await graphOfRun(runOf('01JDF3Z0000000000000000000', { passages }), [], [], never),
  );
  await store.removeBySource(['document:a.md']);
  const { edges } = await read(store);
  assert.ok(edges.some(({ kind, from }) => kind === 'retrieved-for' && from === 'chunk:old'));
});

const place = { path: 'a.md', hash: '', range: { start: 0, end: 5 } };

const node = (id: string, owner: string, changes: Partial<StoredNode> = {}): StoredNode => ({
  id,
  kind: 'citation',
  label: id,
  owner,
  weight: 1,
  strong: true,
  alias: null,
  ...changes,
});

test('given a cited key and a bibliography with its title, when the graph is read, then the title is its label', async () => {
  const store = new MemoryGraphStore();
  await store.upsertNodes([
    node('citation:hall', 'document:a.md', { label: 'hall', weight: 0 }),
    node('citation:hall', 'document:b.md', { label: 'hall', weight: 0 }),
    node('citation:hall', 'document:refs.bib', { label: 'Mild steel' }),
  ]);
  const { nodes } = await read(store);
  assert.deepEqual(nodes, [{ id: 'citation:hall', kind: 'citation', label: 'Mild steel', documents: 3 }]);
});

test('given a single word that is weak in two documents, when the graph is read, then it is no concept', async () => {
  const store = new MemoryGraphStore();
  for (const owner of ['document:a.md', 'document:b.md'])
    await store.upsertNodes([node('concept:creep', owner, { kind: 'concept', strong: false })]);
  assert.deepEqual((await read(store)).nodes, []);
});

test('given a concept of one document and of a run, when the graph is read, then one document has it', async () => {
  const store = new MemoryGraphStore();
  await store.upsertNodes([
    node('concept:creep', 'document:a.md', { kind: 'concept' }),
    node('concept:creep', 'run:1', { kind: 'concept', strong: false }),
  ]);
  assert.deepEqual(
    (await read(store)).nodes.map(({ documents }) => documents),
    [1],
  );
});

test('given a document that has a title, when runs that know its path alone say it too, then the title is its label', async () => {
  const store = await storeOf({ 'a.md': `---\ntitle: On grains\n---\n\n${a}` });
  for (const run of [
    '01JDF3Z0000000000000000001',
    '01JDF3Z0000000000000000002',
    '01JDF3Z0000000000000000003',
  ])
    await replacePart(store, await graphOfRun(runOf(run, { note: place }), [], [], never));
  const { nodes } = await read(store);
  assert.equal(nodes.find(({ id }) => id === documentId('a.md'))?.label, 'On grains');
});

test('given an edge whose node is missing, when the graph is read, then the edge is passed over', async () => {
  const store = new MemoryGraphStore();
  const edge: StoredEdge = { owner: 'document:a', from: 'x', to: 'y', kind: 'cites', evidence: [], count: 1 };
  await store.upsertNodes([node('x', 'document:a')]);
  await store.upsertEdges([edge]);
  assert.deepEqual((await read(store)).edges, []);
});

test('given a signal that is aborted, when the graph is read, then it ends as cancelled', async () => {
  const store = await storeOf({ 'a.md': a });
  await assert.rejects(openGraph(store, AbortSignal.abort()), (error) =>
    PreflexorError.is(error, 'cancelled'),
  );
  const stop = new AbortController();
  const graph = await openGraph(store, stop.signal);
  stop.abort();
  await assert.rejects(collect(graph.edges()), (error) => PreflexorError.is(error, 'cancelled'));
});
