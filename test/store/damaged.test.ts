// Files that are missing, cut or garbage: found out, told by a typed error, and mended. Never a crash.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  openForSearch,
  openIndex,
  repairIndex,
  type StoreOptions,
} from '../../server/src/retrieval/store/index.ts';
import { changeOf, never, vectorOf } from '../../server/src/retrieval/testing/examples.ts';
import { smallDisk } from '../support/faultyDisk.ts';
import { fails, identityOf, opened, optionsFor, targetOf, temporaryFolder } from './support.ts';

/** An index with several versions, deleted rows, full text, and a row that no index knows. */
async function wholeIndex(folder: string): Promise<void> {
  const index = await openIndex(optionsFor(folder), identityOf());
  const store = targetOf(index);
  await store.apply([changeOf('a.md', ['alpha', 'beta']), changeOf('b.md', ['gamma'])]);
  await store.optimise(never);
  await store.apply([changeOf('a.md', ['alpha', 'delta'])]);
  await index.switchOver();
  await index.close();
}

function filesOf(folder: string): string[] {
  return readdirSync(path.join(folder, 'index'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Of each kind of file the first and the last one: the newest and the oldest manifest, for one. */
function kindsOf(files: readonly string[]): string[] {
  const kinds = Map.groupBy(files, (file) =>
    file
      .replace(/_[0-9a-f]{8}\.lance/, '')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{20,}/g, '')
      .replaceAll(/\d+-(?=[\d.])|\d{5,}[0-9a-f]*|^\d+-/g, ''),
  );
  return [...new Set([...kinds.values()].flatMap((kind) => [kind[0] ?? '', kind.at(-1) ?? '']))];
}

const damages: Readonly<Record<string, (file: string) => void>> = {
  missing: (file) => {
    rmSync(file);
  },
  cut: (file) => {
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length >> 1));
  },
  garbage: (file) => {
    writeFileSync(file, Buffer.alloc(readFileSync(file).length, 0x5a));
  },
  empty: (file) => {
    writeFileSync(file, '');
  },
};

/** Everything that a session does. What it throws must be `index-failed`. */
async function useAll(options: StoreOptions): Promise<'works' | 'failed'> {
  const index = await openIndex(options, identityOf()).catch(onlyFailed);
  if (index === 'failed') return 'failed';
  try {
    const store = targetOf(index);
    await store.documents();
    await store.textHits('alpha', 3, {}, never);
    await store.vectorSearch(vectorOf('q'), 9, {}, never);
    await store.apply([changeOf('a.md', ['alpha', 'epsilon'])]);
    await store.optimise(never);
    return 'works';
  } catch (error) {
    return onlyFailed(error);
  } finally {
    await index.close();
  }
}

function onlyFailed(error: unknown): 'failed' {
  if (fails('index-failed')(error)) return 'failed';
  throw error;
}

for (const [name, damage] of Object.entries(damages)) {
  test(`given a file of each kind ${name}, when used, then it works or index-failed, and after a repair it works`, async (t) => {
    const folder = temporaryFolder(t);
    const whole = path.join(folder, 'whole');
    await wholeIndex(whole);
    const seen = new Set<string>();
    for (const file of kindsOf(filesOf(whole))) {
      const copy = path.join(folder, 'copy');
      cpSync(whole, copy, { recursive: true });
      damage(path.join(copy, file));
      const options = optionsFor(copy);
      const used = await useAll(options);
      seen.add(used);
      if (used === 'failed') {
        seen.add(await repairIndex(options, never));
        assert.equal(await useAll(options), 'works', `${file} after the repair`);
      }
      rmSync(copy, { recursive: true });
    }
    assert.ok(seen.has('works') && seen.has('failed') && seen.has('dropped') && seen.has('reindexed'));
  });
}

async function damagedIndex(t: TestContext, pattern: RegExp): Promise<StoreOptions> {
  const folder = temporaryFolder(t);
  await wholeIndex(folder);
  const files = filesOf(folder).filter((file) => pattern.test(file));
  assert.ok(files.length > 0);
  for (const file of files) writeFileSync(path.join(folder, file), 'garbage');
  return optionsFor(folder);
}

test('given a damaged full-text index, when repaired, then no row is lost', async (t) => {
  const options = await damagedIndex(t, /_indices.*part_0_invert/);
  assert.equal(await repairIndex(options, never), 'reindexed');
  const index = await opened(t, options);
  assert.deepEqual(await index.serving?.store.counts(), { documents: 2, chunks: 3 });
  assert.equal((await index.serving?.store.textHits('alpha', 3, {}, never))?.length, 1);
});

