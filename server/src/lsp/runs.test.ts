import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { RunQueue } from './runs.ts';

const never = new AbortController().signal;

test('given two pieces of work, when they are added, then the second starts after the first has ended', async () => {
  const queue = new RunQueue();
  const order: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  const first = queue.add(never, async () => {
    order.push('first starts');
    await gate.promise;
    order.push('first ends');
  });
  const second = queue.add(never, () => {
    order.push('second starts');
    return Promise.resolve();
  });
  assert.equal(queue.size, 2);
  gate.resolve(undefined);
  await Promise.all([first, second]);
  assert.deepEqual(order, ['first starts', 'first ends', 'second starts']);
  assert.equal(queue.size, 0);
});

test('given a first piece that fails, when another waits, then it runs all the same', async () => {
  const queue = new RunQueue();
  const first = queue.add(never, () => Promise.reject(new Error('broken')));
  const second = queue.add(never, () => Promise.resolve('done'));
  await assert.rejects(first, /broken/);
  assert.equal(await second, 'done');
});

test('given one running, one waiting and one behind it, when the waiting one is stopped, then the last still waits for the first', async () => {
  const queue = new RunQueue();
  const gate = Promise.withResolvers<undefined>();
  let firstEnded = false;
  const first = queue.add(never, async () => {
    await gate.promise;
    firstEnded = true;
  });
  const stop = new AbortController();
  const waiting = queue.add(stop.signal, () => Promise.resolve());
  const last = queue.add(never, () => Promise.resolve(firstEnded));
  stop.abort();
  await assert.rejects(waiting, (error) => PreflexorError.is(error, 'cancelled'));
  gate.resolve(undefined);
  await first;
  assert.equal(await last, true);
});

test('given running and waiting work, when all is stopped, then each sees it and the queue takes new work', async () => {
  const queue = new RunQueue();
  const running = queue.add(never, async (signal) => {
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    signal.throwIfAborted();
  });
  const waiting = queue.add(never, () => Promise.resolve());
  await Promise.resolve();
  assert.equal(queue.stopAll(), 2);
  await assert.rejects(running, (error) => PreflexorError.is(error, 'cancelled'));
  await assert.rejects(waiting, (error) => PreflexorError.is(error, 'cancelled'));
  assert.equal(await queue.add(never, () => Promise.resolve('again')), 'again');
});
