import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Segment, SegmentProblem } from '../protocol/index.ts';
import { repetition, signalsOf } from './signals.ts';

const span = { start: 0, end: 0 };
function segment(kind: Segment['kind'], text: string, problems: SegmentProblem[] = []): Segment {
  return { kind, text, tokens: span, withMarkers: span, problems };
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
    signalsOf(segments).find((signal) => signal.name === 'truncation')?.verdict;
  assert.equal(verdict([segment('thinking', 'a'), segment('answer', 'b')]), 'fine');
  assert.equal(verdict([segment('thinking', 'a', ['truncated']), segment('answer', 'b')]), 'doubtful');
  assert.equal(verdict([segment('thinking', 'a'), segment('answer', 'b', ['truncated'])]), 'failed');
});

test('given an answer that loops, when signals are read, then the loop has failed', () => {
  const signals = signalsOf([segment('thinking', 'a'), segment('answer', 'it is and it is and '.repeat(30))]);
  assert.equal(signals.find((signal) => signal.name === 'loop')?.verdict, 'failed');
});
