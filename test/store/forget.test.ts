import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { Library } from '../../server/src/library/index.ts';
import { defaultSettings } from '../../server/src/protocol/index.ts';
import { ReaderThread } from '../../server/src/retrieval/readers/index.ts';
import * as store from '../../server/src/retrieval/store/index.ts';
import { HashEmbedder } from '../../server/src/retrieval/testing/hashEmbedder.ts';
import { runOf } from '../support/ledgerExamples.ts';
import { temporaryFolder } from './support.ts';

const never = new AbortController().signal;

test('given an index and a graph, when one note is forgotten, then its rows are gone from both and others stand; then all', async (t) => {
  const folder = temporaryFolder(t);
  const [root, home] = [path.join(folder, 'workspace'), path.join(folder, 'home')];
  for (const one of [root, home]) mkdirSync(one);
  for (const name of ['a.md', 'b.md'])
    writeFileSync(path.join(root, name), `# ${name}\n\nGrain boundaries stop slip.\n`);
  const script = fileURLToPath(new URL('../../server/src/retrieval/readers/thread.ts', import.meta.url));
  const library = new Library({
    ...{
      home,
      store,
      holder: 'a test',
      tell: () => {},
      rerankerOf: () => null,
      release: () => Promise.resolve(),
    },
    embedderOf: () => new HashEmbedder(),
    readers: new ReaderThread({ script, timeLimit: 60_000, memoryLimit: 512 }),
  });
  t.after(() => library.dispose());
  library.openFolder({ root, settings: defaultSettings(), editorExcludes: [] });
  await library.indexOnce(root, null, () => {}, never);
  const run = runOf('01JDF3Z0000000000000000001', {
    note: { path: 'a.md', hash: '', range: { start: 0, end: 1 } },
  });
  await library.learnRun(root, run);
  const owners = async () => {
    const found = new Set<string>();
    for await (const { nodes } of (await library.graph(root)).readAll())
      for (const { owner } of nodes) found.add(owner);
    return [...found].sort();
  };
  assert.deepEqual(await owners(), ['document:a.md', 'document:b.md', `run:${run.id}`]);
  const what = { paths: ['a.md'], owners: ['document:a.md', `run:${run.id}`, 'run:unknown'] };
  assert.deepEqual(await library.forget(root, what, never), { documents: 1, owners: 2 });
  assert.deepEqual(await owners(), ['document:b.md']);
  assert.equal((await library.explain(root, 'a.md', never)).indexed, false);
  assert.equal((await library.explain(root, 'b.md', never)).indexed, true);
  assert.deepEqual(await library.forget(root, 'all', never), { documents: 1, owners: 1 });
  assert.deepEqual(await owners(), []);
});
