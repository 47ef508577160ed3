import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { copyOnce } from './samples.ts';
import { isOlder } from './desktop.ts';
import { freePort, keep, run } from './processes.ts';
import { filesUnder, hashOf, isStamped, stamp } from './stamps.ts';

async function temporaryFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-setup-'));
  test.after(() => rm(folder, { recursive: true }));
  return folder;
}

describe('given a stamp', () => {
  it('when it says the same then the step is done, and when anything differs it is not', async (test) => {
    const file = path.join(await temporaryFolder(test), 'deep', 'stamp.json');
    assert.equal(isStamped(file, { version: '1' }), false);
    stamp(file, { version: '1' });
    assert.equal(isStamped(file, { version: '1' }), true);
    assert.equal(isStamped(file, { version: '2' }), false);
    await writeFile(file, '{"ver');
    assert.equal(isStamped(file, { version: '1' }), false);
  });
});

describe('given source folders', () => {
  const never = (): boolean => false;

  async function sources(test: TestContext): Promise<string> {
    const root = await temporaryFolder(test);
    await mkdir(path.join(root, 'a/b'), { recursive: true });
    await writeFile(path.join(root, 'a/b/one.ts'), '1');
    await writeFile(path.join(root, 'two.json'), '2');
    return root;
  }

  it('when files are listed then folders give what is in them, files themselves, and the missing nothing', async (test) => {
    const root = await sources(test);
    assert.deepEqual(filesUnder(root, 'a'), ['a/b/one.ts']);
    assert.deepEqual(filesUnder(root, 'two.json'), ['two.json']);
    assert.deepEqual(filesUnder(root, 'none'), []);
  });

  it('when a file is changed, renamed or added then the hash is another, and else it is the same', async (test) => {
    const root = await sources(test);
    const hash = (): string => hashOf(root, ['a', 'two.json'], never);
    const first = hash();
    assert.equal(hash(), first);
    await writeFile(path.join(root, 'a/b/one.ts'), '1 ');
    const changed = hash();
    await writeFile(path.join(root, 'a/b/three.ts'), '');
    const added = hash();
    assert.equal(new Set([first, changed, added]).size, 3);
  });

  it('when a changed file is left out then the hash is the same', async (test) => {
    const root = await sources(test);
    const hash = (): string => hashOf(root, ['a'], (name) => name.endsWith('.test.ts'));
    const before = hash();
    await writeFile(path.join(root, 'a/one.test.ts'), 'x');
    assert.equal(hash(), before);
  });
});

describe('given sample notes', () => {
  it('when they are copied again then what the person wrote meanwhile stays', async (test) => {
    const root = await temporaryFolder(test);
    const [from, to] = [path.join(root, 'samples'), path.join(root, 'copy')];
    await mkdir(from);
    await writeFile(path.join(from, 'note.md'), 'as it came');
    await copyOnce(from, to);
    assert.equal(await readFile(path.join(to, 'note.md'), 'utf8'), 'as it came');
    await writeFile(path.join(to, 'note.md'), 'as I like it');
    await copyOnce(from, to);
    assert.equal(await readFile(path.join(to, 'note.md'), 'utf8'), 'as I like it');
  });
});

describe('given versions of VS Code', () => {
  it('when they are compared then each number counts as a number', () => {
    assert.equal(isOlder('1.99.0', '1.138.0'), true);
    assert.equal(isOlder('1.138.0', '1.138.0'), false);
    assert.equal(isOlder('1.139.2', '1.138.0'), false);
    assert.equal(isOlder('2.0.0', '1.138.0'), false);
  });
});

describe('given a program that is run', () => {
  it('when it does not exist then there is a reason and no exception', async () => {
    const result = await run('no-such-program-anywhere', []);
    assert.equal(result.code, null);
    assert.match(result.stderr, /ENOENT/);
  });

  it('when it takes longer than it may then it is killed', async () => {
    const result = await run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeout: 200 });
    assert.equal(result.code, null);
  });
});

describe('given a wished port', () => {
  it('when somebody listens there then another one is found', async (test) => {
    const { createServer } = await import('node:net');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    test.after(() => server.close());
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    const port = await freePort(address.port);
    assert.ok(port > 0 && port !== address.port);
  });
});

/** A program that starts a second one and writes down the numbers of both. Neither ends by itself. */
function familyOfTwo(file: string): readonly string[] {
  const program = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    require('node:fs').writeFileSync(${JSON.stringify(file)}, process.pid + ' ' + child.pid);
    setInterval(() => {}, 1000);`;
  return ['-e', program];
}

async function pidsIn(file: string): Promise<number[]> {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const pids = text.split(' ').map(Number);
    if (pids.length === 2 && pids.every((pid) => pid > 0)) return pids;
    await delay(20);
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function allGone(pids: readonly number[]): Promise<void> {
  while (pids.some(lives)) await delay(20);
}

const groups = process.platform === 'win32' ? 'Windows has no process groups' : false;

describe('given a kept program that has started another', { skip: groups }, () => {
  it('when it is ended then both are gone', async (test) => {
    const file = path.join(await temporaryFolder(test), 'pids');
    const kept = keep(process.execPath, familyOfTwo(file));
    const pids = await pidsIn(file);
    await kept.end();
    await allGone(pids);
    assert.equal(kept.isGone(), true);
  });

  it('when the one who keeps it is killed outright then both are gone as well', async (test) => {
    const file = path.join(await temporaryFolder(test), 'pids');
    const processes = new URL('processes.ts', import.meta.url).href;
    const program = `
      import { keep } from ${JSON.stringify(processes)};
      keep(process.execPath, ${JSON.stringify(familyOfTwo(file))});`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program]);
    const pids = await pidsIn(file);
    owner.kill('SIGKILL');
    await allGone(pids);
  });

  it('when it ends by itself then what it has left behind is ended too, and what it said is kept', async (test) => {
    const file = path.join(await temporaryFolder(test), 'pids');
    const [, program] = familyOfTwo(file);
    const ending = `${program ?? ''}\nconsole.log('said'); setTimeout(() => process.exit(3), 300);`;
    const kept = keep(process.execPath, ['-e', ending]);
    const pids = await pidsIn(file);
    await kept.gone;
    await allGone(pids);
    assert.match(kept.output(), /said/);
  });
});
