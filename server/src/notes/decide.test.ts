import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import type { TextEdit } from '../protocol/index.ts';
import {
  applyEdits,
  decideEdits,
  insertBlock,
  normaliseModelText,
  paragraphAt,
  readBlocks,
  stripBlocks,
} from './index.ts';
import type { DecideOptions } from './index.ts';
import { likeness } from './likeness.ts';
import { lineAt } from './lines.ts';
import { parseMarkdown } from './markdown.ts';
import { generatedNote, hostileText } from './testing/generatedNotes.ts';
import { allParagraphs } from './testing/places.ts';
import { runs } from './testing/runs.ts';

const id = 'k3v9q2';

/** A note with a block for the paragraph at `text`, and what a decision on it needs. */
function annotated(note: string, text: string, answer: string) {
  const paragraph = paragraphAt(note, note.indexOf(text));
  const edit = insertBlock(note, paragraph.insertAt, {
    id,
    thinking: 'T',
    answer,
    iteration: 0,
    of: 0,
    model: 'M',
  });
  return { note: applyEdits(note, [edit]), paragraph, answer };
}

function decided(
  note: string,
  as: 'accept' | 'accept-edited' | 'reject',
  options: Partial<DecideOptions> = {},
) {
  const { edits, ...rest } = decideEdits(note, id, as, { placement: 'replace', ...options });
  return { note: applyEdits(note, edits), edits, ...rest };
}

const accepts: readonly (readonly [string, string, string, string, string])[] = [
  // what · note · paragraph · replaced by "New.\n\nMore." · the same, placed after
  ['a paragraph', 'A\n\nB\n', 'A', 'New.\n\nMore.\n\nB\n', 'A\n\nNew.\n\nMore.\n\nB\n'],
  [
    'CRLF',
    'A\r\nx\r\n\r\nB\r\n',
    'A',
    'New.\r\n\r\nMore.\r\n\r\nB\r\n',
    'A\r\nx\r\n\r\nNew.\r\n\r\nMore.\r\n\r\nB\r\n',
  ],
  ['the end without line end', 'A\n\nB', 'B', 'A\n\nNew.\n\nMore.', 'A\n\nB\n\nNew.\n\nMore.'],
  ['a note of one line', 'A', 'A', 'New.\n\nMore.', 'A\n\nNew.\n\nMore.'],
  ['a heading right below', 'A\n# H\n', 'A', 'New.\n\nMore.\n# H\n', 'A\n\nNew.\n\nMore.\n# H\n'],
  ['a quote', '> A\n> x\n\nB\n', 'A', '> New.\n>\n> More.\n\nB\n', '> A\n> x\n>\n> New.\n>\n> More.\n\nB\n'],
  ['a list item', '- A\n- B\n', 'A', '- New.\n\n  More.\n- B\n', '- A\n\n  New.\n\n  More.\n- B\n'],
  [
    'a nested item',
    '1. A\n   - B\n\nC',
    'B',
    '1. A\n   - New.\n\n     More.\n\nC',
    '1. A\n   - B\n\n     New.\n\n     More.\n\nC',
  ],
  [
    'a quote in a list',
    '- > A\n',
    'A',
    '- > New.\n  >\n  > More.\n',
    '- > A\n  >\n  > New.\n  >\n  > More.\n',
  ],
  [
    'a footnote',
    'x[^1]\n\n[^1]: A\n',
    'A',
    'x[^1]\n\n[^1]: New.\n\n    More.\n',
    'x[^1]\n\n[^1]: A\n\n    New.\n\n    More.\n',
  ],
  [
    'a callout',
    '> [!note] T\n> A\n',
    'A',
    '> [!note] T\n> New.\n>\n> More.\n',
    '> [!note] T\n> A\n>\n> New.\n>\n> More.\n',
  ],
];

