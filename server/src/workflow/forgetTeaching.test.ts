// What forgetting a note takes out of runs of teaching and out of experiments, and what it leaves.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';
import { PreflexorError } from '../errors.ts';
import { workspacePlaces } from '../state/index.ts';
import { forgetTeaching } from './forgetTeaching.ts';

const never = new AbortController().signal;

/** Files under a folder, by their path and content. */
async function files(folder: string, contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .sort();
}

const sampleOf = (note: string) => `${JSON.stringify({ note: { path: note }, question: 'secret' })}\n`;
const run = (note: string) => ({
  'teach.json': '{}',
  'phase-1/gate.json': '{}',
  'phase-1/heldout.jsonl': 'secret',
  'phase-1/refresh-1/samples.jsonl': sampleOf(note),
  'phase-1/refresh-1/run/trainer.json': '[1,2]',
  'phase-1/refresh-1/run/start/adapter_model.safetensors': 'x',
});
const report = { 'report.json': '{}', 'report.md': '#', 'phase-1-loss.svg': '<svg/>' };

function setUp(t: TestContext) {
  const root = temporaryFolder(t);
  const { teaching, evaluations } = workspacePlaces(root);
  return { root, teaching, evaluations };
}

test('given runs of two notes, when one note is forgotten, then its run keeps verdict and report alone, and the other is whole', async (t) => {
  const { root, teaching } = setUp(t);
  await files(path.join(teaching, '1'), { ...run('a.md'), ...report });
  await files(path.join(teaching, '2'), { ...run('notes/a.md'), ...report });
  const whole = await namesIn(path.join(teaching, '2'));
  assert.equal(await forgetTeaching(root, new Set(['a.md']), never), 1);
  assert.deepEqual(await namesIn(path.join(teaching, '1')), [
    ...['phase-1-loss.svg', 'phase-1/gate.json', 'report.json', 'report.md', 'teach.json'],
  ]);
  assert.deepEqual(await namesIn(path.join(teaching, '2')), whole);
  assert.equal(await forgetTeaching(root, new Set(['a.md']), never), 0);
});

test('given a run that is not done, or one that was only held to the note, when the note is forgotten, then the first goes whole and the second loses its ids', async (t) => {
  const { root, teaching } = setUp(t);
  await files(path.join(teaching, '1'), run('a.md'));
  const anchor = JSON.stringify({ anchor: { texts: [{ from: 'workspace', file: 'a.md' }] } });
  await files(path.join(teaching, '2'), {
    ...run('b.md'),
    ...report,
    'phase-1/refresh-1/run/run.json': anchor,
  });
  assert.equal(await forgetTeaching(root, new Set(['a.md']), never), 2);
  assert.deepEqual(await readdir(teaching), ['2']);
  assert.ok(!(await namesIn(path.join(teaching, '2'))).some((name) => name.includes('refresh')));
});

test('given experiments, when a note is forgotten, then those with its samples go; when all is, then everything goes', async (t) => {
  const { root, teaching, evaluations } = setUp(t);
  await files(path.join(teaching, '1'), { ...run('b.md'), ...report });
  await files(path.join(evaluations, 'dataset'), { 'samples.jsonl': sampleOf('a.md'), 'report.md': '#' });
  await files(path.join(evaluations, 'iterations'), { 'runs.jsonl': '{}' });
  assert.equal(await forgetTeaching(root, new Set(['a.md']), never), 1);
  assert.deepEqual(await readdir(evaluations), ['iterations']);
  assert.equal(await forgetTeaching(root, null, never), 2);
  assert.deepEqual([await readdir(evaluations), await readdir(teaching)], [[], []]);
});

test('given no run at all, or a stop, when forgetting is asked for, then nothing is found, or it ends', async (t) => {
  const { root, teaching } = setUp(t);
  assert.equal(await forgetTeaching(root, null, never), 0);
  await files(path.join(teaching, '1'), run('a.md'));
  const stopped = AbortSignal.abort();
  await assert.rejects(forgetTeaching(root, null, stopped), (error) => PreflexorError.is(error, 'cancelled'));
  assert.deepEqual(await readdir(teaching), ['1']);
});
