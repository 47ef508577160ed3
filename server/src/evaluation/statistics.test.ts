import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom, seedFor, shuffled } from './random.ts';
import { deviationOf, estimate, quantile, share } from './statistics.ts';

test('given values, when mean and standard deviation are taken, then they are those of the textbook', () => {
  // Squared differences from 5: 9, 1, 1, 1, 0, 0, 4, 16, together 32; divided by 7.
  const values = [2, 4, 4, 4, 5, 5, 7, 9];
  const { n, mean, deviation } = estimate(values, 1);
  assert.equal(n, 8);
  assert.equal(mean, 5);
  assert.ok(Math.abs((deviation ?? 0) - Math.sqrt(32 / 7)) < 1e-12);
});

test('given no value or one, when they are estimated, then nothing is claimed that is not known', () => {
  assert.deepEqual(estimate([], 1), { n: 0, mean: null, low: null, high: null, deviation: null });
  assert.deepEqual(estimate([3], 1), { n: 1, mean: 3, low: null, high: null, deviation: null });
  assert.equal(deviationOf([3]), null);
});

test('given equal values, when they are estimated, then the interval is a point', () => {
  assert.deepEqual(estimate([2, 2, 2], 5), { n: 3, mean: 2, low: 2, high: 2, deviation: 0 });
});

test('given shares, when they are taken, then their intervals are Wilson’s, and no share of few is certain', () => {
  // By hand with z² = 3.8415: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n).
  const halves = share(Array.from({ length: 100 }, (_, at) => at % 2 === 0));
  assert.equal(halves.mean, 0.5);
  assert.ok(Math.abs((halves.low ?? 0) - 0.4038) < 5e-5 && Math.abs((halves.high ?? 0) - 0.5962) < 5e-5);
  const none = share([false, false]);
  assert.deepEqual([none.mean, none.low], [0, 0]);
  assert.ok(Math.abs((none.high ?? 0) - 0.6576) < 5e-5, String(none.high));
  const all = share([true, true]);
  assert.deepEqual([all.mean, all.high], [1, 1]);
  assert.ok(Math.abs((all.low ?? 0) - 0.3424) < 5e-5, String(all.low));
  assert.equal(share([]).mean, null);
});

test('given a hundred values, when they are estimated, then the interval is near that of the normal approximation', () => {
  // Zeros and ones: 0.5 ± 1.96 · √(0.25 / 100) = 0.402 to 0.598.
  const { low, high } = estimate(
    Array.from({ length: 100 }, (_, at) => at % 2),
    3,
  );
  assert.ok(Math.abs((low ?? 0) - 0.402) < 0.02, String(low));
  assert.ok(Math.abs((high ?? 0) - 0.598) < 0.02, String(high));
});

test('given any values, when they are estimated, then the interval holds the mean, lies among the values, and is the same for the same seed', () => {
  const value = fc.double({ min: -100, max: 100, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 2, maxLength: 30 }), fc.nat(), (values, seed) => {
      const one = estimate(values, seed);
      assert.deepEqual(estimate(values, seed), one);
      const [low, mean, high] = [one.low ?? NaN, one.mean ?? NaN, one.high ?? NaN];
      assert.ok(low >= Math.min(...values) - 1e-9 && high <= Math.max(...values) + 1e-9 && low <= high);
      assert.ok(mean >= Math.min(...values) - 1e-9 && mean <= Math.max(...values) + 1e-9);
    }),
    { numRuns: 20 },
  );
});

test('given sorted values, when a quantile is taken, then it lies linearly between its neighbours', () => {
  assert.equal(quantile([0, 10, 20, 30], 0.5), 15);
  assert.equal(quantile([0, 10, 20, 30], 0), 0);
  assert.equal(quantile([0, 10, 20, 30], 1), 30);
  assert.equal(quantile([7], 0.3), 7);
});

test('given a seed, when numbers are drawn, then they are those of mulberry32', () => {
  // The generator's own published sequence for seed 1, as 32-bit integers.
  const random = seededRandom(1);
  const drawn = [random(), random(), random()].map((value) => value * 2 ** 32);
  assert.deepEqual(drawn, [2693262067, 11749833, 2265367787]);
});

test('given items, when they are shuffled, then each is there once and the order follows the seed', () => {
  const items = Array.from({ length: 20 }, (_, at) => at);
  const order = shuffled(items, seededRandom(4));
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    items,
  );
  assert.notDeepEqual(order, items);
  assert.deepEqual(shuffled(items, seededRandom(4)), order);
  assert.notDeepEqual(shuffled(items, seededRandom(5)), order);
});

test('given names, when seeds are made, then they differ and fit into 31 bits', () => {
  const seeds = ['a', 'b', 'ab', 'ba'].map((name) => seedFor(7, name));
  assert.equal(new Set(seeds).size, 4);
  assert.ok(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31));
  assert.notEqual(seedFor(8, 'a'), seedFor(7, 'a'));
});
