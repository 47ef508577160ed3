import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IterationsToView, RunSnapshot, SectionSnapshot } from '../../server/src/protocol/index.ts';
import {
  iterationOpensByItself,
  nothingYet,
  openSection,
  opensByItself,
  received,
} from '../src/iterations/viewState.ts';

function section(kind: SectionSnapshot['kind'], text: string, done: boolean): SectionSnapshot {
  return { kind, text, done, problems: [], seconds: 1, tokens: null, counts: null };
}

function run(sections: SectionSnapshot[], changes: Partial<RunSnapshot> = {}): RunSnapshot {
  return {
    key: 'k',
    run: null,
    question: 'q',
    paragraph: 'p',
    state: 'running',
    message: null,
    fraction: null,
    failure: null,
    iterations: [{ index: 0, sections, facts: null }],
    best: null,
    final: null,
    placement: null,
    decision: null,
    model: null,
    seconds: null,
    unknownCitations: [],
    picked: null,
    ended: null,
    omitted: [],
    nothingRelevant: false,
    sources: [],
    ratings: [],
    resumable: false,
    ...changes,
  };
}

const snapshot = (current: RunSnapshot): IterationsToView => ({
  type: 'snapshot',
  note: 'a.md',
  current,
  entries: [],
});
const text = (seq: number, changes: object = {}): IterationsToView => {
  return {
    type: 'text',
    key: 'k',
    seq,
    iteration: 0,
    kind: 'thinking',
    text: 'b',
    ...changes,
  };
};
const open = received(nothingYet, snapshot(run([section('thinking', 'a', false)])), 5) ?? assert.fail();

test('given a snapshot, when text follows in order, then it is added to the open section', () => {
  const next = received(received(open, text(1), 6) ?? open, text(2), 7);
  assert.equal(next?.current?.iterations[0]?.sections[0]?.text, 'abb');
  assert.equal(next.receivedAt, 5);
});

test('given a gap, another run, another section or none that is open, when text comes, then a snapshot is needed', () => {
  assert.equal(received(open, text(2), 0), null);
  assert.equal(received(open, text(1, { key: 'other' }), 0), null);
  assert.equal(received(open, text(1, { kind: 'answer' }), 0), null);
  assert.equal(received(open, text(1, { iteration: 1 }), 0), null);
  const closed = received(nothingYet, snapshot(run([section('thinking', 'a', true)])), 0) ?? assert.fail();
  assert.equal(received(closed, text(1), 0), null);
  assert.equal(received(nothingYet, text(1), 0), null);
});

test('given lost text, when a new snapshot comes, then counting begins anew', () => {
  const later = received(
    received(open, text(1), 0) ?? open,
    snapshot(run([section('thinking', 'abc', false)])),
    9,
  );
  assert.equal(received(later ?? open, text(1), 10)?.current?.iterations[0]?.sections[0]?.text, 'abcb');
});

test('given sections, when the writer has not said, then what is written and the answers stand open', () => {
  const writing = run([section('thinking', '', true), section('reflection', '', false)]);
  assert.deepEqual(
    [0, 1].map((index) => opensByItself(writing, 0, index)),
    [false, true],
  );
  const done = run(
    [section('thinking', '', true), section('reflection', '', true), section('answer', '', true)],
    { state: 'finished' },
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => opensByItself(done, 0, index)),
    [false, false, true, false],
  );
  const stopped = run([section('thinking', '', true), section('reflection', '', true)], { state: 'stopped' });
  assert.deepEqual(
    [0, 1].map((index) => opensByItself(stopped, 0, index)),
    [false, true],
  );
});

test('given several iterations, when one was picked, then it and the last stand open', () => {
  const iterations = [0, 1, 2].map((index) => ({ index, sections: [], facts: null }));
  const picked = run([], { iterations, best: 1, state: 'finished' });
  assert.deepEqual(
    [0, 1, 2].map((position) => iterationOpensByItself(picked, position)),
    [false, true, true],
  );
});

test('given a run that does not run, when its open section is asked for, then there is none', () => {
  assert.equal(openSection(run([section('thinking', '', false)], { state: 'stopped' })), null);
  assert.equal(openSection(run([section('thinking', '', false)]))?.kind, 'thinking');
});
