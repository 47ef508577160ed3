import assert from 'node:assert/strict';
import {
  appendFile,
  copyFile,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import type { LedgerRecord } from '../protocol/index.ts';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';
import { nodeFileSystem } from '../state/index.ts';
import { openLedger } from './ledger.ts';
import type { LedgerOptions } from './ledger.ts';
import { decisionOf, labels } from '../../../test/support/ledgerExamples.ts';

const device = 'device01';

/** A workspace and a home, and how to open its ledger. */
async function setUp(t: TestContext, options: Partial<LedgerOptions> = {}) {
  const folder = temporaryFolder(t);
  const workspaceRoot = path.join(folder, 'workspace');
  const home = path.join(folder, 'home');
  await mkdir(workspaceRoot);
  const open = (more: Partial<LedgerOptions> = {}) =>
    openLedger({ workspaceRoot, home, device, ...options, ...more });
  const ledgerFolder = path.join(workspaceRoot, '.preflexor', 'ledger');
  return { workspaceRoot, home, open, ledgerFolder, file: path.join(ledgerFolder, `${device}.jsonl`) };
}

/** One valid line, with a given id. */
function lineOf(id: string, more: Record<string, unknown> = {}): string {
  const record = { schema: 1, id, time: '2026-11-24T12:00:00.000Z', device, ...decisionOf(id), ...more };
  return `${JSON.stringify(record)}\n`;
}

const id = (n: number) => `01JDF3Z${String(n).padStart(19, '0')}`;

test('given no ledger, when opened and read, then it is empty and nothing was made in the workspace', async (t) => {
  const { open, workspaceRoot } = await setUp(t);
  assert.deepEqual(await (await open()).read(), { records: [], problems: [], waiting: 0 });
  assert.deepEqual(await readdir(workspaceRoot), []);
});

test('given decisions, when appended, then each is one line of its device, with id, time and device added', async (t) => {
  const now = Date.UTC(2026, 10, 24, 12);
  const { open, file } = await setUp(t, { now: () => now });
  const ledger = await open();
  const { record, warning } = await ledger.append(decisionOf('one'));
  assert.equal(warning, null);
  assert.equal(record.time, '2026-11-24T12:00:00.000Z');
  assert.equal(record.device, device);
  await ledger.append(decisionOf('two'));
  const lines = (await readFile(file, 'utf8')).split('\n');
  assert.equal(lines.length, 3);
  assert.equal(lines[2], '');
  assert.deepEqual(JSON.parse(lines[0] ?? ''), record);
  assert.deepEqual(labels((await ledger.read()).records), ['one', 'two']);
});

test('given a home without a device id, when opened without one, then the home gets one and the file its name', async (t) => {
  const { workspaceRoot, home, ledgerFolder } = await setUp(t);
  const ledger = await openLedger({ workspaceRoot, home });
  await ledger.append(decisionOf('one'));
  assert.deepEqual(await readdir(ledgerFolder), [`${ledger.device}.jsonl`]);
  assert.equal((await openLedger({ workspaceRoot, home })).device, ledger.device);
});

test('given a device name that leads elsewhere, when opened, then bad-input', async (t) => {
  const { open } = await setUp(t);
  await assert.rejects(open({ device: '../../evil' }), (error) => PreflexorError.is(error, 'bad-input'));
});

test('given something that is no decision, when appended, then bad-input and nothing is written', async (t) => {
  const { open, workspaceRoot } = await setUp(t);
  const ledger = await open();
  await assert.rejects(ledger.append(decisionOf('x', { block: 'NO' })), (error) =>
    PreflexorError.is(error, 'bad-input'),
  );
  await assert.rejects(ledger.append(decisionOf('x', { iteration: -1 })), (error) =>
    PreflexorError.is(error, 'bad-input'),
  );
  const endless = decisionOf('x'.repeat(65 * 1024 * 1024));
  await assert.rejects(ledger.append(endless), (error) => PreflexorError.is(error, 'bad-input'));
  assert.deepEqual(await readdir(workspaceRoot), []);
  assert.equal((await ledger.append(decisionOf('fine'))).warning, null);
});

test('given any texts, when appended and replayed by another process, then they come back as they were', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '\n',
      '\r\n\r',
      '\u2028\u2029',
      '\ud800 lone',
      '"\\',
      '__proto__',
      '\ufeff',
      '<!-- -->',
      '\0',
    ),
  );
  const decisions = fc.array(
    fc.record({
      kind: fc.constantFrom('offer', 'accept', 'accept-edited', 'reject', 'rate', 'pick'),
      block: fc.constantFrom('k3v9q2', 'constructor', 'tostring', '0000000'),
      result: fc.option(text),
      offered: text,
    }),
    { minLength: 1, maxLength: 4 },
  );
  const { workspaceRoot, home } = await setUp(t);
  let round = 0;
  await fc.assert(
    fc.asyncProperty(decisions, async (given) => {
      const where = { workspaceRoot: path.join(workspaceRoot, String((round += 1))), home, device };
      await mkdir(where.workspaceRoot);
      const ledger = await openLedger(where);
      const kept: LedgerRecord[] = [];
      for (const { kind, block, result, offered } of given) {
        const { texts } = decisionOf('any');
        const decision = decisionOf('any', { kind, block, texts: { ...texts, result, offered } });
        const { record } = await ledger.append(decision);
        for (const [name, value] of Object.entries(decision))
          assert.deepEqual(record[name as keyof LedgerRecord], value);
        kept.push(record);
      }
      assert.deepEqual((await (await openLedger(where)).read()).records, kept);
    }),
    { numRuns: 25 },
  );
});

