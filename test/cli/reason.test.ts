// The command line on the real model: what docs/cli.md promises to tools that build on it.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { LedgerRecord, ReasonEvent, Run } from '../../server/src/protocol/index.ts';
import { lineOf, paper, preflexor, short, startOfPaper, words } from './support.ts';

/** Leaves out what takes its value from the clock or from chance. */
function lasting(run: Run): unknown {
  const { id: _id, block: _block, time: _time, seconds: _seconds, iterations, steps = [], ...rest } = run;
  return {
    ...rest,
    iterations: iterations.map(({ seconds: _own, ...iteration }) => iteration),
    steps: steps.map(({ seconds: _own, ...step }) => step),
  };
}

test('given a paragraph, when it is reasoned about with --json, then one document with the contract’s names comes, and the note is untouched', async (t) => {
  const { note } = await paper(t);
  const before = await readFile(note, 'utf8');
  const { code, stdout, stderr } = await preflexor([
    'reason',
    note,
    '--at',
    lineOf(before, words),
    '--json',
    ...short,
  ]);
  assert.equal(code, 0, stderr);
  const run = Run.parse(JSON.parse(stdout));
  assert.equal(run.iterations.length, 1);
  assert.equal(run.iterations[0]?.index, 0);
  assert.equal(run.final, run.iterations[0].answer);
  assert.ok(run.paragraph.startsWith(words));
  assert.equal(await readFile(note, 'utf8'), before);
});

test('given the same input and seed, when it runs twice with a cold cache, then the output is the same, timings aside', async (t) => {
  const { note } = await startOfPaper(t);
  const at = lineOf(await readFile(note, 'utf8'), words);
  const runs = [];
  for (let turn = 0; turn < 2; turn += 1) {
    const how = [...short, '--iterations', '1'];
    const { stdout } = await preflexor(['reason', note, '--at', at, '--json', ...how]);
    runs.push(lasting(Run.parse(JSON.parse(stdout))));
  }
  assert.deepEqual(runs[0], runs[1]);
});

test('given --stream, when it runs, then each line is an event and the last one holds the run', async (t) => {
  const { note } = await startOfPaper(t);
  const at = lineOf(await readFile(note, 'utf8'), words);
  const { code, stdout } = await preflexor(['reason', note, '--at', at, '--stream', ...short]);
  assert.equal(code, 0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => ReasonEvent.parse(JSON.parse(line)));
  assert.equal(events[0]?.event, 'started');
  assert.equal(events.at(-1)?.event, 'finished');
  assert.ok(events.filter(({ event }) => event === 'text').length > 3);
});

test('given --write, when it is followed by annotations, decide and strip, then each finds what the one before left', async (t) => {
  const { note, folder } = await paper(t);
  const before = await readFile(note, 'utf8');
  const written = await preflexor([
    'reason',
    note,
    '--at',
    lineOf(before, words),
    '--json',
    '--write',
    ...short,
  ]);
  assert.equal(written.code, 0, written.stderr);
  const { edit, ...run } = JSON.parse(written.stdout) as Run & {
    edit: { start: number; end: number; text: string };
  };
  const annotated = await readFile(note, 'utf8');
  assert.equal(annotated, before.slice(0, edit.start) + edit.text + before.slice(edit.end));

  const listed = await preflexor(['annotations', note, '--json']);
  const [block] = JSON.parse(listed.stdout) as { id: string; state: string; start: number }[];
  assert.deepEqual([block?.id, block?.state], [run.block, 'offered']);

  const stripped = await preflexor(['strip', note]);
  assert.equal(stripped.stdout, before);

  const decided = await preflexor([
    'decide',
    note,
    '--block',
    run.block,
    '--as',
    'accept',
    '--json',
    '--write',
  ]);
  assert.equal(decided.code, 0, decided.stderr);
  const { entry } = JSON.parse(decided.stdout) as { entry: LedgerRecord };
  assert.equal(entry.kind, 'accept');
  assert.equal(entry.run, run.id);
  assert.equal(await readFile(note, 'utf8'), before.replace(run.paragraph, run.final));

  const ledger = join(folder, '.preflexor', 'ledger');
  const [file] = (await readdir(ledger)).filter((name) => name.endsWith('.jsonl'));
  const lines = (await readFile(join(ledger, file ?? ''), 'utf8')).trim().split('\n');
  assert.deepEqual(
    lines.map((line) => LedgerRecord.parse(JSON.parse(line))),
    [entry],
  );
});

test('given a block, when it is rejected with --write, then the note is what it was, byte for byte', async (t) => {
  const { note } = await startOfPaper(t);
  const before = await readFile(note);
  const at = lineOf(before.toString('utf8'), words);
  const written = await preflexor(['reason', note, '--at', at, '--json', '--write', ...short]);
  const { block } = JSON.parse(written.stdout) as Run;
  const decided = await preflexor([
    'decide',
    note,
    '--block',
    block,
    '--as',
    'reject',
    '--reason',
    'No.',
    '--write',
  ]);
  assert.equal(decided.code, 0, decided.stderr);
  assert.deepEqual(await readFile(note), before);
});

test('given Ctrl+C in the middle, when the model is writing, then it ends with 130 and the note is untouched', async (t) => {
  const { note } = await startOfPaper(t);
  const before = await readFile(note, 'utf8');
  let sent = false;
  const ended = await preflexor(
    [
      'reason',
      note,
      '--at',
      lineOf(before, words),
      '--write',
      '--stream',
      ...short,
      '--thinking-tokens',
      '2000',
    ],
    {
      onStdout: (text, kill) => {
        if (sent || !text.includes('"event":"text"')) return;
        sent = true;
        kill('SIGINT');
      },
    },
  );
  assert.equal(ended.code, 130, ended.stderr);
  assert.equal(await readFile(note, 'utf8'), before);
});

test('given generate, when it runs with --json, then text, segments and tokens come', async () => {
  const { code, stdout, stderr } = await preflexor([
    ...['generate', 'Say hello.', '--max-tokens', '12', '--json'],
    ...['--model', process.env['PREFLEXOR_TEST_MODEL'] ?? 'smollm2-135m-instruct'],
  ]);
  assert.equal(code, 0, stderr);
  const { text, segments, tokens } = JSON.parse(stdout) as {
    text: string;
    segments: { kind: string; text: string }[];
    tokens: { prompt: number; generated: number };
  };
  assert.ok(text.length > 0 && tokens.prompt > 0 && tokens.generated > 0 && tokens.generated <= 12);
  assert.equal(segments.map((segment) => segment.text).join(''), text);
});

test('given a truncated or foreign model file, when it is to be used, then a sentence says what is wrong', async (t) => {
  const { note, folder } = await paper(t);
  const file = join(folder, 'bad.gguf');
  await writeFile(file, 'GGUF and then nonsense');
  const at = lineOf(await readFile(note, 'utf8'), words);
  const { code, stderr } = await preflexor(['reason', note, '--at', at, '--model', file]);
  assert.equal(code, 1);
  assert.match(stderr, /bad\.gguf/);
  assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace for an expected failure');
});
