import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { estimateMemory } from '../models/index.ts';
import { contextTokensFor } from './contextSize.ts';

/** About Llama 3.2 3B: 114,688 bytes of cache for each token. */
const shape = {
  ...{ trainedContext: 131_072, layers: 28, heads: 24, keyValueHeads: Array.from({ length: 28 }, () => 8) },
  ...{
    keyLength: 128,
    valueLength: 128,
    embeddingLength: 3072,
    feedForwardLength: 8192,
    vocabulary: 128_256,
  },
  ...{ sliding: null, weightBytes: 2e9 },
};
const needs = (tokens: number) => estimateMemory(shape, tokens).totalBytes;

test('given plenty of memory, when the size is free, then it is what the model was trained with', () => {
  assert.equal(contextTokensFor({ shape, availableBytes: 1e12, contextTokens: 0 }), 131_072);
});

test('given 8 GB, when the size is free, then the context takes about a quarter of what is left', () => {
  const tokens = contextTokensFor({ shape, availableBytes: 8e9, contextTokens: 0 });
  const share = (needs(tokens) - needs(512)) / (8e9 - needs(512));
  assert.ok(share > 0.23 && share <= 0.25, `${tokens} tokens take ${share}`);
});

test('given little memory, when a comfortable size still fits, then it is taken although it is more than a quarter', () => {
  assert.equal(contextTokensFor({ shape, availableBytes: needs(4096) + 300e6, contextTokens: 0 }), 4096);
});

test('given a size in the settings, when it fits, then it is that, up to what the model was trained with', () => {
  assert.equal(contextTokensFor({ shape, availableBytes: 8e9, contextTokens: 2000 }), 2000);
  assert.equal(contextTokensFor({ shape, availableBytes: 1e12, contextTokens: 1_000_000 }), 131_072);
});

test('given too little memory, when not even 512 tokens fit, then the error says how much is needed and there', () => {
  const error = failureOf(() => contextTokensFor({ shape, availableBytes: 1e9, contextTokens: 0 }));
  assert.equal(error.code, 'out-of-memory');
  assert.match(error.message, /needs about \d\.\d GB of memory with a context of 512 tokens, and 1\.0 GB/);
});

test('given a size in the settings that does not fit, when it is asked for, then it is refused, not shrunk', () => {
  const error = failureOf(() => contextTokensFor({ shape, availableBytes: 8e9, contextTokens: 100_000 }));
  assert.equal(error.code, 'out-of-memory');
  assert.match(error.message, /100,000 tokens/);
});

function failureOf(work: () => unknown): PreflexorError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof PreflexorError);
    return error;
  }
  assert.fail('nothing was thrown');
}
