// The hunks of a suggestion in its note.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import { applyEdits, decideEdits, hunkEdits, insertBlock, noteHunks, paragraphAt } from './index.ts';
import { generatedNote } from './testing/generatedNotes.ts';
import { allParagraphs } from './testing/places.ts';

const id = 'k3v9q2';

/** A note with a block for the paragraph at an offset. */
function annotated(note: string, offset: number, answer: string) {
  const paragraph = paragraphAt(note, offset);
  const content = { id, thinking: 'T', answer, iteration: 0, of: 0, model: 'M' };
  const text = applyEdits(note, [insertBlock(note, paragraph.insertAt, content)]);
  return { text, mark: { text: paragraph.text, start: paragraph.start } };
}

/** Each hunk as the note's own words and the new ones. */
function shown(note: string, { hunks }: ReturnType<typeof noteHunks>): string[][] {
  return hunks.map(({ range, after }) => [note.slice(range.start, range.end), after]);
}

test('given a suggestion, when its hunks are asked for, then each stands where its words stand in the note', () => {
  const { text } = annotated('# A\n\nSmall grains make it hard.\n', 5, 'Tiny grains make it very hard.');
  assert.deepEqual(shown(text, noteHunks(text, { block: id })), [
    ['Small', 'Tiny'],
    ['', 'very '],
  ]);
});

test('given a paragraph of several lines in a list and a quote, when its hunks are asked for, then prefixes are not counted', () => {
  for (const [note, changed] of [
    ['1. one two\n   three four\n', '1. one two\n   three five\n'],
    ['> one two\r\n> three four\r\n', '> one two\r\n> three five\r\n'],
    ['- one two\nthree four\n', '- one two\n  three five\n'],
  ] as const) {
    const { text } = annotated(note, note.indexOf('one'), 'one two\nthree five');
    const found = noteHunks(text, { block: id });
    assert.deepEqual(shown(text, found), [['four', 'five']]);
    assert.equal(applyEdits(text, hunkEdits(text, found, () => true).edits), changed);
  }
});

test('given some hunks taken, when the edits are made, then only those are in the paragraph, and the block is gone', () => {
  const note = '# A\n\nSmall grains make it hard.\n\nAnother.\n';
  const { text } = annotated(note, 5, 'Tiny grains make it strong.');
  const found = noteHunks(text, { block: id });
  const { edits, result } = hunkEdits(text, found, (index) => index === 1);
  assert.equal(applyEdits(text, edits), note.replace('hard', 'strong'));
  assert.equal(result, 'Small grains make it strong.');
});

test('given any note, when all hunks are taken, then it is as after accepting, and when none is, as after rejecting', () => {
  fc.assert(
    fc.property(
      generatedNote,
      fc.nat(),
      fc.constantFrom('new', 'one\ntwo', '```\nopen'),
      (note, pick, tail) => {
        const paragraphs = allParagraphs(note);
        const paragraph = paragraphs[pick % Math.max(1, paragraphs.length)];
        fc.pre(paragraph !== undefined);
        const { text, mark } = annotated(note, paragraph.start, `${paragraph.text} ${tail}`);
        let found;
        try {
          found = noteHunks(text, { block: id, paragraph: mark });
        } catch (error) {
          // What can't be told for hunks can't be told for accepting either.
          assert.ok(PreflexorError.is(error));
          return;
        }
        const options = { placement: 'replace', paragraph: mark } as const;
        assert.deepEqual(
          hunkEdits(text, found, () => true),
          decideEdits(text, id, 'accept-edited', options),
        );
        assert.deepEqual(
          hunkEdits(text, found, () => false),
          decideEdits(text, id, 'reject', options),
        );
      },
    ),
    { numRuns: 40 },
  );
});

test('given a suggestion that is not in the note, when its paragraph is, then its hunks are those of its run', () => {
  const note = 'Another.\n\nSmall grains.\n';
  const paragraph = { text: 'Small grains.', start: 0 };
  const found = noteHunks(note, { block: id, paragraph, answer: 'Tiny grains.' });
  assert.deepEqual(shown(note, found), [['Small', 'Tiny']]);
  assert.equal(applyEdits(note, hunkEdits(note, found, () => true).edits), 'Another.\n\nTiny grains.\n');
});

for (const [given, note, subject, code] of [
  ['no such block', 'Small.\n', { block: id }, 'unknown-block'],
  [
    'a paragraph that is gone',
    'Other.\n',
    { block: id, answer: 'Tiny.', paragraph: { text: 'Small.', start: 0 } },
    'note-changed',
  ],
  ['a suggestion that changes nothing', annotated('Small.\n', 0, 'Small.').text, { block: id }, 'bad-input'],
  ['a suggestion without text', annotated('Small.\n', 0, '').text, { block: id }, 'bad-input'],
] as const) {
  test(`given ${given}, when its hunks are asked for, then a sentence says why there are none`, () => {
    assert.throws(
      () => noteHunks(note, subject),
      (error) => PreflexorError.is(error, code),
    );
  });
}
