import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { makeFolders, removeLeftovers, writeDurably } from './durable.ts';
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

const fails = (code: string) => (error: unknown) => PreflexorError.is(error, code as PreflexorError['code']);

test('given no file, when written, then it holds the data and nothing else is left in the folder', async (t) => {
  const folder = temporaryFolder(t);
  await writeDurably(path.join(folder, 'a.json'), 'αβγ 🙂');
  assert.equal(await readFile(path.join(folder, 'a.json'), 'utf8'), 'αβγ 🙂');
  assert.deepEqual(await readdir(folder), ['a.json']);
});

test('given text in pieces, when written, then the file holds all of it', async (t) => {
  const folder = temporaryFolder(t);
  async function* pieces(): AsyncGenerator<string> {
    for (const piece of ['αβ', 'γ ', '🙂']) yield await Promise.resolve(piece);
  }
  await writeDurably(path.join(folder, 'a.json'), pieces());
  assert.equal(await readFile(path.join(folder, 'a.json'), 'utf8'), 'αβγ 🙂');
});

test('given text in pieces, when one of them fails to come, then the old file stands alone', async (t) => {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'a.json'), 'old');
  async function* pieces(): AsyncGenerator<string> {
    yield await Promise.resolve('new');
    throw new PreflexorError('cancelled', 'Stopped.');
  }
  await assert.rejects(writeDurably(path.join(folder, 'a.json'), pieces()), fails('cancelled'));
  assert.equal(await readFile(path.join(folder, 'a.json'), 'utf8'), 'old');
  assert.deepEqual(await readdir(folder), ['a.json']);
});

test('given a name as long as names can be, when written, then the temporary name still fits', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'n'.repeat(255));
  await writeDurably(file, Buffer.from([0, 255, 10]));
  assert.deepEqual(await readFile(file), Buffer.from([0, 255, 10]));
});

test('given a power failure at any step, when a file is replaced, then it is whole: the old or the new', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'note.md');
  const seen = new Set<string>();
  for (let at = 0; ; at += 1) {
    await writeFile(file, 'old text');
    const { watch, failed } = powerFailure(at);
    await writeDurably(file, 'the new text', { fileSystem: watchedFileSystem(watch) }).catch(() => undefined);
    const now = await readFile(file, 'utf8');
    seen.add(now);
    assert.ok(now === 'old text' || now === 'the new text', `after step ${at}: ${now}`);
    if (!failed()) break;
  }
  assert.deepEqual([...seen], ['old text', 'the new text']);
});

test('given a disk that fills up, when written, then disk-full names the folder and the old file stands', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'a');
  await writeFile(file, 'old');
  for (const code of ['ENOSPC', 'EDQUOT']) {
    const watch = code === 'ENOSPC' ? roomFor(folder, 5) : refuse(folder, code);
    await assert.rejects(
      writeDurably(file, 'longer than five', { fileSystem: watchedFileSystem(watch) }),
      (error) => {
        assert.ok(PreflexorError.is(error, 'disk-full'));
        assert.ok(error.message.includes(folder) && error.remedy);
        return true;
      },
    );
    assert.deepEqual(await readdir(folder), ['a']);
    assert.equal(await readFile(file, 'utf8'), 'old');
  }
});

test('given a real full disk, when written, then disk-full and no temporary file is left', async (t) => {
  const disk = smallDisk(t, 64);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  const file = path.join(disk.folder, 'a');
  await writeDurably(file, 'old');
  await assert.rejects(writeDurably(file, Buffer.alloc(100_000, 'x')), fails('disk-full'));
  assert.deepEqual(await readdir(disk.folder), ['a']);
  assert.equal(await readFile(file, 'utf8'), 'old');
});

test('given a folder that may not be written, when written, then read-only names it', async (t) => {
  const folder = temporaryFolder(t);
  for (const code of ['EROFS', 'EACCES', 'EPERM']) {
    const fileSystem = watchedFileSystem(refuse(folder, code));
    await assert.rejects(writeDurably(path.join(folder, 'a'), 'x', { fileSystem }), fails('read-only'));
  }
});

test('given a disk mounted read-only, when written, then read-only', async (t) => {
  const disk = smallDisk(t, 64);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  disk.makeReadOnly();
  await assert.rejects(writeDurably(path.join(disk.folder, 'a'), 'x'), fails('read-only'));
  await assert.rejects(makeFolders(path.join(disk.folder, 'b', 'c')), fails('read-only'));
});

