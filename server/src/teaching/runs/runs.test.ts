// Runs of training read off their files while these grow, are gone on with, and end.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFile,
  mkdir,
  mkdtemp,
  realpath,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import type { TrainingCursor, TrainingRunDetail } from '../../protocol/index.ts';
import {
  beginTeaching,
  beginTraining,
  endTeaching,
  endTraining,
  helloLine,
  lookLine,
  runRecord,
  sample,
  startedLine,
  stepLine,
  steps,
  tell,
  verdict,
  writeSamples,
} from '../../../../test/support/trainingRunFiles.ts';
import { trainedPairs } from './trainedPairs.ts';
import { TrainingRuns } from './runs.ts';

const never = new AbortController().signal;

async function workspace(t: TestContext): Promise<{ root: string; runs: TrainingRuns; alive: Set<number> }> {
  const root = await mkdtemp(path.join(await realpath(tmpdir()), 'preflexor runs '));
  t.after(() => rm(root, { recursive: true, force: true }));
  const alive = new Set([7]);
  const runs = new TrainingRuns({ root, now: Date.now, isAlive: (pid) => alive.has(pid) });
  return { root, runs, alive };
}

function cursors({ parts }: TrainingRunDetail): TrainingCursor[] {
  return parts.map(({ part, epoch, from, trained }) => ({ part, epoch, steps: from + trained.step.length }));
}

