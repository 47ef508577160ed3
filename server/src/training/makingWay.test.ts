import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainerCommand, TrainerLine } from '../protocol/index.ts';
import { makingWay } from './makingWay.ts';
import type { ThreadBudget, Trainer, TrainerTask } from './trainer.ts';

const never = new AbortController().signal;
const task: TrainerTask = { task: 'score', model: 'model.gguf', records: [] };

/** A trainer of one line, with the commands that its run was given. */
function trainerOf(line: TrainerLine): Trainer & { readonly commands: TrainerCommand[] } {
  const commands: TrainerCommand[] = [];
  return {
    commands,
    run: () => ({
      send: (command) => void commands.push(command),
      async *[Symbol.asyncIterator]() {
        await Promise.resolve();
        yield line;
      },
    }),
    selfTest: () => Promise.resolve(true),
  };
}

async function linesOf(trainer: Trainer): Promise<TrainerLine[]> {
  const lines: TrainerLine[] = [];
  for await (const line of trainer.run(task, '/run', never)) lines.push(line);
  return lines;
}

const done: TrainerLine = { event: 'done', seq: 0 };

test('given generation that leaves no thread, when it begins and ends, then the run pauses and goes on', async () => {
  const trainer = trainerOf(done);
  const watches: AbortSignal[] = [];
  const budget: ThreadBudget = {
    watch: (listener, signal) => {
      watches.push(signal);
      for (const left of [2, 0, 0, 1, 2]) listener(left);
      return Promise.resolve();
    },
  };
  assert.deepEqual(await linesOf(makingWay(trainer, budget)), [done]);
  assert.deepEqual(trainer.commands, ['pause', 'resume']);
  assert.deepEqual(
    watches.map((signal) => signal.aborted),
    [true],
    'nobody watches a run that is over',
  );
});

test('given a budget without word, when run, then the run goes on', async () => {
  const budget: ThreadBudget = { watch: () => Promise.reject(new Error('no file')) };
  assert.deepEqual(await linesOf(makingWay(trainerOf(done), budget)), [done]);
});
