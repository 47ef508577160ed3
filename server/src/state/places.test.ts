import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import {
  applicationHome,
  deviceId,
  homePlaces,
  noteHash,
  prepareWorkspace,
  relativeNotePath,
  workspaceKey,
  workspaceOf,
  workspacePlaces,
} from './places.ts';
import { refuse, temporaryFolder, watchedFileSystem } from '../../../test/support/faultyDisk.ts';

const fails = (code: PreflexorError['code']) => (error: unknown) => PreflexorError.is(error, code);

test('given each system, when the application home is asked for, then it is where applications keep data there', () => {
  const user = { HOME: '/home/ada' };
  assert.equal(applicationHome(user, 'linux'), '/home/ada/.local/share/preflexor');
  assert.equal(applicationHome({ ...user, XDG_DATA_HOME: '/data' }, 'linux'), '/data/preflexor');
  assert.equal(
    applicationHome({ ...user, XDG_DATA_HOME: 'relative' }, 'linux'),
    '/home/ada/.local/share/preflexor',
  );
  assert.equal(applicationHome(user, 'darwin'), '/home/ada/Library/Application Support/preflexor');
  const windows = { LOCALAPPDATA: 'C:\\Users\\ada\\AppData\\Local' };
  assert.equal(applicationHome(windows, 'win32'), 'C:\\Users\\ada\\AppData\\Local\\preflexor');
  assert.equal(
    applicationHome({ USERPROFILE: 'C:\\Users\\ada' }, 'win32'),
    'C:\\Users\\ada\\AppData\\Local\\preflexor',
  );
  assert.equal(applicationHome({}, 'linux'), path.posix.join(os.homedir(), '.local/share/preflexor'));
});

test('given $PREFLEXOR_HOME, when the application home is asked for, then it is that; empty counts as unset', () => {
  assert.equal(applicationHome({ PREFLEXOR_HOME: '/big/disk', HOME: '/home/ada' }, 'linux'), '/big/disk');
  assert.equal(applicationHome({ PREFLEXOR_HOME: 'D:\\models' }, 'win32'), 'D:\\models');
  assert.equal(
    applicationHome({ PREFLEXOR_HOME: '', HOME: '/home/ada' }, 'linux'),
    '/home/ada/.local/share/preflexor',
  );
});

test('given a note, when its workspace is asked for, then --workspace, the nearest .preflexor, its own folder', async (t) => {
  const root = temporaryFolder(t);
  const deep = path.join(root, 'a', 'b', 'c');
  const note = path.join(deep, 'note.md');
  await mkdir(deep, { recursive: true });
  assert.equal(await workspaceOf({ note }), deep);
  assert.equal(await workspaceOf({ folder: deep }), deep);
  await mkdir(path.join(root, '.preflexor'));
  assert.equal(await workspaceOf({ note }), root);
  await mkdir(path.join(root, 'a', '.preflexor'));
  assert.equal(await workspaceOf({ note }), path.join(root, 'a'));
  assert.equal(await workspaceOf({ folder: deep }), path.join(root, 'a'));
  assert.equal(await workspaceOf({ note, workspace: path.join(root, 'a', 'b') }), path.join(root, 'a', 'b'));
});

test('given a .preflexor that is a file or the application home, when the workspace is asked for, then it does not count', async (t) => {
  const root = temporaryFolder(t);
  await mkdir(path.join(root, 'a', 'b'), { recursive: true });
  await writeFile(path.join(root, 'a', '.preflexor'), '');
  await mkdir(path.join(root, '.preflexor'));
  const note = path.join(root, 'a', 'b', 'note.md');
  assert.equal(await workspaceOf({ note }), root);
  assert.equal(await workspaceOf({ note, home: path.join(root, '.preflexor') }), path.join(root, 'a', 'b'));
});

test('given a --workspace that is no folder, when asked for, then bad-input', async (t) => {
  const root = temporaryFolder(t);
  await writeFile(path.join(root, 'file'), '');
  await assert.rejects(workspaceOf({ workspace: path.join(root, 'missing') }), fails('bad-input'));
  await assert.rejects(workspaceOf({ workspace: path.join(root, 'file') }), fails('bad-input'));
});

test('given a workspace, when first needed, then .preflexor appears with its .gitignore, which is never rewritten', async (t) => {
  const root = temporaryFolder(t);
  const places = workspacePlaces(root);
  await prepareWorkspace(places, 'ledger');
  assert.deepEqual((await readdir(places.folder)).sort(), ['.gitignore', 'ledger']);
  const ignore = path.join(places.folder, '.gitignore');
  await writeFile(ignore, 'mine\n');
  await prepareWorkspace(places, 'runs');
  assert.equal(await readFile(ignore, 'utf8'), 'mine\n');
  assert.deepEqual((await readdir(places.folder)).sort(), ['.gitignore', 'ledger', 'runs']);
});

test('given the .gitignore, when git looks, then ledger and runs are kept and temporary files and locks are not', async (t) => {
  const root = temporaryFolder(t);
  const run = promisify(execFile);
  const git = async (...words: string[]) => (await run('git', words, { cwd: root })).stdout;
  try {
    await git('init', '--quiet');
  } catch (error) {
    t.skip(`git does not run here: ${String(error)}`);
    return;
  }
  const places = workspacePlaces(root);
  await prepareWorkspace(places, 'ledger');
  await prepareWorkspace(places, 'runs');
  await mkdir(path.join(places.folder, 'ledger.lock'));
  const files = ['ledger/abcd1234.jsonl', 'runs/R.json', 'runs/.preflexor-0a.tmp', 'ledger.lock/x'];
  for (const file of files) await writeFile(path.join(places.folder, file), 'x');
  const listed = await git('ls-files', '--others', '--exclude-standard');
  assert.deepEqual(listed.trim().split('\n').sort(), [
    '.preflexor/.gitignore',
    '.preflexor/ledger/abcd1234.jsonl',
    '.preflexor/runs/R.json',
  ]);
});

