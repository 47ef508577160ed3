import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyEdits, joinEdits } from './edits.ts';

test('given edits in any order, when applied, then each counts from the text as it was', () => {
  const edits = [
    { start: 6, end: 11, text: 'there' },
    { start: 0, end: 0, text: '>> ' },
    { start: 0, end: 5, text: 'Hi' },
  ];
  assert.equal(applyEdits('Hello world', edits), '>> Hi there');
});

test('given edits that overlap or lie outside, when applied, then it is refused', () => {
  const overlapping = [
    { start: 0, end: 3, text: '' },
    { start: 2, end: 4, text: '' },
  ];
  assert.throws(() => applyEdits('abcdef', overlapping), RangeError);
  assert.throws(() => applyEdits('abc', [{ start: 2, end: 9, text: '' }]), RangeError);
  assert.throws(() => applyEdits('abc', [{ start: 2, end: 1, text: '' }]), RangeError);
});

test('given edits that touch, when joined, then one is left and it does the same', () => {
  const edits = [
    { start: 4, end: 6, text: '' },
    { start: 4, end: 4, text: 'new' },
    { start: 0, end: 1, text: 'A' },
  ];
  const joined = joinEdits(edits);
  assert.deepEqual(joined, [
    { start: 0, end: 1, text: 'A' },
    { start: 4, end: 6, text: 'new' },
  ]);
  assert.equal(applyEdits('abcdef', joined), applyEdits('abcdef', edits));
});
