import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IterationSnapshot, RunSnapshot } from '../../server/src/protocol/index.ts';
import {
  ago,
  countWords,
  duration,
  entryWords,
  iterationFacts,
  iterationName,
  remarks,
  scoreWords,
  sectionFacts,
  signalWords,
  spokenState,
  stateWords,
  tokenCount,
  unknownCitationWords,
  warnings,
} from '../src/iterations/words.ts';

const section = {
  kind: 'thinking',
  text: 't',
  done: true,
  problems: [],
  seconds: 12.3,
  tokens: 240,
  counts: null,
} as const;

const iteration: IterationSnapshot = {
  index: 0,
  sections: [
    { ...section, problems: ['truncated'] },
    { ...section, kind: 'answer', text: 'The answer.', problems: [] },
  ],
  facts: {
    score: null,
    signals: [
      { name: 'truncation', value: 1, threshold: 0, verdict: 'failed' },
      { name: 'loop', value: 0.5, threshold: 0.2, verdict: 'doubtful' },
      { name: 'generic', value: 0.5, threshold: 0.2, verdict: 'fine' },
    ],
    tokens: { prompt: 10, reused: 0, generated: 1412 },
    seconds: 65,
  },
};

const run: RunSnapshot = {
  key: 'k',
  run: null,
  question: 'q',
  paragraph: 'p',
  state: 'finished',
  message: null,
  fraction: null,
  failure: null,
  iterations: [iteration],
  best: 0,
  final: null,
  placement: 'inserted',
  decision: null,
  model: 'small',
  seconds: 66,
  unknownCitations: [],
  picked: null,
  ended: null,
  omitted: [],
  nothingRelevant: false,
  sources: [],
  ratings: [],
  resumable: false,
};

test('given times and counts, when they are written, then short and with their unit', () => {
  assert.deepEqual([0.43, 9.94, 9.96, 12.3, 59.6, 65].map(duration), [
    '0.4 s',
    '9.9 s',
    '10 s',
    '12 s',
    '1 min 0 s',
    '1 min 5 s',
  ]);
  assert.deepEqual([0, 1, 1412].map(tokenCount), ['0 tokens', '1 token', '1,412 tokens']);
});

test('given a section, when its header is written, then it says what is known and nothing else', () => {
  assert.equal(sectionFacts({ ...section, problems: [] }, 0), '12 s · 240 tokens');
  assert.equal(sectionFacts({ ...section, problems: [], done: false, tokens: null }, 2.9), '15 s');
  assert.equal(sectionFacts({ ...section, problems: [], seconds: null }, 0), '240 tokens');
});

test('given iterations, when they are named, then iteration 0 is the draft', () => {
  assert.deepEqual([0, 1].map(iterationName), ['Draft', 'Iteration 1']);
  assert.equal(iterationFacts(iteration, run), 'best · 1 min 5 s · 1,412 tokens');
});

test('given problems and signals, when they are told, then each doubt is told once and what is fine is not', () => {
  assert.deepEqual(warnings(iteration), ['Thinking was cut off at its token budget.', 'It repeats itself.']);
});

test('given each state, when it is told, then in words', () => {
  assert.equal(stateWords(run), 'small · 1 min 6 s · 1,412 tokens');
  assert.equal(stateWords({ ...run, state: 'waiting', message: 'Loading the model' }), 'Loading the model');
  assert.equal(stateWords({ ...run, state: 'stopped' }), 'Stopped');
  const writing = {
    ...iteration,
    sections: [{ ...section, problems: [], kind: 'reflection' as const, done: false }],
  };
  assert.equal(stateWords({ ...run, state: 'running', iterations: [writing] }), 'Reflecting');
});

