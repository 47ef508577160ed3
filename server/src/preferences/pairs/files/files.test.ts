import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { PreflexorError } from '../../../errors.ts';
import { PairFormat, PreferencePair } from '../../../protocol/index.ts';
import { spansIn } from '../completion.ts';
import { pairId } from '../derive.ts';
import { csvLine, csvRows } from './csv.ts';
import { exportPairs } from './exporting.ts';
import { rowsOfParquet } from './huggingFace.ts';
import { importLimits, importPairs } from './importing.ts';

const never = new AbortController().signal;
const fixtures = path.join(import.meta.dirname, '../../../../../test/fixtures/pairs');
const now = Date.UTC(2026, 10, 25);
const options = { now, split: { share: 0, since: null } };
const pairs = z
  .array(PreferencePair)
  .parse(JSON.parse(await readFile(path.join(fixtures, 'pairs.json'), 'utf8')));

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-pairs-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Writes an export where a person would; gives what is to be imported. */
async function written(folder: string, format: PairFormat, strict: boolean, given = pairs): Promise<string> {
  const place = path.join(folder, format === 'csv' ? 'pairs.csv' : 'pairs.jsonl');
  const { files } = await exportPairs(given, format, { strict }, never);
  for (const { name, content } of files) {
    const file = name === null ? place : path.join(folder, format, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return files.some(({ name }) => name === null) ? place : path.join(folder, format);
}

/** The text of an export's file, parquet as JSON lines. */
async function readable(name: string | null, content: string | Uint8Array): Promise<string> {
  if (typeof content === 'string') return content;
  assert.match(name ?? '', /\.parquet$/);
  return (await rowsOfParquet(content)).map((row) => `${JSON.stringify(row)}\n`).join('');
}

for (const format of PairFormat.options) {
  for (const strict of [false, true]) {
    const label = `${format}${strict ? '.strict' : ''}`;
    test(`given pairs, when exported as ${label}, then the files are the golden ones`, async () => {
      const { files } = await exportPairs(pairs, format, { strict }, never);
      for (const { name, content } of files) {
        const ending =
          name === null ? (format === 'csv' ? '.csv' : '.jsonl') : `.${name.replaceAll('/', '.')}`;
        const golden = path.join(fixtures, `${label}${ending.replace('.parquet', '.parquet.jsonl')}`);
        assert.equal(await readable(name, content), await readFile(golden, 'utf8'), golden);
      }
    });
  }

  test(`given an export as ${format}, when imported again, then all that it holds is as it was`, async (t) => {
    const { pairs: back, refused } = await importPairs(
      await written(await folderOf(t), format, false),
      options,
      never,
    );
    const { exported } = await exportPairs(pairs, format, { strict: false }, never);
    assert.deepEqual(refused, []);
    assert.deepEqual([...back].sort(byId), [...exported].sort(byId));
    assert.equal(exported.length, ['kto', 'csv'].includes(format) ? 4 : 2);
  });

  test(`given an export as ${format} with --strict, when imported again, then prompts and texts are as they were`, async (t) => {
    const both = pairs.filter(({ chosen, rejected, consent }) => chosen && rejected && consent === 'given');
    // What needs roles that the format has no place for: a system turn in a plain text.
    const given = format === 'trl-standard' ? both.slice(1) : both;
    const file = await written(await folderOf(t), format, true, given);
    const { pairs: back } = await importPairs(file, options, never);
    const texts = back.flatMap(({ prompt, chosen, rejected }) =>
      [chosen, rejected].filter((text) => text !== null).map((text) => JSON.stringify([prompt, text])),
    );
    const wanted = given.flatMap(({ prompt, chosen, rejected }) =>
      [chosen, rejected].map((text) => JSON.stringify([prompt, text])),
    );
    assert.deepEqual(texts.sort(), wanted.sort());
    for (const { signal, note } of back) assert.deepEqual([signal, note], ['imported', null]);
  });
}

const byId = (a: PreferencePair, b: PreferencePair): number => (a.id < b.id ? -1 : 1);

test('given pairs that cannot be exported, when exported, then they are named with the reason, and no text of them is in the files', async () => {
  const { leftOut, files } = await exportPairs(pairs, 'trl', { strict: false }, never);
  assert.deepEqual(
    leftOut.map(({ id }) => pairs.findIndex((pair) => pair.id === id)),
    [2, 3, 4],
  );
  assert.match(leftOut[2]?.reason ?? '', /recording switched off/);
  for (const format of PairFormat.options) {
    for (const { content } of (await exportPairs(pairs, format, { strict: true }, never)).files)
      assert.ok(!Buffer.from(content).includes('Private'));
  }
  assert.equal(files.length, 1);
});

const text = fc.string({
  unit: fc.constantFrom('a', ' ', '"', ',', '\n', '\r', "'", '=', '[', '{', '🙂', '\u2028', '<', '|'),
  minLength: 1,
});
const anyPair = fc
  .record({
    prompt: fc.array(
      fc.record({ role: fc.constantFrom('user' as const, 'system' as const), content: text }),
      { maxLength: 2 },
    ),
    last: text.filter((one) => one.trim() !== ''),
    chosen: text.filter((one) => one.trim() !== ''),
    rejected: text.filter((one) => one.trim() !== ''),
  })
  .filter(({ chosen, rejected }) => chosen !== rejected)
  .map(({ prompt, last, chosen, rejected }): PreferencePair => {
    const turns = [
      ...prompt.filter(({ role }, at) => role === 'user' || at === 0).map((turn) => ({ ...turn })),
      { role: 'user' as const, content: last },
    ];
    const content = { prompt: turns, chosen, rejected, about: 'whole' as const };
    const spans = { chosen: spansIn(chosen), rejected: spansIn(rejected) };
    const [first] = pairs;
    assert.ok(first);
    return { ...first, ...content, spans, id: pairId(content) };
  });

test('given any texts, when exported and imported in any format, then nothing is lost', async (t) => {
  const folder = await folderOf(t);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(anyPair, { selector: ({ id }) => id, minLength: 1, maxLength: 4 }),
      fc.constantFrom(...PairFormat.options),
      async (given, format) => {
        const place = await written(
          path.join(await mkdtemp(path.join(folder, 'round-'))),
          format,
          false,
          given,
        );
        const { pairs: back, refused } = await importPairs(place, options, never);
        assert.deepEqual(refused, []);
        assert.deepEqual([...back].sort(byId), [...given].sort(byId));
      },
    ),
    { numRuns: 60 },
  );
});

