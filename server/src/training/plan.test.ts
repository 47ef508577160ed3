// What a run computes by default, against the method's table.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planTraining, usualSteps } from './plan.ts';

const large = { parameters: 3.2e9, trainedContext: 131_072 };
const small = { parameters: 135e6, trainedContext: 2048 };

test('given phase I, when planned, then it is the table’s ORPO column', () => {
  const plan = planTraining({ phase: 1 }, large);
  assert.equal(plan.loss, 'orpo');
  assert.equal(plan.learningRate, 5e-5);
  assert.equal(plan.schedule, 'constant');
  assert.equal(plan.beta, 0.1);
  assert.deepEqual([plan.maxLength, plan.maxPromptLength], [2048, 512]);
  assert.deepEqual([plan.batch, plan.accumulation], [1, 2]);
  assert.equal(plan.clip, 1);
  assert.deepEqual([plan.rank, plan.alpha, plan.dropout], [64, 64, 0.1]);
});

test('given phase II, when planned, then it is the table’s EXO column', () => {
  const plan = planTraining({ phase: 2 }, large);
  assert.equal(plan.loss, 'exo_pair');
  assert.equal(plan.learningRate, 1e-6);
  assert.equal(plan.epsilon, 5e-3);
  assert.equal(plan.maxLength, 2000);
  assert.equal(plan.clip, 0.3);
});

test('given a small model, when planned, then rates, rank and alpha are those that it learns by, without dropout', () => {
  const { learningRate, rank, alpha, dropout } = planTraining({ phase: 1 }, small);
  assert.deepEqual([learningRate, rank, alpha, dropout], [5e-4, 16, 32, 0]);
  assert.equal(planTraining({ phase: 2 }, small).learningRate, 2e-5);
  assert.equal(planTraining({ phase: 1, rank: 8 }, small).alpha, 16);
});

test('given a short context, when planned, then lengths fit into it', () => {
  const plan = planTraining({ phase: 1 }, { ...small, trainedContext: 512 });
  assert.deepEqual([plan.maxLength, plan.maxPromptLength], [512, 256]);
});

test('given a loss alone, when planned, then it stands in the phase with or without a reference', () => {
  assert.equal(planTraining({ loss: 'dpo' }, large).clip, 0.3);
  assert.equal(planTraining({ loss: 'simpo' }, large).clip, 1);
  assert.equal(planTraining({ loss: 'dpo' }, large).phase, null);
});

test('given wishes, when planned, then they hold, and alpha follows the rank', () => {
  const plan = planTraining({ phase: 1, rank: 16, learningRate: 3e-4, mask: { kind: 'thinking' } }, large);
  assert.deepEqual([plan.rank, plan.alpha, plan.learningRate, plan.mask.kind], [16, 16, 3e-4, 'thinking']);
});

test('given no number of steps, when counted, then it is three passes', () => {
  assert.equal(usualSteps(50, { batch: 1, accumulation: 2 }), 75);
  assert.equal(usualSteps(1, { batch: 8, accumulation: 8 }), 1);
});
