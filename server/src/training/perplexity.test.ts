import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TrainerLine } from '../protocol/index.ts';
import { perplexities, tokensOfFile, windowsOf } from './perplexity.ts';
import { never, temporaryFolder } from './testing/tinyAdapters.ts';
import type { Trainer } from './trainer.ts';

test('given tokens, when cut into windows, then each begins with a given token and predicts the others', () => {
  assert.deepEqual(windowsOf([1, 2, 3, 4, 5], 3, null), [
    { prompt: [1], chosen: [2, 3] },
    { prompt: [4], chosen: [5] },
  ]);
  // One token alone predicts nothing.
  assert.deepEqual(windowsOf([1, 2, 3, 4], 3, null), [{ prompt: [1], chosen: [2, 3] }]);
});

test('given a vocabulary that begins texts with a token, when cut, then that one is given and all others predicted', () => {
  assert.deepEqual(windowsOf([1, 2, 3], 3, 99), [
    { prompt: [99], chosen: [1, 2] },
    { prompt: [99], chosen: [3] },
  ]);
});

/** Gives each predicted token the log-probability −1 in the first record, −2 in the second, and so on. */
const countingTrainer: Trainer = {
  run: (task) => ({
    send: () => undefined,
    async *[Symbol.asyncIterator](): AsyncGenerator<TrainerLine> {
      for (const [index, { chosen = [] }] of task.records.entries()) {
        await Promise.resolve();
        const mean = -(index + 1);
        const sums = {
          prompt: null,
          rejected: null,
          chosen: { sum: mean * chosen.length, mean, tokens: chosen.length },
        };
        yield { event: 'score', seq: index, index, ...sums, reference: sums, losses: {} as never };
      }
    },
  }),
  selfTest: () => Promise.resolve(true),
};

test('given two texts, when measured, then each is the exponential of its own mean over all of its windows', async () => {
  const texts = [
    { file: 'a', tokens: [1, 2, 3, 4, 5] },
    { file: 'b', tokens: [1, 2] },
  ];
  const task = { model: 'm', adapter: null, window: 3, beginning: null };
  const results = await perplexities(countingTrainer, texts, task, '/', never);
  assert.deepEqual(
    results.map(({ file, tokens, predicted }) => [file, tokens, predicted]),
    [
      ['a', 5, 3],
      ['b', 2, 1],
    ],
  );
  assert.ok(Math.abs((results[0]?.perplexity ?? NaN) - Math.exp((1 + 1 + 2) / 3)) < 1e-12);
  assert.ok(Math.abs((results[1]?.perplexity ?? NaN) - Math.exp(3)) < 1e-9);
});

test('given a note with front matter, when read, then only its prose is measured, from its first tokens on', async (t) => {
  const file = join(await temporaryFolder(t), 'note.md');
  await writeFile(file, '---\ntitle: x\n---\n\nProse here.\n');
  const read: string[] = [];
  const tokenizer = {
    tokenize: (text: string) => {
      read.push(text);
      return Promise.resolve([1, 2, 3]);
    },
  };
  const { tokens } = await tokensOfFile(file, tokenizer, { first: 2, window: 9 }, never);
  assert.deepEqual(read, ['Prose here.']);
  assert.deepEqual(tokens, [1, 2]);
});