test('given any cells, when written as CSV and read, then they come back, and none begins as a formula', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(text, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
      (rows) => {
        const csv = rows.map(csvLine).join('');
        assert.deepEqual(
          [...csvRows(csv)].map(({ cells }) => cells),
          rows,
        );
        assert.ok(!/(^|,)"[=+\-@]/m.test(csvLine(['=1', '+1', '-1', '@x'])));
      },
    ),
  );
});

async function imported(t: TestContext, content: string | Uint8Array, name = 'in.jsonl') {
  const file = path.join(await folderOf(t), name);
  await writeFile(file, content);
  return await importPairs(file, options, never);
}

const good = '{"prompt":"Why?","chosen":"Because.","rejected":"No."}\n';

test('given a file with lines that are no pairs, when imported, then each is named with its line and reason, and the others stand', async (t) => {
  const bad: [string | Buffer, RegExp][] = [
    ['{"prompt":"a","chosen":"b"\n', /not valid JSON/],
    ['<!doctype html><script>alert(1)</script>\n', /not valid JSON/],
    [Buffer.from([0x7b, 0xff, 0xfe, 0x0a]), /not UTF-8/],
    ['"a text"\n', /not an object/],
    ['{"prompt":"a","chosen":"same","rejected":"same"}\n', /same text/],
    ['{"prompt":"a","chosen":" ","rejected":"b"}\n', /chosen is empty/],
    ['{"prompt":"a"}\n', /neither chosen nor rejected/],
    ['{"prompt":3,"chosen":"a","rejected":"b"}\n', /prompt is neither a text nor a list/],
    ['{"prompt":" ","chosen":"a","rejected":"b"}\n', /prompt is empty/],
    [
      '{"prompt":[{"role":"assistant","content":"x"}],"chosen":"a","rejected":"b"}\n',
      /does not end with a turn of the user/,
    ],
    ['{"prompt":"a","chosen":[{"role":"user","content":"x"}],"rejected":"b"}\n', /chosen is not one answer/],
    [
      '{"chosen":[{"role":"user","content":"x"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"y"},{"role":"assistant","content":"b"}]}\n',
      /same turns/,
    ],
    ['{"prompt":"a","completion":"x","label":"yes"}\n', /label/],
    ['{"prompt":"a","chosen":"x","rejected":"y","meta":{"schema":2}}\n', /newer PRefLexOR/],
    [
      Buffer.concat([Buffer.alloc(importLimits.lineBytes + 1, 'x'), Buffer.from('\n')]),
      /longer than 4 million bytes/,
    ],
  ];
  const parts = bad.flatMap(([line], at) => [
    Buffer.from(line),
    Buffer.from(good.replace('Why', `Why ${at}`)),
  ]);
  const { pairs: found, refused } = await imported(t, Buffer.concat(parts));
  assert.equal(found.length, bad.length);
  assert.deepEqual(
    refused.map(({ line }) => line),
    bad.map((_, at) => 2 * at + 1),
  );
  for (const [at, [, reason]] of bad.entries()) assert.match(refused[at]?.reason ?? '', reason);
});

