import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import type { Run } from '../protocol/index.ts';
import { nodeFileSystem } from '../state/index.ts';
import type { FileSystem } from '../state/index.ts';
import {
  powerFailure,
  refuse,
  smallDisk,
  temporaryFolder,
  watchedFileSystem,
} from '../../../test/support/faultyDisk.ts';
import { runsStore } from './runs.ts';
import { runOf } from '../../../test/support/ledgerExamples.ts';

const id = (n: number) => `01JDF3Z${String(n).padStart(19, '0')}`;
const ids = (runs: readonly { id: string }[]) => runs.map((run) => run.id);
const fails = (code: PreflexorError['code']) => (error: unknown) => PreflexorError.is(error, code);

async function setUp(t: TestContext) {
  const folder = temporaryFolder(t);
  const workspaceRoot = path.join(folder, 'workspace');
  const home = path.join(folder, 'home');
  await mkdir(workspaceRoot);
  const runsFolder = path.join(workspaceRoot, '.preflexor', 'runs');
  const open = (fileSystem?: FileSystem) =>
    runsStore(workspaceRoot, { home, ...(fileSystem && { fileSystem }) });
  return {
    workspaceRoot,
    home,
    runsFolder,
    open,
    fileOf: (n: number) => path.join(runsFolder, `${id(n)}.json`),
  };
}

/** The real file system, with the run files named that were read through it. */
function countingReads(): { fileSystem: FileSystem; read: string[] } {
  const read: string[] = [];
  const readFileCounted = (file: string, encoding: BufferEncoding) => {
    if (path.basename(path.dirname(file)) === 'runs') read.push(path.basename(file, '.json'));
    return nodeFileSystem.readFile(file, encoding);
  };
  return { fileSystem: { ...nodeFileSystem, readFile: readFileCounted as FileSystem['readFile'] }, read };
}

test('given no runs, when listed and looked for, then there are none and nothing was made in the workspace', async (t) => {
  const { open, workspaceRoot } = await setUp(t);
  const runs = open();
  assert.deepEqual(
    [await runs.list('a.md'), await runs.problems(), await runs.findByBlock('k3v9q2')],
    [[], [], null],
  );
  assert.equal(await runs.remove(id(1)), false);
  assert.deepEqual(await readdir(workspaceRoot), []);
});

test('given a run, when saved, then another process loads it as it was, and saving again replaces it', async (t) => {
  const { open, runsFolder } = await setUp(t);
  const run = runOf(id(1), { question: 'Wäre das 🙂?\n' });
  await open().save(run);
  assert.deepEqual(await open().load(id(1)), run);
  await open().save({ ...run, final: 'else' });
  assert.equal((await open().load(id(1))).final, 'else');
  assert.deepEqual(await readdir(runsFolder), [`${id(1)}.json`]);
});

test('given something that is no run, when saved, then bad-input and nothing is written', async (t) => {
  const { open, workspaceRoot } = await setUp(t);
  for (const wrong of [
    runOf('../../evil'),
    { ...runOf(id(1)), best: -1 },
    { ...runOf(id(1)), schema: 2 } as unknown as Run,
  ]) {
    await assert.rejects(open().save(wrong), fails('bad-input'));
  }
  assert.deepEqual(await readdir(workspaceRoot), []);
});

test('given an id that is none, when loaded or removed, then it is never used as a path', async (t) => {
  const { open, runsFolder, workspaceRoot } = await setUp(t);
  await open().save(runOf(id(1)));
  const outside = path.join(workspaceRoot, 'x.json');
  await writeFile(outside, JSON.stringify(runOf(id(1))));
  const hostile = [
    '../../x',
    outside.slice(0, -5),
    '',
    `${id(1)}\0`,
    id(1).toLowerCase(),
    `../runs/${id(1)}`,
    '__proto__',
  ];
  for (const wrong of hostile) {
    await assert.rejects(open().load(wrong), fails('unknown-run'), wrong);
    assert.equal(await open().remove(wrong), false);
  }
  await fc.assert(
    fc.asyncProperty(fc.string(), (text) => assert.rejects(open().load(text), fails('unknown-run'))),
  );
  await assert.rejects(open().load(id(2)), fails('unknown-run'));
  assert.deepEqual(
    [await readdir(runsFolder), (await readdir(workspaceRoot)).includes('x.json')],
    [[`${id(1)}.json`], true],
  );
});

