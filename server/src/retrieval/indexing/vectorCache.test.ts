import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashVector } from '../testing/hashEmbedder.ts';
import { workspace } from '../testing/workspace.ts';
import { FileVectorCache } from './vectorCache.ts';

const dimensions = 8;
const entryBytes = 16 + 4 * dimensions;

/** A text hash and its vector. */
function entry(number: number): [string, Float32Array] {
  return [number.toString(16).padStart(32, '0'), hashVector(String(number), dimensions)];
}

function entries(from: number, to: number): Map<string, Float32Array> {
  return new Map(Array.from({ length: to - from }, (_none, at) => entry(from + at)));
}

function cacheIn(folder: string, options: { embedder?: string; maxBytes?: number } = {}): FileVectorCache {
  return new FileVectorCache({ folder, embedder: options.embedder ?? 'e', dimensions, ...options });
}

test('given vectors that were kept, when another process looks, then it finds exactly those', async (t) => {
  const folder = join(workspace(t), 'not yet there');
  await cacheIn(folder).keep(entries(0, 5));
  const found = await cacheIn(folder).find([...entries(3, 8).keys()]);
  assert.deepEqual(found, entries(3, 5));
});

test('given more vectors than there is room for, when kept, then the newest are found and the files stay small', async (t) => {
  const folder = workspace(t);
  const cache = cacheIn(folder, { maxBytes: 20 * entryBytes });
  for (let at = 0; at < 100; at += 7) await cache.keep(entries(at, at + 7));
  const found = await cache.find([...entries(0, 105).keys()]);
  for (const hash of entries(95, 105).keys()) assert.ok(found.has(hash), hash);
  assert.ok(!found.has(entry(0)[0]));
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(bytes <= 20 * entryBytes, `${bytes} bytes`);
});

test('given a torn last entry, when opened, then those before it are found and new ones can be kept', async (t) => {
  const folder = workspace(t);
  await cacheIn(folder).keep(entries(0, 3));
  appendFileSync(join(folder, readdirSync(folder)[0]!), new Uint8Array(entryBytes - 1));
  const cache = cacheIn(folder);
  await cache.keep(entries(3, 5));
  assert.deepEqual(await cacheIn(folder).find([...entries(0, 5).keys()]), entries(0, 5));
});

test('given entries that the disk has damaged, when looked for, then they count as unknown', async (t) => {
  const folder = workspace(t);
  await cacheIn(folder).keep(entries(1, 3));
  const file = join(folder, readdirSync(folder)[0]!);
  const bytes = new Uint8Array(2 * entryBytes);
  bytes.set(Buffer.from(entry(1)[0], 'hex'));
  writeFileSync(file, bytes);
  assert.equal((await cacheIn(folder).find([entry(1)[0], entry(2)[0]])).size, 0);
});

test('given another embedder, when it looks, then the vectors of the first one are not found', async (t) => {
  const folder = workspace(t);
  await cacheIn(folder, { embedder: 'a' }).keep(entries(0, 3));
  assert.equal((await cacheIn(folder, { embedder: 'b' }).find([...entries(0, 3).keys()])).size, 0);
});

test('given a folder that cannot be used, when asked, then nothing is known and nothing fails', async (t) => {
  const folder = workspace(t);
  writeFileSync(join(folder, 'file'), '');
  const cache = cacheIn(join(folder, 'file'));
  await cache.keep(entries(0, 3));
  assert.equal((await cache.find([entry(0)[0]])).size, 0);
});