test('given prototype keys, a path for an id and a foreign meta, when imported, then they are data and lead nowhere', async (t) => {
  const [first] = pairs;
  assert.ok(first);
  const { prompt: _p, chosen: _c, rejected: _r, ...meta } = first;
  const { range } = { range: { start: 0, end: 1 } };
  const lines = [
    '{"__proto__":{"polluted":1},"prompt":"1","chosen":"a","rejected":"b","meta":{"constructor":1}}',
    JSON.stringify({ prompt: '2', chosen: 'a', rejected: 'b', meta: { ...meta, id: '../../evil' } }),
    JSON.stringify({
      prompt: '3',
      chosen: 'a',
      rejected: 'b',
      meta: { ...meta, note: { path: '../../etc/passwd', hash: '', range } },
    }),
    JSON.stringify({ prompt: '4', chosen: 'a', rejected: 'b', meta: { ...meta, id: 'ab'.repeat(16) } }),
  ];
  const { pairs: found, refused } = await imported(t, lines.join('\n'));
  assert.deepEqual(refused, []);
  assert.deepEqual(
    found.map((pair) => pair.note?.path ?? null),
    [null, null, null, 'notes/a.md'],
  );
  for (const pair of found) assert.equal(pair.id, pairId(pair));
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('given a JSON list, a byte order mark or Windows line ends, when imported, then the pairs are read', async (t) => {
  for (const content of [`[${good.trim()}]`, `\ufeff${good}`, good.replace('\n', '\r\n'), good.trim()]) {
    const { pairs: found, refused } = await imported(t, content);
    assert.deepEqual([found.length, refused], [1, []], content);
  }
});

test('given a table with broken rows, when imported, then they are named by their line and the others stand', async (t) => {
  const table = 'Prompt,chosen,rejected\r\n"two\nlines",a,b\n"x"y,a,b\nonly,two\nPlain,c,d\n"open,e,f\n';
  const { pairs: found, refused } = await imported(t, table, 'in.csv');
  assert.deepEqual(
    found.map(({ prompt }) => prompt[0]?.content),
    ['two\nlines', 'Plain'],
  );
  assert.deepEqual(
    refused.map(({ line }) => line),
    [4, 5, 7],
  );
});

test('given what is no such file, when imported, then bad-input says so', async (t) => {
  const folder = await folderOf(t);
  const wrong = async (name: string, content: string | null) => {
    const file = path.join(folder, name);
    if (content !== null) await writeFile(file, content);
    await assert.rejects(
      importPairs(file, options, never),
      (error) => PreflexorError.is(error, 'bad-input'),
      name,
    );
  };
  await wrong('missing.jsonl', null);
  await wrong('no.parquet', 'PAR1 is not enough');
  await wrong('no.csv', 'a,b\n1,2\n');
  await wrong('list.json', '[{"prompt":1},');
  await assert.rejects(importPairs(folder, options, AbortSignal.abort()), (error) =>
    PreflexorError.is(error),
  );
});

test('given pairs of one prompt whose file names no side, when imported, then they are all on the same side', async (t) => {
  const lines = Array.from({ length: 40 }, (_, n) =>
    JSON.stringify({ prompt: `p${n % 10}`, chosen: `a${n}`, rejected: `b${n}` }),
  );
  const file = path.join(await folderOf(t), 'in.jsonl');
  await writeFile(file, lines.join('\n'));
  const { pairs: found } = await importPairs(file, { now, split: { share: 0.5, since: null } }, never);
  const sides = Map.groupBy(found, ({ prompt }) => prompt[0]?.content);
  assert.equal(sides.size, 10);
  for (const own of sides.values()) assert.equal(new Set(own.map(({ split }) => split)).size, 1);
  assert.equal(new Set(found.map(({ split }) => split)).size, 2);
});