test('given a screen reader, when a run ends, then it hears the suggestion, the failure or the decision', () => {
  assert.equal(spokenState(run), 'Finished. Suggestion: The answer.');
  assert.equal(spokenState({ ...run, final: 'All of it.' }), 'Finished. Suggestion: All of it.');
  assert.equal(spokenState({ ...run, decision: 'accept' }), 'Accepted');
  assert.equal(
    spokenState({ ...run, failure: { message: 'No model.', remedy: 'Get one.', actions: [] } }),
    'No model. Get one.',
  );
  assert.equal(spokenState(null), '');
});

test('given earlier runs, when they are listed, then with what became of them and when', () => {
  const entry = {
    key: 'k',
    question: 'q',
    time: '2026-01-01T00:00:00.000Z',
    state: 'finished',
    decision: null,
    resumable: false,
  } as const;
  assert.equal(entryWords(entry), 'To review');
  assert.equal(entryWords({ ...entry, decision: 'accept-edited' }), 'Accepted with your edit');
  assert.equal(entryWords({ ...entry, decision: 'hunk' }), 'Accepted in part');
  assert.equal(entryWords({ ...entry, state: 'stopped' }), 'Stopped');
  const now = Date.parse('2026-03-02T12:00:00Z');
  assert.deepEqual(
    [0, 5, 180].map((minutes) => ago(now - minutes * 60_000, now, 'en')),
    ['just now', '5 min ago', '3 h ago'],
  );
  assert.equal(ago(Date.parse('2026-01-01T12:00:00Z'), now, 'en'), 'Jan 1, 2026');
});

test('given works that nobody knows, when a run is described, then their keys are told, and nothing else is', () => {
  assert.equal(unknownCitationWords([]), null);
  assert.equal(
    unknownCitationWords(['smith2020']),
    'No bibliography knows smith2020: the model made it up. It is marked in the suggestion.',
  );
  assert.match(
    unknownCitationWords(['a', 'b', 'c']) ?? '',
    /^No bibliography knows a, b and c: .* them up\. They are/,
  );
});

const marks = { grounded: 8, answers: 8, specific: 8, consistent: 8 };
const facts = {
  ...(iteration.facts ?? assert.fail()),
  score: 0.75,
  rubrics: [marks, { ...marks, grounded: 0 }],
};

test('given a score, when it is told, then with how far the readings lie apart and what that means', () => {
  assert.equal(scoreWords({ ...facts, score: null }), null);
  assert.equal(
    scoreWords({ ...facts, score: 0.7 }),
    'The critic gives it 7.0 of 10 (read 2 times: 8.0 and 6.0; a difference of less than 2.0 between iterations means nothing).',
  );
  assert.match(scoreWords({ ...facts, rubrics: [marks, marks] }) ?? '', /its readings agree/);
  assert.match(scoreWords({ ...facts, rubrics: [marks] }) ?? '', /read once/);
});

test('given a best iteration and a choice of the writer, when they are told, then they are told apart', () => {
  const both = { best: 0, picked: 0 };
  assert.match(iterationFacts({ ...iteration, facts }, both), /^best · your choice · score 7\.5 · /);
  assert.match(iterationFacts({ ...iteration, facts }, { best: 1, picked: null }), /^score 7\.5/);
});

test('given signals and costs, when they are told, then with value, threshold and what was reused', () => {
  assert.equal(
    signalWords({ name: 'loop', value: 0.123, threshold: 0.5, verdict: 'fine' }),
    'Repetition: 0.12, threshold 0.5: fine',
  );
  assert.equal(
    countWords({ prompt: 1200, reused: 1100, generated: 7 }),
    '1,200 in prompts, 1,100 of them reused; 7 written',
  );
});

test('given a run, when there is something to remark, then it is said once each, and of a plain run nothing', () => {
  assert.deepEqual(remarks({ ...run, ended: 'finished' }), []);
  assert.deepEqual(remarks({ ...run, nothingRelevant: true, ended: 'converged', omitted: ['Left out.'] }), [
    'Nothing relevant in your notes: it thinks without them.',
    'It ended early: two iterations said the same.',
    'Left out.',
  ]);
});
