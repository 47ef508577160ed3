// The watch list on figures of known shape: what pauses a run, and in which words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetDiversity, DatasetSample, WatchFinding } from '../protocol/index.ts';
import type { Dataset } from './dataset/generate.ts';
import type { GateMeasurements } from './gate/verdict.ts';
import { watchDataset, watchHeldout, watchRefresh } from './watch.ts';

const healthy: DatasetDiversity = {
  documents: { used: 8, of: 10 },
  chunks: { used: 30, of: 80 },
  ...{ duplicateShare: 0.05, meanNearest: 0.6, meanDifference: 0.8, meanGrounded: 0.7 },
  ...{ chosenWords: 120, rejectedWords: 90, longerChosen: 0.6 },
};

function dataset(kept: number, of: number, diversity: Partial<DatasetDiversity> = {}): Dataset {
  const samples = Array.from({ length: of }, (_, at) => ({ kept: at < kept }) as DatasetSample);
  return {
    samples,
    end: { why: 'enough', message: '' },
    refused: {},
    diversity: { ...healthy, ...diversity },
  };
}

function failedIn(findings: readonly WatchFinding[]): string[] {
  return findings.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name);
}

test('given healthy data, when it is watched, then all is fine', () => {
  const findings = watchDataset(dataset(30, 40), 1, null);
  assert.deepEqual(new Set(findings.map(({ verdict }) => verdict)), new Set(['fine']));
});

for (const [name, bad] of [
  ['kept-share', dataset(2, 40)],
  ['duplicate-questions', dataset(30, 40, { duplicateShare: 0.6 })],
  ['similarity', dataset(30, 40, { meanDifference: 0.2 })],
  ['length-drift', dataset(30, 40, { chosenWords: 400 })],
] as const) {
  test(`given data with bad ${name}, when it is watched, then that alone pauses the run, with its figure in words`, () => {
    const findings = watchDataset(bad, 1, dataset(30, 40));
    assert.deepEqual(failedIn(findings), [name]);
    assert.match(findings.find((finding) => finding.name === name)?.says ?? '', /\d/);
  });
}

test('given samples of few notes, when they are watched, then it is said and does not pause the run', () => {
  const findings = watchDataset(dataset(30, 40, { documents: { used: 1, of: 10 } }), 1, null);
  assert.equal(findings.find(({ name }) => name === 'coverage')?.verdict, 'doubtful');
  assert.deepEqual(failedIn(findings), []);
});

test('given a held-out loss that rises far above its lowest, when it is watched, then the run is paused', () => {
  const looks = [2, 1.4, 1.2, 1.3, 1.9].map((loss, at) => ({ step: 10 * at, loss, accuracy: 0.8 }));
  assert.deepEqual(failedIn(watchHeldout(looks.slice(0, 4), 1)), []);
  const [finding] = watchHeldout(looks, 1).filter(({ verdict }) => verdict === 'failed');
  assert.equal(finding?.says, 'After step 40 the held-out loss is 1.900, and was 1.200 at its lowest.');
});

test('given a held-out accuracy that falls by half, or figures that are not finite, when they are watched, then the first pauses and the others say nothing', () => {
  const fallen = [0.9, 0.5].map((accuracy, at) => ({ step: at, loss: 1, accuracy }));
  assert.deepEqual(failedIn(watchHeldout(fallen, 2)), ['heldout-accuracy']);
  assert.deepEqual(watchHeldout([{ step: 1, loss: null, accuracy: null }], 2), []);
  assert.deepEqual(watchHeldout([], 2), []);
});

function measured(adoption: number, margin: number, perplexity: number): GateMeasurements {
  const pair = { before: { chosen: -2, rejected: -2 }, after: { chosen: margin - 2, rejected: -2 } };
  return {
    ...{ phase: 1, answers: [pair], wholes: [pair] },
    adoption: [{ before: 0, after: adoption }],
    perplexity: [{ before: 20, after: 20 * perplexity }],
  };
}

test('given refreshes that go on as before, when they are watched, then all is fine; the first is held to the base model alone', () => {
  const first = measured(0.9, 0.3, 1.02);
  assert.deepEqual(
    watchRefresh(first, [], 1).map(({ name, verdict }) => [name, verdict]),
    [['perplexity', 'fine']],
  );
  const findings = watchRefresh(measured(0.88, 0.31, 1.04), [first], 2);
  assert.deepEqual(
    findings.map(({ name, verdict }) => [name, verdict]),
    ['marker-adoption', 'heldout-accuracy', 'answer-margin', 'perplexity'].map((name) => [name, 'fine']),
  );
});

for (const [name, bad] of [
  ['marker-adoption', measured(0.5, 0.3, 1)],
  ['answer-margin', measured(0.9, 0.15, 1)],
  ['perplexity', measured(0.9, 0.3, 1.6)],
] as const) {
  test(`given a refresh with worse ${name}, when it is watched, then that alone pauses the run, beside the best refresh before it`, () => {
    const findings = watchRefresh(bad, [measured(0.9, 0.3, 1), measured(0.6, 0.1, 1)], 3);
    assert.deepEqual(failedIn(findings), [name]);
    assert.match(findings.find((finding) => finding.name === name)?.says ?? '', /^After refresh 3 .*\d/);
  });
}

test('given a refresh after which chosen texts are the less likely ones, when it is watched, then accuracy pauses the run too', () => {
  const findings = watchRefresh(measured(0.9, -0.1, 1), [measured(0.9, 0.3, 1)], 2);
  assert.deepEqual(failedIn(findings), ['heldout-accuracy', 'answer-margin']);
});
