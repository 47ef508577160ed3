// The rules, on a small vocabulary; test/model/embedding.test.ts holds the ids against BERT's own tokenizer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WordPiece } from './wordPiece.ts';

const words =
  '[UNK] [CLS] ▁[ ▁] ▁cl ▁un ▁unaffable aff able ▁hello ▁world ▁, ▁. ▁$ ▁\\ ▁水 ▁火 ▁e ▁σιγμασ ▁a a ▁ᄒ ᅡ ᆫ ▁sep'.split(
    ' ',
  );
const control = 3;
const types = words.map((_, id) => (id < 2 ? control : 1));

function pieces(text: string, lowercase = true, stripAccents = lowercase): (string | undefined)[] {
  const tokenizer = new WordPiece({ tokens: words, types, unknown: 0, lowercase, stripAccents });
  return tokenizer.tokens(text).map((id) => words[id]);
}

test('given a word that is a token, when it is split, then it is that one and no shorter ones', () => {
  assert.deepEqual(pieces('unaffable'), ['▁unaffable']);
});

test('given a word that is no token, when it is split, then into the longest beginning and continuations', () => {
  assert.deepEqual(pieces('unaff'), ['▁un', 'aff']);
});

test('given a word of which a part is unknown, when it is split, then all of it is unknown', () => {
  assert.deepEqual(pieces('hello unaffx world'), ['▁hello', '[UNK]', '▁world']);
});

test('given a continuation without its beginning, when it is split, then it is unknown', () => {
  assert.deepEqual(pieces('able'), ['[UNK]']);
});

test('given capitals and accents, when they are split, then as lower case without them', () => {
  assert.deepEqual(pieces('HELLO É ΣΙΓΜΑΣ'), ['▁hello', '▁e', '▁σιγμασ']);
  assert.deepEqual(pieces('Hello', false), ['[UNK]']);
});

test('given punctuation and signs of ASCII, when they are split, then each stands alone', () => {
  assert.deepEqual(pieces('hello,world.'), ['▁hello', '▁,', '▁world', '▁.']);
  assert.deepEqual(pieces('$\\e$'), ['▁$', '▁\\', '▁e', '▁$']);
});

test('given Chinese characters, when they are split, then each stands alone', () => {
  assert.deepEqual(pieces('hello水火world'), ['▁hello', '▁水', '▁火', '▁world']);
});

test('given Korean, when it is split, then by the parts of its syllables', () => {
  assert.deepEqual(pieces('한'), ['▁ᄒ', 'ᅡ', 'ᆫ']);
});

test('given control characters, when they are split, then they are not there, and tabs and line ends are spaces', () => {
  assert.deepEqual(pieces('hel\u0000lo\u200b\tworld\r\n\u00a0e\u2028'), ['▁hello', '▁world', '▁e']);
});

test('given the name of a special token, when it is split, then as ordinary text', () => {
  assert.deepEqual(pieces('[SEP]'), ['▁[', '▁sep', '▁]']);
  assert.ok(!pieces('[CLS]').includes('[CLS]'));
});

test('given a word of 100 characters and one of 101, when they are split, then only the second is unknown', () => {
  assert.equal(pieces('a'.repeat(100)).length, 100);
  assert.deepEqual(pieces('a'.repeat(101)), ['[UNK]']);
});

test('given nothing or only spaces, when it is split, then there is no token', () => {
  assert.deepEqual(pieces(''), []);
  assert.deepEqual(pieces(' \n\t\u3000'), []);
});

test('given any text, when it is split, then spaces around it and between its words change nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 }), (parts) => {
      assert.deepEqual(pieces(`  ${parts.join('\n \t')} `), pieces(parts.join(' ')));
    }),
  );
});
