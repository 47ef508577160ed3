import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import type { QueuePriority } from '../protocol/index.ts';
import { RunQueue, type QueuedRun } from './runQueue.ts';

const never = new AbortController().signal;

function about(paragraph: string, priority: QueuePriority = 'paragraph'): QueuedRun {
  return { uri: 'file:///note.md', paragraph, priority, start: 0 };
}

/** A queue with one run that goes on until `free`, and others behind it that tell when their turn has come. */
function busyQueue(onChange?: () => void) {
  const queue = new RunQueue(onChange);
  const gate = Promise.withResolvers<undefined>();
  const order: string[] = [];
  const ended: Promise<unknown>[] = [queue.add(about('busy'), never, () => gate.promise)];
  const add = (paragraph: string, priority?: QueuePriority, signal = never): void => {
    const work = (): Promise<void> => {
      order.push(paragraph);
      return Promise.resolve();
    };
    ended.push(queue.add(about(paragraph, priority), signal, work));
  };
  const free = async (): Promise<string[]> => {
    gate.resolve(undefined);
    await Promise.allSettled(ended);
    return order;
  };
  const idOf = (paragraph: string): string =>
    queue.entries.find((entry) => entry.paragraph === paragraph)?.id ?? '';
  return { queue, add, free, idOf };
}

test('given two pieces of work, when they are added, then the second starts after the first has ended', async () => {
  const queue = new RunQueue();
  const order: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  const first = queue.add(about('a'), never, async () => {
    order.push('first starts');
    await gate.promise;
    order.push('first ends');
  });
  const second = queue.add(about('b'), never, () => {
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
  const first = queue.add(about('a'), never, () => Promise.reject(new Error('broken')));
  const second = queue.add(about('b'), never, () => Promise.resolve('done'));
  await assert.rejects(first, /broken/);
  assert.equal(await second, 'done');
});

test('given one running, one waiting and one behind it, when the waiting one is stopped, then the last still waits for the first', async () => {
  const { queue, add, free } = busyQueue();
  const stop = new AbortController();
  const waiting = queue.add(about('waiting'), stop.signal, () => Promise.resolve());
  add('last');
  stop.abort();
  await assert.rejects(waiting, (error) => PreflexorError.is(error, 'cancelled'));
  assert.deepEqual(
    queue.entries.map(({ paragraph, state }) => [paragraph, state]),
    [
      ['busy', 'running'],
      ['last', 'waiting'],
    ],
  );
  assert.deepEqual(await free(), ['last']);
});

test('given running and waiting work, when all is stopped, then each sees it and the queue takes new work', async () => {
  const queue = new RunQueue();
  const running = queue.add(about('a'), never, async (signal) => {
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    signal.throwIfAborted();
  });
  const waiting = queue.add(about('b'), never, () => Promise.resolve());
  assert.equal(queue.stopAll(), 2);
  await assert.rejects(running, (error) => PreflexorError.is(error, 'cancelled'));
  await assert.rejects(waiting, (error) => PreflexorError.is(error, 'cancelled'));
  assert.equal(await queue.add(about('c'), never, () => Promise.resolve('again')), 'again');
});

test('given paragraphs of a note and of a section that wait, when one is asked for by hand, then it goes before them, behind others of its kind', async () => {
  const { add, free } = busyQueue();
  add('note 1', 'note');
  add('note 2', 'note');
  add('section', 'section');
  add('by hand 1');
  add('by hand 2');
  assert.deepEqual(await free(), ['by hand 1', 'by hand 2', 'section', 'note 1', 'note 2']);
});

test('given an order of the writer’s own, when entries are moved, then their turns come in that order', async () => {
  const { queue, add, free, idOf } = busyQueue();
  for (const name of ['one', 'two', 'three']) add(name, 'note');
  const waiting = (): string[] => queue.entries.slice(1).map(({ paragraph }) => paragraph);
  assert.ok(queue.move(idOf('three'), idOf('two')));
  assert.ok(queue.move(idOf('one'), null));
  assert.deepEqual(waiting(), ['three', 'two', 'one']);
  assert.ok(queue.move(idOf('two'), idOf('busy')), 'in front of what goes on: the first to wait');
  assert.ok(!queue.move(idOf('busy'), null), 'what goes on does not wait');
  assert.ok(!queue.move(idOf('two'), idOf('two')));
  assert.deepEqual(await free(), ['two', 'three', 'one']);
});

test('given several that wait, when some are cancelled, then the others have their turns', async () => {
  const { queue, add, free, idOf } = busyQueue();
  for (const name of ['one', 'two', 'three', 'four']) add(name, 'section');
  assert.equal(queue.cancel([idOf('two'), idOf('four'), 'unknown']), 2);
  assert.deepEqual(await free(), ['one', 'three']);
});

test('given a run whose turn cannot come, when others wait behind it, then they go by, and it is held until it can', async () => {
  const { queue, add, free } = busyQueue();
  let open = false;
  const held = queue.add(
    about('held'),
    never,
    () => Promise.resolve('done'),
    () => open,
  );
  add('other');
  assert.deepEqual(
    queue.entries.map(({ state }) => state),
    ['running', 'held', 'waiting'],
  );
  assert.deepEqual(await free(), ['other']);
  assert.equal(queue.size, 1);
  open = true;
  queue.wake();
  assert.equal(await held, 'done');
});

test('given a listener, when entries come, move and go, then it hears of each', async () => {
  let changes = 0;
  const { queue, add, free, idOf } = busyQueue(() => (changes += 1));
  assert.equal(changes, 1);
  add('one');
  assert.equal(changes, 2);
  queue.move(idOf('one'), null);
  assert.equal(changes, 3);
  await free();
  assert.equal(changes, 5);
});

test('given a long paragraph, when the entries are told, then its beginning is', async () => {
  const { queue, add, free } = busyQueue();
  add('word '.repeat(500));
  assert.match(queue.entries[1]?.paragraph ?? '', /^word word.{490}…$/);
  await free();
});

test('given an entry, when it is asked what it is about, then it is known until it ends', async () => {
  const { queue, add, free, idOf } = busyQueue();
  add('one', 'note');
  const id = idOf('one');
  assert.equal(queue.about(id)?.paragraph, 'one');
  assert.ok(queue.holds('file:///note.md', 'one') && !queue.holds('file:///other.md', 'one'));
  await free();
  assert.equal(queue.about(id), null);
  assert.ok(!queue.holds('file:///note.md', 'one'));
});
