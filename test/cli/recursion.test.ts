// The recursion on the real model, from the command line: rounds, cache, and going on after a kill.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Run, type Step } from '../../server/src/protocol/index.ts';
import { lineOf, preflexor, startOfPaper, words } from './support.ts';

const budgets = ['--thinking-tokens', '24', '--reflection-tokens', '16', '--answer-tokens', '24'];
const how = ['--seed', '3', '--threads', '1', ...budgets];

/** Tokens of a step's prompt that no step before it has evaluated or generated, and those it evaluated. */
function evaluated({ tokens }: Step): number {
  return tokens.prompt - tokens.reused;
}

test('given two rounds, when they are run with --json, then draft and rounds come with all that the contract names', async (t) => {
  const { note } = await startOfPaper(t);
  const at = lineOf(await readFile(note, 'utf8'), words);
  const { code, stdout, stderr } = await preflexor([
    'reason',
    note,
    '--at',
    at,
    '--json',
    '--iterations',
    '2',
    ...how,
  ]);
  assert.equal(code, 0, stderr);
  const run = Run.parse(JSON.parse(stdout));
  assert.deepEqual(
    run.iterations.map(({ index }) => index),
    run.stoppedBecause === 'finished' ? [0, 1, 2] : run.iterations.map((_, index) => index),
  );
  for (const { signals, tokens, rubrics, score } of run.iterations) {
    assert.ok(signals.length >= 4);
    assert.ok(tokens.generated > 0);
    // Marks are written under a grammar, so that even this model's are JSON.
    assert.equal(rubrics?.length, 2);
    assert.ok(score !== null && score >= 0 && score <= 1);
  }
  const steps = run.steps ?? [];
  // The paragraph with all that is shown for it is evaluated by the first step alone; no later prompt is shorter.
  const opening = evaluated(steps[0]!);
  for (const step of steps.slice(1)) assert.ok(step.tokens.reused >= opening - 16, step.name);
  // Reflection and answer go on where the step before ended: nothing but the markers between is new.
  for (const step of steps.filter(
    ({ iteration, name }) => iteration === 0 && name !== 'thinking' && name !== 'score',
  ))
    assert.ok(evaluated(step) < 40, `${step.name}: ${evaluated(step)}`);
});

test('given a run that is killed in the middle, when it is gone on with, then its finished steps stand and the rest follows', async (t) => {
  const { note, folder } = await startOfPaper(t);
  const at = lineOf(await readFile(note, 'utf8'), words);
  const killed = await preflexor(['reason', note, '--at', at, '--stream', '--iterations', '1', ...how], {
    onStdout: (text, kill) => {
      if (text.split('"event":"step"').length > 4) kill('SIGKILL');
    },
  });
  assert.equal(killed.code, null);
  const runs = join(folder, '.preflexor', 'runs');
  const [file = ''] = (await readdir(runs)).filter((name) => name.endsWith('.unfinished.json'));
  const { id, steps: kept } = JSON.parse(await readFile(join(runs, file), 'utf8')) as {
    id: string;
    steps: Step[];
  };
  assert.ok(kept.length >= 3);

  const { code, stdout, stderr } = await preflexor([
    ...['reason', note, '--resume', id, '--json'],
    ...['--threads', '1'],
  ]);
  assert.equal(code, 0, stderr);
  const run = Run.parse(JSON.parse(stdout));
  assert.equal(run.id, id);
  assert.deepEqual(run.steps?.slice(0, kept.length), kept);
  assert.ok(run.steps.length > kept.length);
  assert.deepEqual((await readdir(runs)).sort(), [`${id}.json`]);
});