test('given a whole index, when repaired, then nothing is done: another process was quicker', async (t) => {
  const folder = temporaryFolder(t);
  await wholeIndex(folder);
  assert.equal(await repairIndex(optionsFor(folder), never), 'sound');
  const index = await opened(t, optionsFor(folder));
  assert.deepEqual(await index.serving?.store.counts(), { documents: 2, chunks: 3 });
});

test('given a build whose tables are garbage beside a whole index, when opened, then the whole one serves and the build begins anew', async (t) => {
  const folder = temporaryFolder(t);
  await wholeIndex(folder);
  const before = new Set(filesOf(folder));
  const options = optionsFor(folder);
  await (await openIndex(options, identityOf('new'))).close();
  for (const file of filesOf(folder))
    if (!before.has(file) && /_chunks_.*manifest$/.test(file))
      writeFileSync(path.join(folder, file), 'garbage');
  const index = await opened(t, options, identityOf('new'));
  assert.equal((await index.serving?.store.textHits('alpha', 3, {}, never))?.length, 1);
  assert.deepEqual(await index.building?.store.counts(), { documents: 0, chunks: 0 });
});

test('given that a power failure lost the last commit of the chunks, when documents are read, then those concerned count as not indexed', async (t) => {
  const folder = temporaryFolder(t);
  const options = optionsFor(folder);
  const index = await openIndex(options, identityOf());
  await targetOf(index).apply([changeOf('a.md', ['alpha'])]);
  const before = new Set(filesOf(folder));
  await targetOf(index).apply([changeOf('b.md', ['beta', 'gamma'])]);
  await index.close();
  for (const file of filesOf(folder))
    if (!before.has(file) && /_chunks_.*manifest$/.test(file)) rmSync(path.join(folder, file));
  const again = await opened(t, options);
  const documents = (await targetOf(again).documents()).map(({ path: name, hash }) => [name, hash !== '']);
  assert.deepEqual(documents, [
    ['a.md', true],
    ['b.md', false],
  ]);
});

test('given that a power failure lost the records of chunks, when documents are read, then the strays are listed to be removed', async (t) => {
  const folder = temporaryFolder(t);
  const options = optionsFor(folder);
  const index = await openIndex(options, identityOf());
  const before = new Set(filesOf(folder));
  await targetOf(index).apply([changeOf('b.md', ['beta'])]);
  await index.close();
  for (const file of filesOf(folder))
    if (!before.has(file) && /_documents_.*manifest$/.test(file)) rmSync(path.join(folder, file));
  const store = targetOf(await opened(t, options));
  assert.deepEqual(
    (await store.documents()).map(({ path: name, hash }) => [name, hash]),
    [['b.md', '']],
  );
  await store.remove(['b.md']);
  assert.deepEqual(await store.counts(), { documents: 0, chunks: 0 });
  assert.deepEqual(await store.documents(), []);
});

test('given a disk that fills up, when applied, then disk-full names the folder, and what was there can be searched', async (t) => {
  const disk = smallDisk(t, 2_000);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  const options = optionsFor(disk.folder);
  const index = await openIndex(options, identityOf());
  const store = targetOf(index);
  await store.apply([changeOf('a.md', ['alpha'])]);
  const long = 'incompressible '.repeat(20);
  const fill = async () => {
    for (let n = 0; n < 100; n += 1)
      await store.apply([
        changeOf(
          `${n}.md`,
          Array.from({ length: 100 }, (_, at) => `${long} ${n} ${at} ${String(vectorOf(`${n} ${at}`))}`),
        ),
      ]);
  };
  await assert.rejects(fill, (error) => fails('disk-full')(error) && String(error).includes(disk.folder));
  assert.equal((await store.textHits('alpha', 3, {}, never)).length, 1);
  await index.close();
});

test('given a disk that is mounted read-only, when opened, then it can be searched, and writing says read-only', async (t) => {
  const disk = smallDisk(t, 20_000);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  await wholeIndex(disk.folder);
  disk.makeReadOnly();
  const options = optionsFor(disk.folder);
  const search = await openForSearch(options);
  assert.equal((await search?.serving?.store.textHits('alpha', 3, {}, never))?.length, 1);
  await search?.close();
  const index = await openIndex(options, identityOf());
  await assert.rejects(targetOf(index).apply([changeOf('b.md', ['x'])]), fails('read-only'));
  await index.close();
});
