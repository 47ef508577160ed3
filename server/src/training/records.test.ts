import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatTokenizer, LoadedModel } from '../engine/index.ts';
import {
  preflexorMarkers,
  type ChatTokens,
  type TokenizeChatRequest,
  type TrainerLoss,
} from '../protocol/index.ts';
import { noMask } from './masks.ts';
import type { PairsFile } from './pairsFile.ts';
import { prepareRecords, type PrepareOptions } from './records.ts';

const never = new AbortController().signal;

/** One token for each character: its code; 0 ends a turn. */
class CharacterTokenizer implements ChatTokenizer {
  load(): Promise<LoadedModel> {
    return Promise.resolve({ markers: preflexorMarkers } as LoadedModel);
  }
  tokenize(text: string): Promise<number[]> {
    return Promise.resolve(codes(text));
  }
  tokenizeChat({ messages, completions }: TokenizeChatRequest): Promise<ChatTokens> {
    return Promise.resolve({
      prompt: codes(messages.map(({ text }) => text).join('')),
      completions: completions.map((text) => ({ tokens: codes(text), texts: text.split('') })),
      endOfTurn: 0,
    });
  }
}

function codes(text: string): number[] {
  return text.split('').map((character) => character.charCodeAt(0));
}

function file(...pairs: { chosen?: string; rejected?: string; prompt?: string }[]): PairsFile {
  return {
    ...{
      file: 'pairs.jsonl',
      sha256: '0'.repeat(64),
      refused: [{ line: 9, reason: 'it is not valid JSON' }],
    },
    pairs: pairs.map(({ prompt = 'Q', chosen = null, rejected = null }, index) => ({
      ...{ line: index + 1, prompt: [{ role: 'user' as const, text: prompt }], chosen, rejected },
    })),
  };
}

const usual: PrepareOptions = { mask: noMask, seed: 0, loss: 'orpo', maxLength: 100, maxPromptLength: 50 };
const prepare = (pairs: PairsFile, options: Partial<PrepareOptions> = {}) =>
  prepareRecords(pairs, new CharacterTokenizer(), { ...usual, ...options }, never);

test('given pairs, when prepared, then records hold ids with the end of the turn, and no mask where all counts', async () => {
  const { records, lines, counts } = await prepare(file({ chosen: 'ab', rejected: 'c' }));
  assert.deepEqual(records, [{ prompt: [81], chosen: [97, 98, 0], rejected: [99, 0] }]);
  assert.deepEqual(lines, [1]);
  assert.equal(counts.tokens, 1 + 3 + 1 + 2);
});

test('given an answer that the mask leaves nothing of, when prepared, then its line is refused and the others stay', async () => {
  const pairs = file(
    { chosen: '<|thinking|>a<|/thinking|>b', rejected: 'c' },
    { chosen: '<|thinking|>a', rejected: 'c' },
  );
  const { lines, counts, records } = await prepare(pairs, { mask: { ...noMask, kind: 'thinking' } });
  assert.deepEqual(lines, [1]);
  assert.deepEqual(records[0]?.chosenMask, [...Array<number>(26).fill(0), 1, 1]);
  assert.equal(records[0].rejectedMask, undefined);
  assert.deepEqual(counts.refused, [
    { line: 2, reason: 'the mask "thinking" leaves nothing of chosen' },
    { line: 9, reason: 'it is not valid JSON' },
  ]);
});

test('given an answer whose counting part is cut off, when prepared, then its line is refused', async () => {
  const pairs = file(
    { chosen: '<|thinking|>abcdefghijkl<|/thinking|>b', rejected: 'c' },
    { chosen: 'a', rejected: 'b' },
  );
  const options = { mask: { ...noMask, kind: 'thinking' as const }, maxLength: 20, maxPromptLength: 5 };
  const { counts } = await prepare(pairs, options);
  assert.match(counts.refused[0]?.reason ?? '', /nothing of chosen counts after it was cut/);
});

test('given pairs beyond the length, when prepared, then what was cut is counted', async () => {
  const pairs = file(
    { prompt: 'Q'.repeat(30), chosen: 'a', rejected: 'b' },
    { chosen: 'a'.repeat(40), rejected: 'b' },
  );
  const { counts } = await prepare(pairs, { maxLength: 20, maxPromptLength: 10 });
  assert.equal(counts.truncatedPrompts, 1);
  assert.equal(counts.truncatedCompletions, 1);
});

for (const [loss, given, taken] of [
  ['kto', { rejected: 'a' }, true],
  ['sft', { chosen: 'a' }, true],
  ['sft', { rejected: 'a' }, false],
  ['orpo', { chosen: 'a' }, false],
  ['exo_pair', { rejected: 'a' }, false],
] as const satisfies readonly (readonly [TrainerLoss, object, boolean])[]) {
  test(`given a lone ${Object.keys(given).join()} answer, when prepared for ${loss}, then it is ${taken ? 'taken' : 'refused'}`, async () => {
    const { lines } = await prepare(file({ chosen: 'x', rejected: 'y' }, given), { loss });
    assert.deepEqual(lines, taken ? [1, 2] : [1]);
  });
}

test('given no usable pair, when prepared, then the error names the first line and why', async () => {
  await assert.rejects(prepare(file({ chosen: 'a' })), /Line 1: it has no rejected answer/);
});

test('given thinking after every token, when prepared, then the chosen answer has it and the rejected one only on wish', async () => {
  const pairs = file({ chosen: 'ab', rejected: 'cd' });
  const chosenOnly = await prepare(pairs, { mask: { ...noMask, thinkAfterToken: 2 }, maxLength: 1000 });
  const block = 12 + 2 + 13;
  assert.equal(chosenOnly.records[0]?.chosen?.length, 3 + 2 * block);
  assert.equal(chosenOnly.records[0].chosenMask?.filter((bit) => bit === 0).length, 4);
  assert.equal(chosenOnly.records[0].rejected?.length, 3);
  const both = await prepare(pairs, {
    mask: { ...noMask, thinkAfterToken: 2, thinkInRejected: true },
    maxLength: 1000,
  });
  assert.equal(both.records[0]?.rejected?.length, 3 + 2 * block);
});

test('given two masks that exclude each other, when prepared, then it is refused', async () => {
  const mask = { ...noMask, kind: 'answer-only' as const, thinkAfterToken: 1 };
  await assert.rejects(prepare(file({ chosen: 'a', rejected: 'b' }), { mask }), /excludes/);
});