test('given runs of several notes, when listed, then those of one note come newest first with what lists show', async (t) => {
  const { open } = await setUp(t);
  const other = { path: 'b.md', hash: '', range: { start: 0, end: 1 } };
  for (const n of [2, 1, 3]) await open().save(runOf(id(n), { question: `Q${n}`, block: `block${n}` }));
  await open().save(runOf(id(4), { note: other, iterations: [] }));
  const runs = open();
  const found = await runs.list('notes/a.md');
  assert.deepEqual(ids(found), [id(3), id(2), id(1)]);
  assert.deepEqual(found[0], {
    id: id(3),
    block: 'block3',
    time: '2026-11-24T12:00:00.000Z',
    question: 'Q3',
    iterations: 1,
    notePath: 'notes/a.md',
  });
  assert.deepEqual(ids(await runs.list('b.md')), [id(4)]);
  assert.deepEqual(ids(await runs.list()), [id(4), id(3), id(2), id(1)]);
  assert.deepEqual(await runs.list('constructor'), []);
});

test('given two runs of one block, when found by block, then it is the newer one, whole', async (t) => {
  const { open } = await setUp(t);
  for (const n of [1, 3, 2]) await open().save(runOf(id(n), { block: n === 2 ? 'other9' : 'constructor' }));
  assert.deepEqual(await open().findByBlock('constructor'), runOf(id(3), { block: 'constructor' }));
  assert.equal(await open().findByBlock('tostring'), null);
});

test('given a removed run, when listed and loaded, then it is gone, also from what is cached', async (t) => {
  const { open, home } = await setUp(t);
  for (const n of [1, 2]) await open().save(runOf(id(n), { question: `secret ${n}` }));
  const runs = open();
  await runs.list();
  assert.equal(await open().remove(id(1)), true);
  assert.deepEqual(ids(await runs.list()), [id(2)]);
  await assert.rejects(runs.load(id(1)), fails('unknown-run'));
  const [key] = await readdir(path.join(home, 'cache'));
  const cached = await readFile(path.join(home, 'cache', key ?? '', 'runs.json'), 'utf8');
  assert.ok(cached.includes('secret 2') && !cached.includes('secret 1'));
});

test('given damaged, renamed and newer run files, when listed, then they are named, left alone, and the others stand', async (t) => {
  const { open, runsFolder, fileOf } = await setUp(t);
  await open().save(runOf(id(1)));
  await writeFile(fileOf(2), '{"schema":1,');
  await writeFile(fileOf(3), JSON.stringify(runOf(id(9))));
  await writeFile(fileOf(4), JSON.stringify({ ...runOf(id(4)), schema: 2 }));
  await mkdir(fileOf(5));
  await writeFile(path.join(runsFolder, 'notes.json'), 'not ours');
  const runs = open();
  assert.deepEqual(ids(await runs.list()), [id(1)]);
  const problems = await runs.problems();
  assert.deepEqual(
    problems.map(({ file }) => file),
    [2, 3, 4, 5].map(fileOf),
  );
  assert.match(problems[1]?.reason ?? '', /another run/);
  assert.match(problems[2]?.reason ?? '', /newer PRefLexOR/);
  for (const n of [2, 3, 4]) await assert.rejects(runs.load(id(n)), fails('unknown-run'));
  assert.equal((await readdir(runsFolder)).length, 6);
});

test('given fields that this version does not know, when loaded, then they are kept; those that set prototypes are not', async (t) => {
  const { open, fileOf } = await setUp(t);
  await open().save(runOf(id(1)));
  await writeFile(
    fileOf(1),
    JSON.stringify({ ...runOf(id(1)), mood: 'good' }).replace('{', '{"__proto__":{"polluted":1},'),
  );
  const run = await open().load(id(1));
  assert.equal(Reflect.get(run, 'mood'), 'good');
  assert.equal(Reflect.get(run, 'polluted'), undefined);
});

