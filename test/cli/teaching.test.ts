// preflexor dataset generate and teach with the real small models: pairs out of a paper, and what is refused before
// anything is computed.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatasetSample, EvaluationReport, TeachSettings } from '../../server/src/protocol/index.ts';
import { decodePair } from '../../server/src/training/index.ts';
import { paper, preflexor, startOfPaper } from './support.ts';

const models = [
  ...['--model', process.env['PREFLEXOR_TEST_MODEL'] ?? 'smollm2-135m-instruct'],
  ...['--embedder', process.env['PREFLEXOR_TEST_EMBEDDER'] ?? 'all-minilm-l6-v2'],
  ...['--gpu', 'cpu', '--threads', '1', '--json'],
];
const small = [
  ...['--headings', '1', '--passages', '0', '--part-tokens', '48'],
  ...['--answer-tokens', '40', '--heldout-share', '0'],
];

function eventsOf(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('given an indexed note, when a dataset is made, then its pair can be trained on, and the same command makes nothing twice', async (t) => {
  const { folder } = await startOfPaper(t);
  const before = await preflexor([
    'dataset',
    'generate',
    '--samples',
    '1',
    '--out',
    join(folder, 'p.jsonl'),
    ...models,
    '--workspace',
    folder,
  ]);
  assert.equal(before.code, 1);
  assert.match(before.stderr, /has not been indexed.*preflexor index/s);
  assert.equal((await preflexor(['index', folder, '--workspace', folder, ...models])).code, 0);
  const out = join(folder, 'made', 'pairs.jsonl');
  const command = [
    'dataset',
    'generate',
    '--samples',
    '1',
    '--out',
    out,
    ...small,
    ...models,
    '--workspace',
    folder,
  ];
  const { code, stdout, stderr } = await preflexor(command);
  assert.equal(code, 0, stderr);
  const events = eventsOf(stdout);
  const samples = events.filter(({ event }) => event === 'sample').map((event) => DatasetSample.parse(event));
  assert.equal(samples.filter(({ kept }) => kept).length, 1);
  const done = events.at(-1);
  assert.deepEqual([done?.['event'], done?.['kept'], done?.['files']], ['done', 1, [out]]);
  const pair = decodePair((await readFile(out, 'utf8')).trim(), 1);
  assert.ok('chosen' in pair && pair.chosen?.startsWith('<|thinking|>\n'));
  const again = eventsOf((await preflexor(command)).stdout);
  assert.deepEqual(
    again.map(({ event }) => event),
    ['resumed', 'done'],
  );

  // The same, as an experiment: one sample, and the critic on both of its sides.
  const experiment = ['eval', '2', '--samples', '1', '--answer-tokens', '40', '--workspace', folder];
  const evaluated = await preflexor([...experiment, ...models]);
  assert.equal(evaluated.code, 0, evaluated.stderr);
  const report = EvaluationReport.parse(JSON.parse(evaluated.stdout));
  assert.deepEqual([report.experiment, report.units.finished], ['dataset', 1]);
  const figure = (title: string, of: string) =>
    report.sections.find((one) => one.title === title)?.figures.find((one) => one.of === of);
  assert.ok((figure('Samples that pass their checks', 'kept')?.mean ?? 0) > 0);
  assert.equal(figure('Chosen beside rejected', 'answers')?.n, 1);
});

test('given one note alone, when teaching is asked for, then a sentence says that nothing can be held out; and --plan says every number', async (t) => {
  const { folder } = await paper(t);
  await writeFile(join(folder, 'copy.md'), await readFile(join(folder, 'paper.md'), 'utf8'));
  const plan = await preflexor(['teach', folder, '--plan', '--set', 'phase1.steps=7', ...models]);
  assert.equal(TeachSettings.parse(JSON.parse(plan.stdout)).phase1.steps, 7);
  const wrong = await preflexor(['teach', folder, '--plan', '--set', 'phase1.stops=7', ...models]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /sets nothing that there is.*phase1\.steps/s);
  const alone = await preflexor(['teach', folder, ...models]);
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /stand in one note.*two notes or papers/s);
});
