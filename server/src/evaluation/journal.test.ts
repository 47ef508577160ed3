import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../errors.ts';
import type { EvaluationSetup } from '../protocol/index.ts';
import { journalName, openJournal, type UnitLine } from './journal.ts';
import { setupExample } from './testing.ts';

const setup = setupExample();
const makers: UnitLine['by'] = {
  model: { id: 'm', file: 'm.gguf', sha256: 'a' },
  ...{ parameters: 1, adapter: null, backend: 'cpu', criticAdapter: null },
  critic: { id: 'm', file: 'm.gguf', sha256: 'a' },
};
const unit = (name: string): UnitLine => ({
  ...{ line: 'unit', unit: name, seconds: 1, by: makers, result: { text: 'größer 😀' } },
});
const now = () => 1_700_000_000_000;

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-journal-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'new', 'place');
}

test('given finished units, when the journal is opened again, then they are there in their order', async (t) => {
  const folder = await folderOf(t);
  const journal = await openJournal(folder, setup, now);
  await journal.append(unit('a'));
  await journal.append({ line: 'failed', unit: 'b', why: 'too long' });
  const again = await openJournal(folder, setup, now);
  assert.deepEqual(again.done, [unit('a'), { line: 'failed', unit: 'b', why: 'too long' }]);
  const [first = ''] = (await readFile(join(folder, journalName), 'utf8')).split('\n');
  assert.equal((JSON.parse(first) as { line: string }).line, 'setup');
});

test('given a last line that was torn anywhere, when the journal is opened, then what is whole stands and the next line is whole again', async (t) => {
  const folder = await folderOf(t);
  const file = join(folder, journalName);
  await (await openJournal(folder, setup, now)).append(unit('a'));
  const whole = await readFile(file);
  const torn = Buffer.from(`${JSON.stringify(unit('b'))}\n`);
  for (let cut = 1; cut < torn.length; cut += 7) {
    await writeFile(file, Buffer.concat([whole, torn.subarray(0, cut)]));
    const journal = await openJournal(folder, setup, now);
    assert.deepEqual(journal.done, [unit('a')]);
    await journal.append(unit('c'));
    assert.deepEqual((await openJournal(folder, setup, now)).done, [unit('a'), unit('c')]);
  }
});

test('given a setup line that was torn, when the journal is opened, then it begins again', async (t) => {
  const folder = await folderOf(t);
  await openJournal(folder, setup, now);
  await writeFile(join(folder, journalName), '{"line":"setup","sch');
  await (await openJournal(folder, setup, now)).append(unit('a'));
  assert.deepEqual((await openJournal(folder, setup, now)).done, [unit('a')]);
});

test('given another setup, when the journal is opened, then it is refused, and what differs is named', async (t) => {
  const folder = await folderOf(t);
  await openJournal(folder, setup, now);
  const other: EvaluationSetup = { ...setup, seed: setup.seed + 1 };
  await assert.rejects(
    openJournal(folder, other, now),
    (error) =>
      PreflexorError.is(error, 'bad-input') && error.message.includes('(seed)') && error.remedy !== null,
  );
});

test('given a setup with a field that has no value, when it is opened again, then it is the same setup', async (t) => {
  const folder = await folderOf(t);
  const { avoidLoops: _none, ...sampler } = setup.sampler;
  const sparse = { ...setup, sampler: { ...sampler, avoidLoops: undefined } } as unknown as EvaluationSetup;
  await openJournal(folder, sparse, now);
  assert.deepEqual((await openJournal(folder, sparse, now)).done, []);
});

test('given a damaged line in the middle, when the journal is opened, then it is refused rather than guessed', async (t) => {
  const folder = await folderOf(t);
  await openJournal(folder, setup, now);
  await appendFile(join(folder, journalName), '{"line":"nonsense"}\n');
  await assert.rejects(
    openJournal(folder, setup, now),
    (error) => PreflexorError.is(error, 'bad-input') && error.message.startsWith('Line 2 of'),
  );
});
