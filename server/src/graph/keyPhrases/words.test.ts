import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Block } from '../../retrieval/index.ts';
import { wordsOf, wordsOfText } from './words.ts';

function block(text: string, readable: string, start = 0, end = text.length): Block {
  return {
    source: 'a.md',
    start,
    end,
    readable,
    kind: 'paragraph',
    heading: [],
    page: null,
    citations: [],
    runs: [],
    apart: false,
  };
}

function surfaces(text: string, readable = text): string[] {
  return wordsOf(block(text, readable), text).map(({ surface }) => surface);
}

/** Words with a bar where two can't be one phrase. */
function joined(text: string, readable = text): string {
  return wordsOf(block(text, readable), text)
    .map((word, index) => `${index === 0 ? '' : word.joined ? ' ' : ' | '}${word.surface}`)
    .join('');
}

test('given a block within a file, when its words are taken, then their offsets are of the file', () => {
  const text = 'Before.\n\nThe *grain* boundary.';
  const words = wordsOf(block(text, 'The grain boundary.', 9), text);
  assert.deepEqual(
    words.map(({ start, end }) => text.slice(start, end)),
    ['The', 'grain', 'boundary'],
  );
});

test('given emphasis between words, when the reader sees none, then the words are joined', () => {
  assert.equal(joined('the *grain* **boundary** area', 'the grain boundary area'), 'the grain boundary area');
});

test('given HTML tags and LaTeX commands between words, when the reader sees none, then the words are joined', () => {
  assert.equal(joined('<em>grain</em> boundary', 'grain boundary'), 'grain boundary');
  assert.equal(joined('\\emph{grain} boundary', 'grain boundary'), 'grain boundary');
});

for (const [what, text] of [
  ['inline code', 'call `grain boundary` now'],
  ['inline math', 'call $grain boundary$ now'],
  ['a citation', 'call [@grain; @boundary] now'],
  ['a LaTeX citation', 'call \\cite{grain, boundary} now'],
  ['an address', 'call https://grain.boundary/ now'],
  ['displayed math', 'call $$grain \\boundary$$ now'],
  ['a comment', 'call <!-- grain boundary --> now'],
] as const) {
  test(`given ${what}, when words are taken, then it has none`, () => {
    assert.deepEqual(surfaces(text), ['call', 'now']);
  });
}

test('given a citation that the reader does not see, when it stands between words, then they are parted', () => {
  assert.equal(joined('Pymatgen [@pymatgen] provides', 'Pymatgen provides'), 'Pymatgen | provides');
});

test('given a figure’s worth of markup between words, when words are taken, then they are parted', () => {
  const tag = `<span title="${'x'.repeat(90)}">`;
  assert.equal(joined(`grain ${tag}boundary`, 'grain boundary'), 'grain | boundary');
});

test('given punctuation between words, when words are taken, then they are parted', () => {
  assert.equal(joined('grain, boundary (area) of'), 'grain | boundary | area | of');
});

test('given two items of a list, when the reader sees a line end, then they are parted', () => {
  assert.equal(joined('- grain\n- boundary', 'grain\nboundary'), 'grain | boundary');
});

test('given a word that the file spells otherwise, when words are taken, then it is left out and parts the others', () => {
  assert.equal(joined('the Schr&ouml;dinger equation', 'the Schrödinger equation'), 'the | equation');
});

test('given a word that comes again later, when the first one is not in the file, then later words keep their places', () => {
  const text = 'gr-\nain size one two three four and the grain size';
  const words = wordsOf(block(text, 'grain size one two three four and the grain size'), text);
  assert.deepEqual(
    words.map(({ surface }) => surface),
    ['size', 'one', 'two', 'three', 'four', 'and', 'the', 'grain', 'size'],
  );
});

test('given names with hyphens, dots and apostrophes, when words are taken, then each is one', () => {
  assert.deepEqual(surfaces("Nernst-Planck, DREAM.3D. Hooke's Voigt--Reuss--Hill"), [
    'Nernst-Planck',
    'DREAM.3D',
    "Hooke's",
    'Voigt--Reuss--Hill',
  ]);
});

test('given Chinese, when words are taken, then they are parts of the run and joined', () => {
  const words = wordsOfText('晶界能量很高');
  assert.ok(words.length > 1);
  assert.ok(words.slice(1).every((word) => word.joined));
});

test('given a sentence, when its first word is taken, then it opens and the others do not', () => {
  const opening = wordsOfText('One two. Three (four). “Five” six').filter(({ opens }) => opens);
  assert.deepEqual(
    opening.map(({ surface }) => surface),
    ['One', 'Three', 'Five'],
  );
});

test('given any text, when its words are taken, then each stands at its offsets and they are in order', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      '$',
      '`',
      '``',
      '[@',
      ']',
      '(',
      '\n\n',
      '\\cite{',
      '}',
      '<',
      '>',
      'grain ',
      'e\u0301',
      '\ud800',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.array(piece, { maxLength: 40 }), (left, right) => {
      const text = left.join('');
      for (const readable of [text, right.join(''), text.replaceAll(/[*`]/g, '')]) {
        let before = 0;
        for (const { surface, start, end } of wordsOf(block(text, readable), text)) {
          assert.equal(text.slice(start, end), surface);
          assert.ok(start >= before);
          before = end;
        }
      }
    }),
  );
});