test('given many runs that were listed before, when another process lists, then it reads only what changed since', async (t) => {
  const { open, fileOf } = await setUp(t);
  const count = 200;
  await open().save(runOf(id(0)));
  for (let n = 1; n < count; n += 1) await writeFile(fileOf(n), JSON.stringify(runOf(id(n))));
  const first = countingReads();
  assert.equal((await open(first.fileSystem).list()).length, count);
  assert.equal(first.read.length, count);
  await open().save(runOf(id(7), { question: 'new' }));
  await open().save(runOf(id(count)));
  await rm(fileOf(9));
  const second = countingReads();
  const runs = open(second.fileSystem);
  const found = await runs.list();
  assert.equal(found.length, count);
  assert.deepEqual(second.read.sort(), [id(7), id(count)]);
  assert.equal(found.find((run) => run.id === id(7))?.question, 'new');
  await runs.list();
  assert.equal(second.read.length, 2);
});

test('given two windows, when both save and list, then each sees the runs of both', async (t) => {
  const { open } = await setUp(t);
  const [left, right] = [open(), open()];
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      await (n % 2 ? left : right).save(runOf(id(n)));
      await Promise.all([left.list(), right.list()]);
    }),
  );
  for (const window of [left, right, open()]) assert.equal((await window.list()).length, 20);
});

test('given a run file that was replaced by one of the same size, when listed, then the new one shows', async (t) => {
  const { open, fileOf } = await setUp(t);
  await open().save(runOf(id(1), { question: 'old' }));
  const runs = open();
  await runs.list();
  await writeFile(`${fileOf(1)}.x`, `${JSON.stringify(runOf(id(1), { question: 'new' }))}\n`);
  await rename(`${fileOf(1)}.x`, fileOf(1));
  assert.equal((await runs.list())[0]?.question, 'new');
});

test('given a damaged or unwritable cache, or none, when listed, then the run files decide', async (t) => {
  const { open, home, workspaceRoot } = await setUp(t);
  await open().save(runOf(id(1)));
  await open().list();
  const [key] = await readdir(path.join(home, 'cache'));
  const cache = path.join(home, 'cache', key ?? '', 'runs.json');
  for (const damage of [
    '',
    '{"schema":1,"files":[[',
    '{"schema":2,"files":[]}',
    '{"schema":1,"files":[["x",{}]]}',
  ]) {
    await writeFile(cache, damage);
    assert.deepEqual(ids(await open().list()), [id(1)]);
  }
  await rm(home, { recursive: true });
  assert.deepEqual(ids(await open(watchedFileSystem(refuse(home, 'EROFS'))).list()), [id(1)]);
  assert.deepEqual(ids(await runsStore(workspaceRoot).list()), [id(1)]);
});

test('given a power failure at any step of a save, when all is up again, then the run is the old one or the new one', async (t) => {
  for (let at = 0; ; at += 1) {
    const { open } = await setUp(t);
    await open().save(runOf(id(1), { final: 'old' }));
    const { watch, failed } = powerFailure(at);
    const saved = await open(watchedFileSystem(watch))
      .save(runOf(id(1), { final: 'new' }))
      .then(
        () => true,
        () => false,
      );
    const { final } = await open().load(id(1));
    assert.ok(saved ? final === 'new' : ['old', 'new'].includes(final), `step ${at}`);
    assert.deepEqual(await open().problems(), []);
    if (!failed()) break;
  }
});

test('given a temporary file that a killed process left, when listed long after, then it is gone', async (t) => {
  const { open, runsFolder } = await setUp(t);
  await open().save(runOf(id(1)));
  const left = path.join(runsFolder, '.preflexor-0011223344556677.tmp');
  await writeFile(left, 'half a run');
  await utimes(left, 0, 0);
  await open().list();
  assert.deepEqual(await readdir(runsFolder), [`${id(1)}.json`]);
});

test('given a disk mounted read-only, when saved, then read-only names the folder, and listing goes on', async (t) => {
  const disk = smallDisk(t, 256);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  const runs = runsStore(disk.folder);
  await runs.save(runOf(id(1)));
  disk.makeReadOnly();
  await assert.rejects(
    runs.save(runOf(id(2))),
    (error) => PreflexorError.is(error, 'read-only') && error.message.includes(disk.folder),
  );
  await assert.rejects(runs.remove(id(1)), fails('read-only'));
  assert.deepEqual(ids(await runs.list()), [id(1)]);
});
