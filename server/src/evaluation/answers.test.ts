import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EvaluationQuestion } from '../protocol/index.ts';
import { canonicalNumber, extractAnswer, isSameAnswer, plainWords } from './answers.ts';

const sum: EvaluationQuestion = {
  ...{ id: 'sum', question: 'How many?', context: null, choices: null },
  answer: { kind: 'number', value: '42' },
};
const choice: EvaluationQuestion = {
  ...{ id: 'choice', question: 'Which?', context: null },
  choices: ['iron', 'iron oxide', 'copper'],
  answer: { kind: 'choice', index: 2 },
};
const words: EvaluationQuestion = { ...sum, answer: { kind: 'text', text: 'Grain boundaries' } };

test('given numbers as people write them, when they are made comparable, then equal values are equal', () => {
  for (const [written, value] of [
    ['42', '42'],
    ['$1,200.50', '1200.5'],
    ['042', '42'],
    ['-3.0', '-3'],
    ['−3', '-3'],
    ['+7', '7'],
    ['.5', '0.5'],
    ['-0', '0'],
    ['12 apples', '12'],
    ['1,234,567', '1234567'],
  ] as const)
    assert.equal(canonicalNumber(written), value, written);
  assert.equal(canonicalNumber('none'), null);
});

test('given an answer with its mark, when it is read, then the mark goes before all other numbers', () => {
  for (const [text, value] of [
    ['First 3 + 4 = 7, then 6 · 7.\n#### 42', '42'],
    ['#### 41\nNo, wait.\n#### 42\nThere were 3 of them.', '42'],
    ['So the answer is 42. There were 7 days.', '42'],
    ['Answer: $42', '42'],
    ['6 times 7 makes 42', '42'],
    ['#### it is 42 apples', '42'],
    ['####\n42', '42'],
  ] as const)
    assert.deepEqual(extractAnswer(text, sum), { kind: 'number', value }, text);
  assert.equal(extractAnswer('I do not know.', sum), null);
  assert.equal(extractAnswer('', sum), null);
});

test('given a choice, when it is named by letter or by words, then its place is read', () => {
  for (const text of [
    '#### C',
    '#### (C)',
    '####C.',
    'The answer is C.',
    'The answer is (C), since it conducts.',
    'It is copper.',
    '#### C because it conducts',
    'Answer: C) copper',
  ])
    assert.deepEqual(extractAnswer(text, choice), { kind: 'choice', index: 2 }, text);
});

test('given a text that names several choices or none, when it is read, then none is taken', () => {
  assert.equal(extractAnswer('It is either iron or copper.', choice), null);
  assert.equal(extractAnswer('A metal.', choice), null);
  assert.equal(extractAnswer('(A) or (C)', choice), null);
  // D is no choice here.
  assert.equal(extractAnswer('#### D', choice), null);
});

test('given words as the answer, when they are compared, then marks and capitals do not count', () => {
  const extracted = extractAnswer('Since they stop dislocations:\n#### grain boundaries.', words);
  assert.ok(extracted && words.answer && isSameAnswer(extracted, words.answer));
  assert.equal(isSameAnswer({ kind: 'text', text: 'grains' }, { kind: 'text', text: 'grain' }), false);
});

test('given answers of different kinds or values, when they are compared, then they are not the same', () => {
  assert.equal(isSameAnswer({ kind: 'number', value: '4' }, { kind: 'number', value: '42' }), false);
  assert.equal(isSameAnswer({ kind: 'choice', index: 0 }, { kind: 'choice', index: 1 }), false);
  assert.equal(isSameAnswer({ kind: 'text', text: '42' }, { kind: 'number', value: '42' }), false);
});

test('given any script, when words are made plain, then letters of all of them stay', () => {
  assert.equal(plainWords('  Größe — “Ελάχιστο”, 3½!'), 'größe ελάχιστο 31 2');
});
