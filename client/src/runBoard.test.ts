import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReasonEvent, RunSummary } from '../../server/src/protocol/index.ts';
import { RunBoard, type BoardChange } from './runBoard.ts';
import { withStop } from './runModel.ts';

const note = 'file:///a.md';
const otherNote = 'file:///b.md';
const run = '01JDA0000000000000000000AB';
const old = '01JDA00000000000000000000C';

const started: ReasonEvent = {
  event: 'started',
  run,
  block: 'k3v9q2',
  question: 'Why?',
  paragraph: 'Text',
  iterations: 0,
};
const text: ReasonEvent = { event: 'text', run, iteration: 0, kind: 'thinking', text: 'a' };

function summary(id: string, time: string): RunSummary {
  return { id, block: 'oldone', time, question: 'Old?', iterations: 1, decision: null };
}

function heard(board: RunBoard): BoardChange[] {
  const changes: BoardChange[] = [];
  board.onChange((change) => changes.push(change));
  return changes;
}

test('given a run, when text is added to an open section, then only that is told; its first text is a whole change', () => {
  const board = new RunBoard();
  const key = board.begin(note, '', 0);
  board.event(key, started, 1);
  const changes = heard(board);
  board.event(key, text, 2);
  board.event(key, text, 3);
  assert.deepEqual(
    changes.map((change) => change.text),
    [null, { iteration: 0, kind: 'thinking', text: 'a' }],
  );
});

test('given a run that goes on, when it is stopped, then its end is told once', () => {
  const board = new RunBoard();
  const key = board.begin(note, '', 0);
  const changes = heard(board);
  board.event(key, started, 1);
  board.update(key, (model) => withStop(model, 2));
  board.update(key, (model) => withStop(model, 3));
  assert.deepEqual(
    changes.map(({ ended }) => ended),
    [false, true],
  );
  assert.equal(board.active, 0);
});

test('given a run that is finished, when its suggestion comes into the note, then that is told as an end too', () => {
  const board = new RunBoard();
  const key = board.begin(note, '', 0);
  board.update(key, (model) => withStop(model, 1));
  const changes = heard(board);
  board.update(key, (model) => ({ ...model, placement: 'inserted' }));
  assert.deepEqual(
    changes.map(({ ended }) => ended),
    [true],
  );
});

test('given two notes, when a run begins in one, then the other still shows its own', () => {
  const board = new RunBoard();
  const first = board.begin(note, '', 0);
  const second = board.begin(otherNote, '', 1);
  assert.deepEqual([board.shownKey(note), board.shownKey(otherNote)], [first, second]);
});

test('given runs on disk, when none was asked for, then the newest is shown and its key is its id', () => {
  const board = new RunBoard();
  board.setSummaries(note, [
    summary(old, '2026-01-01T00:00:00.000Z'),
    summary(run, '2026-02-01T00:00:00.000Z'),
  ]);
  assert.equal(board.shownKey(note), run);
  assert.deepEqual(
    board.entries(note).map(({ key }) => key),
    [run, old],
  );
});

test('given a run that was seen live, when it is on disk too, then it is listed once', () => {
  const board = new RunBoard();
  const key = board.begin(note, '', Date.parse('2026-03-01T00:00:00.000Z'));
  board.event(key, started, 1);
  board.setSummaries(note, [
    summary(run, '2026-03-01T00:00:01.000Z'),
    summary(old, '2026-01-01T00:00:00.000Z'),
  ]);
  assert.deepEqual(
    board.entries(note).map((entry) => entry.key),
    [key, old],
  );
  board.select(note, run);
  assert.equal(board.shownKey(note), key);
});

test('given a decision on a block, when it is told, then the run and its entry have it', () => {
  const board = new RunBoard();
  const key = board.begin(note, '', 0);
  board.event(key, started, 1);
  board.setSummaries(note, [summary(old, '2026-01-01T00:00:00.000Z')]);
  board.decided(note, 'k3v9q2', 'accept');
  board.decided(note, 'oldone', 'reject');
  assert.equal(board.model(key)?.decision, 'accept');
  assert.equal(board.entries(note).find((entry) => entry.key === old)?.decision, 'reject');
});

test('given a run that was refused, when it is removed, then the one before is shown again', () => {
  const board = new RunBoard();
  board.setSummaries(note, [summary(old, '2026-01-01T00:00:00.000Z')]);
  board.remove(board.begin(note, '', 0));
  assert.equal(board.shownKey(note), old);
});

test('given many runs, when more come, then the oldest that are done are forgotten and those that go on are kept', () => {
  const board = new RunBoard();
  const first = board.begin(note, '', 0);
  const keys = Array.from({ length: 40 }, (_, index) => {
    const key = board.begin(note, '', index + 1);
    board.update(key, (model) => withStop(model, 0));
    return key;
  });
  board.begin(note, '', 100);
  assert.notEqual(board.model(first), null);
  assert.equal(board.model(keys[0] ?? ''), null);
  assert.notEqual(board.model(keys.at(-1) ?? ''), null);
});

const cutOff = { id: old, block: 'oldone', time: '2026-01-01T00:00:00.000Z', question: 'Old?', steps: 3 };

test('given an unfinished run on disk, when it is gone on with, then it is listed once, under its new key', () => {
  const board = new RunBoard();
  board.setSummaries(note, [], [cutOff]);
  assert.deepEqual(
    board.entries(note).map(({ key, state, resumable }) => [key, state, resumable]),
    [[old, 'stopped', true]],
  );
  const key = board.begin(note, '', Date.parse('2026-03-01T00:00:00.000Z'));
  board.event(key, { ...started, run: old }, 1);
  assert.deepEqual(
    board.entries(note).map((entry) => [entry.key, entry.resumable]),
    [[key, false]],
  );
});

test('given runs in memory and on disk, when one is deleted, then it is gone from the list and another is shown', () => {
  const board = new RunBoard();
  const key = board.begin(note, '', Date.parse('2026-03-01T00:00:00.000Z'));
  board.event(key, started, 1);
  board.setSummaries(note, [summary(run, '2026-03-01T00:00:01.000Z'), summary(old, cutOff.time)]);
  board.deleted(note, run);
  assert.equal(board.model(key), null);
  assert.equal(board.shownKey(note), old);
  board.select(note, old);
  board.deleted(note, old);
  assert.deepEqual([board.entries(note), board.shownKey(note)], [[], null]);
});
