import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnnotationBlock } from '../../server/src/protocol/index.ts';
import { blockLabel, blockMeant, linesToFold } from './blocks.ts';

/** Line 0 paragraph, 2 to 6 block, 8 paragraph, 10 paragraph, 12 to 16 block, 18 paragraph. */
const text = [
  'first',
  '',
  'b',
  'b',
  'b',
  'b',
  'b',
  '',
  'second',
  '',
  'third',
  '',
  'b',
  'b',
  'b',
  'b',
  'b',
  '',
  'last',
];
const isBlank = (line: number): boolean => (text[line] ?? '') === '';

function block(id: string, start: number, end: number): AnnotationBlock {
  const range = (from: number, to: number) => ({
    start: { line: from, character: 0 },
    end: { line: to, character: 1 },
  });
  return {
    id,
    range: range(start, end),
    offsets: { start: 0, end: 0 },
    sections: [
      { kind: 'thinking', title: 'Thinking', text: 't', range: range(start + 1, start + 2) },
      { kind: 'reflection', title: 'Reflection', text: 'r', range: range(start + 3, start + 3) },
      { kind: 'answer', title: 'Suggestion', text: '\nThe answer\nmore', range: range(start + 3, start + 4) },
    ],
    edited: null,
  };
}

const blocks = [block('aaaaaa', 2, 6), block('bbbbbb', 12, 16)];

test('given a cursor in a block, when a command is run, then that block is meant', () => {
  assert.equal(blockMeant(blocks, 13, isBlank)?.id, 'bbbbbb');
});

test('given a cursor in the paragraph above a block, when a command is run, then that block is meant', () => {
  assert.equal(blockMeant(blocks, 0, isBlank)?.id, 'aaaaaa');
  assert.equal(blockMeant(blocks, 10, isBlank)?.id, 'bbbbbb');
});

test('given a cursor elsewhere and several blocks, when a command is run, then none is guessed', () => {
  assert.equal(blockMeant(blocks, 8, isBlank), undefined);
  assert.equal(blockMeant(blocks, 18, isBlank), undefined);
  assert.equal(blockMeant(blocks, 9, isBlank), undefined);
});

test('given a single block, when the cursor is anywhere, then it is meant', () => {
  assert.equal(blockMeant(blocks.slice(0, 1), 18, isBlank)?.id, 'aaaaaa');
});

test('given a range that ends at the start of the next line, when the cursor is there, then the block does not hold it', () => {
  const open = {
    ...block('cccccc', 2, 6),
    range: { start: { line: 2, character: 0 }, end: { line: 8, character: 0 } },
  };
  assert.equal(blockMeant([open, ...blocks.slice(1)], 8, isBlank), undefined);
});

test('given a block, when it is folded, then thinking and what has more than one line is, and the answer is not', () => {
  assert.deepEqual(linesToFold(block('aaaaaa', 2, 6)), [3]);
});

test('given a block, when it is listed, then the first line of its answer names it', () => {
  assert.equal(blockLabel(block('aaaaaa', 2, 6)), 'The answer');
});