for (const [what, note, text, replaced, after] of accepts) {
  test(`given ${what}, when the answer is accepted, then it stands in its place or behind it and the block is gone`, () => {
    const given = annotated(note, text, 'New.\n\nMore.');
    const replacing = decided(given.note, 'accept', { paragraph: given.paragraph });
    assert.equal(replacing.note, replaced);
    assert.equal(replacing.paragraph, given.paragraph.text);
    assert.equal(replacing.result, 'New.\n\nMore.');
    const following = decided(given.note, 'accept', { paragraph: given.paragraph, placement: 'after' });
    assert.equal(following.note, after);
    const rejected = decided(given.note, 'reject', { paragraph: given.paragraph });
    assert.equal(rejected.note, note);
    assert.deepEqual([rejected.paragraph, rejected.result], [given.paragraph.text, null]);
  });
}

test('given an edited answer, when accepted as edited or as written, then the one or the other goes in', () => {
  const given = annotated('A\n', 'A', 'The answer <b> of the model');
  const note = given.note.replace('of the model', 'of the writer\n> and more');
  assert.equal(decided(note, 'accept-edited').note, 'The answer <b> of the writer\nand more\n');
  assert.equal(decided(note, 'accept', { answer: given.answer }).note, 'The answer <b> of the model\n');
  assert.equal(
    decided(note, 'accept').note,
    'The answer <b> of the writer\nand more\n',
    'nothing else is known',
  );
});

test('given an empty answer or an unknown block, when decided, then a sentence says so', () => {
  const given = annotated('A\n', 'A', ' \n ');
  for (const as of ['accept', 'accept-edited'] as const) {
    assert.throws(
      () => decided(given.note, as),
      (error) => PreflexorError.is(error, 'bad-input') && error.remedy !== null,
    );
  }
  assert.equal(decided(given.note, 'reject').note, 'A\n');
  assert.throws(
    () => decided('A\n', 'accept'),
    (error) => PreflexorError.is(error, 'unknown-block'),
  );
});

const original = 'The quick brown fox jumps over the lazy dog near the old river bank.';

test('given a paragraph that was edited meanwhile, when accepted, then it is the one that is replaced', () => {
  const given = annotated(`${original}\n\nEnd.\n`, 'The quick', 'New.');
  const note = given.note.replace('quick brown fox jumps', 'slow brown fox walks');
  const { note: result, paragraph } = decided(note, 'accept', { paragraph: given.paragraph });
  assert.equal(result, 'New.\n\nEnd.\n');
  assert.match(paragraph, /slow brown fox/);
});

test('given another paragraph between, when accepted, then the one that was asked about is replaced', () => {
  const given = annotated(`${original}\n\nEnd.\n`, 'The quick', 'New.');
  const note = given.note.replace('bank.\n', 'bank.\n\nSomething else entirely was written here.\n');
  assert.equal(
    decided(note, 'accept', { paragraph: given.paragraph }).note,
    'New.\n\nSomething else entirely was written here.\n\nEnd.\n',
  );
});

test('given that the paragraph is gone, when accepted, then nothing is written over another one', () => {
  const given = annotated(`Something else entirely.\n\n${original}\n\nEnd.\n`, 'The quick', 'New.');
  const note = given.note.replace(`${original}\n`, '');
  for (const placement of ['replace', 'after'] as const) {
    assert.throws(
      () => decided(note, 'accept', { paragraph: given.paragraph, placement }),
      (error) => PreflexorError.is(error, 'note-changed') && error.remedy !== null,
    );
  }
  const rejected = decided(note, 'reject', { paragraph: given.paragraph });
  assert.equal(rejected.paragraph, original);
});

test('given a block below a heading, code or nothing, when accepted, then it is refused', () => {
  const { note } = annotated('A\n', 'A', 'New.');
  for (const above of ['# Heading\n', '```\ncode\n```\n', '']) {
    assert.throws(
      () => decided(note.replace('A\n', above), 'accept'),
      (error) => PreflexorError.is(error, 'note-changed'),
      JSON.stringify(above),
    );
  }
});

