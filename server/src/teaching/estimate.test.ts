// What a run would take, with a trainer that only counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import type { TrainerLine } from '../protocol/index.ts';
import type { Trainer, TrainerTask } from '../training/index.ts';
import { estimateRun } from './estimate.ts';
import { teachPreset, withValues } from './presets.ts';

const never = new AbortController().signal;
const headings = ['reasoning steps', 'hypothesis', 'background'];
const preset = teachPreset('quick', { parameters: 135e6, trainedContext: 2048 }, headings);

/** Says as many bytes as the longest side has tokens, and a second for each step. */
class CountingTrainer implements Trainer {
  readonly tasks: TrainerTask[] = [];

  run(task: TrainerTask) {
    this.tasks.push(task);
    return { send: () => undefined, [Symbol.asyncIterator]: () => estimated(task) };
  }

  selfTest(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

async function* estimated(task: TrainerTask): AsyncGenerator<TrainerLine> {
  await Promise.resolve();
  if (task.task !== 'estimate') return;
  const longest = Math.max(...task.records.map(({ chosen = [] }) => chosen.length));
  yield {
    ...{ event: 'estimate', seq: 0, bytes: longest, least_bytes: 1, available_bytes: 9, model_bytes: 1 },
    ...{ adapter_bytes: 1, kept_bytes: 1, parameters: 1, seconds: task.steps, seconds_per_step: 1 },
  };
}

test('given settings, when a run is estimated, then both phases are planned with texts as long as their budgets, for all refreshes', async () => {
  const trainer = new CountingTrainer();
  const settings = withValues(preset, ['samples=50', 'refreshes=2', 'phase1.steps=7']);
  const task = { settings, model: 'm.gguf', threads: 1, anchored: 2, writerPairs: 0, sampleSeconds: 3 };
  const found = await estimateRun(task, trainer, '/scratch', never);
  assert.deepEqual([found.samples, found.sampleSeconds], [2 * (50 + 40), 3]);
  // The one number that the double says is trained, twice.
  assert.equal(found.diskBytes, 2 * 40);
  const { parts, partTokens, answerTokens, reflectionTokens } = settings.dataset;
  assert.deepEqual(
    found.phases.map(({ phase, steps, bytes, availableBytes }) => [phase, steps, bytes, availableBytes]),
    [
      [1, 14, parts.length * partTokens + answerTokens, 9],
      // Three passes over 40 pairs, two pairs a step, twice.
      [2, 120, parts.length * partTokens + reflectionTokens + answerTokens, 9],
    ],
  );
  assert.deepEqual(
    trainer.tasks.map((one) => one.task === 'estimate' && [one.loss, one.anchor?.sequences.length]),
    [
      ['orpo', 2],
      ['exo_pair', 2],
    ],
  );
});

test('given pairs of the writer’s own, when a run is estimated, then they count as often as they are trained on', async () => {
  const settings = withValues(preset, ['samples=50', 'writerWeight=2']);
  const task = { settings, model: 'm.gguf', threads: 1, anchored: 0, writerPairs: 10, sampleSeconds: null };
  const { phases } = await estimateRun(task, new CountingTrainer(), '/scratch', never);
  // Three passes over 40 samples and 20 pairs, two a step.
  assert.deepEqual(
    phases.map(({ steps }) => steps),
    [90, 90],
  );
});

test('given a trainer that ends without a word, when a run is estimated, then it is an error and no estimate', async () => {
  const silent: Trainer = {
    run: () => ({ send: () => undefined, [Symbol.asyncIterator]: () => [][Symbol.iterator]() as never }),
    selfTest: () => Promise.resolve(true),
  };
  const task = { settings: preset, model: 'm', threads: 1, anchored: 0, writerPairs: 0, sampleSeconds: null };
  await assert.rejects(estimateRun(task, silent, '/scratch', never), (error) =>
    PreflexorError.is(error, 'trainer-failed'),
  );
});
