// What is fit to be asked and to be learnt, text by text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preflexorMarkers } from '../../protocol/index.ts';
import { answerProblems, hasStructure, isStructured, questionProblems, wholeSentences } from './checks.ts';

const passage =
  'Grain boundaries block dislocations, so that small grains make a metal harder; below some ten nanometres sliding takes over.';

for (const [question, problems] of [
  ['How do grain boundaries make a metal harder?', []],
  ['How can you make a metal harder by small grains?', []],
  ['Wie halten Korngrenzen (grain boundaries) dislocations in Metallen auf?', []],
  ['How does the text describe grain boundaries in metal?', ['no-question']],
  ['Why are grain boundaries in Figure 3 harder than the metal?', ['no-question']],
  ['How does it make the metal harder?', ['no-question']],
  ['Why do you think that grain boundaries block dislocations?', ['no-question']],
  ['Grain boundaries make a metal harder.', ['no-question']],
  ['Why metal?', ['no-question']],
  ['How does photosynthesis convert sunlight into sugar molecules?', ['ungrounded']],
  ["I'm sorry, but why can I not help with grain boundaries?", ['refusal']],
  ['', ['empty']],
] as const) {
  test(`given the question "${question}", when it is checked, then it is ${problems.join() || 'fit to be asked'}`, () => {
    assert.deepEqual(questionProblems(question, passage), problems);
  });
}

const question = 'How do grain boundaries make a metal harder?';

for (const [answer, problems] of [
  ['Boundaries stop dislocations, which then pile up, and more stress is needed to move them on.', []],
  ['The question: How do grain boundaries make a metal harder?', ['babble']],
  ['It does. It does. It does so, yes.'.repeat(8), ['babble']],
  ['Yes.', ['babble']],
  ['<<< Grain boundaries block dislocations in all metals that there are >>>', ['structure']],
  ['As an AI language model, I cannot judge grain boundaries in metals.', ['refusal']],
  ['  ', ['empty']],
] as const) {
  test(`given the answer "${answer.slice(0, 40)}", when it is checked, then it is ${problems.join() || 'fit to be learnt'}`, () => {
    assert.deepEqual(answerProblems(answer, question), problems);
  });
}

test('given completions, when their sections are looked for, then only whole ones in order count', () => {
  const { thinking, reflection } = preflexorMarkers;
  const thought = `${thinking.start}\nIt has layers.\n${thinking.end}\n\n`;
  const reflected = `${reflection.start}\nBonds are missing.\n${reflection.end}\n\n`;
  assert.ok(hasStructure(`${thought}It slides.`, preflexorMarkers, false));
  assert.ok(hasStructure(`${thought}${reflected}It slides.`, preflexorMarkers, true));
  assert.ok(isStructured(`${thought}${thought}${reflected}It slides.`, preflexorMarkers));
  for (const broken of [
    'It slides.',
    thought,
    `${thinking.start}\nIt has layers.`,
    `It slides.\n${thought}`,
  ]) {
    assert.ok(!hasStructure(broken, preflexorMarkers, false), broken);
    assert.ok(!isStructured(broken, preflexorMarkers), broken);
  }
});

test('given a text that was cut off, when its whole sentences are taken, then the broken one is gone', () => {
  assert.equal(
    wholeSentences('Small grains are hard, e.g. in steel. Below ten nanom'),
    'Small grains are hard, e.g. in steel.',
  );
  assert.equal(wholeSentences('Small grains are'), null);
});
