import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alignedPrompt } from './reuse.ts';

/** A small vocabulary in which the same text has many cuts; 0 is a control token. */
const vocabulary = ['<end>', 'a', 'b', 'c', 'ab', 'bc', 'abc', ' ', ' a'];
const spell = (tokens: readonly number[]): string => tokens.map((token) => vocabulary[token] ?? '?').join('');
const isControl = (token: number): boolean => token === 0;

/** The longest piece first, as tokenizers cut. */
function cut(text: string): number[] {
  const tokens: number[] = [];
  for (let at = 0; at < text.length;) {
    const fits = vocabulary
      .map((piece, token) => ({ piece, token }))
      .filter(({ piece }) => text.startsWith(piece, at));
    const longest = fits.reduce((one, other) => (other.piece.length > one.piece.length ? other : one));
    tokens.push(longest.token);
    at += longest.piece.length;
  }
  return tokens;
}

test('given a prompt cut as the cache is, when it is aligned, then it is the very same', () => {
  const prompt = cut('abcab a');
  assert.equal(alignedPrompt(prompt.slice(0, 3), prompt, spell, isControl), prompt);
});

test('given text that was generated letter by letter, when the prompt goes on after it, then its tokens are taken', () => {
  const cached = [1, 2, 3, 1, 2];
  assert.deepEqual(alignedPrompt(cached, cut('abcabc'), spell, isControl), [1, 2, 3, ...cut('abc')]);
  assert.deepEqual(alignedPrompt(cached, cut('abcab a'), spell, isControl), [1, 2, 3, 1, 2, 8]);
});

test('given another text, when the prompt is aligned, then only what agrees is taken', () => {
  assert.deepEqual(alignedPrompt([1, 2, 3, 3, 3], cut('abcab'), spell, isControl), [1, 2, 3, 4]);
  assert.deepEqual(alignedPrompt([3, 3], cut('abcab'), spell, isControl), cut('abcab'));
});

test('given a control token in the cache, when the prompt spells its name as text, then they are not the same', () => {
  const spelled = (tokens: readonly number[]): string =>
    tokens.map((token) => (token === 0 ? 'ab' : vocabulary[token])).join('');
  assert.deepEqual(alignedPrompt([0, 3], [4, 3], spelled, isControl), [4, 3]);
});

test('given any cache and any prompt, when it is aligned, then it spells the same text and keeps control tokens', () => {
  const tokens = fc.array(fc.integer({ min: 0, max: vocabulary.length - 1 }), { maxLength: 40 });
  fc.assert(
    fc.property(tokens, tokens, fc.nat(40), (generated, tail, keep) => {
      const prompt = [
        ...generated.slice(0, keep).flatMap((token) => (token === 0 ? [0] : cut(vocabulary[token] ?? ''))),
        ...tail,
      ];
      const aligned = alignedPrompt(generated, prompt, spell, isControl);
      assert.equal(spell(aligned), spell(prompt));
      assert.equal(aligned.filter(isControl).length, prompt.filter(isControl).length);
    }),
  );
});
