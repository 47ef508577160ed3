// preflexor eval on the real model: one command makes a report, a second start goes on, and options are checked.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EvaluationReport } from '../../server/src/protocol/index.ts';
import { paper, preflexor, short, startOfPaper } from './support.ts';

const experiment5 = ['eval', '5', '--limit', '1', '--json', ...short, '--iterations', '1'];

test('given a workspace, when experiment 5 is run with tiny budgets, then one command makes report and plots from its own paragraphs, once', async (t) => {
  const { folder } = await startOfPaper(t);
  const command = [...experiment5, '--workspace', folder];
  const { code, stdout, stderr } = await preflexor(command);
  assert.equal(code, 0, stderr);
  const report = EvaluationReport.parse(JSON.parse(stdout));
  assert.deepEqual([report.number, report.units.finished, report.setup.questions.count], [5, 1, 1]);
  assert.match(report.makers[0]?.model.sha256 ?? '', /^[0-9a-f]{64}$/);
  assert.ok(report.cautions.some((caution) => caution.includes('nothing about the quality')));
  const [scores] = report.sections;
  assert.deepEqual(
    scores?.figures.filter(({ what }) => what === 'score').map(({ of, n }) => [of, n]),
    [
      ['0 (draft)', 1],
      ['1', 1],
    ],
  );
  const out = join(folder, '.preflexor', 'eval', 'iterations');
  const names = await readdir(out);
  for (const name of ['report.json', 'report.md', 'runs.jsonl', scores.plot ?? ''])
    assert.ok(names.includes(name), name);
  assert.match(await readFile(join(out, scores.plot ?? ''), 'utf8'), /^<svg /);

  // What is done is not done again, and is not mixed with something else.
  const again = await preflexor(command);
  assert.deepEqual(JSON.parse(again.stdout), report);
  const other = await preflexor([...command, '--seed', '8', '--out', out]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /other settings \(seed, sampler.*--out/s);
});

test('given an experiment that there is not, or options that do not go together, when eval is asked for, then a sentence says what there is', async (t) => {
  const { folder } = await paper(t);
  const unknown = await preflexor(['eval', '11', '--workspace', folder]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /no experiment 11.*5 \(iterations\)/s);
  const several = await preflexor(['eval', '5', '--models', 'a,b', '--workspace', folder]);
  assert.equal(several.code, 1);
  assert.match(several.stderr, /experiment 10/);
  const untrained = await preflexor(['eval', '9', '--workspace', folder]);
  assert.equal(untrained.code, 1);
  assert.match(untrained.stderr, /with its adapter.*--adapter/s);
  const unpaired = await preflexor(['eval', 'masking', '--workspace', folder]);
  assert.equal(unpaired.code, 1);
  assert.match(unpaired.stderr, /no pairs to train on.*--pairs and --heldout.*teach/s);
  const unanswered = await preflexor(['eval', 'benchmark', '--workspace', folder]);
  assert.equal(unanswered.code, 1);
  assert.match(unanswered.stderr, /known answer.*--questions/s);
});
