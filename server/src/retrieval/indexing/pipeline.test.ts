import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import { buffered, mapAhead, mapAll } from './pipeline.ts';
import { Gate, abortable } from './yielding.ts';

async function* counted(until: number, made: number[] = []): AsyncGenerator<number> {
  for (let at = 0; at < until; at += 1) {
    made.push(at);
    yield await Promise.resolve(at);
  }
}

test('given any number of items and any capacity, when buffered, then they come out in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(30), fc.integer({ min: 1, max: 5 }), async (count, capacity) => {
      const out: number[] = [];
      for await (const item of buffered(counted(count), capacity)) {
        if (item % 3 === 0) await turn();
        out.push(item);
      }
      assert.deepEqual(
        out,
        Array.from({ length: count }, (_none, at) => at),
      );
    }),
  );
});

test('given a slow consumer, when buffered, then the source is at most the capacity ahead', async () => {
  const made: number[] = [];
  let taken = 0;
  for await (const _item of buffered(counted(20, made), 2)) {
    taken += 1;
    for (let at = 0; at < 10; at += 1) await turn();
    assert.ok(made.length <= taken + 2, `${made.length} were made when ${taken} were taken`);
  }
  assert.equal(taken, 20);
});

test('given a source that fails, when buffered, then what came before comes out before the error', async () => {
  async function* failing(): AsyncGenerator<number> {
    yield* counted(3);
    throw new Error('mine');
  }
  const out: number[] = [];
  await assert.rejects(async () => {
    for await (const item of buffered(failing(), 5)) out.push(item);
  }, /mine/);
  assert.deepEqual(out, [0, 1, 2]);
});

test('given a consumer that leaves, when buffered, then the source is ended before that', async () => {
  let ended = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield* counted(100);
    } finally {
      await turn();
      ended = true;
    }
  }
  for await (const item of buffered(source(), 2)) if (item === 3) break;
  assert.ok(ended);
});

test('given several items at a time, when one takes longer, then the results still come in order', async () => {
  const work = async (item: number): Promise<number> => {
    for (let at = 0; at < 10 - item; at += 1) await turn();
    return item * 2;
  };
  assert.deepEqual(await mapAll([1, 2, 3, 4, 5], 3, work), [2, 4, 6, 8, 10]);
});

test('given items with weights, when worked on, then together they stay under the limit, and a heavy one goes alone', async () => {
  let weight = 0;
  let most = 0;
  const work = async (item: number): Promise<void> => {
    weight += item;
    most = Math.max(most, weight);
    await turn();
    weight -= item;
  };
  const ahead = { items: 10, weight: 5, weigh: (item: number) => item };
  for await (const _done of mapAhead([2, 2, 2, 2, 9, 1, 1], ahead, work));
  assert.equal(most, 9);
});

test('given an item that fails, when worked on, then its error comes out once the others have ended', async () => {
  let going = 0;
  const work = async (item: number): Promise<number> => {
    going += 1;
    await turn();
    going -= 1;
    if (item === 2) throw new Error('mine');
    return item;
  };
  await assert.rejects(mapAll([1, 2, 3, 4, 5], 3, work), /mine/);
  assert.equal(going, 0);
});

test('given work that does not look at its signal, when aborted, then nobody waits for it', async () => {
  const controller = new AbortController();
  const waiting = abortable(new Promise(() => undefined), controller.signal);
  controller.abort();
  await assert.rejects(waiting, (error) => PreflexorError.is(error, 'cancelled'));
});

test('given a paused gate, when stopped, then whoever waits there is let go as cancelled', async () => {
  const gate = new Gate();
  gate.pause();
  const controller = new AbortController();
  const waiting = gate.pass(controller.signal);
  controller.abort();
  await assert.rejects(waiting, (error) => PreflexorError.is(error, 'cancelled'));
});
