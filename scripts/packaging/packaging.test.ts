import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { repository } from '../setup/paths.ts';
import { isIntact, obtainPackages } from './fetch.ts';
import { isNeeded } from './files.ts';
import { choosePackages, readLock, type Lock } from './packages.ts';
import { packageFolder } from './reach.ts';
import { targetNamed, targets } from './targets.ts';
import { filesIn, obtainTrainer } from './trainer.ts';

const linux = targetNamed('linux-x64');
const libraries = [
  'node_modules/@lancedb/lancedb',
  'node_modules/node-llama-cpp',
  'node_modules/apache-arrow',
];

function natives(lock: Lock, name: string): string[] {
  const chosen = choosePackages(lock, libraries, targetNamed(name));
  return chosen.filter(({ native }) => native).map((one) => one.name);
}

async function folderWith(t: TestContext, ...names: string[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-packaging-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of names) await writeFile(path.join(folder, name), '');
  return folder;
}

test('given our lock file, when packages are chosen for a platform, then of what is native only its own come along', async () => {
  const lock = await readLock(repository);
  assert.deepEqual(natives(lock, 'linux-x64'), [
    '@lancedb/lancedb-linux-x64-gnu',
    '@node-llama-cpp/linux-x64',
    '@node-llama-cpp/linux-x64-vulkan',
  ]);
  assert.deepEqual(natives(lock, 'linux-arm64'), [
    '@lancedb/lancedb-linux-arm64-gnu',
    '@node-llama-cpp/linux-arm64',
  ]);
  assert.deepEqual(natives(lock, 'darwin-arm64'), [
    '@lancedb/lancedb-darwin-arm64',
    '@node-llama-cpp/mac-arm64-metal',
  ]);
  assert.deepEqual(natives(lock, 'win32-x64'), [
    '@lancedb/lancedb-win32-x64-msvc',
    '@node-llama-cpp/win-x64',
    '@node-llama-cpp/win-x64-vulkan',
  ]);
});

test('given a platform that LanceDB is not made for, when packages are chosen, then it is refused by name', async () => {
  const lock = await readLock(repository);
  assert.throws(() => natives(lock, 'darwin-x64'), /@lancedb\/lancedb .* does not exist for darwin-x64/);
});

test('given a name that is no platform, when it is looked up, then the known ones are named', () => {
  assert.throws(() => targetNamed('linux-armhf'), { remedy: /linux-x64.*win32-x64/ });
});

test('given a package that is not installed and has no integrity in the lock file, when it is obtained, then it is refused', async () => {
  const unknown = {
    folder: 'node_modules/@lancedb/lancedb-win32-x64-msvc',
    name: '@lancedb/lancedb-win32-x64-msvc',
    version: '0.0.0',
    integrity: null,
    native: true,
  };
  await assert.rejects(
    obtainPackages([unknown], targetNamed('win32-x64')),
    /no integrity for @lancedb.*@0\.0\.0/,
  );
});

test('given bytes and the hashes of a lock file, when compared, then one that fits is enough and none is not', () => {
  const bytes = Buffer.from('a package');
  const right = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  const wrong = `sha512-${createHash('sha512').update('another').digest('base64')}`;
  assert.ok(isIntact(bytes, right));
  assert.ok(isIntact(bytes, `${wrong} ${right}`));
  assert.ok(!isIntact(bytes, wrong));
  assert.ok(!isIntact(bytes, ''));
  // Broken long ago: it proves nothing.
  assert.ok(!isIntact(bytes, `sha1-${createHash('sha1').update(bytes).digest('base64')}`));
});

test('given files of packages, when asked which are needed, then code, data and licences are, and the rest is not', () => {
  const needed = [
    ['node-llama-cpp', 'dist/index.js'],
    ['node-llama-cpp', 'llama/llama.cpp.info.json'],
    ['pdfjs-dist', 'legacy/build/pdf.worker.mjs'],
    ['pdfjs-dist', 'cmaps/78-H.bcmap'],
    ['pdfjs-dist', 'LICENSE'],
    ['anything', 'lib/test.js'],
    ['anything', 'LICENSE.md'],
  ] as const;
  const idle = [
    ['node-llama-cpp', 'llama/gitRelease.bundle'],
    ['node-llama-cpp', 'dist/index.d.ts'],
    ['node-llama-cpp', 'node_modules/ora/index.js'],
    ['pdfjs-dist', 'build/pdf.mjs'],
    ['anything', 'README.md'],
    ['anything', 'test/all.js'],
    ['anything', 'dist/index.js.map'],
  ] as const;
  assert.deepEqual(
    needed.filter(([name, file]) => !isNeeded(name, file)),
    [],
  );
  assert.deepEqual(
    idle.filter(([name, file]) => isNeeded(name, file)),
    [],
  );
});

test('given a file of a package inside a package, when its package is asked for, then it is the inner one', () => {
  assert.equal(
    packageFolder('node_modules/a/node_modules/@b/c/index.js'),
    'node_modules/a/node_modules/@b/c',
  );
  assert.equal(packageFolder('server/src/cli.ts'), undefined);
});

test('given a folder with the trainer, when its files are asked for, then OpenBLAS comes with its licence or not at all', async (t) => {
  const { program, blas } = linux.trainer;
  const whole = await folderWith(t, program, blas, 'OpenBLAS-LICENSE.txt', 'CMakeCache.txt');
  assert.deepEqual(
    filesIn(whole, linux).map((file) => path.basename(file)),
    [program, blas, 'OpenBLAS-LICENSE.txt'],
  );
  assert.equal(filesIn(await folderWith(t, program), linux).length, 1);
  const unlicensed = await folderWith(t, program, blas);
  assert.throws(() => filesIn(unlicensed, linux), /without OpenBLAS-LICENSE\.txt/);
  const empty = await folderWith(t);
  assert.throws(() => filesIn(empty, linux), /holds no preflexor-trainer/);
});

test('given another platform and no trainer for it, when one is asked for, then it says where to build it', async () => {
  const foreign = targets.find(({ os }) => os !== process.platform);
  assert.ok(foreign);
  await assert.rejects(obtainTrainer(foreign, null), { remedy: /build:native.*--trainer/ });
});
