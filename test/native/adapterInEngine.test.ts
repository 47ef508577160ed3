// The GGUF adapter that the trainer writes, loaded by the engine's own library: it must change each
// token's log-probability as the trainer says it does. The engine computes on quantised weights and
// rounds activations, so the comparison is of changes over many tokens: measured slope 1.03, correlation
// 0.984; with the rows of q and k in the wrong order the correlation is 0.82.
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { getLlama, type LlamaModel, type Token } from 'node-llama-cpp';
import { z } from 'zod';
import { golden, goldenFolder } from './support/golden.ts';
import { libraries, linesOf, runTrainer, testModel, withFolder } from './support/trainer.ts';

/** Makes the adapter's effect large against the engine's rounding. */
const strength = 3;

/** The golden adapter with its alpha multiplied. */
async function strongAdapter(folder: string): Promise<string> {
  const target = path.join(folder, 'strong');
  await cp(path.join(goldenFolder, 'adapter'), target, { recursive: true });
  const file = path.join(target, 'adapter_config.json');
  const config = z.looseObject({ lora_alpha: z.number() }).parse(JSON.parse(await readFile(file, 'utf8')));
  await writeFile(file, JSON.stringify({ ...config, lora_alpha: config.lora_alpha * strength }));
  return target;
}

/** log p of each completion token, by libllama. */
async function engineLogProbabilities(
  model: LlamaModel,
  prompt: number[],
  completion: number[],
  adapter?: string,
): Promise<number[]> {
  const context = await model.createContext({
    contextSize: 512,
    threads: 1,
    ...(adapter === undefined ? {} : { lora: { adapters: [{ filePath: adapter }] } }),
  });
  try {
    const sequence = context.getSequence();
    const tokens = [...prompt, ...completion] as Token[];
    const outputs = await sequence.controlledEvaluate(
      tokens
        .slice(0, -1)
        .map((token, index) =>
          index < prompt.length - 1 ? token : [token, { generateNext: { probabilities: true } }],
        ),
    );
    return completion.map((token, index) => {
      const probability = outputs[prompt.length - 1 + index]?.next.probabilities?.get(token as Token);
      assert.ok(probability !== undefined);
      return Math.log(probability);
    });
  } finally {
    await context.dispose();
  }
}

/** Slope of the least-squares line through 0, and correlation about 0. */
function compare(expected: number[], actual: number[]): { slope: number; correlation: number } {
  let product = 0;
  let squaresExpected = 0;
  let squaresActual = 0;
  for (const [index, value] of expected.entries()) {
    const other = actual[index] ?? NaN;
    product += value * other;
    squaresExpected += value * value;
    squaresActual += other * other;
  }
  return {
    slope: product / squaresExpected,
    correlation: product / Math.sqrt(squaresExpected * squaresActual),
  };
}

describe('given the golden adapter written as GGUF', () => {
  it('when libllama loads it, then each token changes as the trainer says', async () => {
    await withFolder(async (folder) => {
      const pair = golden.pairs[6];
      assert.ok(pair !== undefined);
      const records = [{ prompt: pair.prompt_ids, chosen: pair.chosen_ids }];
      const common = { libraries, model: testModel(), records, adapter: await strongAdapter(folder) };
      const scored = await runTrainer(folder, { task: 'score', ...common, perToken: true });
      const line = linesOf(scored.lines, 'score')[0];
      const policy = line?.perToken?.chosen.map((value) => value ?? NaN) ?? [];
      const base = line?.reference.perToken?.chosen.map((value) => value ?? NaN) ?? [];
      // A step at rate 0 changes nothing and writes the adapter.
      const trained = await runTrainer(folder, {
        task: 'train',
        ...common,
        out: path.join(folder, 'out'),
        loss: 'sft',
        steps: 1,
        optimizer: { learningRate: 0 },
      });
      const file = linesOf(trained.lines, 'done')[0]?.gguf;
      assert.ok(file !== undefined, trained.stderr);
      const llama = await getLlama({ build: 'never', gpu: false });
      const model = await llama.loadModel({ modelPath: testModel() });
      const without = await engineLogProbabilities(model, pair.prompt_ids, pair.chosen_ids);
      const withAdapter = await engineLogProbabilities(model, pair.prompt_ids, pair.chosen_ids, file);
      await model.dispose();
      await llama.dispose();
      const { slope, correlation } = compare(
        policy.map((value, index) => value - (base[index] ?? NaN)),
        withAdapter.map((value, index) => value - (without[index] ?? NaN)),
      );
      assert.ok(correlation > 0.95, `correlation ${correlation}`);
      assert.ok(Math.abs(slope - 1) < 0.1, `slope ${slope}`);
    });
  });
});
