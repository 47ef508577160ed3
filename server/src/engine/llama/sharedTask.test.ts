import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { SharedTask } from './sharedTask.ts';

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));
const isCancelled = (error: unknown) => PreflexorError.is(error, 'cancelled');

/** A task whose work a test finishes by hand. */
function byHand() {
  const runs: { signal: AbortSignal; finish: (value: string) => void; fail: (error: Error) => void }[] = [];
  const task = new SharedTask<string>((signal, report) => {
    report('working', 0.5);
    return new Promise((finish, fail) => {
      runs.push({ signal, finish, fail });
    });
  });
  return { task, runs };
}

test('given two callers, when the work is done, then both have its result and it ran once', async () => {
  const { task, runs } = byHand();
  const heard: unknown[] = [];
  const first = task.join(never, (...wait) => heard.push(wait));
  const second = task.join(never, (...wait) => heard.push(wait));
  runs[0]?.finish('done');
  assert.deepEqual(await Promise.all([first, second]), ['done', 'done']);
  assert.equal(runs.length, 1);
  assert.deepEqual(heard, [
    ['working', 0.5],
    ['working', 0.5],
  ]);
});

test('given two callers, when one gives up, then the work goes on for the other', async () => {
  const { task, runs } = byHand();
  const controller = new AbortController();
  const first = task.join(controller.signal, () => undefined);
  const second = task.join(never, () => undefined);
  controller.abort();
  await assert.rejects(first, isCancelled);
  assert.equal(runs[0]?.signal.aborted, false);
  runs[0].finish('done');
  assert.equal(await second, 'done');
});

test('given all have given up, when another comes, then new work begins as soon as the old has ended', async () => {
  const { task, runs } = byHand();
  const controller = new AbortController();
  const first = task.join(controller.signal, () => undefined);
  controller.abort();
  await assert.rejects(first, isCancelled);
  assert.equal(runs[0]?.signal.aborted, true);
  const second = task.join(never, () => undefined);
  await settle();
  assert.equal(runs.length, 1, 'the old work still runs');
  runs[0].fail(new Error('aborted'));
  await settle();
  runs[1]?.finish('anew');
  assert.equal(await second, 'anew');
});

test('given work that fails, when it is asked for again, then it is tried again', async () => {
  const { task, runs } = byHand();
  const first = task.join(never, () => undefined);
  runs[0]?.fail(new Error('no luck'));
  await assert.rejects(first, /no luck/);
  const second = task.join(never, () => undefined);
  runs[1]?.finish('luck');
  assert.equal(await second, 'luck');
});
