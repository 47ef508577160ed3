import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runs } from './testing/generated.ts';
import { assertRunsMatch, assertSound, blockWith, readOne, textOf, told } from './testing/reading.ts';

const read = (text: string) => readOne('notes.txt', text);

test('given paragraphs, when read, then line ends within them are spaces', async () => {
  const document = await read('One\r\nline.\r\n\r\n  Another.\r\n');
  assert.deepEqual(told(document), [
    ['paragraph', 'One line.'],
    ['paragraph', 'Another.'],
  ]);
  assert.equal(textOf(document, blockWith(document, 'One')), 'One\r\nline.');
});

test('given underlined and numbered lines, when read, then they are headings', async () => {
  const document = await read(
    'Title\n=====\n\n1. Introduction\n\na\n\n2.1 Samples used\n\nb\n\nIV. RESULTS\n\nc\n',
  );
  assert.deepEqual(
    told(document).filter(([kind]) => kind === 'heading'),
    [
      ['heading', 'Title'],
      ['heading', '1. Introduction'],
      ['heading', '2.1 Samples used'],
      ['heading', 'IV. RESULTS'],
    ],
  );
});

test('given a numbered list with blank lines, when read, then its items are no headings', async () => {
  const document = await read('1. Buy milk\n\n2. Sell the cow\n\n2.5 litres of it remain.\n');
  assert.deepEqual(
    document.blocks.map(({ kind }) => kind),
    ['list', 'list', 'paragraph'],
  );
});

test('given bullets, when read, then each is an item without its mark', async () => {
  assert.deepEqual(told(await read('- one\n  goes on\n* two\n')), [
    ['list', 'one goes on'],
    ['list', 'two'],
  ]);
});

test('given any text, when read, then every block is sound', async () => {
  const line = fc.constantFrom(
    '',
    ' ',
    'text',
    '====',
    '---',
    '1. Item',
    '- a',
    '\f',
    '2.1 Heading',
    '\t',
    '😀',
    '***',
  );
  const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')).map((parts) => parts.join('')));
  await fc.assert(
    fc.asyncProperty(text, async (lines) => {
      const document = await readOne('a.txt', `${lines.join('')}x`);
      assertSound(document);
      assertRunsMatch(document);
    }),
    runs(300),
  );
});
