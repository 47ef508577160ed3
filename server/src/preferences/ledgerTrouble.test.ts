// The ledger in trouble: full disks, read-only folders, several windows, crashes. Nothing acknowledged is lost.
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PreflexorError } from '../errors.ts';
import { applicationHome, homePlaces, withLock, workspaceKey } from '../state/index.ts';
import {
  powerFailure,
  refuse,
  roomFor,
  smallDisk,
  systemError,
  temporaryFolder,
  watchedFileSystem,
  withoutWriting,
} from '../../../test/support/faultyDisk.ts';
import type { Watcher } from '../../../test/support/faultyDisk.ts';
import { openLedger } from './ledger.ts';
import type { Ledger, LedgerOptions } from './ledger.ts';
import { decisionOf, labels, startWriter } from '../../../test/support/ledgerExamples.ts';
import { waitingDecisions } from './waitingRoom.ts';

const device = 'device01';

async function setUp(t: TestContext, workspaceRoot?: string) {
  const folder = temporaryFolder(t);
  const root = workspaceRoot ?? path.join(folder, 'workspace');
  const home = applicationHome({ PREFLEXOR_HOME: path.join(folder, 'home') });
  await mkdir(root, { recursive: true });
  const open = (more: Partial<LedgerOptions> = {}) =>
    openLedger({ workspaceRoot: root, home, device, staleMs: 2000, ...more });
  const openWith = (watch: Watcher) => open({ fileSystem: watchedFileSystem(watch) });
  const file = path.join(root, '.preflexor', 'ledger', `${device}.jsonl`);
  const waitingFolder = async () => path.join(homePlaces(home).waiting, await workspaceKey(root));
  return { folder, root, home, open, openWith, file, waitingFolder };
}

async function assertHolds(ledger: Ledger, expected: readonly string[], waiting = 0) {
  const content = await ledger.read();
  assert.deepEqual(labels(content.records), expected);
  assert.deepEqual(content.problems, []);
  assert.equal(content.waiting, waiting);
}

/** A decision made while the workspace cannot be written waits, says so, counts, and moves exactly once. */
async function waitsAndMoves(
  ledger: Ledger,
  setting: Awaited<ReturnType<typeof setUp>>,
  reason: RegExp,
  heal: () => void | Promise<void>,
) {
  const already = labels((await ledger.read()).records);
  for (const label of ['second', 'third']) {
    const { warning } = await ledger.append(decisionOf(label));
    assert.match(warning ?? '', reason);
    assert.ok(warning?.includes(await setting.waitingFolder()), `the warning names the place: ${warning}`);
  }
  const before = await readFile(setting.file).catch(() => Buffer.alloc(0));
  assert.ok(before.length === 0 || before.at(-1) === 0x0a, 'no torn line is left');
  await assertHolds(ledger, [...already, 'second', 'third'], 2);
  assert.deepEqual(await waitingDecisions(setting.home), [
    { workspace: setting.root, folder: await setting.waitingFolder(), decisions: 2 },
  ]);
  await heal();
  const again = await setting.open();
  await assertHolds(again, [...already, 'second', 'third']);
  assert.equal((await again.append(decisionOf('last'))).warning, null);
  await assertHolds(ledger, [...already, 'second', 'third', 'last']);
  assert.equal((await readFile(setting.file, 'utf8')).trimEnd().split('\n').length, already.length + 3);
  assert.deepEqual(await waitingDecisions(setting.home), []);
}

test('given a disk that fills up in the middle of a line, when appended, then the line is taken back, the decision waits and moves later', async (t) => {
  const setting = await setUp(t);
  await (await setting.open()).append(decisionOf('first'));
  for (const room of [0, 1, 700]) {
    const ledger = await setting.openWith(roomFor(setting.root, room));
    const size = (await readFile(setting.file)).length;
    assert.match((await ledger.append(decisionOf('x'))).warning ?? '', /no room left/);
    assert.equal((await readFile(setting.file)).length, size);
    await rm(await setting.waitingFolder(), { recursive: true });
  }
  let full = true;
  const room = roomFor(setting.root, 700);
  const ledger = await setting.openWith((step) => (full ? room(step) : undefined));
  await waitsAndMoves(ledger, setting, /no room left on the disk/, () => {
    full = false;
  });
});

