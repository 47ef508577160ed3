// Loops: what small models fall into, and how `avoidLoops` keeps them out without keeping them from quoting.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repetition } from '../../server/src/reasoning/index.ts';
import { testEngine, testModelFile } from '../support/testModel.ts';

const never = new AbortController().signal;

async function completion(
  text: string,
  avoidLoops: boolean,
  maxTokens: number,
  prefix = '',
): Promise<string> {
  const engine = testEngine(testModelFile());
  try {
    let written = '';
    const messages = [{ role: 'user' as const, text }];
    const request = { messages, prefix, stop: [], maxTokens, temperature: 0, seed: 1, avoidLoops };
    for await (const event of engine.generate(request, never)) {
      if (event.event === 'text') written += event.text;
    }
    return written;
  } finally {
    await engine.dispose();
  }
}

test('given a model that repeats itself word for word, when loops are avoided, then it does so less', async () => {
  const prompt = 'Make this sentence stronger: small grains make an alloy hard.';
  // Begun like this, the small model goes on for ever.
  const begun =
    'The paragraph is made stronger by adding a few sentences.\n\nThe paragraph is made stronger by';
  const looping = repetition(await completion(prompt, false, 160, begun));
  const guarded = repetition(await completion(prompt, true, 160, begun));
  assert.ok(looping > 0.5, `the model does not loop here: ${looping}`);
  assert.ok(guarded < 0.7 * looping, `${guarded} against ${looping}`);
});

test('given a sentence to be quoted from the prompt, when loops are avoided, then it is quoted all the same', async () => {
  const sentence =
    'Dislocations stop at the boundaries of the grains, and so the alloy is harder than a single crystal.';
  const prompt = `Repeat this sentence exactly, word for word: "${sentence}"`;
  const begun = 'Dislocations stop at the boundaries';
  assert.equal(await completion(prompt, true, 16, begun), await completion(prompt, false, 16, begun));
});