test('given a folder without write permission, when written, then read-only', async (t) => {
  const folder = temporaryFolder(t);
  const why = await withoutWriting(folder, async () => {
    await assert.rejects(writeDurably(path.join(folder, 'a'), 'x'), fails('read-only'));
  });
  if (why !== null) t.skip(why);
});

test('given a file that may not be written in a folder that may, when written, then read-only and unchanged', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'a');
  await writeFile(file, 'old');
  const fileSystem = {
    ...watchedFileSystem(() => undefined),
    access: () => Promise.reject(systemError('EACCES')),
  };
  await assert.rejects(writeDurably(file, 'new', { fileSystem }), fails('read-only'));
  assert.equal(await readFile(file, 'utf8'), 'old');
});

test(
  'given a file with permissions of its own, when replaced, then they stay',
  { skip: process.platform === 'win32' },
  async (t) => {
    const file = path.join(temporaryFolder(t), 'a');
    await writeFile(file, 'old');
    await chmod(file, 0o640);
    await writeDurably(file, 'new');
    assert.equal((await stat(file)).mode & 0o777, 0o640);
  },
);

test(
  'given a link to a file, when written, then the file behind it is replaced and the link stays',
  { skip: process.platform === 'win32' },
  async (t) => {
    const folder = temporaryFolder(t);
    await mkdir(path.join(folder, 'elsewhere'));
    await writeFile(path.join(folder, 'elsewhere', 'a'), 'old');
    await symlink(path.join('elsewhere', 'a'), path.join(folder, 'link'));
    await writeDurably(path.join(folder, 'link'), 'new');
    assert.equal(await readFile(path.join(folder, 'elsewhere', 'a'), 'utf8'), 'new');
    assert.deepEqual((await readdir(folder)).sort(), ['elsewhere', 'link']);
  },
);

test('given a folder where the file should be, when written, then bad-input', async (t) => {
  const folder = temporaryFolder(t);
  await assert.rejects(writeDurably(folder, 'x'), fails('bad-input'));
});

test('given Windows, where others may hold the file open for a moment, when written, then the rename is tried again and no folder is synced', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'a');
  let renames = 0;
  const fileSystem = watchedFileSystem(({ operation, file: changed }) => {
    if (operation === 'rename' && (renames += 1) < 3) throw systemError('EPERM');
    assert.ok(operation !== 'sync' || changed !== folder, 'the folder was synced');
    return undefined;
  });
  await writeDurably(file, 'x', { fileSystem, platform: 'win32' });
  assert.equal(renames, 3);
  assert.equal(await readFile(file, 'utf8'), 'x');
});

test('given a file system that cannot sync folders, when written, then that is no failure; a real input error is', async (t) => {
  const folder = temporaryFolder(t);
  const syncFails = (code: string) =>
    watchedFileSystem(({ operation, file }) => {
      if (operation === 'sync' && file === folder) throw systemError(code);
      return undefined;
    });
  await writeDurably(path.join(folder, 'a'), 'x', { fileSystem: syncFails('EINVAL'), platform: 'linux' });
  await assert.rejects(
    writeDurably(path.join(folder, 'a'), 'y', { fileSystem: syncFails('EIO'), platform: 'linux' }),
    /EIO/,
  );
});

test('given missing folders, when made below one that must exist, then they are made, but never that one', async (t) => {
  const folder = temporaryFolder(t);
  await makeFolders(path.join(folder, 'a', 'b'), { within: folder });
  assert.ok((await stat(path.join(folder, 'a', 'b'))).isDirectory());
  const gone = path.join(folder, 'gone');
  await assert.rejects(makeFolders(path.join(gone, 'a'), { within: gone }), fails('bad-input'));
  await writeFile(path.join(folder, 'file'), '');
  await assert.rejects(makeFolders(path.join(folder, 'file')), fails('bad-input'));
});

test('given temporary files of a killed process, when swept, then only old ones of ours go', async (t) => {
  const folder = temporaryFolder(t);
  const long = new Date(Date.now() - 7_200_000);
  for (const name of ['.preflexor-old.tmp', '.preflexor-new.tmp', 'theirs.tmp'])
    await writeFile(path.join(folder, name), '');
  for (const name of ['.preflexor-old.tmp', 'theirs.tmp']) await utimes(path.join(folder, name), long, long);
  await removeLeftovers(folder);
  assert.deepEqual((await readdir(folder)).sort(), ['.preflexor-new.tmp', 'theirs.tmp']);
  await removeLeftovers(path.join(folder, 'not there'));
});
