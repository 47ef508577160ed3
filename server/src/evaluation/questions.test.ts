import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { questionsFromParagraphs, questionsHash, readQuestions } from './questions.ts';

test('given lines of GSM8K, when they are read, then the number after the mark is the answer', () => {
  const line = JSON.stringify({
    question: 'Natalia sold 48 clips, then half as many. How many?',
    answer: 'She sold 48/2 = <<48/2=24>>24.\nTogether <<48+24=72>>72.\n#### 1,072',
  });
  const [question] = readQuestions(`${line}\n`, 'gsm8k.jsonl');
  assert.deepEqual(question?.answer, { kind: 'number', value: '1072' });
  assert.equal(question.id, 'line-1');
  assert.equal(question.choices, null);
});

test('given our own lines, when they are read, then id and context come with them and empty lines are passed over', () => {
  const text = [
    '{"id": "a", "question": "Why?", "context": " The alloy is hard. "}',
    '',
    '{"id": 7, "question": "Which?", "answer": "grain boundaries"}\r',
    '{"question": "How many?", "answer": 12.50}',
  ].join('\n');
  const questions = readQuestions(`\ufeff${text}`, 'own.jsonl');
  assert.deepEqual(
    questions.map(({ id, context, answer }) => [id, context, answer]),
    [
      ['a', 'The alloy is hard.', null],
      ['7', null, { kind: 'text', text: 'grain boundaries' }],
      ['line-4', null, { kind: 'number', value: '12.5' }],
    ],
  );
});

test('given a BigBench task, when it is read, then the best target is the answer wherever chance has put it', () => {
  const task = {
    name: 'metals',
    task_prefix: 'Choose. ',
    examples: [
      { input: 'Which conducts best?', target_scores: { copper: 1, wood: 0, glass: 0 } },
      { input: 'Which floats?', target_scores: { iron: 0, cork: 1 } },
    ],
  };
  const questions = readQuestions(JSON.stringify(task, null, 2), 'task.json');
  assert.equal(questions[0]?.question, 'Choose. Which conducts best?');
  for (const [at, right] of ['copper', 'cork'].entries()) {
    const { choices, answer } = questions[at]!;
    assert.ok(answer?.kind === 'choice');
    assert.equal(choices?.[answer.index], right);
  }
  assert.deepEqual(readQuestions(JSON.stringify(task), 'task.json'), questions);
});

test('given many examples whose answer stands first, when they are read, then the answer does not stay in one place', () => {
  const examples = Array.from({ length: 40 }, (_, at) => ({
    input: `Question ${at}`,
    target_scores: { right: 1, wrong: 0, other: 0 },
  }));
  const places = readQuestions(JSON.stringify({ examples }), 'task.json').map(({ answer }) =>
    answer?.kind === 'choice' ? answer.index : -1,
  );
  assert.deepEqual([...new Set(places)].sort(), [0, 1, 2]);
});

test('given what can’t be asked, when it is read, then file, line and reason are told', () => {
  for (const [text, said] of [
    ['', /holds no question/],
    ['{"question": "Why?"}\n{not json}', /q\.jsonl, line 2/],
    ['{"question": "  "}', /line 1/],
    ['{"id": "a", "question": "Why?"}\n{"id": "a", "question": "How?"}', /id a stands there twice/],
    ['{"examples": [{"input": "x", "target_scores": {"only": 1}}]}', /1 choices/],
    ['{"examples": []}', /BigBench/],
  ] as const)
    assert.throws(
      () => readQuestions(text, 'q.jsonl'),
      (error) => PreflexorError.is(error, 'bad-input') && said.test(error.message),
      text,
    );
});

test('given paragraphs, when questions are made, then the same seed chooses the same ones, and short and long ones are left out', () => {
  const paragraphs = [
    ...Array.from({ length: 10 }, (_, at) => ({ path: 'a.md', text: `${at} ${'word '.repeat(50)}` })),
    { path: 'a.md', text: 'Too short.' },
    { path: 'a.md', text: 'long '.repeat(1000) },
  ];
  const asked = ['Why?', 'How?'];
  const questions = questionsFromParagraphs(paragraphs, asked, 3, 5);
  assert.deepEqual(
    questions.map(({ question }) => question),
    ['Why?', 'How?', 'Why?'],
  );
  assert.deepEqual(questionsFromParagraphs(paragraphs, asked, 3, 5), questions);
  assert.notDeepEqual(questionsFromParagraphs(paragraphs, asked, 3, 6), questions);
  const all = questionsFromParagraphs(paragraphs, asked, 99, 5);
  assert.equal(all.length, 10);
  assert.equal(new Set(all.map(({ context }) => context)).size, 10);
});

test('given questions, when they are hashed, then another question is another hash', () => {
  const [one = [], other = []] = ['{"question": "Why?"}', '{"question": "How?"}'].map((line) =>
    readQuestions(line, 'q.jsonl'),
  );
  assert.match(questionsHash(one), /^[0-9a-f]{64}$/);
  assert.notEqual(questionsHash(one), questionsHash(other));
});
