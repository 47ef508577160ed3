// The state of the indexes in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IndexStatus } from '../../server/src/protocol/index.ts';
import { IndexBoard, indexLine, moodOf, shareDone, stateInWords } from './indexBoard.ts';

function status(change: Partial<IndexStatus> = {}): IndexStatus {
  return {
    root: '/notes',
    state: 'idle',
    files: 1200,
    chunks: 8031,
    done: 0,
    total: 0,
    failed: [],
    embedder: 'small',
    message: null,
    ...change,
  };
}
const damaged = { path: 'a.pdf', code: 'damaged', reason: 'It is damaged.' } as const;

test('given the states of several folders, when one word is asked for, then what goes on comes first', () => {
  assert.equal(moodOf([]), 'none');
  assert.equal(moodOf([status({ state: 'off' })]), 'off');
  assert.equal(moodOf([status({ files: 0 })]), 'empty');
  assert.equal(moodOf([status({ files: 0, failed: [damaged] })]), 'idle');
  assert.equal(moodOf([status(), status({ state: 'off' })]), 'idle');
  assert.equal(moodOf([status(), status({ state: 'paused' })]), 'paused');
  assert.equal(moodOf([status({ state: 'paused' }), status({ state: 'scanning' })]), 'busy');
});

test('given a folder’s state, when it is told, then in a few words with its numbers', () => {
  assert.equal(stateInWords(status()), '1,200 files · 8,031 passages');
  assert.equal(stateInWords(status({ files: 1, chunks: 1 })), '1 file · 1 passage');
  assert.equal(stateInWords(status({ state: 'indexing', done: 31, total: 120 })), '31 of 120 files');
});

test('given indexes, when the status item asks, then one line tells their state and what could not be read', () => {
  assert.equal(indexLine([]), null);
  assert.equal(indexLine([status({ state: 'off' })]), null);
  assert.equal(
    indexLine([status({ failed: [damaged] })]),
    'Notes and papers: 1,200 files indexed, 1 could not be read',
  );
  assert.equal(
    indexLine([status({ state: 'indexing', done: 3, total: 9 })]),
    'Notes and papers: indexing, 3 of 9 files',
  );
});

test('given work whose extent is not known yet, when its share is asked for, then there is none', () => {
  assert.equal(shareDone([status({ state: 'scanning' })]), null);
  assert.equal(shareDone([status({ state: 'indexing', done: 3, total: 12 }), status()]), 0.25);
});

test('given a board, when a state of a folder comes, then it takes the place of the one before', () => {
  const board = new IndexBoard();
  let told = 0;
  const forget = board.onChange(() => (told += 1));
  board.set(status({ state: 'scanning' }));
  board.set(status());
  forget();
  board.replace([]);
  assert.deepEqual([told, board.statuses, board.mood], [2, [], 'none']);
});
