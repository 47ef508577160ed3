// The word-level comparison of two texts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffWords, wordDiff, type Piece } from '../src/shared/wordDiff.ts';

function textOf(pieces: readonly Piece[], ...kinds: Piece['kind'][]): string {
  return pieces
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ text }) => text)
    .join('');
}

test('given any two texts, when they are compared, then what stayed and what went are the first, what stayed and what came the second', () => {
  const words = fc.array(fc.constantFrom('grain', 'size', ' ', '\n', ', ', 'härter', '<b>', '. '), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(words, words, (one, other) => {
      const [before, after] = [one.join(''), other.join('')];
      const pieces = wordDiff(before, after);
      assert.equal(textOf(pieces, 'same', 'removed'), before);
      assert.equal(textOf(pieces, 'same', 'added'), after);
    }),
  );
});

test('given one other word, when the texts are compared, then only that word differs', () => {
  const pieces = wordDiff('Small grains make it hard.', 'Small grains make it strong.');
  assert.deepEqual(
    pieces.filter(({ kind }) => kind !== 'same').map(({ kind, text }) => [kind, text]),
    [
      ['removed', 'hard'],
      ['added', 'strong'],
    ],
  );
  assert.equal(diffWords(pieces), '1 word added, 1 removed');
});

test('given texts that cannot be compared in time, when they are compared, then the whole of both is told', () => {
  const long = (word: string): string =>
    Array.from({ length: 4000 }, (_, index) => `${word}${index % 97} ${index}`).join(' ');
  const pieces = wordDiff(long('a'), long('b'), 0);
  assert.deepEqual(
    pieces.map(({ kind }) => kind),
    ['removed', 'added'],
  );
});

test('given the same text twice, when it is compared, then it says so', () => {
  assert.equal(diffWords(wordDiff('One text.', 'One text.')), 'The same words.');
  assert.equal(diffWords(wordDiff('', '')), 'The same words.');
});