test('given a real full disk, when appended, then the decision waits in the home and moves once there is room', async (t) => {
  const disk = smallDisk(t, 64);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  const setting = await setUp(t, disk.folder);
  const ledger = await setting.open();
  await ledger.append(decisionOf('first'));
  // All pages but one are taken: the rest of the ledger's own page is free, so a write gets through in part.
  const filler = path.join(disk.folder, 'filler');
  const { bavail, bsize } = await statfs(disk.folder);
  await writeFile(filler, Buffer.alloc(bavail * bsize));
  const large = decisionOf('too large', { texts: { ...decisionOf('').texts, offered: 'x'.repeat(20_000) } });
  const { warning } = await ledger.append(large);
  assert.match(warning ?? '', /no room left/);
  await rm(await setting.waitingFolder(), { recursive: true });
  const lines = (await readFile(setting.file, 'utf8')).split('\n');
  assert.deepEqual([lines.length, lines[1]], [2, '']);
  while ((await ledger.append(decisionOf('filling'))).warning === null) continue;
  await rm(await setting.waitingFolder(), { recursive: true });
  await waitsAndMoves(ledger, setting, /no room left on the disk/, () => rm(filler));
});

test('given a folder that refuses writing, when appended, then the decision waits in the home and moves later', async (t) => {
  for (const code of ['EROFS', 'EACCES', 'EIO']) {
    const setting = await setUp(t);
    let refusing = true;
    const refusal = refuse(setting.root, code);
    const ledger = await setting.openWith((step) => (refusing ? refusal(step) : undefined));
    await waitsAndMoves(ledger, setting, code === 'EIO' ? /EIO/ : /cannot be written/, () => {
      refusing = false;
    });
  }
});

test('given a disk mounted read-only, when appended, then the decision waits, and reading goes on', async (t) => {
  const disk = smallDisk(t, 256);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  const setting = await setUp(t, disk.folder);
  const ledger = await setting.open();
  await ledger.append(decisionOf('first'));
  disk.makeReadOnly();
  const { warning } = await ledger.append(decisionOf('second'));
  assert.match(warning ?? '', /cannot be written/);
  await assertHolds(await setting.open(), ['first', 'second'], 1);
});

test('given a folder without write permission, when appended, then the decision waits', async (t) => {
  const setting = await setUp(t);
  const ledger = await setting.open();
  const why = await withoutWriting(setting.root, async () => {
    assert.match((await ledger.append(decisionOf('one'))).warning ?? '', /cannot be written/);
  });
  if (why !== null) {
    t.skip(why);
    return;
  }
  await assertHolds(await setting.open(), ['one']);
});

test('given a workspace that was deleted or has a file in the way, when appended, then the decision waits', async (t) => {
  const gone = await setUp(t);
  const ledger = await gone.open();
  await rm(gone.root, { recursive: true });
  assert.match((await ledger.append(decisionOf('one'))).warning ?? '', /is not there/);
  await assert.rejects(readdir(gone.root), /ENOENT/);
  const blocked = await setUp(t);
  await writeFile(path.join(blocked.root, '.preflexor'), '');
  assert.match((await (await blocked.open()).append(decisionOf('one'))).warning ?? '', /is not a folder/);
});

test('given a home that cannot be written, when appended, then the ledger is written all the same', async (t) => {
  const setting = await setUp(t);
  await writeFile(setting.home, 'a file where the home should be');
  const ledger = await setting.open();
  assert.equal((await ledger.append(decisionOf('one'))).warning, null);
  await assertHolds(ledger, ['one']);
  assert.deepEqual((await readdir(path.join(setting.root, '.preflexor'))).sort(), ['.gitignore', 'ledger']);
});

test('given neither place can be written, when appended, then ledger-failed says both and nothing is kept', async (t) => {
  const setting = await setUp(t);
  let refusing = true;
  const ledger = await setting.openWith(({ file }) => {
    if (refusing) throw systemError(file.startsWith(setting.root) ? 'EROFS' : 'ENOSPC');
    return undefined;
  });
  await assert.rejects(ledger.append(decisionOf('lost')), (error) => {
    assert.ok(PreflexorError.is(error, 'ledger-failed'));
    assert.match(error.message, /not kept.*cannot be written.*no room left/);
    assert.ok(error.remedy?.includes(setting.home) && error.cause instanceof AggregateError);
    return true;
  });
  refusing = false;
  await assertHolds(ledger, []);
  await ledger.append(decisionOf('kept'));
  await assertHolds(await setting.open(), ['kept']);
});

test('given decisions made together, when the second of them can wait nowhere, then none of them is kept', async (t) => {
  const setting = await setUp(t);
  let refusing = true;
  let files = 0;
  const ledger = await setting.openWith(({ file, operation }) => {
    if (!refusing) return undefined;
    if (file.startsWith(setting.root)) throw systemError('EROFS');
    if (operation === 'rename' && file.endsWith('.jsonl') && (files += 1) === 2) throw systemError('ENOSPC');
    return undefined;
  });
  const together = ledger.appendAll([decisionOf('one'), decisionOf('two')]);
  await assert.rejects(together, (error) => PreflexorError.is(error, 'ledger-failed'));
  assert.equal(files, 2);
  refusing = false;
  await assertHolds(ledger, []);
});

