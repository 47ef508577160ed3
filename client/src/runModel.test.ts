import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  RunSnapshot,
  type Iteration,
  type ReasonEvent,
  type Run,
  type Segment,
  type Step,
  type UnfinishedRun,
} from '../../server/src/protocol/index.ts';
import {
  askedRun,
  isActive,
  snapshotOf,
  storedRun,
  unfinishedRun,
  withAnswer,
  withEvent,
  withFailure,
  withRating,
  withStop,
  withWait,
  type RunModel,
} from './runModel.ts';

const run = '01JDA0000000000000000000AB';
const other = '01JDA0000000000000000000CD';

function segment(kind: Segment['kind'], text: string, start: number, end: number): Segment {
  return { kind, text, tokens: { start, end }, withMarkers: { start, end }, problems: [] };
}

const iteration: Iteration = {
  index: 0,
  thinking: 'a b',
  reflection: 'c',
  answer: 'd',
  score: null,
  signals: [{ name: 'generic', value: 0.1, threshold: 0.2, verdict: 'doubtful' }],
  tokens: { prompt: 100, reused: 20, generated: 9 },
  seconds: 7,
  segments: [
    segment('thinking', 'a b', 5, 9),
    segment('reflection', 'c', 20, 22),
    segment('answer', 'd', 30, 33),
  ],
};

const finishedRun: Run = {
  schema: 1,
  id: run,
  block: 'k3v9q2',
  time: '2026-11-24T12:00:00.000Z',
  note: { path: 'a.md', hash: 'h', range: { start: 0, end: 4 } },
  paragraph: 'Text',
  question: 'Why?',
  passages: [],
  iterations: [iteration],
  best: 0,
  final: 'd',
  stoppedBecause: 'finished',
  model: 'small',
  adapter: null,
  seconds: 8,
  provenance: {
    model: { id: 'small', file: 'small.gguf', sha256: 'x' },
    adapter: null,
    promptVersion: '1',
    prompt: 'p',
    sampler: { seed: 1, temperature: 0, thinkingTokens: 16, reflectionTokens: 16, answerTokens: 16 },
    backend: 'cpu',
    threads: { prompt: 2, generation: 1 },
    version: '0',
  },
};

const started: ReasonEvent = {
  event: 'started',
  run,
  block: 'k3v9q2',
  question: 'Why?',
  paragraph: 'Text',
  iterations: 0,
};
const opens = (kind: Segment['kind']): ReasonEvent => ({ event: 'segment', run, iteration: 0, kind });
const writes = (kind: Segment['kind'], text: string): ReasonEvent => ({
  event: 'text',
  run,
  iteration: 0,
  kind,
  text,
});

/** Feeds events one second apart, the first at second 1. */
function fed(events: readonly ReasonEvent[], model: RunModel = askedRun('asked-1', '', 0)): RunModel {
  return events.reduce((present, event, index) => withEvent(present, event, (index + 1) * 1000), model);
}

test('given a run that was just asked for, when the server says what it waits for, then that is shown', () => {
  const model = withWait(askedRun('asked-1', '', 0), 'Waiting for its turn');
  assert.equal(model.message, 'Waiting for its turn');
  assert.equal(model.state, 'waiting');
});

test('given a run that has started, when it waits for the model, then message and share are shown until text comes', () => {
  const waiting = fed([started, { event: 'waiting', run, reason: 'Loading the model', fraction: 1.5 }]);
  assert.deepEqual([waiting.message, waiting.fraction], ['Loading the model', 1]);
  assert.equal(withWait(waiting, 'Thinking').message, 'Loading the model');
  const running = withEvent(waiting, opens('thinking'), 3000);
  assert.deepEqual([running.state, running.message, running.fraction], ['running', null, null]);
});

test('given segments and text, when they stream, then each section has its text and its time', () => {
  const model = fed([
    started,
    opens('thinking'),
    writes('thinking', 'a'),
    writes('thinking', ' b'),
    { event: 'segment-end', run, iteration: 0, kind: 'thinking', problems: ['truncated'] },
    opens('reflection'),
    writes('reflection', 'c'),
  ]);
  const sections = snapshotOf(model, 9000).iterations[0]?.sections;
  assert.deepEqual(
    sections?.map(({ kind, text, done, seconds, problems }) => ({ kind, text, done, seconds, problems })),
    [
      { kind: 'thinking', text: 'a b', done: true, seconds: 3, problems: ['truncated'] },
      { kind: 'reflection', text: 'c', done: false, seconds: 3, problems: [] },
    ],
  );
});

