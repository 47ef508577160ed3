// The paragraphs of a section or a note.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyEdits, insertBlock, paragraphAt, paragraphsIn } from './index.ts';

const note = [
  '---\ntitle: Front matter with many words in it\n---',
  'An opening paragraph before any heading.',
  '# Alloys',
  'The first paragraph of the chapter on alloys.',
  'Figure 1',
  '## Grain size',
  'Small grains make an alloy very hard.',
  '- An item of a list with quite some words.',
  '> A quote with words enough to be one.',
  '| a table | with | some | words |\n|---|---|---|---|\n| one | two | three | four |',
  '```\ncode with words enough to be one\n```',
  '# Polymers',
  'Long chains are tangled in most polymers.\nThey go on in a second line.',
  '',
].join('\n\n');

function firstWords(offset?: number): string[] {
  return paragraphsIn(note, offset).map(({ text }) => text.split(' ').slice(0, 2).join(' '));
}

test('given a whole note, when its paragraphs are listed, then those at the top level are, but for captions', () => {
  assert.deepEqual(firstWords(), ['An opening', 'The first', 'Small grains', 'Long chains']);
});

for (const [given, words, expected] of [
  ['a chapter', 'The first paragraph', ['The first', 'Small grains']],
  ['the heading of a chapter', '# Alloys', ['The first', 'Small grains']],
  ['a section of it', 'An item of a list', ['Small grains']],
  ['what stands before the first heading', 'An opening', ['An opening']],
  ['the last chapter', 'They go on', ['Long chains']],
] as const) {
  test(`given a cursor in ${given}, when its paragraphs are listed, then they are those up to the next heading of its rank`, () => {
    assert.deepEqual(firstWords(note.indexOf(words)), expected);
  });
}

test('given paragraphs of which one has a suggestion, when they are listed, then that is told, and the suggestion is none', () => {
  const { insertAt } = paragraphAt(note, note.indexOf('Small grains'));
  const content = { id: 'k3v9q2', thinking: 'T', answer: 'A suggestion with words enough.' };
  const edit = insertBlock(note, insertAt, { ...content, iteration: 0, of: 0, model: 'M' });
  assert.deepEqual(
    paragraphsIn(applyEdits(note, [edit])).map(({ annotated }) => annotated),
    [false, false, true, false],
  );
});
