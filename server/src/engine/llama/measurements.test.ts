import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { recall, remember, type MeasurementKey } from './measurements.ts';

const key: MeasurementKey = {
  model: 'a.gguf, 1 bytes, 2',
  processor: 'P',
  cores: 4,
  backend: 'cpu',
  library: '1',
};
const hour = 3_600_000;
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preflexor-measurements-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

test('given a measurement, when it is recalled, then it holds for the same model, machine and backend only', async () => {
  const file = join(folder, 'new', 'folder', 'measurements.json');
  await remember(file, key, { prompt: 4, generation: 2, time: 0, quiet: true });
  await remember(file, { ...key, backend: 'cuda' }, { prompt: 1, generation: 1, time: 0, quiet: true });
  assert.deepEqual(await recall(file, key, 1000 * hour), { prompt: 4, generation: 2 });
  assert.deepEqual(await recall(file, { ...key, backend: 'cuda' }, 0), { prompt: 1, generation: 1 });
  for (const other of [
    { model: 'b' },
    { processor: 'Q' },
    { cores: 8 },
    { backend: 'metal' },
    { library: '2' },
  ]) {
    assert.equal(await recall(file, { ...key, ...other }, 0), null);
  }
});

test('given a measurement of a busy machine, when an hour has passed, then it no longer holds', async () => {
  const file = join(folder, 'busy.json');
  await remember(file, key, { prompt: 1, generation: 1, time: 5 * hour, quiet: false });
  assert.deepEqual(await recall(file, key, 5.9 * hour), { prompt: 1, generation: 1 });
  assert.equal(await recall(file, key, 6.1 * hour), null);
});

test('given a file that is broken or claims nonsense, when it is read, then it is measured again and mended', async () => {
  const file = join(folder, 'broken.json');
  for (const content of ['', '{"schema":1,"thr', '{"schema":2}', 'null']) {
    await writeFile(file, content);
    assert.equal(await recall(file, key, 0), null);
  }
  await remember(file, key, { prompt: 2, generation: 1, time: 0, quiet: true });
  assert.deepEqual(await recall(file, key, 0), { prompt: 2, generation: 1 });
  assert.match(await readFile(file, 'utf8'), /"schema": 1/);
});

test('given many that write at once, when they are done, then the file is whole and nothing else is left', async () => {
  const own = join(folder, 'many');
  const file = join(own, 'measurements.json');
  await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      remember(file, { ...key, model: String(at) }, { prompt: 1, generation: 1, time: 0, quiet: true }),
    ),
  );
  assert.deepEqual(await readdir(own), ['measurements.json']);
  JSON.parse(await readFile(file, 'utf8'));
});

test('given a folder that is a file, when a measurement is kept, then it fails and says so to its caller', async () => {
  const file = join(folder, 'not-a-folder');
  await writeFile(file, '');
  await assert.rejects(
    remember(join(file, 'x.json'), key, { prompt: 1, generation: 1, time: 0, quiet: true }),
  );
});
