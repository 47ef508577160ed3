import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { realTimers } from '../timers.ts';
import { ManualTimers } from '../llama/testing/timers.ts';
import { ComputeFiles } from './computeFiles.ts';

/** A folder and processes that share it and one clock. */
async function setUp(context: TestContext) {
  const home = await mkdtemp(join(tmpdir(), 'preflexor-compute-'));
  context.after(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'locks');
  const timers = new ManualTimers();
  const dead = new Set<number>();
  const start = 1_700_000_000_000;
  const processOf = (process: number) =>
    new ComputeFiles({
      ...{ folder, process, timers, now: () => start + timers.now() },
      isAlive: (each) => !dead.has(each),
    });
  return { folder, timers, dead, one: processOf(11), two: processOf(12) };
}

test('given a process at work, when another looks, then it sees its threads, and not its own', async (t) => {
  const { one, two } = await setUp(t);
  assert.equal(await two.others(), 0);
  one.raise(3);
  await one.settled();
  assert.equal(await two.others(), 3);
  assert.equal(await one.others(), 0);
  one.raise(1);
  await one.settled();
  assert.equal(await two.others(), 1);
});

test('given work that ended, when another looks, then nothing is seen and no file is left', async (t) => {
  const { folder, one, two } = await setUp(t);
  one.raise(2);
  one.lower();
  await one.settled();
  assert.equal(await two.others(), 0);
  assert.deepEqual(await readdir(folder), []);
});

test('given long work, when time passes, then the sign is renewed as long as it holds', async (t) => {
  const { timers, one, two } = await setUp(t);
  one.raise(2);
  for (let second = 0; second < 60; second++) {
    timers.advance(1000);
    await one.settled();
    assert.equal(await two.others(), 2);
  }
});

test('given a process that died at work, when another looks, then its sign is gone', async (t) => {
  const { folder, dead, one, two } = await setUp(t);
  one.raise(2);
  await one.settled();
  dead.add(11);
  assert.equal(await two.others(), 0);
  assert.deepEqual(await readdir(folder), []);
});

test('given a process that hangs, when it has not renewed its sign for long, then it holds no more', async (t) => {
  const { folder, one, two } = await setUp(t);
  one.raise(2);
  await one.settled();
  const [name] = await readdir(folder);
  const sign = { schema: 1, process: 11, threads: 2 };
  await writeFile(join(folder, name ?? ''), JSON.stringify({ ...sign, until: 1_700_000_000_000 }));
  assert.equal(await two.others(), 0);
});

test('given a sign from the future, when another looks, then it does not hold for ever', async (t) => {
  const { folder, one, two } = await setUp(t);
  one.raise(2);
  await one.settled();
  const [name] = await readdir(folder);
  const sign = { schema: 1, process: 11, threads: 2, until: 1_700_000_000_000 + 3_600_000 };
  await writeFile(join(folder, name ?? ''), JSON.stringify(sign));
  assert.equal(await two.others(), 0);
});

test('given a file of that name that makes no sense, when another looks, then it counts for nothing', async (t) => {
  const { folder, one, two } = await setUp(t);
  one.raise(2);
  await one.settled();
  await writeFile(join(folder, 'compute-77-abcdef.json'), '{"schema": 1, "thre');
  await writeFile(join(folder, 'device.lock'), '');
  assert.equal(await two.others(), 2);
  assert.ok((await readdir(folder)).includes('device.lock'));
});

test('given a place that cannot be written, when work begins and ends, then nothing is thrown', async (t) => {
  const { folder, timers } = await setUp(t);
  await writeFile(join(folder, '..', 'file'), '');
  const files = new ComputeFiles({
    ...{ folder: join(folder, '..', 'file', 'locks'), process: 11, timers },
    ...{ now: () => 0, isAlive: () => true },
  });
  files.raise(1);
  files.lower();
  await files.settled();
  assert.equal(await files.others(), 0);
});

test('given a real process that is killed at work, when another looks, then its sign is gone', async (t) => {
  const { folder } = await setUp(t);
  const script = `
    import { ComputeFiles } from ${JSON.stringify(new URL('computeFiles.ts', import.meta.url).href)};
    const timers = { now: () => performance.now(), after: (ms, work) => { const t = setTimeout(work, ms); return () => clearTimeout(t); } };
    const files = new ComputeFiles({ folder: ${JSON.stringify(folder)}, process: process.pid, now: Date.now, isAlive: () => true, timers });
    files.raise(2);
    await files.settled();
    process.stdout.write('raised');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const here = new ComputeFiles({
    ...{ folder, process: process.pid, now: Date.now, timers: realTimers },
    isAlive: (each) => {
      try {
        return process.kill(each, 0);
      } catch {
        return false;
      }
    },
  });
  assert.equal(await here.others(), 2);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(await here.others(), 0);
});
