import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { temporaryFolder } from './testing/tinyAdapters.ts';
import { findTrainer } from './trainerPlace.ts';

const linux = { platform: 'linux', architecture: 'x64', environment: {} } as const;

async function root(t: TestContext, ...programs: string[]): Promise<string> {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64'), { recursive: true });
  for (const program of programs) {
    await mkdir(join(folder, program, '..'), { recursive: true });
    await writeFile(join(folder, program), '');
  }
  return folder;
}

test('given a packaged trainer and one that was built, when looked for, then the packaged one is taken', async (t) => {
  const packaged = 'trainer/linux-x64/preflexor-trainer';
  const folder = await root(t, packaged, 'native/build/preflexor-trainer');
  const { program, libraries } = findTrainer({ root: folder, ...linux });
  assert.equal(program, join(folder, packaged));
  assert.ok(libraries.startsWith(folder));
});

test('given PREFLEXOR_TRAINER, when looked for, then it is that one or none', async (t) => {
  const folder = await root(t, 'own/trainer', 'native/build/preflexor-trainer');
  const environment = { PREFLEXOR_TRAINER: join(folder, 'own/trainer') };
  assert.equal(findTrainer({ root: folder, ...linux, environment }).program, join(folder, 'own/trainer'));
  assert.throws(
    () => findTrainer({ root: folder, ...linux, environment: { PREFLEXOR_TRAINER: '/not/there' } }),
    /not been built at \/not\/there/,
  );
});

test('given no trainer, when looked for, then the error says how to build it', async (t) => {
  const folder = await root(t);
  assert.throws(
    () => findTrainer({ root: folder, ...linux }),
    (error) =>
      PreflexorError.is(error, 'trainer-failed') && (error.remedy ?? '').includes('npm run build:native'),
  );
});

test('given a platform that it is not built for, when looked for, then the error says where to train', async (t) => {
  const folder = await root(t, 'native/build/preflexor-trainer');
  assert.throws(() => findTrainer({ root: folder, ...linux, platform: 'freebsd' }), /freebsd-x64/);
});

test('given Windows, when the trainer is looked for, then it is the program with its ending there', async (t) => {
  const folder = await root(t, 'trainer/win32-x64/preflexor-trainer.exe');
  await mkdir(join(folder, 'node_modules/@node-llama-cpp/win-x64/bins/win-x64'), { recursive: true });
  const { program } = findTrainer({ root: folder, ...linux, platform: 'win32' });
  assert.equal(program, join(folder, 'trainer/win32-x64/preflexor-trainer.exe'));
});

test('given a GPU by name, when looked for, then its package holds the libraries, or the error says to do without', async (t) => {
  const folder = await root(t, 'native/build/preflexor-trainer');
  const libraries = join(folder, 'node_modules/@node-llama-cpp/linux-x64-vulkan/bins/linux-x64-vulkan');
  assert.throws(() => findTrainer({ root: folder, ...linux, backend: 'vulkan' }), /linux-x64-vulkan/);
  await mkdir(libraries, { recursive: true });
  const found = findTrainer({ root: folder, ...linux, backend: 'vulkan' });
  assert.deepEqual([found.libraries, found.device], [libraries, 'gpu']);
  assert.equal(findTrainer({ root: folder, ...linux }).device, 'cpu');
  assert.throws(() => findTrainer({ root: folder, ...linux, backend: 'metal' }), /no metal on linux-x64/);
});
