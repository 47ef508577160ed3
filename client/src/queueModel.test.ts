import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueEntry } from '../../server/src/protocol/index.ts';
import { dropPlace, neighbour, queueNodes, waitingCount } from './queueModel.ts';

function entry(id: string, changes: Partial<QueueEntry> = {}): QueueEntry {
  const paragraph = `Paragraph ${id}`;
  return { id, uri: 'file:///notes/a%20b.md', paragraph, priority: 'note', state: 'waiting', ...changes };
}

test('given a queue, when it is shown, then each run says its paragraph, and what waits says so only where it is pointed at', () => {
  const nodes = queueNodes([entry('1', { state: 'running' }), entry('2'), entry('3', { state: 'held' })]);
  assert.deepEqual(
    nodes.map(({ label, description }) => [label, description]),
    [
      ['Paragraph 1', 'goes on now'],
      ['Paragraph 2', ''],
      ['Paragraph 3', 'waits until its note is open again'],
    ],
  );
  assert.match(nodes[1]?.tooltip ?? '', /^a b\.md: waits for its turn, with the whole note\n\nParagraph 2$/);
});

test('given runs of several notes, when they are shown, then each names its note', () => {
  const nodes = queueNodes([entry('1'), entry('2', { uri: 'file:///notes/c.md' })]);
  assert.deepEqual(
    nodes.map(({ description }) => description),
    ['a b.md', 'c.md'],
  );
});

test('given a long paragraph of several lines, when it is shown, then its label is one short line', () => {
  const [node] = queueNodes([entry('1', { paragraph: 'line one\nline two '.repeat(20) })]);
  assert.match(node?.label ?? '', /^line one line two .*…$/);
  assert.equal(node?.label.length, 80);
});

test('given one that goes on and some that wait, when they are counted and moved, then only those that wait count', () => {
  const entries = [entry('1', { state: 'running' }), entry('2'), entry('3'), entry('4', { state: 'held' })];
  assert.equal(waitingCount(entries), 3);
  assert.deepEqual(
    [
      neighbour(entries, '3', -1),
      neighbour(entries, '2', 1),
      neighbour(entries, '3', 1),
      neighbour(entries, '2', -1),
      neighbour(entries, '4', 1),
      neighbour(entries, '1', 1),
    ],
    ['2', '4', null, undefined, undefined, undefined],
  );
});

test('given some that are dropped on another one, when their place is asked for, then it is in front of it, and never of themselves', () => {
  const entries = [entry('1', { state: 'running' }), entry('2'), entry('3'), entry('4')];
  assert.deepEqual(
    [
      dropPlace(entries, ['4'], '2'),
      dropPlace(entries, ['2'], '4'),
      dropPlace(entries, ['2', '3'], '2'),
      dropPlace(entries, ['3'], '1'),
      dropPlace(entries, ['2'], undefined),
    ],
    ['2', '4', '4', '2', null],
  );
});
