// The gate on measurements of known shape: what it offers, what it keeps, and that it says why.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../evaluation/index.ts';
import { gateLimits, verdictOn, type BeforeAfter, type GateMeasurements, type PairMeans } from './verdict.ts';

const time = '2026-01-01T00:00:00.000Z';

/** Held-out pairs whose margin changes by `change`, give or take `noise`, from pair to pair. */
function pairs(count: number, change: number, noise: number, seed = 5): BeforeAfter<PairMeans>[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const before = { chosen: -2.2 + (random() - 0.5) * 0.4, rejected: -2.1 + (random() - 0.5) * 0.4 };
    const moved = change + (random() - 0.5) * 2 * noise;
    return { before, after: { chosen: before.chosen + 0.3 + moved, rejected: before.rejected + 0.3 } };
  });
}

function same<T>(count: number, before: T, after: T): BeforeAfter<T>[] {
  return Array.from({ length: count }, () => ({ before, after }));
}

const texts: BeforeAfter<number>[] = [
  { before: 23.7, after: 24.1 },
  { before: 20.8, after: 21.3 },
  { before: 24.2, after: 24.6 },
];

/** What training on clean style pairs measures: the marker is adopted, and little is forgotten. */
const cleanPhase1: GateMeasurements = {
  phase: 1,
  answers: pairs(8, 0.1, 0.1),
  wholes: pairs(8, 0.9, 0.3),
  adoption: same(8, 0.0001, 0.93),
  perplexity: texts,
};
const cleanPhase2: GateMeasurements = {
  ...cleanPhase1,
  phase: 2,
  answers: pairs(24, 0.08, 0.12),
  wholes: pairs(24, 0.1, 0.1),
  adoption: same(24, 0.93, 0.94),
};

test('given clean pairs, when phase I is judged, then the adapter is offered with its numbers', () => {
  const verdict = verdictOn(cleanPhase1, 1, time);
  assert.equal(verdict.offered, true, verdict.why);
  assert.match(verdict.why, /0\.0 % of held-out prompts before and 93\.0 % after/);
});

test('given half-swapped pairs, when phase I is judged, then it is kept: the marker is a coin toss, though whole margins rose', () => {
  const random = seededRandom(2);
  const adoption = Array.from({ length: 8 }, () => ({ before: 0.0001, after: 0.3 + random() * 0.4 }));
  const verdict = verdictOn({ ...cleanPhase1, adoption, wholes: pairs(8, 0.5, 0.2) }, 1, time);
  assert.equal(verdict.offered, false);
  assert.match(verdict.why, /Kept, not offered: The model begins with its thinking/);
});

test('given a form that is adopted at the price of the language, when phase I is judged, then it is kept for its perplexity', () => {
  const perplexity = texts.map(({ before }) => ({ before, after: before * 1.2 }));
  const verdict = verdictOn({ ...cleanPhase1, perplexity }, 1, time);
  assert.equal(verdict.offered, false);
  assert.match(verdict.why, /Perplexity on untouched text is 20\.0 % higher/);
});

test('given answers that got worse for sure, when phase I is judged, then it is kept', () => {
  const verdict = verdictOn({ ...cleanPhase1, answers: pairs(12, -0.3, 0.1) }, 1, time);
  assert.deepEqual(
    verdict.checks.filter(({ passed }) => !passed).map(({ name }) => name),
    ['answer-margin'],
  );
});

test('given a margin between answers that rose for sure, when phase II is judged, then the adapter is offered', () => {
  const verdict = verdictOn(cleanPhase2, 1, time);
  assert.equal(verdict.offered, true, verdict.why);
  const [margin] = verdict.checks;
  assert.ok(margin?.name === 'answer-margin' && (margin.change.low ?? 0) > 0);
});

test('given half-swapped pairs, when phase II is judged, then it is kept: the interval of the answers’ margin holds zero, though whole margins rose', () => {
  const measured = { ...cleanPhase2, answers: pairs(24, 0, 0.3), wholes: pairs(24, 0.5, 0.1) };
  const verdict = verdictOn(measured, 1, time);
  assert.equal(verdict.offered, false);
  assert.match(verdict.why, /did not change for sure/);
});

test('given a phase II that loses the form, or forgets, or gets whole pairs wrong, when it is judged, then it is kept for that', () => {
  const wrong = cleanPhase2.wholes.map(({ before }) => ({
    before: { chosen: -1, rejected: -2 },
    after: { chosen: -2, rejected: before.rejected + 1 },
  }));
  for (const [name, worse] of [
    ['marker-adoption', { adoption: same(24, 0.93, 0.4) }],
    ['perplexity', { perplexity: same(3, 20, 23) }],
    ['heldout-accuracy', { wholes: wrong }],
  ] as const) {
    const verdict = verdictOn({ ...cleanPhase2, ...worse }, 1, time);
    assert.deepEqual(
      verdict.checks.filter(({ passed }) => !passed).map((check) => check.name),
      [name],
    );
    assert.equal(verdict.offered, false);
  }
});

test('given few held-out pairs, or no untouched text, when an adapter is judged, then nothing is offered, whatever they say', () => {
  const few = { ...cleanPhase1, answers: cleanPhase1.answers.slice(0, gateLimits.pairs - 1) };
  assert.match(verdictOn(few, 1, time).why, /7 held-out pairs, and at least 8/);
  assert.match(verdictOn({ ...cleanPhase1, perplexity: [] }, 1, time).why, /no untouched text/);
  assert.equal(
    verdictOn({ phase: 2, answers: [], wholes: [], adoption: [], perplexity: [] }, 1, time).offered,
    false,
  );
});

test('given the same measurements and seed, when they are judged again, then the verdict is the same', () => {
  assert.deepEqual(verdictOn(cleanPhase2, 3, time), verdictOn(cleanPhase2, 3, time));
});
