import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

/** Runs batches on a machine of known speed; gives the threads of each. */
function run(pace: Pace, batches: number, seconds: (threads: number) => number, most = 8): number[] {
  return Array.from({ length: batches }, () => {
    const threads = pace.choose(most);
    pace.took(threads, 100, seconds(threads));
    return threads;
  });
}

test('given a machine that is quiet, when it has been tried, then the fastest count is used', () => {
  const pace = new Pace(8);
  run(pace, 4, (threads) => 1 / threads);
  assert.deepEqual(
    run(pace, 10, (threads) => 1 / threads),
    new Array<number>(10).fill(8),
  );
});

test('given counts that are about as fast, when they have been tried, then the smallest is used', () => {
  const pace = new Pace(8);
  run(pace, 4, (threads) => (threads === 1 ? 1 : 0.5));
  assert.equal(pace.choose(8), 2);
});

test('given threads that get in each other’s way, when it goes on, then fewer are used', () => {
  const pace = new Pace(2);
  run(pace, 4, (threads) => 1 / threads, 2);
  assert.equal(pace.choose(2), 2);
  const later = run(pace, 20, (threads) => (threads === 2 ? 5 : 1), 2);
  assert.deepEqual(later.slice(2), new Array<number>(18).fill(1));
});

test('given a machine that becomes quiet again, when it goes on, then more threads are tried and kept', () => {
  const pace = new Pace(2);
  run(pace, 20, (threads) => (threads === 2 ? 5 : 1), 2);
  const later = run(pace, 600, (threads) => 1 / threads, 2);
  assert.equal(later.at(-2), 2);
});

test('given it has settled, when it goes on, then only now and then another count is tried', () => {
  const pace = new Pace(2);
  run(pace, 4, (threads) => 1 / threads, 2);
  const later = run(pace, 200, (threads) => 1 / threads, 2);
  const tries = later.filter((threads) => threads === 1).length;
  assert.ok(tries >= 1 && tries <= 4, String(tries));
});

test('given a count that stays worse, when it goes on, then it is tried more and more rarely', () => {
  const pace = new Pace(2);
  const threads = run(pace, 1000, (count) => (count === 2 ? 5 : 1), 2);
  const tries = threads.flatMap((count, batch) => (count === 2 ? [batch] : []));
  const gaps = tries.slice(2).map((batch, index) => batch - (tries[index + 1] ?? 0));
  assert.ok(gaps.length >= 2, tries.join());
  assert.deepEqual(
    gaps,
    gaps.toSorted((a, b) => a - b),
  );
  assert.ok(tries.length <= 8, tries.join());
});

test('given fewer threads than usual are left, when it chooses, then it keeps within them', () => {
  const pace = new Pace(8);
  run(pace, 4, (threads) => 1 / threads);
  assert.equal(pace.choose(4), 4);
  assert.equal(pace.choose(3), 2);
  assert.equal(pace.choose(1), 1);
});

test('given a batch without tokens, when it is reported, then it says nothing about the pace', () => {
  const pace = new Pace(1);
  pace.took(1, 0, 5);
  assert.equal(pace.choose(1), 1);
});