test('given text without its segment, when it comes, then a section is opened for it', () => {
  const model = fed([started, writes('answer', 'x'), writes('thinking', 'y')]);
  assert.deepEqual(
    model.iterations[0]?.sections.map(({ kind, text }) => [kind, text]),
    [
      ['answer', 'x'],
      ['thinking', 'y'],
    ],
  );
});

test('given an event of another run, when it comes, then nothing changes', () => {
  const model = fed([started, opens('thinking')]);
  assert.equal(withEvent(model, { ...writes('thinking', 'x'), run: other }, 1), model);
});

test('given a finished iteration, when its record comes, then texts, tokens and signals are the record’s and the times stay', () => {
  const model = fed([
    started,
    opens('thinking'),
    writes('thinking', 'a b '),
    opens('reflection'),
    opens('answer'),
    { event: 'iteration', run, iteration },
  ]);
  const snapshot = snapshotOf(model, 20_000).iterations[0];
  assert.deepEqual(
    snapshot?.sections.map(({ text, tokens, done }) => [text, tokens, done]),
    [
      ['a b', 4, true],
      ['c', 2, true],
      ['d', 3, true],
    ],
  );
  assert.equal(snapshot.sections[0]?.seconds, 2);
  assert.deepEqual(snapshot.facts?.signals, iteration.signals);
});

test('given the answer to the request, when it comes, then the run is finished and says where its suggestion is', () => {
  const reason = 'The paragraph was changed.';
  const model = withAnswer(fed([started]), { run: finishedRun, placement: 'sidebar', reason });
  const { state, placement, message, best, final, seconds } = snapshotOf(model, 0);
  assert.deepEqual(
    { state, placement, message, best, final, seconds },
    {
      state: 'finished',
      placement: 'sidebar',
      message: reason,
      best: 0,
      final: null,
      seconds: 8,
    },
  );
});

test('given an integrated text that no iteration wrote, when the run is shown, then it is there', () => {
  assert.equal(storedRun({ ...finishedRun, final: 'all of it' }, null).final, 'all of it');
});

test('given a run that writes, when it is stopped, then what was written stays and nothing goes on', () => {
  const model = withStop(fed([started, opens('thinking'), writes('thinking', 'a')]), 5000);
  assert.equal(isActive(model), false);
  assert.equal(model.state, 'stopped');
  assert.deepEqual(
    model.iterations[0]?.sections.map(({ text, done, seconds }) => [text, done, seconds]),
    [['a', true, 3]],
  );
  assert.equal(withEvent(model, writes('thinking', 'late'), 6000), model);
});

test('given a run that is finished, when a failure comes late, then it stays finished', () => {
  const model = storedRun(finishedRun, 'accept');
  assert.equal(withFailure(model, { message: 'late', remedy: null, actions: [] }, 0), model);
  assert.equal(model.decision, 'accept');
});

test('given a run stopped before its draft, when it is read from disk, then it is stopped and empty', () => {
  const model = storedRun({ ...finishedRun, iterations: [], final: '', stoppedBecause: 'stopped' }, null);
  assert.deepEqual([model.state, model.iterations.length, model.final], ['stopped', 0, null]);
});

test('given a record without segments, when it is shown, then its texts are', () => {
  const model = storedRun(
    { ...finishedRun, iterations: [{ ...iteration, segments: [], reflection: '' }] },
    null,
  );
  assert.deepEqual(
    model.iterations[0]?.sections.map(({ kind }) => kind),
    ['thinking', 'answer'],
  );
});

test('given any state of a run, when it is sent to the view, then the view’s own schema reads it', () => {
  const models = [
    askedRun('asked-1', 'q', 0),
    fed([started, opens('thinking'), writes('thinking', 'a')]),
    storedRun(finishedRun, 'reject'),
    withFailure(fed([started]), { message: 'm', remedy: 'r', actions: ['retry'] }, 0),
  ];
  for (const model of models) assert.equal(RunSnapshot.safeParse(snapshotOf(model, 5)).success, true);
});

