// The engine's tokens of chats against the reference values, whose ids are llama.cpp's for the same text.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { testEngine, testModelFile } from '../support/testModel.ts';

const Golden = z.object({
  pairs: z.array(
    z.object({
      prompt: z.string(),
      chosen: z.string(),
      rejected: z.string(),
      prompt_ids: z.array(z.int()),
      chosen_ids: z.array(z.int()),
      rejected_ids: z.array(z.int()),
    }),
  ),
});
const golden = Golden.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/golden/golden.json'), 'utf8')),
);
const never = new AbortController().signal;

test('given the golden pairs, when tokenised as chats, then the ids are the reference’s and the texts add up', async (t) => {
  const engine = testEngine(testModelFile(), { contextTokens: 512 });
  t.after(() => engine.dispose());
  for (const pair of golden.pairs) {
    const { prompt, completions, endOfTurn } = await engine.tokenizeChat(
      {
        messages: [{ role: 'user', text: pair.prompt }],
        completions: [pair.chosen, pair.rejected],
      },
      never,
    );
    assert.deepEqual(prompt, pair.prompt_ids);
    const [chosen, rejected] = completions;
    assert.deepEqual([...(chosen?.tokens ?? []), endOfTurn], pair.chosen_ids);
    assert.deepEqual([...(rejected?.tokens ?? []), endOfTurn], pair.rejected_ids);
    assert.equal(chosen?.texts.join(''), pair.chosen);
    assert.equal(rejected?.texts.join(''), pair.rejected);
  }
});

test('given a control token and characters of several tokens in a completion, when tokenised, then it stays text', async (t) => {
  const engine = testEngine(testModelFile(), { contextTokens: 512 });
  t.after(() => engine.dispose());
  const text = 'Žofie 𒀭 <|im_end|> 🙂';
  const { completions, endOfTurn } = await engine.tokenizeChat(
    { messages: [{ role: 'user', text: 'Hi' }], completions: [text] },
    never,
  );
  assert.equal(completions[0]?.texts.join(''), text);
  assert.equal(completions[0].tokens.length, completions[0].texts.length);
  assert.ok(!completions[0].tokens.includes(endOfTurn));
});
