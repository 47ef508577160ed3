import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerateEvent } from '../../protocol/index.ts';
import { EventBatch } from './eventBatch.ts';

const text = (letters: string, ...tokens: number[]): GenerateEvent => ({
  event: 'text',
  text: letters,
  tokens,
});

test('given tokens that come fast, when they are gathered, then they leave as few messages with nothing lost', () => {
  let now = 0;
  const sent: GenerateEvent[][] = [];
  const batch = new EventBatch(
    (events) => {
      sent.push(events);
    },
    () => now,
  );
  batch.add({ event: 'prompt', tokens: 3, reused: 0 });
  now = 8;
  batch.add(text('a', 1));
  for (const letter of 'bcd') batch.add(text(letter, 2));
  now = 39;
  batch.add(text('e', 3));
  batch.add(text('f', 4));
  const end: GenerateEvent = {
    ...{ event: 'end', reason: 'length', stop: null, seconds: 1 },
    tokens: { prompt: 3, reused: 0, generated: 6 },
  };
  batch.add(end);
  assert.deepEqual(sent, [
    [{ event: 'prompt', tokens: 3, reused: 0 }],
    [text('a', 1)],
    [text('bcde', 2, 2, 2, 3)],
    [text('f', 4), end],
  ]);
});