test('given decisions made together and a folder that refuses writing, when appended, then all of them wait and move later', async (t) => {
  const setting = await setUp(t);
  let refusing = true;
  const refusal = refuse(setting.root, 'EROFS');
  const ledger = await setting.openWith((step) => (refusing ? refusal(step) : undefined));
  const { records, warning } = await ledger.appendAll([decisionOf('one'), decisionOf('two')]);
  assert.match(warning ?? '', /cannot be written/);
  assert.deepEqual(labels(records), ['one', 'two']);
  refusing = false;
  await ledger.append(decisionOf('three'));
  await assertHolds(await setting.open(), ['one', 'two', 'three']);
});

test('given another window that does not let go of the lock, when appended, then waiting ends and the decision waits', async (t) => {
  const setting = await setUp(t);
  const ledger = await setting.open({ waitMs: 30 });
  const lock = path.join(homePlaces(setting.home).locks, `${await workspaceKey(setting.root)}.lock`);
  await withLock([lock], async () => {
    assert.match((await ledger.append(decisionOf('one'))).warning ?? '', /Another PRefLexOR window/);
  });
  await ledger.append(decisionOf('two'));
  await assertHolds(ledger, ['one', 'two']);
});

test('given waiting decisions that cannot move, when one is appended to the ledger, then a warning says what still waits', async (t) => {
  const setting = await setUp(t);
  await (await setting.openWith(refuse(setting.root, 'EROFS'))).append(decisionOf('waiting'));
  const folder = await setting.waitingFolder();
  const ledger = await setting.openWith(({ operation, file }) => {
    if (operation === 'unlink' && path.dirname(file) === folder) throw systemError('EACCES');
    return undefined;
  });
  assert.match((await ledger.append(decisionOf('new'))).warning ?? '', /Earlier decisions still wait/);
  await assertHolds(ledger, ['waiting', 'new']);
  await assertHolds(await setting.open(), ['waiting', 'new']);
  assert.equal((await readFile(setting.file, 'utf8')).trimEnd().split('\n').length, 2);
});

test('given a damaged waiting file, when read and moved, then it is named and left, and the others move', async (t) => {
  const setting = await setUp(t);
  await (await setting.openWith(refuse(setting.root, 'EROFS'))).append(decisionOf('waiting'));
  const damaged = path.join(await setting.waitingFolder(), `${device}.01JDF3Z0000000000000000000.jsonl`);
  await writeFile(damaged, '{"schema":1,');
  const { records, problems, waiting } = await (await setting.open()).read();
  assert.deepEqual([labels(records), problems.map(({ file }) => file), waiting], [['waiting'], [damaged], 0]);
});

test('given a power failure at any step of an append that also moves waiting decisions, when all is up again, then nothing acknowledged is lost and nothing is there twice', async (t) => {
  let outcomes = 0;
  for (let at = 0; ; at += 1) {
    const setting = await setUp(t);
    const first = await setting.open();
    await first.append(decisionOf('first'));
    const refusing = await setting.openWith(refuse(setting.root, 'EROFS'));
    await refusing.append(decisionOf('second'));
    await refusing.append(decisionOf('third'));
    const { watch, failed } = powerFailure(at);
    const acknowledged = await setting
      .openWith(watch)
      .then((ledger) => ledger.append(decisionOf('fourth')))
      .then(
        () => true,
        () => false,
      );
    const after = await setting.open();
    await after.append(decisionOf('fifth'));
    const { records, problems, waiting } = await after.read();
    const found = labels(records);
    assert.deepEqual(
      found.filter((label) => label !== 'fourth'),
      ['first', 'second', 'third', 'fifth'],
      `step ${at}`,
    );
    assert.ok(!acknowledged || found.includes('fourth'), `step ${at}`);
    assert.equal(waiting, 0);
    assert.ok(problems.length <= 1, `step ${at}: ${JSON.stringify(problems)}`);
    const ids = (await readFile(setting.file, 'utf8'))
      .split('\n')
      .flatMap((line) => /^\{"schema":1,"id":"(\w{26})".*\}$/.exec(line)?.[1] ?? []);
    assert.deepEqual(ids, [...new Set(ids)], `step ${at}`);
    outcomes += 1;
    if (!failed()) break;
  }
  assert.ok(outcomes >= 10, `only ${outcomes} steps`);
});

