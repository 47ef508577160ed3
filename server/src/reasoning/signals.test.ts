import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Segment, SegmentProblem } from '../protocol/index.ts';
import { changedShare, repetition, scoreOf, signalsOf, spreadOf, type Measured } from './signals.ts';

const span = { start: 0, end: 0 };
function segment(kind: Segment['kind'], text: string, problems: SegmentProblem[] = []): Segment {
  return { kind, text, tokens: span, withMarkers: span, problems };
}

const background = { context: 'The alloy is hard since its grains are small.', reflects: true };

function measured(change: Partial<Measured>): Measured {
  return { segments: [], thinking: '', reflection: '', answer: '', score: null, rubrics: [], ...change };
}

/** Verdict of the named signal. */
function verdictOf(
  name: string,
  now: Measured,
  before: Measured | null = null,
  close?: number,
): string | undefined {
  return signalsOf(now, before, background, close).find((signal) => signal.name === name)?.verdict;
}

test('given the same sentence over and over, when repetition is measured, then it is near 1', () => {
  assert.ok(repetition('the grain grows and the grain grows '.repeat(20)) > 0.8);
});

test('given ordinary prose, when repetition is measured, then it is near 0', () => {
  const prose =
    'Texture in polycrystalline materials consists of two major aspects, the distribution of crystallographic ' +
    'orientations and the grain boundary texture, which is described by a five parameter space.';
  assert.ok(repetition(prose) < 0.1);
});

test('given a text too short to judge, when repetition is measured, then it is 0', () => {
  assert.equal(repetition('yes yes yes yes'), 0);
  assert.equal(repetition(''), 0);
});

test('given a truncated answer, when signals are read, then truncation has failed; a truncated thought is doubtful', () => {
  const verdict = (segments: Segment[]): string | undefined =>
    signalsOf(measured({ segments }), null, background).find(({ name }) => name === 'truncation')?.verdict;
  assert.equal(verdict([segment('thinking', 'a'), segment('answer', 'b')]), 'fine');
  assert.equal(verdict([segment('thinking', 'a', ['truncated']), segment('answer', 'b')]), 'doubtful');
  assert.equal(verdict([segment('thinking', 'a'), segment('answer', 'b', ['truncated'])]), 'failed');
});

test('given an answer that loops, when signals are read, then the loop has failed', () => {
  const segments = [segment('thinking', 'a'), segment('answer', 'it is and it is and '.repeat(30))];
  const signals = signalsOf(measured({ segments }), null, background);
  assert.equal(signals.find((signal) => signal.name === 'loop')?.verdict, 'failed');
});

test('given an answer about anything, when signals are read, then it is generic; one about the paragraph is not', () => {
  const own = 'Hard alloys have small grains, and the boundaries between grains stop dislocations.';
  const other =
    'Careful consideration should always precede important decisions whatever their nature may be.';
  assert.equal(verdictOf('generic', measured({ answer: own })), 'fine');
  assert.equal(verdictOf('generic', measured({ answer: other })), 'failed');
});

test('given a Chinese answer to a Chinese paragraph, when signals are read, then it is not called generic', () => {
  const context = '晶粒越细，合金越硬，因为晶界阻碍位错运动。';
  const signals = signalsOf(measured({ answer: '晶界阻碍位错运动，所以合金更硬。' }), null, {
    context,
    reflects: false,
  });
  assert.equal(signals.find(({ name }) => name === 'generic')?.verdict, 'fine');
});

test('given a reflection with nothing of its own, when signals are read, then it is empty', () => {
  const thinking = 'The grains are small, so boundaries are many, and they stop dislocations.';
  const doubt =
    'Nothing here measures dislocation density; temperature and impurities could explain hardness equally.';
  assert.equal(verdictOf('empty-reflection', measured({ thinking, reflection: doubt })), 'fine');
  assert.equal(
    verdictOf('empty-reflection', measured({ thinking, reflection: 'The boundaries stop dislocations.' })),
    'failed',
  );
  assert.equal(verdictOf('empty-reflection', measured({ thinking, reflection: '' })), 'failed');
});

test('given a draft, when signals are read, then nothing is compared', () => {
  const names = signalsOf(measured({ answer: 'a' }), null, background, null).map(({ name }) => name);
  assert.deepEqual(names, ['truncation', 'loop', 'generic', 'empty-reflection']);
});

test('given an answer that stays while the thinking changes, when signals are read, then there is a change', () => {
  const before = measured({ thinking: 'one two three four', answer: 'The same.' });
  assert.equal(
    verdictOf('no-change', measured({ thinking: 'five six seven eight', answer: 'The same.' }), before),
    'fine',
  );
  assert.equal(verdictOf('no-change', before, before), 'failed');
});

test('given texts, when the changed share is measured, then it is the share of words that stand in one alone', () => {
  assert.equal(changedShare('a b c d', 'a b c d'), 0);
  assert.equal(changedShare('a b c d', 'e f g h'), 1);
  assert.equal(changedShare('a b c d', 'a b c e'), 0.25);
  assert.equal(changedShare('', ''), 0);
});

test('given vectors that are as good as one, when signals are read, then the meaning is the same', () => {
  assert.equal(verdictOf('same-meaning', measured({}), measured({}), 0.995), 'failed');
  assert.equal(verdictOf('same-meaning', measured({}), measured({}), 0.8), 'fine');
  assert.equal(verdictOf('same-meaning', measured({}), measured({})), undefined);
});

test('given a score that falls, when signals are read, then it is degradation only beyond what the readings differ by', () => {
  const reading = (mark: number) => ({ grounded: mark, answers: mark, specific: mark, consistent: mark });
  const at = (...readings: number[]): Measured => {
    const rubrics = readings.map(reading);
    return measured({ rubrics, score: scoreOf(rubrics) });
  };
  assert.equal(verdictOf('degradation', at(5, 5), at(8, 8)), 'failed');
  assert.equal(verdictOf('degradation', at(3, 7), at(8, 8)), 'fine');
  assert.equal(verdictOf('degradation', at(9, 9), at(8, 8)), 'fine');
  assert.equal(verdictOf('degradation', measured({}), at(8, 8)), undefined);
  assert.ok(Math.abs(spreadOf([reading(3), reading(7)]) - 0.4) < 1e-9);
});
