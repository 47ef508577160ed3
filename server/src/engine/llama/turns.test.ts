import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { Turns } from './turns.ts';

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('given several in the queue, when turns end, then each gets its own in the order of arrival', async () => {
  const turns = new Turns();
  const order: number[] = [];
  const end = await turns.take(never);
  const others = [1, 2, 3].map(async (number) => {
    const endOwn = await turns.take(never);
    order.push(number);
    await settle();
    endOwn();
  });
  await settle();
  assert.deepEqual(order, []);
  end();
  end();
  await Promise.all(others);
  assert.deepEqual(order, [1, 2, 3]);
});

test('given one that gives up, when its turn would come, then the next one has it', async () => {
  const turns = new Turns();
  const end = await turns.take(never);
  const controller = new AbortController();
  const given = turns.take(controller.signal);
  const next = turns.take(never);
  controller.abort();
  await assert.rejects(given, (error) => PreflexorError.is(error, 'cancelled'));
  end();
  (await next)();
  (await turns.take(never))();
});
