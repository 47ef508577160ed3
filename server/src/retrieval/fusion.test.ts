import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cosine, diversify, fuse, type Candidate } from './fusion.ts';

const unit = (...values: number[]): Float32Array => {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
};

const candidate = (id: string, relevance: number, vector: Float32Array, document = id): Candidate => ({
  ...{ id, document, vector, relevance, textHash: id },
});

const idsOf = (items: readonly { id: string }[]) => items.map(({ id }) => id);

test('given two rankings, when fused, then each gives 1 / (60 + rank), and both add up', () => {
  const fused = fuse([
    ['a', 'b'],
    ['b', 'c'],
  ]);
  assert.deepEqual(idsOf(fused), ['b', 'a', 'c']);
  assert.deepEqual(
    fused.map(({ score }) => score),
    [1 / 62 + 1 / 61, 1 / 61, 1 / 62],
  );
});

test('given equal scores, when fused, then the smaller id comes first, whatever the order of the rankings', () => {
  assert.deepEqual(idsOf(fuse([['b'], ['a']])), ['a', 'b']);
  assert.deepEqual(idsOf(fuse([['a'], ['b']])), ['a', 'b']);
});

test('given an id twice in one ranking, when fused, then it counts once, at its better place', () => {
  assert.deepEqual(fuse([['a', 'a', 'b']]), [
    { id: 'a', score: 1 / 61 },
    { id: 'b', score: 1 / 62 },
  ]);
});

test('given any rankings, when fused, then every id is there once and scores never rise', () => {
  const ranking = fc.array(fc.string({ maxLength: 3 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(ranking, { maxLength: 4 }), (rankings) => {
      const fused = fuse(rankings);
      assert.deepEqual(new Set(idsOf(fused)), new Set(rankings.flat()));
      assert.equal(fused.length, new Set(rankings.flat()).size);
      for (const [at, { score }] of fused.entries())
        assert.ok(at === 0 || score <= (fused[at - 1]?.score ?? 0));
    }),
  );
});

test('given a near copy of the best, when diversified, then it is left out even where there is room', () => {
  const copy = candidate('copy', 0.99, unit(1, 0.01));
  const chosen = diversify([candidate('best', 1, unit(1, 0)), copy, candidate('other', 0.2, unit(0, 1))], 3);
  assert.deepEqual(idsOf(chosen), ['best', 'other']);
});

test('given the same text in two documents, when diversified, then it is there once', () => {
  const one = { ...candidate('one', 1, unit(1, 0)), textHash: 'same' };
  const two = { ...candidate('two', 0.9, unit(0, 1)), textHash: 'same' };
  assert.deepEqual(idsOf(diversify([one, two], 2)), ['one']);
});

test('given something similar and something else nearly as good, when diversified, then something else comes second', () => {
  const similar = candidate('similar', 0.95, unit(1, 0.5));
  const chosen = diversify(
    [candidate('best', 1, unit(1, 0)), similar, candidate('else', 0.8, unit(0, 1))],
    2,
  );
  assert.deepEqual(idsOf(chosen), ['best', 'else']);
});

test('given equal passages of one document and of another, when diversified, then the other document comes second', () => {
  const chosen = diversify(
    [
      candidate('a1', 1, unit(1, 0, 0), 'a'),
      candidate('a2', 0.9, unit(0, 1, 0), 'a'),
      candidate('b1', 0.85, unit(0, 0, 1), 'b'),
    ],
    2,
  );
  assert.deepEqual(idsOf(chosen), ['a1', 'b1']);
});

test('given that the rest is weak, when diversified, then one document may have all places', () => {
  const chosen = diversify(
    [
      candidate('a1', 1, unit(1, 0, 0), 'a'),
      candidate('a2', 0.9, unit(0, 1, 0), 'a'),
      candidate('b1', 0.3, unit(0, 0, 1), 'b'),
    ],
    2,
  );
  assert.deepEqual(idsOf(chosen), ['a1', 'a2']);
});

test('given any candidates, when diversified, then at most k of them, each once, the best first', () => {
  const vector = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 9 }));
  // In thousandths: two doubles that lie next to each other are equal once they are multiplied by lambda.
  const relevance = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000);
  const some = fc.array(fc.tuple(relevance, vector), { maxLength: 12 });
  fc.assert(
    fc.property(some, fc.integer({ min: 0, max: 12 }), (entries, k) => {
      const candidates = entries.map(([share, values], at) => candidate(`c${at}`, share, unit(...values)));
      const chosen = diversify(candidates, k);
      assert.ok(chosen.length <= k);
      assert.equal(new Set(idsOf(chosen)).size, chosen.length);
      const best = Math.max(...candidates.map((entry) => entry.relevance));
      assert.ok(chosen[0] === undefined || chosen[0].relevance === best);
    }),
  );
});

test('given vectors of length 1, when compared, then the cosine of their angle', () => {
  assert.ok(Math.abs(cosine(unit(1, 0), unit(1, 1)) - Math.SQRT1_2) < 1e-6);
});
