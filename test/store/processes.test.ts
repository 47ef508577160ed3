// Two processes at one index: readers see what is written and never wait; of two writers one waits or is told.
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { openForSearch, openIndex, type StoreOptions } from '../../server/src/retrieval/store/index.ts';
import { changeOf, never } from '../../server/src/retrieval/testing/examples.ts';
import { fails, identityOf, opened, optionsFor, targetOf, temporaryFolder, textsOf } from './support.ts';

async function writing(
  t: TestContext,
  options: StoreOptions,
  job: string,
  until: string,
): Promise<ChildProcess> {
  const child = fork(path.join(import.meta.dirname, 'writer.ts'), [JSON.stringify(options), job], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  for (;;) {
    const [message] = (await once(child, 'message')) as unknown[];
    if (message === until) return child;
  }
}

test('given a reader, when another process writes, then it sees that without being opened again', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const first = await openIndex(options, identityOf());
  await targetOf(first).apply([changeOf('z.md', ['before'])]);
  await first.switchOver();
  await first.close();
  const search = await openForSearch(options);
  t.after(() => search?.close());
  assert.equal((await search?.serving?.store.textHits('state', 5, {}, never))?.length, 0);
  const child = await writing(t, options, 'apply', 'done 3');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal((await search?.serving?.store.chunksOf('a.md'))?.length, textsOf('a.md', 3).length);
  assert.ok(((await search?.serving?.store.textHits('state', 5, {}, never))?.length ?? 0) > 0);
});

test('given a process that holds the index for a whole run, when another writes, then locked says who; reading goes on', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const child = await writing(t, { ...options, holder: 'preflexor index' }, 'hold', 'held');
  const index = await opened(t, { ...options, waitMs: 300 });
  assert.deepEqual(await targetOf(index).counts(), { documents: 0, chunks: 0 });
  await assert.rejects(
    targetOf(index).apply([changeOf('a.md', ['alpha'])]),
    (error) =>
      fails('locked')(error) &&
      new RegExp(`preflexor index \\(process ${child.pid ?? 0}`).test(String(error)),
  );
  await assert.rejects(
    index.exclusively(() => Promise.resolve(), 100),
    fails('locked'),
  );
});

test('given a holder that is killed, when another waits, then it takes over', async (t) => {
  const options = optionsFor(temporaryFolder(t), { waitMs: 30_000 });
  const child = await writing(t, options, 'hold', 'held');
  const index = await opened(t, options);
  const waiting = targetOf(index).apply([changeOf('a.md', ['alpha'])]);
  child.kill('SIGKILL');
  await waiting;
  assert.deepEqual(await targetOf(index).counts(), { documents: 1, chunks: 1 });
});

test('given two handles in one process, when both write at once, then both batches are there', async (t) => {
  const options = optionsFor(temporaryFolder(t), { waitMs: 30_000 });
  const [one, two] = [await opened(t, options), await opened(t, options)];
  await Promise.all([
    ...['a', 'b', 'c'].map((name) => targetOf(one).apply([changeOf(`one/${name}`, ['alpha'])])),
    ...['a', 'b', 'c'].map((name) => targetOf(two).apply([changeOf(`two/${name}`, ['alpha'])])),
  ]);
  assert.deepEqual(await targetOf(one).counts(), { documents: 6, chunks: 6 });
});

test('given a whole run that holds the index, when its own steps write, then they do not wait for themselves', async (t) => {
  const index = await opened(t, optionsFor(temporaryFolder(t), { waitMs: 200 }));
  await index.exclusively(async () => {
    await targetOf(index).apply([changeOf('a.md', ['alpha'])]);
    await targetOf(index).optimise(never);
    await index.switchOver();
  });
  assert.equal(index.building, null);
  assert.deepEqual(await targetOf(index).counts(), { documents: 1, chunks: 1 });
});
