// The hunks of an accepted answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hunksOf, withHunks } from './hunks.ts';

/** What must never be cut. */
const whole = [
  '[@kocks1998texture, p. 3; -@hall1951]',
  '@kocks1998texture',
  '$\\sigma_y = \\sigma_0 + k d^{-1/2}$',
  '$$\nE = mc^2\n$$',
  '`let x = 1`',
  '``a ` b``',
  '[the paper](https://example.org/a_(b) "A title")',
  '![a [nested] picture](b.png)',
  '<https://example.org>',
  "doesn't",
  '3.14',
];
const plain = ['grain', 'size', 'Žofie', '田', ',', '.', '(', '[', '$', '\n', '🙂'];
const piece = fc.oneof(fc.constantFrom(...whole), fc.constantFrom(...plain));
const pieces = fc.array(piece, { maxLength: 25 });

test('given any paragraph and answer, when all hunks are taken over it is the answer, and when none is, the paragraph', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), pieces, pieces, (before, after, one, other) => {
      const paragraph = before + one.join(' ');
      const answer = after + other.join(' ');
      const hunks = hunksOf(paragraph, answer);
      assert.equal(
        withHunks(paragraph, hunks, () => true),
        answer,
      );
      assert.equal(
        withHunks(paragraph, hunks, () => false),
        paragraph,
      );
    }),
  );
});

test('given citations, formulas, code and links, when any hunks are taken over, then each of them is whole', () => {
  const text = fc.array(fc.constantFrom(...whole, 'grain', 'size', 'and', 'harder'), { maxLength: 25 });
  fc.assert(
    fc.property(text, text, fc.func(fc.boolean()), (one, other, accepted) => {
      const paragraph = one.join(' ');
      const mixed = withHunks(paragraph, hunksOf(paragraph, other.join(' ')), (index) => accepted(index));
      let rest = mixed;
      // The longest first: some of them stand inside of others.
      for (const unit of [...whole].sort((a, b) => b.length - a.length)) rest = rest.replaceAll(unit, '');
      assert.match(rest, /^(?:\s|grain|size|and|harder)*$/, mixed);
    }),
  );
});

test('given a citation that another one replaces, when hunks are made, then the whole of it is one', () => {
  const paragraph = 'Grains are hard [@hall1951, p. 3] and small.';
  const hunks = hunksOf(paragraph, 'Grains are hard [@hall1951, p. 7] and tiny.');
  assert.deepEqual(
    hunks.map(({ start, end, text }) => [paragraph.slice(start, end), text]),
    [
      ['[@hall1951, p. 3]', '[@hall1951, p. 7]'],
      ['small', 'tiny'],
    ],
  );
});

test('given changes with nothing but space between them, when hunks are made, then they are one, and others are apart', () => {
  const paragraph = 'Small grains make an alloy hard.';
  assert.deepEqual(
    hunksOf(paragraph, 'Tiny crystals make an alloy strong.').map(({ start, end, text }) => [
      paragraph.slice(start, end),
      text,
    ]),
    [
      ['Small grains', 'Tiny crystals'],
      ['hard', 'strong'],
    ],
  );
});

test('given a sentence put in other words, when hunks are made, then words that stay are between them, not only spaces', () => {
  const paragraph = 'Alloys are hard, because dislocations stop at their boundaries.';
  assert.deepEqual(
    hunksOf(paragraph, 'Alloys are hard: many dislocations end there.').map(({ start, end, text }) => [
      paragraph.slice(start, end),
      text,
    ]),
    [
      [', because', ': many'],
      ['stop at their boundaries', 'end there'],
    ],
  );
});

test('given other spaces, when hunks are made, then each is one', () => {
  assert.deepEqual(hunksOf(' a  b\nc', 'a b c '), [
    { start: 0, end: 1, text: '' },
    { start: 2, end: 3, text: '' },
    { start: 5, end: 6, text: ' ' },
    { start: 7, end: 7, text: ' ' },
  ]);
});

test('given the same text, when hunks are made, then there are none', () => {
  assert.deepEqual(hunksOf('Small grains.', 'Small grains.'), []);
});

test('given an unclosed bracket or formula in a long text, when hunks are made, then it ends', () => {
  const odd = '[ $ ` < @{ ('.repeat(800);
  assert.equal(
    withHunks(odd, hunksOf(odd, `${odd} end`), () => true),
    `${odd} end`,
  );
});

test('given long texts with nothing in common, when hunks are made, then the whole is one', () => {
  const words = (letter: string): string =>
    Array.from({ length: 4000 }, (_, index) => `${letter}${index}`).join(' ');
  assert.deepEqual(hunksOf(words('a'), words('b')), [{ start: 0, end: words('a').length, text: words('b') }]);
});