test('given a workspace folder that was deleted, when prepared, then it is not made again', async (t) => {
  const root = path.join(temporaryFolder(t), 'gone');
  await assert.rejects(prepareWorkspace(workspacePlaces(root), 'ledger'), fails('bad-input'));
  await assert.rejects(readdir(root), /ENOENT/);
});

test(
  'given a link to a workspace, when its key is asked for, then it is the key of the workspace',
  { skip: process.platform === 'win32' },
  async (t) => {
    const folder = temporaryFolder(t);
    await mkdir(path.join(folder, 'real'));
    await symlink('real', path.join(folder, 'link'));
    const key = await workspaceKey(path.join(folder, 'real'));
    assert.match(key, /^[0-9a-f]{32}$/);
    assert.equal(await workspaceKey(path.join(folder, 'link')), key);
    assert.notEqual(await workspaceKey(folder), key);
    await rm(path.join(folder, 'real'), { recursive: true });
    assert.equal(await workspaceKey(path.join(folder, 'real')), key);
  },
);

test('given a home, when the device id is asked for twice, then it is the same, and of the right form', async (t) => {
  const home = path.join(temporaryFolder(t), 'not', 'there', 'yet');
  const id = await deviceId(home);
  assert.match(id, /^[0-9a-z]{12}$/);
  assert.equal(await deviceId(home), id);
  assert.notEqual(await deviceId(temporaryFolder(t)), id);
});

test('given a device file without an id, when asked for, then a new one is made and kept', async (t) => {
  const home = temporaryFolder(t);
  for (const damaged of ['', '\0\0\0\0', '../../etc/passwd', 'UPPER CASE ID']) {
    await writeFile(homePlaces(home).device, damaged);
    const id = await deviceId(home);
    assert.match(id, /^[0-9a-z]{12}$/);
    assert.equal(await deviceId(home), id);
  }
});

test('given several processes that ask at the same moment, when they are done, then all have the same id', async (t) => {
  const home = path.join(temporaryFolder(t), 'home');
  const script = `const { deviceId } = await import(${JSON.stringify(new URL('./places.ts', import.meta.url).href)});
    console.log((await Promise.all([deviceId(process.argv[1]), deviceId(process.argv[1])])).join('\\n'))`;
  const run = promisify(execFile);
  const asked = await Promise.all(
    [1, 2, 3, 4].map(() => run(process.execPath, ['--input-type=module', '--eval', script, home])),
  );
  const ids = asked.flatMap(({ stdout }) => stdout.trim().split('\n'));
  assert.equal(ids.length, 8);
  assert.deepEqual(new Set(ids), new Set([await deviceId(home)]));
});

test('given a home that cannot be written, when the first device id is asked for, then read-only', async (t) => {
  const home = temporaryFolder(t);
  await assert.rejects(
    deviceId(home, { fileSystem: watchedFileSystem(refuse(home, 'EROFS')) }),
    fails('read-only'),
  );
});

test('given a text, when hashed, then it is the sha256 of its UTF-8', () => {
  assert.equal(noteHash('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(noteHash('é🙂').length, 64);
});

test('given a note in the workspace, when its path is recorded, then it is relative with forward slashes', () => {
  assert.equal(relativeNotePath('/ws', '/ws/a/b.md', 'linux'), 'a/b.md');
  assert.equal(relativeNotePath('/ws/', '/ws/..a.md', 'linux'), '..a.md');
  assert.equal(relativeNotePath('/ws', '/ws/back\\slash.md', 'linux'), 'back\\slash.md');
  assert.equal(relativeNotePath('C:\\ws', 'c:\\WS\\a\\b.md', 'win32'), 'a/b.md');
});

test('given a note outside the workspace, when its path is recorded, then it is refused', () => {
  for (const note of ['/ws', '/', '/wsx/a.md', '/ws/../a.md', '/other/ws/a.md']) {
    assert.throws(() => relativeNotePath('/ws', note, 'linux'), fails('bad-input'), note);
  }
  assert.throws(() => relativeNotePath('C:\\ws', 'D:\\ws\\a.md', 'win32'), fails('bad-input'));
});

test(
  'given a workspace named through a link, when a note in it is recorded by its real path, then it is found inside',
  { skip: process.platform === 'win32' },
  async (t) => {
    const folder = temporaryFolder(t);
    await mkdir(path.join(folder, 'real'));
    await writeFile(path.join(folder, 'real', 'a.md'), '');
    await symlink('real', path.join(folder, 'link'));
    assert.equal(relativeNotePath(path.join(folder, 'link'), path.join(folder, 'real', 'a.md')), 'a.md');
  },
);

test('given any path, when recorded, then it either leads back to the same file or is refused', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', 'a', '..b', 'c d', 'ü'),
    fc.string({ minLength: 1 }).filter((name) => !/[/\0]/.test(name)),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      const file = path.posix.join('/nowhere/ws', ...parts);
      let relative: string;
      try {
        relative = relativeNotePath('/nowhere/ws', file, 'linux');
      } catch (error) {
        assert.ok(!file.startsWith('/nowhere/ws/') || file === '/nowhere/ws/');
        return PreflexorError.is(error, 'bad-input');
      }
      return (
        path.posix.join('/nowhere/ws', relative) === path.posix.resolve(file) &&
        !relative.split('/').includes('..')
      );
    }),
  );
});