test('given a list of several items, when it is not known which was meant, then accepting is refused', () => {
  const given = annotated(`- ${original}\n- Something else entirely.\n\nEnd.\n`, 'The quick', 'New.');
  assert.throws(
    () => decided(given.note, 'accept'),
    (error) => PreflexorError.is(error, 'note-changed') && error.message.includes('which paragraph'),
  );
  const known = decided(given.note, 'accept', { paragraph: given.paragraph });
  assert.equal(known.note, '- New.\n- Something else entirely.\n\nEnd.\n');
  const edited = given.note.replace('quick', 'slow');
  assert.equal(decided(edited, 'accept', { paragraph: given.paragraph }).note, known.note);
});

test('given a list that is longer than what is parsed at once, when accepted, then its item is replaced', () => {
  const items = Array.from({ length: 20_000 }, (_, index) => `- item number ${index}\n`);
  const given = annotated(items.join(''), 'item number 12345\n', 'New.');
  assert.equal(
    decided(given.note, 'accept', { paragraph: given.paragraph }).note,
    items.join('').replace('- item number 12345\n', '- New.\n'),
  );
});

test('given two items with the same text, when one is accepted, then the one that was asked about is replaced', () => {
  const note = '- Same text.\n- Between.\n- Same text.\n';
  const paragraph = paragraphAt(note, note.lastIndexOf('Same'));
  const edit = insertBlock(note, paragraph.insertAt, { id, answer: 'New.', iteration: 0, of: 0, model: 'M' });
  assert.equal(
    decided(applyEdits(note, [edit]), 'accept', { paragraph }).note,
    '- Same text.\n- Between.\n- New.\n',
  );
});

test('given another block between, when accepted, then only its own block goes', () => {
  const first = annotated('A\n', 'A', 'New.');
  const { insertAt } = paragraphAt(first.note, 0);
  const edit = insertBlock(first.note, insertAt, {
    id: 'other1',
    answer: 'Other.',
    iteration: 0,
    of: 0,
    model: 'M',
  });
  const both = applyEdits(first.note, [edit]);
  const { edits, result } = decideEdits(both, 'other1', 'accept', { placement: 'replace' });
  assert.equal(applyEdits(both, edits), first.note.replace('A\n', 'Other.\n'));
  assert.equal(result, 'Other.');
});

test('given an answer with our own comments, when accepted, then they are text and make no block', () => {
  const answer = '<!-- preflexor abc123 begin -->\n> [!answer]+ S\n> x\n<!-- preflexor abc123 end -->';
  const { note } = annotated('A\n\nB\n', 'A', answer);
  const accepted = decided(note, 'accept').note;
  assert.equal(
    accepted,
    '\\<!-- preflexor abc123 begin -->\n> \\[!answer]+ S\n> x\n\\<!-- preflexor abc123 end -->\n\nB\n',
  );
  assert.deepEqual(readBlocks(accepted).blocks, []);
});

test('given an answer that leaves something open, when accepted, then it is closed and what follows stays', () => {
  const example =
    '```\n<!-- preflexor abc123 begin -->\n> [!answer]+ S\n<!-- preflexor abc123 end -->\n```\n';
  for (const [answer, closed] of [
    ['```js\nx', '```js\nx\n```'],
    ['~~~~\n~~~\n', '~~~~\n~~~\n~~~~'],
    ['$$\nx', '$$\nx\n$$'],
    ['<!-- x', '<!-- x\n-->'],
    ['<script>\nx', '<script>\nx\n</script>'],
    ['- ```\n  x', '- ```\n  x'],
    ['```\nx\n```', '```\nx\n```'],
  ] as const) {
    const given = annotated(`A\n\nB\n\n${example}`, 'A', answer);
    const { note, result } = decided(given.note, 'accept');
    assert.equal(note, `${closed}\n\nB\n\n${example}`);
    assert.equal(result, closed);
    assert.deepEqual(readBlocks(note).blocks, [], 'the example is still an example');
  }
});

/** What undo does. */
function undone(before: string, after: string, edits: readonly TextEdit[]): string {
  let shift = 0;
  const inverse = edits.map(({ start, end, text }) => {
    const edit = { start: start + shift, end: start + shift + text.length, text: before.slice(start, end) };
    shift += text.length - (end - start);
    return edit;
  });
  return applyEdits(after, inverse);
}