function step(iteration: number, name: Step['name'], text: string): Step {
  const tokens = { prompt: 50, reused: 40, generated: 7 };
  return { iteration, name, part: 0, by: 'reasoner', text, length: 6, problems: [], tokens, seconds: 2 };
}

const cutOff: UnfinishedRun = {
  schema: 1,
  id: run,
  block: 'k3v9q2',
  time: '2026-11-24T12:00:00.000Z',
  note: finishedRun.note,
  subject: { headingPath: [], before: '', paragraph: 'Text', after: '' },
  task: { question: 'Why?', answerWith: 'The paragraph.' },
  thinkingParts: [],
  thinkingSections: 1,
  reflects: true,
  iterations: 3,
  scoring: true,
  sampler: finishedRun.provenance.sampler,
  passages: [],
  nothingRelevant: true,
  steps: [
    step(0, 'thinking', 'a b'),
    step(0, 'answer', 'd'),
    step(0, 'score', '{}'),
    step(1, 'critique', 'e'),
  ],
};

test('given a run that was cut off, when it is read from disk, then what is done of it is shown, and it can be gone on with', () => {
  const snapshot = RunSnapshot.parse(snapshotOf(unfinishedRun(cutOff), 0));
  assert.deepEqual(
    snapshot.iterations.map(({ sections }) => sections.map(({ kind, text, done }) => [kind, text, done])),
    [
      [
        ['thinking', 'a b', true],
        ['answer', 'd', true],
      ],
      [['critique', 'e', true]],
    ],
  );
  const { key, state, resumable, nothingRelevant, paragraph, question } = snapshot;
  assert.deepEqual(
    [key, state, resumable, nothingRelevant, paragraph, question],
    [run, 'stopped', true, true, 'Text', 'Why?'],
  );
  assert.deepEqual(snapshot.iterations[0]?.sections[0]?.counts, { prompt: 50, reused: 40, generated: 7 });
});

test('given a run that goes on, when a step is done, then its cost is known, and it can be gone on with once it is stopped, not before', () => {
  const live = fed([
    started,
    opens('thinking'),
    writes('thinking', 'a'),
    { event: 'step', run, step: step(0, 'thinking', 'a') },
  ]);
  assert.equal(snapshotOf(live, 9000).resumable, false);
  assert.equal(snapshotOf(live, 9000).iterations[0]?.sections[0]?.counts?.reused, 40);
  assert.equal(snapshotOf(withStop(live, 9000), 9000).resumable, true);
  assert.equal(snapshotOf(withStop(fed([started, opens('thinking')]), 9000), 9000).resumable, false);
});

test('given a stored run with passages behind its sections, when it is shown, then they are named, and unknown ones left out', () => {
  const passage = {
    id: 'p',
    source: 'notes/a.md',
    heading: ['A'],
    page: null,
    start: 0,
    end: 1,
    text: 't',
    score: 1,
  };
  const behind = [
    { id: 'p', support: 0.9, sentence: 'a b' },
    { id: 'gone', support: 0.8, sentence: 'c' },
  ];
  const sources = [{ iteration: 0, kind: 'thinking' as const, passages: behind }];
  const shown = snapshotOf(storedRun({ ...finishedRun, passages: [passage], sources }, null), 0);
  assert.deepEqual(shown.sources, [
    { iteration: 0, kind: 'thinking', passages: [{ id: 'p', sentence: 'a b', name: 'a.md › A' }] },
  ]);
});

test('given ratings, when a section is rated again, then the last one counts', () => {
  const rate = (segment: 'thinking' | 'answer', value: 'up' | 'down') => (model: RunModel) =>
    withRating(model, { iteration: 0, segment, value });
  const rated = [rate('thinking', 'up'), rate('answer', 'down'), rate('thinking', 'down')].reduce(
    (model, next) => next(model),
    storedRun(finishedRun, null),
  );
  assert.deepEqual(rated.ratings, [
    { iteration: 0, segment: 'answer', value: 'down' },
    { iteration: 0, segment: 'thinking', value: 'down' },
  ]);
});
