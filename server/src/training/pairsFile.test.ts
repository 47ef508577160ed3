import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { decodePair, pairsLimits, readPairsFile } from './pairsFile.ts';

const never = new AbortController().signal;

async function file(t: TestContext, content: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-pairs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'pairs.jsonl');
  await writeFile(path, content);
  return path;
}

const said = (content: string) => [{ role: 'assistant', content }];

test('given TRL’s conversational and standard forms, when read, then both are a prompt and two answers', async (t) => {
  const conversational = {
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Why?' },
    ],
    chosen: said('So.'),
    rejected: said('Well.'),
  };
  const standard = { prompt: 'Why?', chosen: 'So.', rejected: 'Well.' };
  const text = `${JSON.stringify(conversational)}\r\n\n${JSON.stringify(standard)}`;
  const { pairs, refused, sha256, file: name } = await readPairsFile(await file(t, text), never);
  const user = { role: 'user', text: 'Why?' };
  assert.deepEqual(pairs, [
    { line: 1, prompt: [{ role: 'system', text: 'Be brief.' }, user], chosen: 'So.', rejected: 'Well.' },
    { line: 3, prompt: [user], chosen: 'So.', rejected: 'Well.' },
  ]);
  assert.deepEqual(refused, []);
  assert.equal(sha256, createHash('sha256').update(text).digest('hex'));
  assert.equal(name, 'pairs.jsonl');
});

test('given TRL’s unpaired form, when read, then the label says which side it is', () => {
  const line = (label: boolean) => JSON.stringify({ prompt: 'Why?', completion: 'So.', label });
  const [good, bad] = [decodePair(line(true), 1), decodePair(line(false), 2)];
  assert.ok('prompt' in good && good.chosen === 'So.' && good.rejected === null);
  assert.ok('prompt' in bad && bad.chosen === null && bad.rejected === 'So.');
});

for (const [given, line, reason] of [
  ['no JSON', '{"prompt": ', /not valid JSON/],
  ['a list', '[]', /not an object/],
  ['no prompt', '{"chosen": "a", "rejected": "b"}', /^prompt/],
  ['an empty prompt', '{"prompt": "", "chosen": "a", "rejected": "b"}', /^prompt/],
  [
    'a prompt that ends with the assistant',
    '{"prompt":[{"role":"assistant","content":"x"}],"chosen":"a","rejected":"b"}',
    /does not end with a turn of the user/,
  ],
  ['an unknown role', '{"prompt":[{"role":"tool","content":"x"}],"chosen":"a","rejected":"b"}', /prompt/],
  [
    'an answer of two turns',
    JSON.stringify({ prompt: 'x', chosen: [...said('a'), ...said('b')], rejected: 'c' }),
    /chosen is not one answer/,
  ],
  ['an empty answer', '{"prompt": "x", "chosen": "a", "rejected": " "}', /rejected is empty/],
  ['no answers', '{"prompt": "x"}', /neither chosen nor rejected/],
  ['a completion without label', '{"prompt": "x", "completion": "a"}', /neither chosen nor rejected/],
  ['the same answer twice', '{"prompt": "x", "chosen": "a", "rejected": "a"}', /the same text/],
  [
    'a number as answer',
    '{"prompt": "x", "chosen": 1, "rejected": "a"}',
    /chosen is neither a text nor a list/,
  ],
] as const) {
  test(`given ${given}, when decoded, then the line is refused with the reason`, () => {
    const refused = decodePair(line, 7);
    assert.ok('reason' in refused, JSON.stringify(refused));
    assert.equal(refused.line, 7);
    assert.match(refused.reason, reason);
  });
}

test('given a wrong line among good ones, when read, then the others are kept and it has its number', async (t) => {
  const good = '{"prompt": "x", "chosen": "a", "rejected": "b"}';
  const { pairs, refused } = await readPairsFile(await file(t, `${good}\nnonsense\n${good}\n`), never);
  assert.deepEqual(
    pairs.map(({ line }) => line),
    [1, 3],
  );
  assert.deepEqual(refused, [{ line: 2, reason: 'it is not valid JSON' }]);
});

test('given a file that is no UTF-8, when read, then it is refused', async (t) => {
  const path = await file(t, Uint8Array.of(0x7b, 0xff, 0x7d));
  await assert.rejects(readPairsFile(path, never), (error) => PreflexorError.is(error, 'bad-input'));
});

test('given a line beyond the limit, when read, then the file is refused', async (t) => {
  const path = await file(t, 'x'.repeat(pairsLimits.lineCharacters + 1));
  await assert.rejects(readPairsFile(path, never), /more than a million characters/);
});

test('given a character cut by the reading window, when read, then it is whole', async (t) => {
  // A read takes 64 KiB: the two bytes of ž lie on both sides of that.
  const head = '{"prompt": "';
  const prompt = `${'x'.repeat(65_536 - head.length - 1)}žofie`;
  const { pairs } = await readPairsFile(
    await file(t, `${head}${prompt}", "chosen": "a", "rejected": "b"}\n`),
    never,
  );
  assert.equal(pairs[0]?.prompt[0]?.text, prompt);
});

test('given no file, when read, then the error names it', async () => {
  await assert.rejects(readPairsFile('/no/such/pairs.jsonl', never), /no\/such\/pairs/);
});
