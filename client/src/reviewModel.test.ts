import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Review } from '../../server/src/protocol/index.ts';
import { drawnHunks } from './reviewModel.ts';

const range = { start: { line: 2, character: 0 }, end: { line: 2, character: 5 } };
const paragraph = { start: { line: 2, character: 0 }, end: { line: 2, character: 40 } };

function review(hunks: Review['hunks'], current = 0): Review {
  return { block: 'k3v9q2', paragraph, hunks, current };
}

test('given changes in all states, when drawn, then new words are seen but for what was left, and one is current', () => {
  const states = ['open', 'taken', 'left'] as const;
  const hunks = states.map((state) => ({ range, before: 'hard', after: 'strong', state }));
  assert.deepEqual(
    drawnHunks(review(hunks, 1)).map(({ inserted, current, state }) => [inserted, current, state]),
    [
      ['strong', false, 'open'],
      ['strong', true, 'taken'],
      ['', false, 'left'],
    ],
  );
});

test('given a long insertion of several lines, when drawn, then it is one short line, longer where it is current', () => {
  const after = `First line,\nsecond line ${'and more '.repeat(40)}`;
  const hunks = [1, 2].map(() => ({ range, before: '', after, state: 'open' as const }));
  const [current, other] = drawnHunks(review(hunks));
  assert.match(current?.inserted ?? '', /^First line, ⏎ second line .*…$/);
  assert.deepEqual([current?.inserted.length, other?.inserted.length], [160, 32]);
});

test('given a change that only takes words away, when the pointer rests on it, then it says both sides', () => {
  const [only] = drawnHunks(review([{ range, before: 'very', after: '', state: 'open' }]));
  assert.equal(only?.words, 'Change 1 of 1: not decided yet\nYours: very\nSuggested: (nothing)');
});