test('given a training that goes on, when it is asked for again, then only the steps that came since are told, and a torn line waits', async (t) => {
  const { root, runs } = await workspace(t);
  const folder = path.join(root, 'out', 'run');
  await beginTraining(folder);
  await tell(folder, [helloLine(7), startedLine(20), ...steps(1, 6)]);
  const first = await runs.detail('out/run', [], never);
  assert.deepEqual(first.parts[0]?.trained.step, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(first.parts[0].heldout.step, [5]);
  assert.deepEqual([first.entry.state, first.parts[0].planned], ['running', 20]);
  const line = JSON.stringify(stepLine(7));
  await appendFile(path.join(folder, 'log.jsonl'), line.slice(0, 40));
  const torn = await runs.detail('out/run', cursors(first), never);
  assert.deepEqual([torn.parts[0]?.from, torn.parts[0]?.trained.step], [6, []]);
  await appendFile(path.join(folder, 'log.jsonl'), `${line.slice(40)}\nno json\n`);
  const whole = await runs.detail('out/run', cursors(first), never);
  assert.deepEqual(whole.parts[0]?.trained.step, [7]);
});

test('given a training that was gone on with from a checkpoint, when it is asked for, then its steps are told anew and each stands once', async (t) => {
  const { root, runs } = await workspace(t);
  const folder = path.join(root, 'run');
  await beginTraining(folder);
  await tell(folder, [startedLine(20), ...steps(1, 8)]);
  const before = await runs.detail('run', [], never);
  await tell(folder, [startedLine(20, 6), ...steps(7, 9)]);
  const after = await runs.detail('run', cursors(before), never);
  assert.deepEqual([after.parts[0]?.from, after.parts[0]?.trained.step], [0, [1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  assert.match(after.log.at(-1)?.says ?? '', /Gone on with after step 6 of 20/);
});

test('given runs of each kind and state, when they are listed, then each has its state, the newest first', async (t) => {
  const { root, runs, alive } = await workspace(t);
  const at = (name: string): string => path.join(root, name);
  const begin = async (name: string, hour: string, pid: number): Promise<void> => {
    await beginTraining(at(name), { time: `2026-11-24T${hour}:00:00.000Z` });
    await tell(at(name), [helloLine(pid), startedLine(20), ...steps(1, 3)]);
  };
  await begin('live', '15', 7);
  await begin('dead', '14', 8);
  await begin('silent', '13', 7);
  await utimes(at('silent/log.jsonl'), 1000, 1000);
  await begin('done', '12', 8);
  await endTraining(at('done'));
  await begin('broken', '11', 7);
  await tell(at('broken'), [
    {
      event: 'failed',
      seq: 9,
      code: 'x',
      message: 'There is no memory left.',
      hint: 'Try a shorter length.',
    },
  ]);
  await begin('waiting', '10', 7);
  await tell(at('waiting'), [{ event: 'paused', seq: 9, step: 3 }]);
  await mkdir(at('no-run'));
  await writeFile(at('no-run/run.json'), '{"schema":1');
  await mkdir(at('node_modules/x'), { recursive: true });
  const states = (await runs.list(never)).map(({ run, state }) => `${run} ${state}`);
  assert.deepEqual(states, [
    'live running',
    'dead broken-off',
    'silent broken-off',
    'done finished',
    'broken failed',
    'waiting paused',
  ]);
  alive.clear();
  assert.equal((await runs.detail('live', [], never)).entry.state, 'broken-off');
});

test('given a run of teaching, when it is asked for, then its refreshes are one curve, and watch list, gates, data and answers are those of its files', async (t) => {
  const { root, runs } = await workspace(t);
  const folder = path.join(root, '.preflexor', 'teach', '1');
  const refresh = (phase: number, number: number): string =>
    path.join(folder, `phase-${phase}`, `refresh-${number}`);
  await beginTeaching(folder);
  await writeSamples(refresh(1, 1), [sample(0), sample(1), sample(2, { kept: false })]);
  await beginTraining(path.join(refresh(1, 1), 'run'));
  await tell(path.join(refresh(1, 1), 'run'), [startedLine(10), ...steps(1, 10)]);
  await writeSamples(refresh(1, 2), [sample(3, { chosen: 'Short.' })]);
  await tell(path.join(refresh(1, 2), 'run'), [startedLine(10), stepLine(1), stepLine(2), lookLine(2)]);
  await writeSamples(refresh(2, 1), [sample(0, { chosen: 'After phase I.' })]);
  await writeFile(path.join(folder, 'phase-1', 'gate.json'), JSON.stringify(verdict(1, true)));
  const going = await runs.detail('.preflexor/teach/1', [], never);
  const [first] = going.parts;
  assert.deepEqual(first?.trained.step, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.deepEqual([first.heldout.step, first.planned], [[5, 10, 12], 20]);
  assert.deepEqual([going.entry.kind, going.entry.state, going.why], ['teach', 'running', null]);
  const told = (name: string) =>
    going.watch.filter((entry) => entry.name === name).map(({ refresh: of, verdict: how }) => [of, how]);
  assert.deepEqual(told('length-drift'), [
    [1, 'fine'],
    [2, 'failed'],
    [1, 'fine'],
  ]);
  assert.deepEqual(told('marker-adoption'), [[null, 'fine']]);
  assert.deepEqual(told('coverage'), []);
  assert.deepEqual(
    going.data.map(({ part, refresh: of, pairs, listed }) => [part, of, pairs.records, listed]),
    [['phase-1', 1, 8, true]],
  );
  assert.deepEqual(
    going.samples.map(({ before, after }) => [before, after]),
    [['Because they are <b>small</b> (0).', 'After phase I.']],
  );
  await endTeaching(folder, false);
  const over = await runs.detail('.preflexor/teach/1', [], never);
  assert.deepEqual([over.entry.state, over.entry.offered], ['finished', false]);
  assert.match(over.why ?? '', /not get better/);
  assert.ok(over.watch.some(({ name }) => name === 'coverage'));
  const pairs = await trainedPairs(await runs.pairsFiles('.preflexor/teach/1', 'phase-1', never), never);
  assert.deepEqual(
    pairs.map(({ row }) => [row.line, row.signal, row.note]),
    [
      [1, 'generated', 'notes/alloys.md'],
      [2, 'generated', 'notes/alloys.md'],
      [3, 'generated', 'notes/alloys.md'],
    ],
  );
});

test('given a training on a pairs file in the workspace, when what went in is asked for, then its pairs are listed, as long as the file is the very one', async (t) => {
  const { root, runs } = await workspace(t);
  const pair = { prompt: 'Why are small grains hard?', chosen: 'They stop dislocations.', rejected: 'So.' };
  const text = `${JSON.stringify(pair)}\n`;
  const file = path.join(root, 'pairs.jsonl');
  await writeFile(file, text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const record = runRecord({ pairs: { ...runRecord().pairs, file: 'pairs.jsonl', sha256 } });
  await beginTraining(path.join(root, 'out', 'run'), record);
  const listed = async (): Promise<boolean | undefined> =>
    (await runs.detail('out/run', [], never)).data[0]?.listed;
  const questions = async (): Promise<string[]> => {
    const pairs = await trainedPairs(await runs.pairsFiles('out/run', 'train', never), never);
    return pairs.map(({ row }) => row.question);
  };
  assert.deepEqual([await listed(), await questions()], [true, [pair.prompt]]);
  await writeFile(file, `${text}${text}`);
  await utimes(file, 1000, 1000);
  assert.deepEqual([await listed(), await questions()], [false, []]);
  await rename(file, path.join(root, '..', `${path.basename(root)}.jsonl`));
  t.after(() => rm(path.join(root, '..', `${path.basename(root)}.jsonl`), { force: true }));
  await beginTraining(path.join(root, 'out', 'run'), {
    ...record,
    pairs: { ...record.pairs, file: `../../../${path.basename(root)}.jsonl` },
  });
  assert.equal(await listed(), false);
});

test('given names that lead out of the folder, when a run is asked for by them, then there is no such run', async (t) => {
  const { root, runs } = await workspace(t);
  const outside = path.join(root, '..', `${path.basename(root)}-outside`);
  t.after(() => rm(outside, { recursive: true, force: true }));
  await beginTraining(outside);
  await symlink(outside, path.join(root, 'link'));
  for (const name of [`../${path.basename(outside)}`, outside, 'link', '.', 'nowhere'])
    await assert.rejects(
      runs.detail(name, [], never),
      (error) => PreflexorError.is(error, 'bad-input'),
      name,
    );
  assert.deepEqual(await runs.list(never), []);
});
