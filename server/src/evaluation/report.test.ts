import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitMakers } from '../protocol/index.ts';
import { chartOf, figure } from './figures.ts';
import { cautionsOf, markdownOf, reportOf } from './report.ts';
import { setupExample } from './testing.ts';

const makers: UnitMakers = {
  model: { id: 'large', file: 'l.gguf', sha256: 'a'.repeat(64) },
  ...{ parameters: 8e9, adapter: null, backend: 'cuda', criticAdapter: null },
  critic: { id: 'judge', file: 'j.gguf', sha256: 'b'.repeat(64) },
};
const many = setupExample({ questions: { source: 'q.jsonl', sha256: 'f'.repeat(64), count: 100 } });

test('given a large model, another critic and many questions, when cautions are looked for, then only the seed remains', () => {
  assert.equal(cautionsOf(many, [makers], 0, 'questions').length, 1);
});

test('given a small model, few questions, the model itself as critic, no hash, failures, when cautions are looked for, then each is said', () => {
  const said = (change: Partial<UnitMakers>, failed = 0, setup = many): string =>
    cautionsOf(setup, [{ ...makers, ...change }], failed, 'questions').join('\n');
  assert.match(said({ parameters: 135e6 }), /135 million parameters.*nothing about the quality/);
  assert.match(said({}, 0, setupExample()), /2 questions are few/);
  assert.match(said({ critic: makers.model }), /marks its own texts/);
  assert.doesNotMatch(said({ critic: makers.model, adapter: 'mine' }), /marks its own/);
  assert.match(said({ model: { ...makers.model, sha256: '' } }), /no hash/);
  assert.match(said({}, 3), /3 could not be done/);
  const two = [makers, { ...makers, adapter: 'mine' }];
  assert.match(cautionsOf(many, two, 0, 'questions').join('\n'), /different files or adapters/);
  assert.doesNotMatch(
    cautionsOf({ ...many, experiment: 'models' }, two, 0, 'questions').join('\n'),
    /different files/,
  );
});

test('given text with markdown of its own, when the report is written, then it stays text', () => {
  const figures = [
    figure('a|b\n# c', '<script>', { n: 1, mean: 0.5, low: null, high: null, deviation: null }),
  ];
  const { report } = reportOf({
    ...{
      title: 'Title',
      setup: many,
      measures: 'questions',
      failed: [{ line: 'failed', unit: 'x`y', why: '![a](http://b)' }],
    },
    finished: [{ line: 'unit', unit: 'u', seconds: 2, by: makers, result: null }],
    findings: [{ title: 'Part', text: 'Text.', figures, chart: null }],
  });
  const text = markdownOf(report);
  assert.ok(text.includes('| a\\|b \\# c | \\<script\\> | 1 | 0.500 | – | – |'), text);
  assert.ok(text.includes('!\\[a\\]'), text);
  assert.doesNotMatch(text, /\n# c/);
});

test('given figures of two measures, when a chart is made, then each is a series and what has no mean is left out', () => {
  const known = { n: 2, mean: 0.5, low: 0.4, high: 0.6, deviation: 0.1 };
  const unknown = { n: 0, mean: null, low: null, high: null, deviation: null };
  const words = { kind: 'bars', title: 't', xLabel: 'x', yLabel: 'y', range: [0, 1] } as const;
  const chart = chartOf([figure('a', 'm', known), figure('b', 'm', unknown), figure('a', 'n', known)], words);
  assert.deepEqual(chart?.series, [
    { name: 'm', points: [{ x: 'a', y: 0.5, low: 0.4, high: 0.6 }] },
    { name: 'n', points: [{ x: 'a', y: 0.5, low: 0.4, high: 0.6 }] },
  ]);
  assert.equal(chartOf([figure('a', 'm', unknown)], words), null);
});
