import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { machineLock } from './machineLock.ts';

async function home(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-lock-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('given a trainer that outlived who started it, when a run is wanted, then it is refused with its folder', async (t) => {
  const folder = await home(t);
  await mkdir(join(folder, 'locks'));
  await writeFile(join(folder, 'locks', 'trainer.json'), '{"pid": 4711, "folder": "/runs/old"}');
  const lock = machineLock({ home: folder, isTrainer: (pid) => Promise.resolve(pid === 4711) });
  await assert.rejects(
    lock.hold('/runs/new', () => Promise.resolve()),
    (error) => PreflexorError.is(error, 'locked') && error.message.includes('/runs/old'),
  );
});

test('given the note of a trainer that died, when a run is wanted, then it begins, and leaves no note', async (t) => {
  const folder = await home(t);
  await mkdir(join(folder, 'locks'));
  const note = join(folder, 'locks', 'trainer.json');
  await writeFile(note, '{"pid": 4711, "folder": "/runs/old"}');
  const lock = machineLock({ home: folder, isTrainer: () => Promise.resolve(false) });
  assert.equal(
    await lock.hold('/runs/new', async (started) => {
      await started(4712);
      return 'worked';
    }),
    'worked',
  );
  await assert.rejects(stat(note));
});

test('given a process id that went to another program, when a run is wanted, then it begins', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux says what a process runs');
  const folder = await home(t);
  await mkdir(join(folder, 'locks'));
  await writeFile(
    join(folder, 'locks', 'trainer.json'),
    JSON.stringify({ pid: process.pid, folder: '/runs/old' }),
  );
  assert.equal(await machineLock({ home: folder }).hold('/runs/new', () => Promise.resolve(1)), 1);
  return undefined;
});

test('given work that fails, when the lock is held, then its own error comes out and the lock is free again', async (t) => {
  const lock = machineLock({ home: await home(t) });
  await assert.rejects(
    lock.hold('/runs/new', () => Promise.reject(new Error('its own'))),
    /its own/,
  );
  assert.equal(await lock.hold('/runs/new', () => Promise.resolve(2)), 2);
});