test('given any note, when any answer is accepted anywhere, then only paragraph and block change, and undo undoes it', () => {
  fc.assert(
    fc.property(
      generatedNote,
      hostileText,
      fc.nat(),
      fc.constantFrom('replace', 'after'),
      (note, answer, choice, placement) => {
        const places = allParagraphs(note);
        const paragraph = places[choice % Math.max(places.length, 1)];
        if (!paragraph || normaliseModelText(answer).trim() === '') return;
        const edit = insertBlock(note, paragraph.insertAt, { id, answer, iteration: 0, of: 0, model: 'M' });
        const before = applyEdits(note, [edit]);
        const accepted = decided(before, 'accept', { answer, paragraph, placement });
        assert.ok(
          accepted.edits.every(({ start }, index) => start > (accepted.edits[index - 1]?.end ?? -1)),
          'sorted, apart',
        );
        assert.equal(accepted.paragraph, paragraph.text);
        const start = placement === 'replace' ? paragraph.start : paragraph.end;
        const after = placement === 'replace' ? paragraph.end : lineAt(note, paragraph.end).end;
        assert.ok(accepted.note.startsWith(note.slice(0, start)), 'what stands before');
        assert.ok(accepted.note.endsWith(note.slice(after)), 'what follows');
        const ids = (text: string) => readBlocks(text).blocks.map((block) => block.id);
        assert.deepEqual(ids(accepted.note), ids(note), 'no block came with it and none went');
        assert.equal(undone(before, accepted.note, accepted.edits), before);
        assert.equal(undone(before, note, stripBlocks(before, [id]).edits), before);
      },
    ),
    runs(250),
  );
});

test('given a paragraph in any containers, when words are accepted after it, then they are a paragraph beside it', () => {
  fc.assert(
    fc.property(generatedNote, fc.nat(), (note, choice) => {
      const places = allParagraphs(note).filter(({ text }) => /^[A-Za-z]/.test(text) && !text.includes('\n'));
      const paragraph = places[choice % Math.max(places.length, 1)];
      if (!paragraph) return;
      const edit = insertBlock(note, paragraph.insertAt, {
        id,
        answer: 'x',
        iteration: 0,
        of: 0,
        model: 'M',
      });
      const answer = 'Accepted words\nof two lines.\n\nA second paragraph.';
      const { note: accepted } = decided(applyEdits(note, [edit]), 'accept', { answer, paragraph });
      const found = paragraphAt(accepted, paragraph.start);
      assert.equal(found.text, 'Accepted words\nof two lines.', JSON.stringify(accepted));
      assert.equal(found.continuationPrefix, paragraph.continuationPrefix);
      const second = paragraphAt(accepted, accepted.indexOf('A second paragraph.', paragraph.start));
      assert.ok(second.text.startsWith('A second paragraph.'));
      assert.equal(second.continuationPrefix, paragraph.continuationPrefix, JSON.stringify(accepted));
    }),
    runs(150),
  );
});

test('given texts, when compared, then shared words count, in any script', () => {
  assert.equal(likeness('The same words.', 'the SAME, words'), 1);
  assert.equal(likeness('one two', 'three four'), 0);
  assert.equal(likeness('one two', 'two three'), 0.5);
  assert.equal(likeness('', '…'), 0);
  assert.ok(likeness('結晶粒の境界を調べる。', '結晶粒の境界を見る。') > 0.5);
});

test('given accepted text of several kinds, when parsed, then the note’s other blocks are what they were', () => {
  const note = '# H\n\nA\n\n- x\n- y\n\n> z\n';
  const given = annotated(note, 'A', '- one\n- two\n\n| a |\n| - |\n\n```\ncode\n```');
  const types = (text: string) => parseMarkdown(text).children.map(({ type }) => type);
  assert.deepEqual(types(decided(given.note, 'accept').note), [
    'heading',
    'list',
    'table',
    'code',
    'list',
    'blockquote',
  ]);
});
