import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Chunk } from '../retrieval/index.ts';
import { PlacesOfChunks } from './placesOfChunks.ts';

function chunk(id: string, start: number, end: number, source = 'a.md'): Chunk {
  const text = {
    text: '',
    readable: '',
    textHash: '',
    modified: 0,
    page: null,
    tags: [],
    citations: [],
    heading: [],
  };
  return { ...text, id, document: 'a.md', kind: 'markdown', source, start, end };
}

function holding(chunks: readonly Chunk[], start: number, end: number): string[] {
  return new PlacesOfChunks(chunks).holding({ source: 'a.md', start, end }).map(({ id }) => id);
}

test('given chunks that overlap, when a place lies in both, then both hold it, in the order of the text', () => {
  assert.deepEqual(holding([chunk('b', 8, 20), chunk('a', 0, 12)], 9, 11), ['a', 'b']);
});

test('given a place that a border cuts, when no chunk holds it whole, then the one with its start does', () => {
  assert.deepEqual(holding([chunk('a', 0, 10), chunk('b', 10, 20)], 8, 12), ['a']);
});

test('given a place that one chunk holds whole, when another holds its start only, then the first alone does', () => {
  assert.deepEqual(holding([chunk('a', 0, 10), chunk('b', 5, 20)], 8, 12), ['b']);
});

test('given the same offsets in another file, when asked, then its chunks hold nothing', () => {
  assert.deepEqual(holding([chunk('a', 0, 10, 'b.md')], 1, 2), []);
});

test('given any chunks, when a place is asked for, then those that cover its start are found, as by looking at each', () => {
  const some = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 30 }));
  fc.assert(
    fc.property(fc.array(some, { maxLength: 12 }), fc.nat(60), (list, offset) => {
      const chunks = list.map(([start, length], index) => chunk(String(index), start, start + length));
      const expected = chunks.filter(({ start, end }) => start <= offset && offset < end).map(({ id }) => id);
      assert.deepEqual(holding(chunks, offset, offset).sort(), expected.sort());
    }),
  );
});
