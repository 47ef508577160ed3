import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MaskedTokens } from './masks.ts';
import { truncatePair } from './truncation.ts';

const counting = (length: number): number[] => Array.from({ length }, (_, index) => index);
const completion = (length: number): MaskedTokens => ({
  tokens: counting(length),
  mask: counting(length).map(() => 1),
});

test('given a pair that fits, when cut, then it is the same', () => {
  const pair = { prompt: counting(6), chosen: completion(4), rejected: completion(2) };
  assert.equal(truncatePair(pair, { maxLength: 10, maxPromptLength: 3 }), pair);
});

test('given a prompt that is too long, when cut, then its end is kept and the answers stay', () => {
  const pair = { prompt: counting(8), chosen: completion(4), rejected: completion(2) };
  const cut = truncatePair(pair, { maxLength: 10, maxPromptLength: 5 });
  assert.deepEqual(cut.prompt, [3, 4, 5, 6, 7]);
  assert.equal(cut.chosen, pair.chosen);
});

test('given answers that are too long, when cut, then their beginnings are kept, as TRL counts', () => {
  const pair = { prompt: counting(2), chosen: completion(20), rejected: completion(8) };
  const cut = truncatePair(pair, { maxLength: 10, maxPromptLength: 4 });
  assert.deepEqual(cut.prompt, [0, 1]);
  assert.deepEqual(cut.chosen, completion(6));
  assert.deepEqual(cut.rejected, completion(6));
});

test('given a lone answer, when cut, then the other stays away', () => {
  const cut = truncatePair(
    { prompt: counting(2), chosen: completion(20), rejected: null },
    { maxLength: 10, maxPromptLength: 4 },
  );
  assert.equal(cut.rejected, null);
});
