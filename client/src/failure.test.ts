import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { failureOf, sentenceOf } from './failure.ts';

const rejected = (code: number, message: string, data?: unknown) =>
  Object.assign(new Error(message), { code, data });

test('given an expected failure of the server, when it is read, then its own sentence and a button for its remedy come out', () => {
  const data = { code: 'no-model', message: 'No model is here.', remedy: 'Choose one.' };
  const failure = failureOf(rejected(-32803, 'No model is here. Choose one.', data));
  assert.deepEqual(failure, { ...data, actions: ['chooseModel'] });
  assert.equal(sentenceOf(failure), 'No model is here. Choose one.');
});

test('given a cancelled request, when it is read, then it is no failure to be shown', () => {
  assert.equal(failureOf(rejected(-32800, 'cancelled')).code, 'cancelled');
  assert.equal(failureOf(Object.assign(new Error('x'), { name: 'Canceled' })).code, 'cancelled');
});

test('given a server that is gone, when a request ends, then it says so and offers the log', () => {
  for (const code of [-32097, -32096]) {
    const failure = failureOf(rejected(code, 'connection got disposed'));
    assert.equal(failure.code, 'server-down');
    assert.deepEqual(failure.actions, ['retry', 'showLog', 'reload']);
  }
});

test('given an answer that could not be decoded, when it is read, then the writer is spared the details', () => {
  const decoded = z.object({ a: z.string() }).safeParse({ a: 1 });
  assert.equal(
    failureOf(decoded.error).message,
    'The language server gave an answer that could not be read.',
  );
});

test('given anything else, when it is read, then its message is kept and the log is offered', () => {
  assert.deepEqual(failureOf(new Error('boom')), {
    code: 'unexpected',
    message: 'boom',
    remedy: null,
    actions: ['showLog'],
  });
  assert.equal(failureOf('text').message, 'text');
  assert.equal(failureOf(rejected(-32803, 'm', { code: 7 })).message, 'm');
});

test('given a code that is not known here, when it is read, then the sentence is shown without buttons', () => {
  const failure = failureOf(rejected(-32803, 'm', { code: 'constructor', message: 'm', remedy: null }));
  assert.deepEqual(failure.actions, []);
});
