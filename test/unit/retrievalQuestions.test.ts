// The promises of the committed question set, which the figures of retrieval quality rest on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  contentWords,
  corpusFolder,
  readCorpus,
  readQuestions,
  sharedWords,
} from '../../bench/retrieval/questions.ts';
import { globSync } from 'node:fs';

const { answerable, unanswerable } = await readQuestions();

test('given the set, when it is counted, then it holds 72 answerable questions or more and 24 others or more', () => {
  assert.ok(answerable.length >= 72, String(answerable.length));
  assert.ok(unanswerable.length >= 24, String(unanswerable.length));
});

test('given the answerable questions, when they are counted, then at least half share no word with their quote', () => {
  const without = answerable.filter(({ sharesWords }) => !sharesWords);
  assert.ok(without.length * 2 >= answerable.length, `${without.length} of ${answerable.length}`);
});

test('given the unanswerable questions, when they are counted, then a third or more are near misses and some are not', () => {
  const near = unanswerable.filter(({ nearMiss }) => nearMiss).length;
  assert.ok(near * 3 >= unanswerable.length && near < unanswerable.length, String(near));
});

test('given the set, when ids, questions and quotes are compared, then none comes twice', () => {
  for (const values of [
    [...answerable, ...unanswerable].map(({ id }) => id),
    [...answerable, ...unanswerable].map(({ question }) => question.toLowerCase()),
    answerable.map(({ source, quote }) => `${source} ${quote}`),
  ]) {
    assert.deepEqual(
      values.filter((value, index) => values.indexOf(value) !== index),
      [],
    );
  }
});

test('given each quote, when its source is searched, then it stands there exactly once', async () => {
  const wrong: string[] = [];
  for (const { id, source, quote } of answerable) {
    const text = await readCorpus(source);
    const first = text.indexOf(quote);
    if (first < 0 || text.includes(quote, first + 1)) wrong.push(id);
  }
  assert.deepEqual(wrong, []);
});

test('given each question, when its words are held against its quote, then it shares words as it says', () => {
  const wrong = answerable
    .map(({ id, question, quote, sharesWords }) => ({
      id,
      sharesWords,
      shared: sharedWords(question, quote),
    }))
    .filter(({ sharesWords, shared }) => sharesWords !== shared.length > 0);
  assert.deepEqual(wrong, []);
});

test('given the corpus, when the sources are counted, then every paper and every bibliography is asked about', () => {
  const files = globSync('*/paper.{md,bib}', { cwd: corpusFolder }).map((file) => file.replaceAll('\\', '/'));
  const asked = new Set(answerable.map(({ source }) => source));
  assert.equal(files.length, 10);
  assert.deepEqual(
    files.filter((file) => !asked.has(file)),
    [],
  );
});

test('given inflected words, when they are cut to stems, then they are one word', () => {
  for (const [left, right] of [
    ['boundary', 'boundaries'],
    ['modeled', 'modeling'],
    ['stress', 'stresses'],
    ['use cases', 'case'],
    ['oriented', 'orientation'],
    ['running', 'runs'],
  ] as const) {
    assert.deepEqual(sharedWords(left, right).length, 1, `${left} ${right}`);
  }
});

test('given a sentence, when its content words are taken, then stop words and single letters are out', () => {
  assert.deepEqual([...contentWords('What is the L of a crystal?')], ['cryst']);
});
