import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PreflexorError } from '../errors.ts';
import { withLock } from './locks.ts';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';

test('given many at once, when each works under the lock, then never two at a time', async (t) => {
  const place = path.join(temporaryFolder(t), 'locks', 'a.lock');
  let inside = 0;
  const done = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      withLock([place], async () => {
        inside += 1;
        assert.equal(inside, 1);
        await delay(1);
        inside -= 1;
        return index;
      }),
    ),
  );
  assert.equal(done.length, 12);
  assert.deepEqual(await readdir(path.dirname(place)), []);
});

test('given work that fails, when it ends, then the lock is free again and the failure comes out', async (t) => {
  const place = path.join(temporaryFolder(t), 'a.lock');
  await assert.rejects(
    withLock([place], () => Promise.reject(new Error('mine'))),
    /mine/,
  );
  assert.equal(await withLock([place], () => Promise.resolve(1), { waitMs: 0 }), 1);
});

test('given a lock that somebody holds, when waited for in vain, then locked says what to do', async (t) => {
  const place = path.join(temporaryFolder(t), 'a.lock');
  await withLock([place], async () => {
    await assert.rejects(
      withLock([place], () => Promise.reject(new Error('two at a time')), { waitMs: 50 }),
      (error) => PreflexorError.is(error, 'locked') && (error.remedy?.includes(place) ?? false),
    );
  });
});

test('given a lock whose holder died, when it shows no life any more, then it is taken over', async (t) => {
  const place = path.join(temporaryFolder(t), 'a.lock');
  await mkdir(place);
  const long = new Date(Date.now() - 60_000);
  await utimes(place, long, long);
  assert.equal(await withLock([place], () => Promise.resolve('mine'), { waitMs: 0 }), 'mine');
});

test('given a first place that cannot be written, when locked, then the second one is taken', async (t) => {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'file'), '');
  const second = path.join(folder, 'second.lock');
  const held = await withLock([path.join(folder, 'file', 'first.lock'), second], () => readdir(folder));
  assert.ok(held.includes('second.lock'));
  const nowhere = path.join(folder, 'file', 'other.lock');
  await assert.rejects(
    withLock([path.join(folder, 'file', 'first.lock'), nowhere], () => Promise.resolve()),
    PreflexorError,
  );
});
