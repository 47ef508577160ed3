// A writer is killed (SIGKILL) at many moments: afterwards each document is whole or counts as not indexed,
// nothing stands without a record, and the same batch mends what is left.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openIndex, type StoreOptions } from '../../server/src/retrieval/store/index.ts';
import { changeOf, sha256 } from '../../server/src/retrieval/testing/examples.ts';
import { identityOf, optionsFor, targetOf, temporaryFolder, textsOf } from './support.ts';

const writer = path.join(import.meta.dirname, 'writer.ts');

/** Starts a writer, waits until it has done so many steps and so many milliseconds more, and kills it. */
async function killAfter(
  options: StoreOptions,
  job: string,
  step: string,
  milliseconds: number,
): Promise<void> {
  const child = fork(writer, [JSON.stringify(options), job], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  for (;;) {
    const [message] = (await Promise.race([once(child, 'message'), gone.then(() => ['gone'])])) as unknown[];
    assert.notEqual(message, 'gone', 'the writer ended by itself');
    if (message === step) break;
  }
  await delay(milliseconds);
  child.kill('SIGKILL');
  await gone;
  // Waiting until its lock counts as left behind is tested elsewhere (processes.test.ts).
  rmSync(path.join(options.address, `${options.workspaceKey}.index.lock`), { recursive: true, force: true });
}

/** Spread over the steps of a batch, which takes some tens of milliseconds. */
const moments = [0, 3, 6, 9, 12, 16, 20, 25, 30, 37, 45, 60];

for (const job of ['apply', 'optimise', 'rename']) {
  test(`given a writer killed at any moment of ${job}, when opened again, then nothing is half there`, async (t) => {
    const options = optionsFor(temporaryFolder(t), { waitMs: 20_000 });
    for (const moment of moments) {
      await killAfter(options, job, 'done 2', moment);
      const index = await openIndex(options, identityOf());
      const store = targetOf(index);
      const documents = await store.documents();
      let chunks = 0;
      for (const { path: document, hash, chunks: count } of documents) {
        const stored = await store.chunksOf(document);
        chunks += stored.length;
        if (hash === '') continue;
        assert.equal(stored.length, count, `${document} after ${moment} ms`);
        if (job !== 'rename') assert.equal(sha256(stored.map(({ text }) => text).join('\n')), hash, document);
      }
      assert.equal((await store.counts()).chunks, chunks, `chunks without a record after ${moment} ms`);
      const batch = documents.map(({ path: document }) => changeOf(document, textsOf(document, 0)));
      await store.apply(batch);
      for (const { record, chunks: wanted } of batch)
        assert.deepEqual(await store.chunksOf(record.path), wanted);
      assert.deepEqual(
        await store.documents(),
        batch.map(({ record }) => record),
      );
      await store.remove(documents.map(({ path: document }) => document));
      assert.deepEqual(await store.counts(), { documents: 0, chunks: 0 });
      await index.close();
    }
  });
}

test('given a switch killed at any moment, when opened again, then one whole index serves and no table is left over', async (t) => {
  const options = optionsFor(temporaryFolder(t), { waitMs: 20_000 });
  for (const moment of moments) {
    await killAfter(options, 'switch', 'done 2', moment * 3);
    const index = await openIndex(options, identityOf('mine'));
    assert.ok(index.serving && index.building);
    const serving = Number(index.serving.identity.embedder.id.replace('embedder ', ''));
    const chunks = await index.serving.store.chunksOf('b.md');
    assert.deepEqual(
      chunks.map(({ text }) => text),
      textsOf('b.md', serving),
    );
    const { connect } = await import('@lancedb/lancedb');
    const connection = await connect(options.address);
    const tables = (await connection.listTables()).tables.filter((name) => /chunks|documents/.test(name));
    assert.equal(tables.length, 4, tables.join(' '));
    connection.close();
    await index.close();
  }
});
