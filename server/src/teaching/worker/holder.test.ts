// One run at a time on a machine, over real files: two that ask at once, a process that died, and one whose number went
// to another program.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { TeachingHolder } from './holder.ts';
import { beganAt, realProcesses, type Processes } from './processes.ts';
import { realSystem, type SystemReader } from './system.ts';

async function home(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-holder-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Processes by their numbers, with when they began. */
function processes(alive: Readonly<Record<number, string | null>>): Processes {
  return {
    isAlive: (pid) => pid in alive,
    beganAt: (pid) => Promise.resolve(alive[pid] ?? null),
  };
}

async function leftBehind(folder: string, pid: number, began: string | null): Promise<void> {
  await mkdir(join(folder, 'locks'), { recursive: true });
  const note = { schema: 1, pid, began, token: 'x', run: '/notes/.preflexor/teach/1' };
  await writeFile(join(folder, 'locks', 'teaching.json'), JSON.stringify(note));
}

test('given a run that goes on, when another one is begun, then it is refused with who is at work, and after the run it is not', async (t) => {
  const folder = await home(t);
  const one = new TeachingHolder(folder, realProcesses(process.platform, realSystem));
  const other = new TeachingHolder(folder, realProcesses(process.platform, realSystem));
  await one.hold('/notes/1', async () => {
    assert.deepEqual(await other.current(), { pid: process.pid, run: '/notes/1' });
    await assert.rejects(
      other.hold('/notes/2', () => Promise.resolve()),
      (error) => PreflexorError.is(error, 'locked') && error.message.includes('/notes/1'),
    );
  });
  assert.equal(await other.current(), null);
  assert.equal(await other.hold('/notes/2', () => Promise.resolve('done')), 'done');
});

test('given work that fails, when it has failed, then the machine is free again and the failure is its own', async (t) => {
  const holder = new TeachingHolder(await home(t), processes({ [process.pid]: 'now' }));
  await assert.rejects(
    holder.hold('/notes/1', () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(await holder.current(), null);
});

test('given the note of a process that died, when a run is begun, then it takes its place', async (t) => {
  const folder = await home(t);
  await leftBehind(folder, 4711, 'Monday');
  const holder = new TeachingHolder(folder, processes({ [process.pid]: 'now' }));
  assert.equal(await holder.hold('/notes/2', () => Promise.resolve('done')), 'done');
});

test('given a number that went to another program, when it is asked who teaches, then it is nobody; where no system says so, it is that process', async (t) => {
  const folder = await home(t);
  await leftBehind(folder, 4711, 'Monday');
  const current = (began: string | null) => new TeachingHolder(folder, processes({ 4711: began })).current();
  assert.equal(await current('Tuesday'), null);
  assert.equal((await current('Monday'))?.pid, 4711);
  assert.equal((await current(null))?.pid, 4711);
  await writeFile(join(folder, 'locks', 'teaching.json'), '{"schema":1,"pid":');
  assert.equal(await current('Monday'), null);
});

test('given each system, when it is asked when a process began, then its own words are taken', async () => {
  const stat = '4711 (a) (b 1) S 1 4711 4711 0 -1 4194560 1 0 0 0 5 2 0 0 20 0 11 0 998877 1 2 3';
  const files: Record<string, string> = {
    '/proc/4711/stat': stat,
    '/proc/sys/kernel/random/boot_id': '7d1f\n',
  };
  const system = (said: string | null): SystemReader => ({
    readText: (file) => Promise.resolve(files[file] ?? null),
    list: () => Promise.resolve([]),
    run: () => Promise.resolve(said),
  });
  assert.equal(await beganAt(4711, 'linux', system(null)), '7d1f 998877');
  assert.equal(await beganAt(4712, 'linux', system(null)), null);
  assert.equal(
    await beganAt(4711, 'darwin', system('Sun Mar  1 21:04:11 2026\n')),
    'Sun Mar  1 21:04:11 2026',
  );
  assert.equal(await beganAt(4711, 'win32', system('134168402510000000\r\n')), '134168402510000000');
  assert.equal(await beganAt(4711, 'win32', system(null)), null);
});
