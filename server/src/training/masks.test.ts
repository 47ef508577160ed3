import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { preflexorMarkers, type MaskOptions } from '../protocol/index.ts';
import { maskCompletion, noMask, thinkAfterEveryToken, type MaskedTokens } from './masks.ts';
import { seededRandom } from './random.ts';
import { readSections } from './sections.ts';

const endOfTurn = 99;

/** Masks a completion given as the texts of its tokens. */
function masked(texts: readonly string[], options: Partial<MaskOptions>, seed = 0): MaskedTokens | null {
  return maskCompletion(
    { tokens: texts.map((_, index) => index), texts: [...texts] },
    endOfTurn,
    preflexorMarkers,
    { ...noMask, ...options },
    seededRandom(seed),
  );
}

/** As ones and zeros; the last is the token that ends the turn. */
function bits(result: MaskedTokens | null): string {
  assert.ok(result);
  assert.equal(result.tokens.length, result.mask.length);
  return result.mask.join('');
}

// As SmolLM2 cuts them: markers are several tokens, and their last may hold the line end too.
const thought = [
  '<',
  '|',
  'thinking',
  '|',
  '>',
  '\n',
  'Silk',
  ' is',
  ' tough',
  '.',
  '\n',
  '<',
  '|/',
  'thinking',
  '|>\n',
];
const answer = ['It', ' is', ' tough', '.'];
const reflected = ['<|reflect|>', 'Why', '?', '<|/reflect|>'];

test('given no mask, when masked, then every token counts, and the end of the turn after them', () => {
  const result = masked(answer, {});
  assert.equal(bits(result), '11111');
  assert.equal(result?.tokens.at(-1), endOfTurn);
});

test('given a thinking section, when thinking is masked, then all that overlaps it or its markers is left out', () => {
  assert.equal(bits(masked([...thought, ...answer], { kind: 'thinking' })), '000000000000000' + '1111' + '1');
});

test('given tokens that straddle a marker, when masked, then they are left out as a whole', () => {
  assert.equal(bits(masked(['a<', '|thinking|>b<|', '/thinking|>c', 'd'], { kind: 'thinking' })), '00011');
});

test('given both sections, when only thinking is masked, then reflection counts; when both are, it does not', () => {
  const texts = [...thought, ...reflected, ...answer];
  assert.equal(bits(masked(texts, { kind: 'thinking' })), '0'.repeat(15) + '1111' + '1111' + '1');
  assert.equal(bits(masked(texts, { kind: 'thinking+reflection' })), '0'.repeat(19) + '1111' + '1');
});

test('given several sections, when only the answer counts, then all before the end of the last is left out', () => {
  const texts = ['<|thinking|>', 'a', '<|/thinking|>', 'b', '<|thinking|>', 'c', '<|/thinking|>', 'd'];
  assert.equal(bits(masked(texts, { kind: 'answer-only' })), '000000011');
  assert.equal(bits(masked(['a', 'b'], { kind: 'answer-only' })), '111');
});

for (const [given, texts, kind] of [
  ['a section without end', ['<|thinking|>', 'a', 'b'], 'answer-only'],
  ['nothing but thinking', ['<|thinking|>', 'a', '<|/thinking|>'], 'thinking'],
  ['white space after the thinking', ['<|thinking|>', 'a', '<|/thinking|>', '\n\n'], 'answer-only'],
] as const) {
  test(`given ${given}, when masked with ${kind}, then nothing is left`, () => {
    assert.equal(masked(texts, { kind }), null);
  });
}

test('given an end marker alone, when thinking is masked, then all before it is left out', () => {
  assert.equal(bits(masked(['a', 'b', '<|/thinking|>', 'c'], { kind: 'thinking' })), '00011');
});

test('given markers that stay, when thinking is masked, then only its text is left out', () => {
  const texts = ['<|thinking|>', 'a', 'b', '<|/thinking|>', 'c'];
  assert.equal(bits(masked(texts, { kind: 'thinking', markers: false })), '100111');
});

test('given a share, when masked, then it is rounded down in each section, and the seed draws the tokens', () => {
  const texts = [
    '<|thinking|>',
    ...Array<string>(7).fill('a'),
    '<|/thinking|>',
    '<|thinking|>',
    'b',
    '<|/thinking|>',
    'c',
  ];
  const drawn = (seed: number) => bits(masked(texts, { kind: 'thinking', share: 0.5, markers: false }, seed));
  const zeros = (text: string) => text.split('0').length - 1;
  assert.equal(zeros(drawn(1)), 3, 'three of seven, none of one');
  assert.equal(drawn(1), drawn(1));
  assert.ok(new Set([1, 2, 3, 4, 5, 6].map(drawn)).size > 1);
});

test('given characters of several tokens, when they are in a section, then each of their tokens is left out', () => {
  // A token that ends inside a character has no text; the last one brings the character.
  assert.equal(
    bits(masked(['<|thinking|>', '', '', '𒀭', '<|/thinking|>', '', 'ž'], { kind: 'thinking' })),
    '00000111',
  );
});

test('given any text in any cut, when masked, then a token counts unless it overlaps a section', () => {
  const piece = fc.constantFrom(
    '<|thinking|>',
    '<|/thinking|>',
    '<|reflect|>',
    '<|/reflect|>',
    'a',
    ' b',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1 }), fc.integer({ min: 1, max: 5 }), (pieces, length) => {
      const text = pieces.join('');
      const tokens = text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
      const result = masked(tokens, { kind: 'thinking+reflection' });
      const inside = readSections(text, preflexorMarkers).map(({ whole }) => whole);
      const expected = tokens.map((token, index) => {
        const offsets = Array.from(token, (_, within) => index * length + within);
        return offsets.some((offset) => inside.some(({ start, end }) => offset >= start && offset < end))
          ? 0
          : 1;
      });
      const counting = tokens.filter((_, index) => expected[index] === 1).join('');
      if (counting.trim() === '') assert.equal(result, null);
      else assert.deepEqual(result?.mask, [...expected, 1]);
    }),
  );
});

test('given thinking after every token, when expanded, then markers count, fillers do not, and the end stays last', () => {
  const markers = { start: [50, 51], end: [60] };
  const result = thinkAfterEveryToken({ tokens: [1, 2, endOfTurn], mask: [1, 1, 1] }, 3, markers, endOfTurn);
  const block = [50, 51, endOfTurn, endOfTurn, endOfTurn, 60];
  assert.deepEqual(result.tokens, [1, ...block, 2, ...block, endOfTurn]);
  assert.equal(result.mask.join(''), '1' + '110001' + '1' + '110001' + '1');
});
