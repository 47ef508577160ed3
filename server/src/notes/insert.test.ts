import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { BlockId } from '../protocol/index.ts';
import { applyEdits, insertBlock, newBlockId, readBlocks, stripBlocks } from './index.ts';

const content = {
  id: 'k3v9q2',
  thinking: 'First.\n\nSecond.',
  reflection: 'Is it so?',
  answer: 'The better text.',
  iteration: 2,
  of: 3,
  model: 'Llama-3.2-3B-Instruct',
  integrates: { from: 0, to: 3 },
};

const block = `<!-- preflexor k3v9q2 begin -->
> [!thinking]- Thinking · iteration 2 of 3 · Llama-3.2-3B-Instruct
> First.
>
> Second.

> [!reflection]- Reflection · iteration 2 of 3
> Is it so?

> [!answer]+ Suggestion · integrates 0 to 3
> The better text.
<!-- preflexor k3v9q2 end -->`;

test('given a paragraph, when a block is inserted, then it has exactly the form that is documented', () => {
  const note = 'The paragraph itself, untouched.\n\nThe next paragraph.\n';
  const edit = insertBlock(note, 33, content);
  assert.deepEqual(edit, { start: 33, end: 33, text: `\n${block}\n` });
  assert.equal(
    applyEdits(note, [edit]),
    `The paragraph itself, untouched.\n\n${block}\n\nThe next paragraph.\n`,
  );
});

test('given CRLF, CR or mixed line ends, when a block is inserted, then it takes those of the line above', () => {
  for (const [note, at, end] of [
    ['A\r\n\r\nB\r\n', 3, '\r\n'],
    ['A\r\rB\r', 2, '\r'],
    ['A\nB\r\n\nC\n', 5, '\r\n'],
    ['A\r\nB\n\r\nC\r\n', 5, '\n'],
  ] as const) {
    const annotated = applyEdits(note, [insertBlock(note, at, content)]);
    assert.ok(annotated.slice(at).startsWith(end + block.replaceAll('\n', end) + end));
    assert.equal(stripBlocks(annotated).text, note);
  }
});

test('given a note without a final line end, when a block is inserted at its end, then it gets it back without one', () => {
  const annotated = applyEdits('A', [insertBlock('A', 1, content)]);
  assert.equal(annotated, `A\n\n${block}`);
  assert.equal(stripBlocks(annotated).text, 'A');
  assert.equal(stripBlocks(`${annotated}\n`).text, 'A\n', 'an editor added the final line end');
  assert.equal(stripBlocks(`${annotated}\n\nB`).text, 'A\n\nB', 'the writer went on');
});

test('given no thinking and no reflection, when a block is inserted, then it holds the suggestion only', () => {
  const { integrates: _, ...draft } = { ...content, thinking: '  ', reflection: '', iteration: 0, of: 0 };
  const annotated = applyEdits('A\n', [insertBlock('A\n', 2, draft)]);
  const [read] = readBlocks(annotated).blocks;
  assert.deepEqual(
    read?.sections.map(({ kind, title }) => [kind, title]),
    [['answer', 'Suggestion · draft']],
  );
});

test('given a model’s name of several lines with HTML, when a block is inserted, then its title is one line of text', () => {
  const model = 'Evil\r\n<!-- preflexor k3v9q2 end -->\u2028> [!answer]+ <b>';
  const annotated = applyEdits('A\n', [insertBlock('A\n', 2, { ...content, model })]);
  const [read] = readBlocks(annotated).blocks;
  assert.equal(
    read?.sections[0]?.title,
    'Thinking · iteration 2 of 3 · Evil <!-- preflexor k3v9q2 end --> > [!answer]+ <b>',
  );
  assert.equal(read.sections.length, 3);
});

test('given a place within a line or a bad id, when a block is to be inserted, then it is refused', () => {
  assert.throws(() => insertBlock('abc\n', 1, content), RangeError);
  assert.throws(() => insertBlock('a\r\nb', 2, content), RangeError);
  assert.throws(
    () => insertBlock('a\n', 2, { ...content, id: 'x -->' }),
    (error) => PreflexorError.is(error, 'bad-input'),
  );
});

test('given random numbers, when ids are made, then each is a valid block id', () => {
  assert.equal(
    newBlockId(() => 0),
    '00000000',
  );
  assert.equal(
    newBlockId(() => 0.999999),
    'zzzzzzzz',
  );
  for (let count = 0; count < 100; count += 1) BlockId.parse(newBlockId(Math.random));
});
