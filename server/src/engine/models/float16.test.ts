import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { halfBits, toHalves } from './float16.ts';

/** The value of a half, from the definition of binary16. */
function valueOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

test('given every half, when its value is turned into a half, then it is the same one', () => {
  for (let half = 0; half < 0x10000; half++) {
    const value = valueOf(half);
    if (Number.isNaN(value)) assert.ok(Number.isNaN(valueOf(halfBits(value))));
    else assert.equal(halfBits(value), half);
  }
});

test('given the middle between two halves, when it is rounded, then the even one is taken, and beside it the nearer', () => {
  for (let half = 0; half < 0x7bff; half++) {
    const middle = (valueOf(half) + valueOf(half + 1)) / 2;
    const even = half % 2 === 0 ? half : half + 1;
    assert.equal(halfBits(middle), even);
    assert.equal(halfBits(-middle), even | 0x8000);
    // The middle has at most 12 significant bits, so its neighbours among singles are these.
    assert.equal(halfBits(middle * (1 + 2 ** -20)), half + 1);
    assert.equal(halfBits(middle * (1 - 2 ** -20)), half);
  }
});

test('given numbers beyond the range, when they are rounded, then they become infinite or zero', () => {
  assert.equal(halfBits(65_519.99), 0x7bff);
  assert.equal(halfBits(65_520), 0x7c00);
  assert.equal(halfBits(-1e30), 0xfc00);
  assert.equal(halfBits(2 ** -25), 0);
  assert.equal(halfBits(2 ** -25 * 1.0001), 1);
  assert.equal(halfBits(-1e-30), 0x8000);
});

test('given bytes of singles at any place in a buffer, when they are turned into halves, then in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.float()), fc.nat(3), (values, offset) => {
      const buffer = Buffer.alloc(offset + 4 * values.length);
      values.forEach((value, index) => buffer.writeFloatLE(value, offset + 4 * index));
      const halves = Buffer.from(toHalves(buffer.subarray(offset)));
      assert.deepEqual(
        values.map((_, index) => halves.readUInt16LE(2 * index)),
        values.map(halfBits),
      );
    }),
  );
});
