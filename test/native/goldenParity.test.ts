// The trainer against the reference values in test/fixtures/golden: log-probabilities, losses,
// their derivatives, and gradients, on the real model. Needs PREFLEXOR_TEST_MODEL.
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { TrainerLoss } from '../../server/src/protocol/trainer.ts';
import {
  cosine,
  golden,
  goldenFolder,
  norm,
  readSafetensors,
  type GoldenPair,
} from './support/golden.ts';
import {
  libraries,
  linesOf,
  runTrainer,
  testModel,
  withFolder,
  type LineOf,
} from './support/trainer.ts';

type Masking = 'none' | 'thinking';
type Score = LineOf<'score'>;

function record(pair: GoldenPair, masking: Masking = 'none') {
  return {
    prompt: pair.prompt_ids,
    chosen: pair.chosen_ids,
    rejected: pair.rejected_ids,
    ...(masking === 'thinking'
      ? { chosenMask: pair.chosen_mask_thinking, rejectedMask: pair.rejected_mask_thinking }
      : {}),
  };
}

function pairAt(index: number): GoldenPair {
  const pair = golden.pairs[index];
  assert.ok(pair !== undefined);
  return pair;
}

interface Scoring {
  precision?: 'f32' | 'bf16';
  masking?: Masking;
  gradient?: TrainerLoss;
}

async function score(
  pairs: GoldenPair[],
  { precision = 'f32', masking = 'none', gradient }: Scoring = {},
): Promise<{ scores: Score[]; gradients: Map<string, Float64Array> }> {
  return withFolder(async (folder) => {
    const file = path.join(folder, 'gradient.safetensors');
    const result = await runTrainer(folder, {
      task: 'score',
      libraries,
      model: testModel(),
      precision,
      adapter: path.join(goldenFolder, 'adapter'),
      records: pairs.map((pair) => record(pair, masking)),
      perToken: true,
      ...(gradient === undefined ? {} : { gradient: { loss: gradient, file } }),
    });
    assert.equal(result.exitCode, 0, JSON.stringify(result.lines.at(-1)));
    const gradients = gradient === undefined ? new Map() : readSafetensors(file);
    return { scores: linesOf(result.lines, 'score'), gradients };
  });
}

function assertNear(actual: number | null | undefined, expected: number, bound: number): void {
  assert.ok(actual !== null && actual !== undefined);
  assert.ok(Math.abs(actual - expected) <= bound, `${actual} is not ${expected} ± ${bound}`);
}

function assertRelative(actual: number | null | undefined, expected: number, bound: number): void {
  assertNear(actual, expected, Math.abs(expected) * bound);
}

describe('given the eight golden pairs and the golden adapter, in F32', () => {
  let scores: Score[] = [];
  before(async () => {
    ({ scores } = await score(golden.pairs));
  });

  it('when scored, then sums under policy and reference are within 0.02', () => {
    for (const [index, line] of scores.entries()) {
      const pair = pairAt(index);
      assertNear(line.chosen?.sum, pair.policy.chosen.sum, 0.02);
      assertNear(line.rejected?.sum, pair.policy.rejected.sum, 0.02);
      assertNear(line.reference.chosen?.sum, pair.reference.chosen.sum, 0.02);
      assertNear(line.reference.rejected?.sum, pair.reference.rejected.sum, 0.02);
      const whole = (line.prompt?.sum ?? NaN) + (line.chosen?.sum ?? NaN);
      assertNear(whole, pair.policy.chosen_with_prompt.sum, 0.02);
    }
  });

  it('when scored, then each token has its log-probability within 0.002', () => {
    const expected = readSafetensors(path.join(goldenFolder, 'per-token-logprobs.safetensors'));
    for (const [index, line] of scores.entries()) {
      for (const [model, tokens] of [
        ['policy', line.perToken],
        ['reference', line.reference.perToken],
      ] as const) {
        assert.ok(tokens !== undefined);
        for (const side of ['chosen', 'rejected'] as const) {
          const want = expected.get(`pair${String(index).padStart(2, '0')}.${model}.${side}`);
          const have: (number | null)[] = [...tokens.prompt, ...tokens[side]];
          assert.equal(have.length, want?.length);
          for (const [place, value] of have.entries()) {
            assertNear(value, want?.[place] ?? NaN, 0.002);
          }
        }
      }
    }
  });

  it('when scored, then every loss and its derivatives are within 1e-4 relative', () => {
    for (const [index, line] of scores.entries()) {
      const pair = pairAt(index);
      for (const name of TrainerLoss.options) {
        const value = line.losses[name];
        const coefficients = pair.grad_norms[name]?.coef;
        assertRelative(value?.loss, pair.losses[name] ?? NaN, 1e-4);
        assertRelative(value?.byChosen, coefficients?.sc ?? NaN, 1e-4);
        assertRelative(value?.byRejected, coefficients?.sr ?? NaN, 1e-4);
        assertRelative(value?.byFull, coefficients?.fc ?? NaN, 1e-4);
      }
    }
  });
});