test('given a clock that goes back, when appended, also after a restart, then ids increase and the order stands', async (t) => {
  const readings = [5000, 1000, 4000, 3000, 2000, 2000];
  const { open } = await setUp(t, { now: () => readings.shift() ?? 0 });
  for (const round of ['a', 'b', 'c']) {
    const ledger = await open();
    for (const one of [1, 2]) await ledger.append(decisionOf(`${round}${one}`));
  }
  const { records } = await (await open()).read();
  assert.deepEqual(labels(records), ['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
  assert.equal(records[1]?.time, '1970-01-01T00:00:01.000Z');
});

test('given a ledger cut off at any byte, when read and appended to, then at most the torn line is lost and it is named', async (t) => {
  const { open, file } = await setUp(t);
  const first = await open();
  for (const label of ['one', 'two', 'drei 🙂']) await first.append(decisionOf(label));
  const whole = await readFile(file);
  const ends = [...whole.keys()].filter((at) => whole[at] === 0x0a);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
      await writeFile(file, whole);
      await truncate(file, length);
      // A line whose line end alone is missing is whole.
      const complete = ends.filter((end) => length >= end).length;
      const torn = length > (ends[complete - 1] ?? -1) + 1;
      const ledger = await open();
      const cut = await ledger.read();
      const kept = ['one', 'two', 'drei 🙂'].slice(0, complete);
      assert.deepEqual(labels(cut.records), kept);
      assert.deepEqual(
        cut.problems.map(({ line }) => line),
        torn ? [complete + 1] : [],
      );
      await ledger.append(decisionOf('after'));
      for (const reader of [ledger, await open()]) {
        const { records, problems } = await reader.read();
        assert.deepEqual(labels(records), [...kept, 'after']);
        assert.deepEqual(
          problems.map(({ line }) => line),
          torn ? [complete + 1] : [],
        );
      }
    }),
    {
      numRuns: 60,
      examples: [[0], [whole.length], [whole.length - 1], [ends[0] ?? 0], [(ends[0] ?? 0) + 1]],
    },
  );
});

