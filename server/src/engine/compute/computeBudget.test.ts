import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { ManualTimers } from '../llama/testing/timers.ts';
import { ComputeBudget, type ComputeSigns } from './computeBudget.ts';

const never = new AbortController().signal;

/** Signs in memory: what this process said, and what another one is at. */
class Signs implements ComputeSigns {
  said: (number | 'lowered')[] = [];
  other = 0;
  raise(threads: number): void {
    this.said.push(threads);
  }
  lower(): void {
    this.said.push('lowered');
  }
  others(): Promise<number> {
    return Promise.resolve(this.other);
  }
}

function setUp(cores = 4) {
  const [signs, timers] = [new Signs(), new ManualTimers()];
  return { signs, timers, budget: new ComputeBudget({ cores, signs, timers }) };
}

/** Lets what is due happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** Asks, and says whether it has been answered yet and how. */
function ask(budget: ComputeBudget, signal = never) {
  const asked: { threads: number | null; error: unknown } = { threads: null, error: null };
  budget.background(signal).then(
    (threads) => (asked.threads = threads),
    (error: unknown) => (asked.error = error),
  );
  return asked;
}

test('given nobody is at work, when embedding asks, then it gets all threads at once', async () => {
  const { budget } = setUp(4);
  assert.equal(await budget.background(never), 4);
});

test('given a generator that leaves threads, when embedding asks, then it gets those', async () => {
  const { budget } = setUp(4);
  budget.foreground(3);
  assert.equal(await budget.background(never), 1);
});

test('given a generator that takes all, when embedding asks, then it waits until it has ended and stayed away', async () => {
  const { budget, timers } = setUp(2);
  const end = budget.foreground(2);
  const asked = ask(budget);
  await settle();
  timers.advance(10_000);
  await settle();
  assert.equal(asked.threads, null);
  end();
  await settle();
  assert.equal(asked.threads, null, 'the next completion of the same run may come at once');
  timers.advance(250);
  await settle();
  assert.equal(asked.threads, null);
  timers.advance(250);
  await settle();
  assert.equal(asked.threads, 2);
});

test('given completions one after the other, when embedding asks, then it does not get in between', async () => {
  const { budget, timers } = setUp(2);
  budget.foreground(2)();
  const asked = ask(budget);
  timers.advance(300);
  await settle();
  const end = budget.foreground(2);
  timers.advance(300);
  await settle();
  assert.equal(asked.threads, null);
  end();
});

test('given two generators, when one ends, then the other still counts, and ending twice changes nothing', async () => {
  const { budget, signs, timers } = setUp(2);
  const [first, second] = [budget.foreground(1), budget.foreground(2)];
  second();
  second();
  timers.advance(1000);
  assert.equal(await budget.background(never), 1);
  first();
  assert.deepEqual(signs.said, [1, 2, 1, 'lowered']);
});

test('given another process that generates, when embedding asks, then it waits until that one has ended', async () => {
  const { budget, signs, timers } = setUp(2);
  signs.other = 2;
  const asked = ask(budget);
  await settle();
  assert.equal(asked.threads, null);
  signs.other = 0;
  timers.advance(250);
  await settle();
  assert.equal(asked.threads, 2);
});

test('given it waits, when it is cancelled, then it ends at once and leaves no timer', async () => {
  const { budget, timers } = setUp(2);
  budget.foreground(2);
  const controller = new AbortController();
  const asked = ask(budget, controller.signal);
  await settle();
  assert.equal(timers.waiting.length, 1);
  controller.abort();
  await settle();
  assert.ok(PreflexorError.is(asked.error, 'cancelled'));
  assert.deepEqual(timers.waiting, []);
});

test('given several that wait, when the generator ends, then all go on', async () => {
  const { budget, timers } = setUp(1);
  const end = budget.foreground(1);
  const asked = [ask(budget), ask(budget), ask(budget)];
  await settle();
  end();
  await settle();
  timers.advance(400);
  await settle();
  assert.deepEqual(
    asked.map(({ threads }) => threads),
    [1, 1, 1],
  );
});

test('given a trainer that watches, when generation begins and ends, then it hears each change once', async () => {
  const { budget, signs, timers } = setUp(2);
  const heard: number[] = [];
  const controller = new AbortController();
  const watched = budget.watch((left) => heard.push(left), controller.signal);
  await settle();
  const end = budget.foreground(2);
  await settle();
  end();
  await settle();
  timers.advance(400);
  await settle();
  signs.other = 1;
  timers.advance(250);
  await settle();
  controller.abort();
  await watched;
  assert.deepEqual(heard, [2, 0, 2, 1]);
});
