import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../errors.ts';
import type { ReadableGraph, StoredEdge, StoredNode } from '../graph/index.ts';
import { Graph } from '../protocol/index.ts';
import type { Context } from './context.ts';
import { graphExportCommand, type WithGraphStore } from './graph.ts';
import { createComputeBudget } from '../composition.ts';
import type { Output } from './output.ts';

class Collected extends Writable {
  text = '';
  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.text += piece.toString('utf8');
    done();
  }
}

function contextOf(
  json: boolean,
  signal = new AbortController().signal,
): { context: Context; results: unknown[] } {
  const results: unknown[] = [];
  const nothing = (): void => {};
  const output: Output = {
    json,
    result: (data) => results.push(data),
    line: nothing,
    write: nothing,
    say: nothing,
    progress: nothing,
  };
  return { context: { output, options: { json }, signal, home: '', compute }, results };
}

/** Nothing here computes. */
const compute = createComputeBudget('/nowhere');

const said = { owner: 'document:a.md', weight: 1, strong: true, alias: null };
const nodes: StoredNode[] = [
  { ...said, id: 'document:a.md', kind: 'document', label: 'A' },
  { ...said, id: 'chunk:1', kind: 'chunk', label: 'Grain size sets strength.' },
  { ...said, id: 'concept:grain size', kind: 'concept', label: 'grain size' },
];
const evidence = [{ source: 'a.md', start: 0, end: 10 }];
const edges: StoredEdge[] = [
  { owner: said.owner, from: 'document:a.md', to: 'chunk:1', kind: 'contains', evidence, count: 1 },
  { owner: said.owner, from: 'chunk:1', to: 'concept:grain size', kind: 'mentions', evidence, count: 1 },
];

const withStore: WithGraphStore = async (_context, work) => {
  const store: ReadableGraph = {
    async *readAll() {
      await Promise.resolve();
      yield { nodes, edges };
    },
  };
  return await work(store);
};

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-graph-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

for (const json of [true, false]) {
  test(`given ${json ? '--json' : 'no --json'}, when JSON is exported, then stdout holds the graph alone`, async () => {
    const stdout = new Collected();
    const { context, results } = contextOf(json);
    await graphExportCommand({ format: 'json' }, context, withStore, stdout);
    const graph = Graph.parse(JSON.parse(stdout.text));
    assert.deepEqual([graph.nodes.length, graph.edges.length], [3, 2]);
    assert.deepEqual(results, []);
  });
}

test('given --out, when GraphML is exported, then the file holds it and the result counts it', async (t) => {
  const folder = await folderOf(t);
  const stdout = new Collected();
  const { context, results } = contextOf(true);
  const out = join(folder, 'graph.graphml');
  await graphExportCommand({ format: 'graphml', out }, context, withStore, stdout);
  const text = await readFile(out, 'utf8');
  const count = (tag: string): number => text.split(`<${tag} `).length - 1;
  assert.deepEqual([count('node'), count('edge')], [3, 2]);
  assert.deepEqual(results, [{ file: out, format: 'graphml', nodes: 3, edges: 2 }]);
  assert.equal(stdout.text, '');
});

test('given --json without --out, when GraphML is asked for, then it is refused with the way out', async () => {
  await assert.rejects(
    graphExportCommand({ format: 'graphml' }, contextOf(true).context, withStore, new Collected()),
    (error) => PreflexorError.is(error, 'bad-input') && error.remedy?.includes('--out') === true,
  );
});

test('given an export that is cancelled, when it was to a file, then no file is left', async (t) => {
  const folder = await folderOf(t);
  const stop = new AbortController();
  const cancelling: WithGraphStore = (context, work) =>
    withStore(context, async (store) => {
      const reading = store.readAll.bind(store);
      let passes = 0;
      store.readAll = () => {
        // The second pass is the edges': by then a temporary file is there.
        if ((passes += 1) === 2) stop.abort();
        return reading();
      };
      return await work(store);
    });
  const { context } = contextOf(false, stop.signal);
  await assert.rejects(
    graphExportCommand(
      { format: 'json', out: join(folder, 'graph.json') },
      context,
      cancelling,
      new Collected(),
    ),
    (error) => PreflexorError.is(error, 'cancelled'),
  );
  assert.deepEqual(await readdir(folder), []);
});

test('given a reader that has read enough, when the graph is written, then it is no failure', async () => {
  const closing = new Writable({
    write: (_piece, _encoding, done) => {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  await graphExportCommand({ format: 'json' }, contextOf(false).context, withStore, closing);
  assert.ok(closing.destroyed);
});