test('given damaged, foreign and newer lines in the middle, when read, then they are named and all others stand', async (t) => {
  const { open, file, ledgerFolder } = await setUp(t);
  await mkdir(ledgerFolder, { recursive: true });
  const bad: (string | Buffer)[] = [
    '<<<<<<< HEAD\n',
    Buffer.from([0xff, 0xfe, 0x0a]),
    '\0\0\0\0\n',
    '"a text"\n',
    'null\n',
    `${'['.repeat(100_000)}\n`,
    lineOf(id(90), { schema: 2 }),
    lineOf(id(91), { kind: 'sabotage' }),
    lineOf('not-an-id'),
  ];
  for (const [index, line] of bad.entries())
    await appendFile(file, Buffer.concat([Buffer.from(lineOf(id(index))), Buffer.from(line)]));
  await appendFile(file, '\n  \r\n');
  const ledger = await open();
  await ledger.append(decisionOf('after'));
  const { records, problems } = await ledger.read();
  assert.deepEqual(labels(records), [...bad.map((_, index) => id(index)), 'after']);
  assert.deepEqual(
    problems.map(({ line }) => line),
    bad.map((_, index) => 2 * index + 2),
  );
  assert.ok(problems.every((problem) => problem.file === file));
  assert.match(problems[6]?.reason ?? '', /newer PRefLexOR .*schema 2/);
  assert.match(problems[7]?.reason ?? '', /kind/);
});