describe('given masks over the thinking', () => {
  it('when scored, then DPO, EXO and IPO are within 1e-4 relative', async () => {
    const pairs = [pairAt(0), pairAt(4), pairAt(6)];
    const { scores } = await score(pairs, { masking: 'thinking' });
    for (const [index, line] of scores.entries()) {
      for (const name of ['dpo', 'exo_pair', 'ipo'] as const) {
        const masked = `${name}_mask_thinking`;
        const coefficients = pairs[index]?.grad_norms[masked]?.coef;
        assertRelative(line.losses[name]?.loss, pairs[index]?.losses[masked] ?? NaN, 1e-4);
        assertRelative(line.losses[name]?.byChosen, coefficients?.mc ?? NaN, 1e-4);
        assertRelative(line.losses[name]?.byRejected, coefficients?.mr ?? NaN, 1e-4);
      }
    }
  });
});

/** Norms of all 420 tensors and of the whole, and the direction of those that are stored. */
function assertGradient(
  gradients: Map<string, Float64Array>,
  pair: GoldenPair,
  loss: string,
  bound: number,
): void {
  const expected = pair.grad_norms[loss];
  assert.ok(expected !== undefined);
  let total = 0;
  for (const [index, name] of golden.lora_tensor_names.entries()) {
    const tensor = gradients.get(name);
    assert.ok(tensor !== undefined, name);
    const length = norm(tensor);
    total += length * length;
    assertRelative(length, expected.per_tensor[index] ?? NaN, bound);
  }
  assert.equal(gradients.size, golden.lora_tensor_names.length);
  assertRelative(Math.sqrt(total), expected.total, bound);
}

/** One loss per pair besides pair 6, whose gradients are stored. */
const shortPairs = [
  [0, 'kto'],
  [1, 'dpo'],
  [3, 'ipo'],
  [4, 'simpo'],
] as const;
/** Texts of 400 tokens: another minute, on request. */
const longPairs = [
  [2, 'sft_full'],
  [5, 'cpo_simpo'],
  [7, 'orpo_completion_nll'],
] as const;
const withLongPairs = process.env['PREFLEXOR_LONG_TESTS'] === '1';

describe('given the gradient of one pair, in F32', () => {
  for (const loss of ['orpo', 'exo_pair'] as const) {
    it(`when ${loss} of pair 6 is differentiated, then cosine ≥ 0.9999 and norms within 1e-3`, async () => {
      const { gradients } = await score([pairAt(6)], { gradient: loss });
      const file = path.join(goldenFolder, `gradient-pair06-${loss}.safetensors`);
      assert.ok(cosine(gradients, readSafetensors(file)) >= 0.9999);
      assertGradient(gradients, pairAt(6), loss, 1e-3);
    });
  }

  for (const [index, loss] of [...shortPairs, ...(withLongPairs ? longPairs : [])]) {
    it(`when ${loss} of pair ${index} is differentiated, then all norms are within 1e-3`, async () => {
      const { gradients } = await score([pairAt(index)], { gradient: loss });
      assertGradient(gradients, pairAt(index), loss, 1e-3);
    });
  }
});

describe('given frozen weights in BF16', () => {
  it('when pair 6 is scored, then losses without a reference are within 2e-2 and the cosine is ≥ 0.999', async () => {
    const { scores, gradients } = await score([pairAt(6)], { precision: 'bf16', gradient: 'orpo' });
    for (const name of ['sft', 'sft_full', 'orpo', 'orpo_completion_nll', 'simpo', 'cpo_simpo'] as const) {
      assertRelative(scores[0]?.losses[name]?.loss, pairAt(6).losses[name] ?? NaN, 2e-2);
    }
    const file = path.join(goldenFolder, 'gradient-pair06-orpo.safetensors');
    assert.ok(cosine(gradients, readSafetensors(file)) >= 0.999);
  });
});
