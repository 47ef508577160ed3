// Tiny random models of each architecture, whose log-probabilities the trainer and the engine's own
// library must agree on: rope, norms, windows and scales all enter. libllama takes no qwen2 whose heads are
// wider than the model, as the tiny one's are.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { getLlama, type Llama, type Token } from 'node-llama-cpp';
import { libraries, linesOf, runTrainer, runTrainerWith, withFolder } from './support/trainer.ts';

/** Longer than the tiny gemma3's window of 8. */
const tokens = Array.from({ length: 48 }, (_, index) => 3 + ((index * index * 7 + index * 5) % 93));
/** libllama keeps keys and values in half precision, and looks GELU up in it. */
const tolerance = 0.01;

describe('given a tiny model of random weights', () => {
  let llama: Llama;
  before(async () => {
    llama = await getLlama({ build: 'never', gpu: false });
  });
  after(async () => {
    await llama.dispose();
  });

  for (const architecture of ['llama', 'qwen3', 'gemma3']) {
    it(`when a text is scored as ${architecture}, then each token is as probable as libllama says`, async () => {
      await withFolder(async (folder) => {
        const file = path.join(folder, 'tiny.gguf');
        assert.equal((await runTrainerWith(['--tiny-model', architecture, file])).exitCode, 0);
        const [first = 0, ...rest] = tokens;
        const scored = await runTrainer(folder, {
          task: 'score',
          libraries,
          model: file,
          records: [{ prompt: [first], chosen: rest }],
          perToken: true,
        });
        const actual = linesOf(scored.lines, 'score')[0]?.perToken?.chosen ?? [];
        const model = await llama.loadModel({ modelPath: file });
        const context = await model.createContext({ contextSize: 64, threads: 1 });
        const outputs = await context
          .getSequence()
          .controlledEvaluate(
            tokens
              .slice(0, -1)
              .map((token) => [token as Token, { generateNext: { probabilities: true } }] as const)
              .map(([token, options]) => [token, options]),
          );
        const expected = rest.map((token, index) =>
          Math.log(outputs[index]?.next.probabilities?.get(token as Token) ?? NaN),
        );
        await model.dispose();
        const worst = Math.max(...expected.map((value, index) => Math.abs(value - (actual[index] ?? NaN))));
        assert.ok(worst < tolerance, `${architecture}: differs by ${worst}`);
      });
    });
  }
});