test('given fields that this version does not know, when read, then they are kept; those that set prototypes are not', async (t) => {
  const { open, file, ledgerFolder } = await setUp(t);
  await mkdir(ledgerFolder, { recursive: true });
  const text = lineOf(id(1), { mood: 'good' }).replace(
    '"texts":{',
    '"__proto__":{"polluted":1},"texts":{"__proto__":{"polluted":1},"more":2,',
  );
  assert.notEqual(text, lineOf(id(1), { mood: 'good' }));
  await writeFile(file, text);
  const [record] = (await (await open()).read()).records;
  assert.ok(record);
  assert.equal(Reflect.get(record, 'mood'), 'good');
  assert.equal(Reflect.get(record.texts, 'more'), 2);
  assert.ok(!Object.hasOwn(record, '__proto__') && !Object.hasOwn(record.texts, '__proto__'));
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('given a line far larger than any buffer, when appended, read and continued, then it is whole', async (t) => {
  const { open } = await setUp(t, { now: () => 1000 });
  const large = 'ä🙂'.repeat(1_000_000);
  const ledger = await open();
  await ledger.append(decisionOf(large));
  await (await open()).append(decisionOf('after'));
  const { records, problems } = await (await open()).read();
  assert.deepEqual(problems, []);
  assert.equal(records.length, 2);
  assert.ok(records[0]?.texts.question === large);
  assert.equal(records[1]?.texts.question, 'after');
});

test('given a line longer than may be, when read, then it is named without being taken in, and what follows stands', async (t) => {
  const { open, file, ledgerFolder } = await setUp(t);
  await mkdir(ledgerFolder, { recursive: true });
  await writeFile(file, lineOf(id(1)));
  await truncate(file, 66 * 1024 * 1024);
  await appendFile(file, `\n${lineOf(id(2))}`);
  const { records, problems } = await (await open()).read();
  assert.deepEqual(labels(records), [id(1), id(2)]);
  assert.deepEqual(
    problems.map(({ line, reason }) => [line, reason]),
    [[2, 'longer than 64 MiB']],
  );
});

test('given several devices and a copy that a synchronising program made, when read, then all are merged by id, each once', async (t) => {
  const { open, file, ledgerFolder } = await setUp(t);
  await mkdir(ledgerFolder, { recursive: true });
  await writeFile(file, lineOf(id(1)) + lineOf(id(4)));
  await copyFile(file, path.join(ledgerFolder, 'device01 (conflicted copy).jsonl'));
  await appendFile(path.join(ledgerFolder, 'device01 (conflicted copy).jsonl'), lineOf(id(2)));
  await writeFile(
    path.join(ledgerFolder, 'other123.jsonl'),
    lineOf(id(3), { device: 'other123' }).replace('\n', '\r\n'),
  );
  await writeFile(path.join(ledgerFolder, 'notes.txt'), 'not ours');
  const { records, problems } = await (await open()).read();
  assert.deepEqual(labels(records), [id(1), id(2), id(3), id(4)]);
  assert.deepEqual(problems, []);
});

test('given two different records with one id, when read, then one counts and the other is named', async (t) => {
  const { open, file, ledgerFolder } = await setUp(t);
  await mkdir(ledgerFolder, { recursive: true });
  await writeFile(file, lineOf(id(1)) + lineOf(id(1)) + lineOf(id(1), { iteration: 5 }));
  const { records, problems } = await (await open()).read();
  assert.equal(records.length, 1);
  assert.deepEqual(
    problems.map(({ line }) => line),
    [3],
  );
});

test('given a ledger in use, when its file is extended, edited in place, replaced or removed by others, then reading follows', async (t) => {
  const { open, file } = await setUp(t);
  const ledger = await open();
  const read = async () => labels((await ledger.read()).records);
  await ledger.append(decisionOf('own'));
  assert.deepEqual(await read(), ['own']);
  await appendFile(file, lineOf(id(1)));
  assert.deepEqual((await read()).sort(), [id(1), 'own'].sort());
  await writeFile(file, (await readFile(file, 'utf8')).replace('"question":"own"', '"question":"OWN"'));
  assert.deepEqual((await read()).sort(), [id(1), 'OWN'].sort());
  await writeFile(`${file}.new`, lineOf(id(2)) + lineOf(id(3)) + lineOf(id(4)));
  await rename(`${file}.new`, file);
  assert.deepEqual(await read(), [id(2), id(3), id(4)]);
  await truncate(file, (await stat(file)).size - 5);
  assert.deepEqual(await read(), [id(2), id(3)]);
  await rm(file);
  assert.deepEqual(await read(), []);
});

test('given a line that another window is writing this moment, when read, then it is not taken for a torn one', async (t) => {
  const { open, file, ledgerFolder } = await setUp(t);
  await mkdir(ledgerFolder, { recursive: true });
  const line = lineOf(id(1));
  await writeFile(file, line.slice(0, 100));
  let looks = 0;
  const ledger = await open({
    fileSystem: {
      ...nodeFileSystem,
      open: async (name, flags, mode) => {
        if (name === file && (looks += 1) === 2) await appendFile(file, line.slice(100));
        return await nodeFileSystem.open(name, flags, mode);
      },
    },
  });
  const { records, problems } = await ledger.read();
  assert.deepEqual([labels(records), problems], [[id(1)], []]);
});

test('given a file that cannot be read, when read, then it is named and the others stand', async (t) => {
  const { open, file, ledgerFolder } = await setUp(t);
  await mkdir(path.join(ledgerFolder, 'folder12.jsonl'), { recursive: true });
  await writeFile(file, lineOf(id(1)));
  const { records, problems } = await (await open()).read();
  assert.deepEqual(labels(records), [id(1)]);
  assert.deepEqual(
    problems.map(({ line }) => line),
    [null],
  );
});

test('given many decisions on a block, when the last is asked for, then it is the latest that settled it', async (t) => {
  const { open } = await setUp(t);
  const ledger = await open();
  assert.equal(await ledger.lastDecision('k3v9q2'), null);
  for (const kind of ['offer', 'accept', 'rate'] as const) await ledger.append(decisionOf(kind, { kind }));
  await ledger.append(decisionOf('another', { block: 'constructor', kind: 'reject' }));
  await ledger.append(decisionOf('offered', { block: 'offered', kind: 'offer' }));
  assert.equal((await ledger.lastDecision('k3v9q2'))?.texts.question, 'accept');
  assert.equal((await ledger.lastDecision('constructor'))?.kind, 'reject');
  assert.equal(await ledger.lastDecision('offered'), null);
  assert.equal(await ledger.lastDecision('tostring'), null);
  assert.deepEqual([...(await ledger.lastDecisions()).keys()], ['k3v9q2', 'constructor']);
});

test('given a rating, when it is appended and read, then section and verdict are what they were', async (t) => {
  const { open } = await setUp(t);
  const ledger = await open();
  const rating = { segment: 'reflection', value: 'up' } as const;
  await ledger.append(decisionOf('rated', { kind: 'rate', rating }));
  const { records } = await (await open()).read();
  assert.deepEqual(records[0]?.rating, rating);
});
