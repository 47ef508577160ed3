import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOf } from '../../test/support/ledgerExamples.ts';
import type { QueuedStep } from '../../server/src/protocol/index.ts';
import { QueuedRuns } from './queuedRuns.ts';
import { RunBoard } from './runBoard.ts';

const uri = 'file:///note.md';
const id = (n: number): string => `01JDF3Z${String(n).padStart(19, '0')}`;

function started(entry: string, n: number): QueuedStep {
  const about = { block: `block${n}`, question: 'Why?', paragraph: `Paragraph ${n}.`, iterations: 0 };
  return { step: 'event', entry, event: { event: 'started', run: id(n), ...about } };
}

function placed(entry: string, n: number): QueuedStep {
  const run = runOf(id(n), { block: `block${n}` });
  return { step: 'placed', entry, result: { run, placement: 'inserted', reason: null } };
}

function setUp() {
  const board = new RunBoard();
  const going = new Map<string, string>();
  const runs = new QueuedRuns(board, uri, going);
  const states = (): unknown[] => [...board.entries(uri)].map(({ state }) => state).sort();
  return { board, going, runs, states };
}

test('given runs of a queue, when their steps are heard, then each is on the board from its first to its last', () => {
  const { board, going, runs, states } = setUp();
  assert.ok(runs.hear(started('q1', 1), 1));
  assert.deepEqual([...going.values()], ['q1']);
  runs.hear(placed('q1', 1), 2);
  assert.ok(!runs.hear(started('q2', 2), 3));
  assert.deepEqual([...going.values()], ['q2']);
  assert.deepEqual(states(), ['finished', 'waiting']);
  assert.equal(board.model(board.shownKey(uri) ?? '')?.paragraph, 'Paragraph 2.');
});

test('given a writer who looks at another run, when the next one begins, then what they look at stays', () => {
  const { board, runs } = setUp();
  const mine = board.begin(uri, 'mine', 0);
  runs.hear(started('q1', 1), 1);
  board.select(uri, mine);
  runs.hear(started('q2', 2), 2);
  assert.equal(board.shownKey(uri), mine);
});

test('given runs that fail, are stopped, or are cut off, when that is heard, then the board says so', () => {
  const { runs, states, going } = setUp();
  for (const n of [1, 2, 3]) runs.hear(started(`q${n}`, n), n);
  const failure = { code: 'engine-crashed', message: 'It crashed.', remedy: null };
  runs.hear({ step: 'failed', entry: 'q1', failure }, 4);
  runs.hear({ step: 'stopped', entry: 'q2' }, 4);
  runs.end(5);
  assert.deepEqual(states(), ['failed', 'stopped', 'stopped']);
  assert.equal(going.size, 0);
});

test('given a run that was stopped before its turn, when that is heard, then it never was on the board', () => {
  const { runs, states } = setUp();
  runs.hear({ step: 'stopped', entry: 'q1' }, 1);
  assert.deepEqual(states(), []);
});
