// Embedders change, versions change: which index serves, which one is built, and when they change places.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { openForSearch, openIndex } from '../../server/src/retrieval/store/index.ts';
import { changeOf, chunkOf, never, recordOf, vectorOf } from '../../server/src/retrieval/testing/examples.ts';
import { setSchemaVersion, writeVersion1 } from './oldTables.ts';
import { fails, identityOf, opened, optionsFor, targetOf, temporaryFolder } from './support.ts';

test('given no index, when opened for search, then null, and nothing is made', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  assert.equal(await openForSearch(options), null);
  assert.equal(existsSync(options.address), false);
});

test('given a first index that is being built, when opened, then it serves as far as it has come', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const index = await opened(t, options);
  assert.ok(index.building);
  await index.building.store.apply([changeOf('a.md', ['alpha'])]);
  const search = await openForSearch(options);
  assert.deepEqual(await search?.serving?.store.counts(), { documents: 1, chunks: 1 });
  await search?.close();
});

test('given a complete index, when opened again, then nothing is to be built and all is there', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const first = await openIndex(options, identityOf());
  await targetOf(first).apply([changeOf('a.md', ['alpha'])]);
  await first.switchOver();
  assert.equal(first.building, null);
  await first.close();
  const again = await opened(t, options);
  assert.equal(again.building, null);
  assert.equal((await again.serving?.store.documents())?.length, 1);
});

test('given another embedder, when opened, then the old index serves with its own until the switch, then it is gone', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const old = await openIndex(options, identityOf('old'));
  await targetOf(old).apply([changeOf('a.md', ['alpha'])]);
  await old.switchOver();
  await old.close();

  const index = await opened(t, options, identityOf('new'));
  assert.equal(index.serving?.identity.embedder.id, 'old');
  assert.equal(index.building?.identity.embedder.id, 'new');
  assert.deepEqual(await index.building.store.counts(), { documents: 0, chunks: 0 });
  await index.building.store.apply([changeOf('a.md', ['beta'])]);
  assert.equal((await index.serving.store.textHits('alpha', 5, {}, never)).length, 1);

  await index.switchOver();
  assert.equal(index.serving.identity.embedder.id, 'new');
  assert.equal((await index.serving.store.textHits('alpha', 5, {}, never)).length, 0);
  assert.equal((await index.serving.store.textHits('beta', 5, {}, never)).length, 1);
  const search = await openForSearch(options);
  assert.equal(search?.serving?.identity.embedder.id, 'new');
  await search.close();
});

test('given a build that was left off, when opened with a third embedder, then it is given up; with its own, it goes on', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const first = await openIndex(options, identityOf('one'));
  await targetOf(first).apply([changeOf('a.md', ['alpha'])]);
  await first.close();
  const same = await openIndex(options, identityOf('one'));
  assert.deepEqual(await same.building?.store.counts(), { documents: 1, chunks: 1 });
  await same.close();
  const third = await openIndex(options, identityOf('three'));
  assert.deepEqual(await third.building?.store.counts(), { documents: 0, chunks: 0 });
  await third.close();
  const back = await opened(t, options, identityOf('one'));
  assert.deepEqual(await back.building?.store.counts(), { documents: 0, chunks: 0 });
});

test('given another chunker and the same embedder, when built anew, then vectors of equal texts are taken over', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const old = await openIndex(options, identityOf('same', '1'));
  const change = changeOf('a.md', ['alpha']);
  await targetOf(old).apply([change]);
  await old.switchOver();
  await old.close();
  const [chunk] = change.chunks;
  assert.ok(chunk);
  const index = await opened(t, options, identityOf('same', '2'));
  assert.deepEqual(
    [...((await index.building?.store.vectorsOf([chunk.textHash])) ?? [])],
    [[chunk.textHash, chunk.vector]],
  );
});

test('given another embedder, when built anew, then no vector is taken over', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const old = await openIndex(options, identityOf('old'));
  const change = changeOf('a.md', ['alpha']);
  await targetOf(old).apply([change]);
  await old.switchOver();
  await old.close();
  const index = await opened(t, options, identityOf('new'));
  assert.equal((await index.building?.store.vectorsOf([change.chunks[0]?.textHash ?? '']))?.size, 0);
});

test('given that another window has switched, when an old handle writes or fails, then index-replaced, and opened again all is well', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const one = await opened(t, options, identityOf('old'));
  await targetOf(one).apply([changeOf('a.md', ['alpha'])]);
  await one.switchOver();
  const two = await opened(t, options, identityOf('new'));
  await two.switchOver();
  await assert.rejects(targetOf(one).apply([changeOf('b.md', ['beta'])]), fails('index-replaced'));
  await assert.rejects(targetOf(one).chunksOf('a.md'), fails('index-replaced'));
  assert.deepEqual(await two.serving?.store.counts(), { documents: 0, chunks: 0 });
});

test('given tables of version 1, when opened, then they are migrated: rows stay, tags are found without case', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const chunks = [
    chunkOf('a.md', 'alpha', { tags: ['Physics', 'Zwei Wörter'] }),
    chunkOf('b.md', 'alpha too', { tags: [] }),
  ];
  await writeVersion1(options, identityOf(), [recordOf('a.md', 1), recordOf('b.md', 1)], chunks);
  const index = await opened(t, options);
  assert.equal(index.building, null);
  const store = targetOf(index);
  assert.deepEqual([...(await store.chunksOf('a.md')), ...(await store.chunksOf('b.md'))], chunks);
  for (const tag of ['PHYSICS', 'zwei wörter']) {
    const hits = await store.vectorHits(vectorOf('x'), 9, { tags: [tag] }, never);
    assert.deepEqual(
      hits.map(({ document }) => document),
      ['a.md'],
      tag,
    );
  }
  await store.apply([changeOf('c.md', ['new'], { tags: ['Physics'] })]);
  assert.equal((await store.vectorHits(vectorOf('x'), 9, { tags: ['physics'] }, never)).length, 2);
});

test('given a migration that was killed after its column was made, when opened, then it is finished', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  await writeVersion1(options, identityOf(), [recordOf('a.md', 1)], [chunkOf('a.md', 'alpha')]);
  await (await openIndex(options, identityOf())).close();
  await setSchemaVersion(options, 1);
  const index = await opened(t, options);
  assert.deepEqual(await index.serving?.store.counts(), { documents: 1, chunks: 1 });
  assert.equal(index.building, null);
});

test('given tables of a newer version, when opened, then refused with a sentence, and they are left as they are', async (t) => {
  const options = optionsFor(temporaryFolder(t));
  const written = await openIndex(options, identityOf());
  await targetOf(written).apply([changeOf('a.md', ['alpha'])]);
  await written.switchOver();
  await written.close();
  await setSchemaVersion(options, 99);
  for (const open of [() => openIndex(options, identityOf()), () => openForSearch(options)])
    await assert.rejects(
      open,
      (error) => fails('index-newer')(error) && /newer PRefLexOR.*99/.test(String(error)),
    );
  await setSchemaVersion(options, 2);
  const index = await opened(t, options);
  assert.deepEqual(await index.serving?.store.counts(), { documents: 1, chunks: 1 });
});
