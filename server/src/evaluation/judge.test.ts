import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInPrompts } from '../../../test/support/prompts.ts';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import { judge, judgeBlind } from './judge.ts';
import { openQuestion } from './testing.ts';

const never = new AbortController().signal;
const prompts = await builtInPrompts();
const rubric = (grounded: number, answers: number, specific: number, consistent: number): string =>
  JSON.stringify({ grounded, answers, specific, consistent });
const judging = (script: readonly string[]) => {
  const critic = new ScriptedModel(script);
  return { critic, prompts, seed: 3, temperature: 0.1 };
};

test('given two readings, when an answer is judged, then its score is the mean of all marks and the spread their difference', async () => {
  const desk = judging([rubric(8, 6, 4, 2), rubric(10, 10, 10, 10)]);
  const judged = await judge(desk, openQuestion('a'), 'It is hard.', never);
  // (20 + 40) of 80, and 40/40 − 20/40.
  assert.deepEqual(judged, { score: 0.75, spread: 0.5 });
  const [first, second] = desk.critic.requests;
  assert.ok(first?.jsonSchema && second?.jsonSchema);
  assert.notEqual(first.messages.at(-1)?.text, second.messages.at(-1)?.text);
  assert.equal(first.messages.at(-2)?.text, 'It is hard.');
});

test('given marks that are no marks, when an answer is judged, then only what can be read counts', async () => {
  const half = await judge(judging(['nonsense', rubric(4, 4, 4, 4)]), openQuestion('a'), 'Yes.', never);
  assert.deepEqual(half, { score: 0.4, spread: 0 });
  const none = await judge(judging(['nonsense', '{}']), openQuestion('a'), 'Yes.', never);
  assert.equal(none.score, null);
});

test('given an empty answer, when it is judged, then it scores 0 and nobody is asked', async () => {
  const desk = judging([]);
  assert.deepEqual(await judge(desk, openQuestion('a'), ' \n', never), { score: 0, spread: 0 });
  assert.equal(desk.critic.requests.length, 0);
});

test('given many questions, when answers are judged, then no method keeps the first place', async () => {
  const first = new Set<string | undefined>();
  for (let at = 0; at < 12; at += 1) {
    const desk = judging(Array.from({ length: 6 }, () => rubric(5, 5, 5, 5)));
    const answers = { one: 'Answer one.', two: 'Answer two.', three: 'Answer three.' };
    const judged = await judgeBlind(desk, openQuestion(`q${at}`), answers, never);
    assert.deepEqual(Object.keys(judged).sort(), ['one', 'three', 'two']);
    first.add(desk.critic.requests[0]?.messages.at(-2)?.text);
  }
  assert.equal(first.size, 3);
});