test('given a power failure at any step of the very first append, when all is up again, then the ledger works', async (t) => {
  for (let at = 0; ; at += 1) {
    const setting = await setUp(t);
    const { watch, failed } = powerFailure(at);
    const acknowledged = await setting
      .openWith(watch)
      .then((ledger) => ledger.append(decisionOf('first')))
      .then(
        () => true,
        () => false,
      );
    const after = await setting.open();
    assert.equal((await after.append(decisionOf('second'))).warning, null);
    const found = labels((await after.read()).records);
    assert.equal(found.at(-1), 'second');
    assert.ok(!acknowledged || found[0] === 'first', `step ${at}`);
    const ignore = await readFile(path.join(setting.root, '.preflexor', '.gitignore'), 'utf8');
    assert.match(ignore, /\*\.lock/);
    if (!failed()) break;
    assert.ok(!acknowledged, `step ${at}`);
  }
});

test('given several processes that append at once while another reads, when all are done, then every record is there, whole and once', async (t) => {
  const setting = await setUp(t);
  const names = ['a', 'b', 'c'];
  const count = 25;
  let done = false;
  const reader = await setting.open();
  const reading = (async () => {
    let seen = 0;
    while (!done) {
      const { records, problems } = await reader.read();
      assert.deepEqual(problems, []);
      assert.ok(records.length >= seen, 'a record that was seen is gone');
      seen = records.length;
      await delay(15);
    }
  })();
  const outcomes = await Promise.all(
    names.map((name) => startWriter({ workspaceRoot: setting.root, home: setting.home, name, count })),
  );
  done = true;
  await reading;
  for (const { errors } of outcomes) assert.equal(errors, '');
  const { records, problems } = await reader.read();
  assert.deepEqual(problems, []);
  assert.deepEqual(
    records.map(({ id }) => id),
    outcomes.flatMap(({ acknowledged }) => acknowledged).sort(),
  );
  for (const name of names) {
    const own = labels(records).filter((label) => label.startsWith(name));
    assert.deepEqual(
      own,
      Array.from({ length: count }, (_, index) => `${name} ${index}`),
    );
  }
  const [file] = await readdir(path.dirname(setting.file));
  const inFile = (await readFile(path.join(path.dirname(setting.file), file ?? ''), 'utf8'))
    .trimEnd()
    .split('\n');
  assert.deepEqual(
    inFile.map((line) => (JSON.parse(line) as { id: string }).id),
    records.map(({ id }) => id),
  );
});

test('given a process that is killed at a random moment, when the next one goes on, then every acknowledged record is there', async (t) => {
  const rounds = Array.from({ length: 6 }, () => 1 + Math.floor(Math.random() * 20));
  await Promise.all(
    rounds.map(async (killAfter) => {
      const setting = await setUp(t);
      const where = { workspaceRoot: setting.root, home: setting.home };
      const killed = await startWriter({ ...where, name: 'killed', count: 10_000 }, (soFar, kill) => {
        if (soFar === killAfter) setTimeout(kill, Math.random() * 4);
      });
      assert.equal(killed.signal, 'SIGKILL', killed.errors);
      assert.ok(killed.acknowledged.length >= killAfter);
      const next = await openLedger({ ...where, staleMs: 2000 });
      assert.equal((await next.append(decisionOf('next'))).warning, null);
      const { records, problems } = await next.read();
      const ids = new Set(records.map(({ id }) => id));
      assert.deepEqual(
        killed.acknowledged.filter((id) => !ids.has(id)),
        [],
        `killed after ${killAfter}`,
      );
      // At most one more than was acknowledged: written, but the process died before it could say so.
      assert.ok(records.length - killed.acknowledged.length <= 2);
      assert.ok(problems.length <= 1);
    }),
  );
});

test('given a process that is killed with half a line written, when the next one appends, then the torn line is named and alone', async (t) => {
  const setting = await setUp(t);
  const where = { workspaceRoot: setting.root, home: setting.home };
  const killed = await startWriter({ ...where, name: 'killed', count: 10, tear: 3 });
  assert.equal(killed.signal, 'SIGKILL', killed.errors);
  assert.equal(killed.acknowledged.length, 3);
  const next = await openLedger({ ...where, staleMs: 2000 });
  const torn = (await next.read()).problems;
  assert.deepEqual(
    torn.map(({ line }) => line),
    [4],
  );
  await next.append(decisionOf('next'));
  const { records, problems } = await next.read();
  assert.deepEqual(labels(records), ['killed 0', 'killed 1', 'killed 2', 'next']);
  assert.deepEqual(problems, torn);
});
