// Which text of a PDF's page is marked for a passage.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { marksOf } from '../src/pdf/marks.ts';

const marked = (pieces: readonly string[], passage: string): string[] =>
  marksOf(pieces, passage).map(({ piece, start, end }) => (pieces[piece] ?? '').slice(start, end));

test('given a passage in the middle of lines, when it is marked, then the lines are marked from its start to its end', () => {
  const lines = ['Copper is red. Small grains', 'make an alloy hard. Gold', 'is yellow.'];
  assert.deepEqual(marked(lines, 'Small grains make an alloy hard.'), [
    'Small grains',
    'make an alloy hard. ',
  ]);
});

test('given hyphens, ligatures and accents, when the passage has them mended, then it is marked all the same', () => {
  const lines = ['The dislo-', 'cations are eﬀectively', 'stopped, says Žoﬁe.'];
  assert.deepEqual(marked(lines, 'dislocations are effectively stopped, says Zofie'), [
    'dislo-',
    'cations are eﬀectively',
    'stopped, says Žoﬁe.',
  ]);
});

test('given two columns in the order of the file, when the passage runs from one to the other, then its lines are marked and no others', () => {
  const lines = [
    'left column first line',
    'right column first line',
    'left column second line',
    'right column second line',
  ];
  assert.deepEqual(marked(lines, 'left column first line left column second line'), [
    'left column first line',
    'left column second line',
  ]);
});

test('given a short word between marked lines, when they are marked, then it is too; alone it is not', () => {
  const passage = 'a very long line of words and another line of words';
  assert.deepEqual(marked(['another line of words', 'and', 'a very long line of words', 'and'], passage), [
    'another line of words',
    'and',
    'a very long line of words',
  ]);
});

test('given a passage that is not on the page, when it is marked, then nothing is', () => {
  assert.deepEqual(marksOf(['Copper is red.', 'Gold is yellow.'], 'Small grains make an alloy hard.'), []);
  assert.deepEqual(marksOf(['Copper is red.'], ' … '), []);
});

test('given any page and any stretch of it, when the stretch is marked, then the marks spell it, and of a ligature at its ends the whole', () => {
  const letters = (text: string): string =>
    text
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]/gu, '');
  const line = fc.array(fc.constantFrom('grain', 'ﬁne', 'ž', 'α', '-', ' ', '.', '7', 'steel'), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(
      fc.array(
        line.map((parts) => parts.join('')),
        { maxLength: 8 },
      ),
      fc.nat(),
      fc.nat(),
      (lines, a, b) => {
        const whole = lines.join('');
        const [start, end] = [a % (whole.length + 1), b % (whole.length + 1)].sort((x, y) => x - y);
        const passage = whole.slice(start, end).toWellFormed().replaceAll('\ufffd', '');
        const found = letters(marked(lines, passage).join(''));
        const wanted = letters(passage);
        assert.ok(found.includes(wanted), `${wanted} is not in ${found}`);
        // One letter more at either end: the other half of a ligature.
        assert.ok(found.length <= wanted.length + 2, `${found} is more than ${wanted}`);
      },
    ),
  );
});
