// TRL and datasets read our exports with their own loaders. Needs python3 and a package index, once.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { z } from 'zod';
import { curatedPairs, exportPairs } from '../../server/src/preferences/index.ts';
import {
  PreferencePair,
  type CurationAction,
  type LedgerRecord,
  type PairFormat,
} from '../../server/src/protocol/index.ts';
import { decisionOf } from '../support/ledgerExamples.ts';
import { readByPython } from './pairsPython.ts';

const fixtures = path.join(import.meta.dirname, '..', 'fixtures', 'pairs', 'pairs.json');
const pairs = z.array(PreferencePair).parse(JSON.parse(await readFile(fixtures, 'utf8')));
const both = pairs.filter(({ chosen, rejected, consent }) => chosen && rejected && consent === 'given');

const Loaded = z.record(
  z.string(),
  z.object({
    columns: z.array(z.string()),
    rows: z.array(z.record(z.string(), z.unknown())),
    conversational: z.boolean(),
    explicit: z.boolean().nullable(),
    implicit: z.record(z.string(), z.unknown()).nullable(),
    unpaired: z.number().nullable(),
  }),
);

async function loaded(
  t: TestContext,
  format: PairFormat,
  strict: boolean,
  all: readonly PreferencePair[] = pairs,
) {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-peer-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { files } = await exportPairs(all, format, { strict }, new AbortController().signal);
  const target = path.join(folder, 'export');
  let place = target;
  for (const { name, content } of files) {
    const file = name === null ? `${target}.${format === 'csv' ? 'csv' : 'jsonl'}` : path.join(target, name);
    if (name === null) place = file;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  const kind = format === 'csv' ? 'csv' : place === target ? 'folder' : 'json';
  return Loaded.parse(await readByPython('read_pairs.py', [path.join(folder, 'cache'), kind, place]));
}

const answer = (content: string | null) => [{ role: 'assistant', content }];

for (const strict of [false, true]) {
  const how = strict ? ' with --strict' : '';
  test(`given an export as trl${how}, when TRL loads it, then it is conversational with an explicit prompt, row for row`, async (t) => {
    const { train } = await loaded(t, 'trl', strict);
    assert.ok(train);
    assert.deepEqual(
      train.rows,
      both.map(({ prompt, chosen, rejected }) => ({
        prompt,
        chosen: answer(chosen),
        rejected: answer(rejected),
      })),
    );
    assert.deepEqual(train.columns, ['prompt', 'chosen', 'rejected', ...(strict ? [] : ['meta'])]);
    assert.deepEqual([train.conversational, train.explicit, train.unpaired], [true, true, 2 * both.length]);
  });

  test(`given an export as trl-standard${how}, when TRL loads it, then it is plain text`, async (t) => {
    const { train } = await loaded(t, 'trl-standard', strict);
    assert.deepEqual([train?.conversational, train?.rows.length], [false, both.length]);
    assert.deepEqual(
      train?.rows.map(({ chosen }) => chosen),
      both.map(({ chosen }) => chosen),
    );
  });

  test(`given an export as kto${how}, when TRL loads it, then each side is a row with its label`, async (t) => {
    const { train } = await loaded(t, 'kto', strict);
    assert.deepEqual(
      train?.rows.map(({ label }) => label),
      [true, false, true, false, true, false],
    );
    assert.equal(train.conversational, true);
  });

  test(`given an export as hf${how}, when datasets loads the folder, then its splits are train and test`, async (t) => {
    const splits = await loaded(t, 'hf', strict);
    assert.deepEqual(Object.keys(splits), ['train', 'test']);
    for (const [name, side] of [
      ['train', 'train'],
      ['test', 'held-out'],
    ] as const) {
      const own = both.filter(({ split }) => split === side);
      assert.deepEqual(
        splits[name]?.rows.map(({ prompt }) => prompt),
        own.map(({ prompt }) => prompt),
      );
      assert.equal(splits[name].conversational, true);
    }
  });

  test(`given an export as axolotl${how}, when TRL loads it, then it finds the prompt that both sides begin with`, async (t) => {
    const { train } = await loaded(t, 'axolotl', strict);
    const [first] = both;
    assert.deepEqual(train?.implicit, {
      prompt: first?.prompt,
      chosen: answer(first?.chosen ?? null),
      rejected: answer(first?.rejected ?? null),
    });
  });

  test(`given an export as csv${how}, when datasets loads it, then no row is lost`, async (t) => {
    const { train } = await loaded(t, 'csv', strict);
    assert.equal(train?.rows.length, 4);
  });
}

function curated(
  { id: pair, entries, about }: PreferencePair,
  n: number,
  action: CurationAction,
): LedgerRecord {
  const id = `01JDF3Z${String(n).padStart(19, '0')}`;
  return {
    ...{
      schema: 1,
      id,
      time: '2026-11-24T13:00:00.000Z',
      device: 'device01',
      ...decisionOf(''),
      kind: 'curate',
    },
    curation: { pair, entries, about, action, change: id },
  };
}

test('given pairs that were flipped, edited and excluded on the board, when TRL loads their export, then it has what the writer made of them', async (t) => {
  const [changed, excluded] = both;
  assert.ok(changed && excluded);
  const text = 'As the writer would have it.';
  const left = curatedPairs(pairs, [
    curated(changed, 1, { do: 'edit', side: 'chosen', text }),
    curated(changed, 2, { do: 'flip' }),
    curated(excluded, 3, { do: 'exclude', reason: 'a slip of the hand' }),
  ]);
  const { train } = await loaded(t, 'trl', false, left);
  assert.deepEqual(
    train?.rows.map(({ chosen, rejected }) => [chosen, rejected]),
    [[answer(changed.rejected), answer(text)]],
  );
});
