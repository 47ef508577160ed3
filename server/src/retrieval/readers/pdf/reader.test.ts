import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../../../errors.ts';
import { runs } from '../testing/generated.ts';
import type { SourceDocument } from '../../ports.ts';
import { readDocument } from '../readDocument.ts';
import { pageHeight, pageWidth, pdfFile } from '../testing/pdfFile.ts';
import type { PlacedText } from '../testing/pdfFile.ts';
import {
  assertRunsMatch,
  assertSound,
  blockWith,
  readables,
  readOne,
  refusal,
  textOf,
  told,
} from '../testing/reading.ts';

const folder = join(import.meta.dirname, '../../../../../test/fixtures/documents');
const fixture = (name: string): Uint8Array => readFileSync(join(folder, name));
const readPages = (...pages: readonly (readonly PlacedText[])[]): Promise<SourceDocument> =>
  readOne('a.pdf', pdfFile(pages));

/** Lines below each other, from `y` on. */
function lines(texts: readonly string[], place: Partial<PlacedText> = {}): PlacedText[] {
  const { x = 50, y = 100, ...others } = place;
  return texts.map((text, index) => ({ text, x, y: y + 12 * index, ...others }));
}

const left = [
  'The left column begins with this line of',
  'text and goes on with a second and a third',
  'line, so that it is taken for a column of',
  'text that fills its side of this page here.',
  'It ends in the middle of a sentence that',
];
const right = [
  'goes on at the top of the right column, as',
  'it does in papers. Then the right column',
  'has as many lines as the left one has, and',
  'it is read after it, whatever their lines',
  'say to each other across the gap. The end.',
];

test('given lines of a paragraph, when read, then they are one block with its place in the page’s text', async () => {
  const document = await readPages(lines(['The first line of a paragraph is long and', 'goes on here.']));
  assert.deepEqual(readables(document), ['The first line of a paragraph is long and goes on here.']);
  assert.equal(
    textOf(document, blockWith(document, 'The first')),
    'The first line of a paragraph is long and\ngoes on here.',
  );
});

test('given two columns, when read, then the left one comes first and a sentence goes on over the gap', async () => {
  // Drawn line by line, as some programs do.
  const rows = left.flatMap((text, index) => [
    ...lines([text], { y: 100 + 12 * index }),
    ...lines([right[index] ?? ''], { x: 310, y: 100 + 12 * index }),
  ]);
  assert.deepEqual(readables(await readPages(rows)), [[...left, ...right].join(' ')]);
});

test('given a title over two columns, when read, then it comes first', async () => {
  const document = await readPages([
    { text: 'A title that reaches over both of the columns', x: 50, y: 60, size: 22 },
    ...lines(right, { x: 310, y: 110 }),
    ...lines(left, { y: 110 }),
  ]);
  assert.deepEqual(told(document), [
    ['heading', 'A title that reaches over both of the columns'],
    ['paragraph', [...left, ...right].join(' ')],
  ]);
});

test('given a word that is broken at a line’s end, when read, then it is whole', async () => {
  const document = await readPages(lines(['We measured the temper-', 'ature twice.']));
  assert.deepEqual(readables(document), ['We measured the temperature twice.']);
  assert.equal(textOf(document, blockWith(document, 'We')), 'We measured the temper-\nature twice.');
});

for (const [name, first, second, expected] of [
  ['a hyphen of its own elsewhere', 'The well-known law of a well-', 'known man.', 'well-known man'],
  [
    'a hyphen of its own in another form',
    'All cross-bridge states of cross-',
    'bridges count.',
    'cross-bridges count',
  ],
  ['two hyphens', 'It is state-of-the-', 'art work.', 'state-of-the-art work'],
  ['a capital after it', 'Known as the Navier-', 'Stokes equation.', 'Navier-Stokes equation'],
  ['a number before it', 'This is a 3-', 'dimensional case.', '3-dimensional case'],
] as const) {
  test(`given ${name}, when a line ends in a hyphen, then the hyphen stays`, async () => {
    assert.match(readables(await readPages(lines([first, second]))).join(), new RegExp(expected));
  });
}

const body = (number: number): PlacedText[] =>
  lines([
    `Page ${number} says something of its own in this line,`,
    'and it says it in more than one line of text.',
  ]);

test('given headers, footers and page numbers, when read, then they are left out', async () => {
  const pages = [1, 2, 3].map((number) => [
    { text: 'Journal of Things', x: 50, y: 30, size: 8 },
    { text: `Vol. 3, p. ${100 + number}`, x: 450, y: 30, size: 8 },
    ...body(number),
    { text: String(number), x: 300, y: 780 },
  ]);
  const all = readables(await readPages(...pages)).join('\n');
  assert.ok(!/Journal|Vol|\b10[123]\b/.test(all), all);
  assert.equal(all.match(/says something/g)?.length, 3);
});

test('given pages of which one is numbered in a sentence at the top, when read, then that line stays', async () => {
  const pages = [1, 2, 3].map((number) => [
    ...lines([`In ${1990 + number} it was found.`], { y: 60 }),
    ...lines(['It is so.'], { y: 72 }),
  ]);
  assert.equal(
    readables(await readPages(...pages))
      .join(' ')
      .match(/it was found/g)?.length,
    3,
  );
});

test('given text that is the same at the foot of each page but belongs to the paragraph, when read, then it stays', async () => {
  const pages = [1, 2, 3].map(() => lines(['Some line of the text.', 'return x;'], { y: 740 }));
  assert.equal(
    readables(await readPages(...pages))
      .join(' ')
      .match(/return x;/g)?.length,
    3,
  );
});

test('given a sentence that goes on overleaf, when read, then it is one block with its first page', async () => {
  const document = await readPages(
    [...lines(['This sentence begins on the first page and it'], { y: 700 }), { text: '1', x: 300, y: 780 }],
    [...lines(['goes on overleaf.'], { y: 60 }), { text: '2', x: 300, y: 780 }],
  );
  assert.deepEqual(
    document.blocks.map(({ readable, page }) => [readable, page]),
    [['This sentence begins on the first page and it goes on overleaf.', 1]],
  );
  assert.equal(document.texts['a.pdf'], 'This sentence begins on the first page and it\fgoes on overleaf.');
});

test('given a footnote below a sentence that goes on overleaf, when read, then it parts no sentence', async () => {
  const filler = lines(
    [
      'Much text is set in the usual size of letters here, so that it is',
      'known to be the usual one by the number of its letters alone.',
    ],
    { y: 300 },
  );
  const document = await readPages(
    [
      ...filler,
      ...lines(['The sentence begins here and'], { y: 600 }),
      ...lines(['1 A note in small letters.'], { y: 700, size: 7 }),
    ],
    lines(['goes on overleaf.'], { y: 60 }),
  );
  blockWith(document, 'The sentence begins here and goes on overleaf.');
  assert.equal(blockWith(document, 'A note').readable, '1 A note in small letters.');
});

test('given headings by size and number, when read, then blocks stand under them', async () => {
  const document = await readPages([
    { text: 'On the Strength of Things', x: 50, y: 60, size: 20 },
    { text: '1 Introduction', x: 50, y: 100, size: 13, font: 'bold' },
    ...lines(['Things are strong, and this is the text that says so at length.'], { y: 125 }),
    { text: '1.1 Old things', x: 50, y: 160, size: 11.5, font: 'bold' },
    ...lines(['Old things are weak, and this is the text that says so.'], { y: 185 }),
    { text: 'References', x: 50, y: 220, size: 13, font: 'bold' },
    ...lines(['Smith, J. (1990). On things, in a journal of all things.'], { y: 245 }),
  ]);
  assert.equal(document.title, 'On the Strength of Things');
  assert.deepEqual(
    ['Things are', 'Old things are', 'Smith'].map((words) => blockWith(document, words).heading),
    [
      ['On the Strength of Things', '1 Introduction'],
      ['On the Strength of Things', '1 Introduction', '1.1 Old things'],
      ['On the Strength of Things', 'References'],
    ],
  );
});

test('given a title in the document’s properties, when read, then it is the title', async () => {
  const file = pdfFile([lines(['Text of the page.'])], { title: 'The Real Title' });
  assert.equal((await readOne('a.pdf', file)).title, 'The Real Title');
});

for (const title of ['', 'untitled', 'Microsoft Word - draft.docx', 'paper_final.tex']) {
  test(`given the title "${title}" in the properties, when read, then the file’s name is the title`, async () => {
    assert.equal((await readOne('a.pdf', pdfFile([lines(['Text of the page.'])], { title }))).title, 'a');
  });
}

test('given code in letters of one width, when read, then its lines stay lines', async () => {
  const document = await readPages([
    ...lines(['This text tells of the code that is written below in this page.']),
    ...lines(['for (const item of items) {', '  total += item.value;', '}  // all of them are added'], {
      y: 140,
      font: 'mono',
    }),
  ]);
  assert.deepEqual(told(document)[1], [
    'code',
    'for (const item of items) {\ntotal += item.value;\n} // all of them are added',
  ]);
});

test('given a stamp in the margin and numbers along an axis, when read, then they are left out', async () => {
  const document = await readPages([
    ...body(1),
    { text: 'arXiv:1234.5678 [cs.CL]', x: 20, y: 500, turned: true },
    ...['0', '20', '40'].map((text, index) => ({ text, x: 100 + 60 * index, y: 400 })),
  ]);
  assert.equal(document.blocks.length, 1);
});

test('given a table, when read, then each row is a line with its cells apart', async () => {
  const rows = [
    ['Metal', 'MPa'],
    ['Copper', '210'],
    ['Iron', '540'],
  ];
  const cells = rows.flatMap((row, index) =>
    row.map((text, column) => ({ text, x: 80 + 150 * column, y: 300 + 14 * index })),
  );
  assert.deepEqual(told(await readPages([...body(1), ...cells]))[1], [
    'table',
    'Metal | MPa\nCopper | 210\nIron | 540',
  ]);
});

test('given a table of contents, when read, then it is left out', async () => {
  const entries = lines(
    Array.from({ length: 8 }, (_, index) => `${index + 1} Chapter ${'. '.repeat(20)}${index + 3}`),
    { y: 200 },
  );
  assert.ok(
    !readables(await readPages([...body(1), ...entries]))
      .join()
      .includes('Chapter'),
  );
});

for (const [name, code] of [
  ['encrypted.pdf', 'encrypted'],
  ['scanned.pdf', 'no-text'],
  ['damaged.pdf', 'damaged'],
] as const) {
  test(`given ${name}, when read, then it is refused as ${code}`, async () => {
    assert.equal((await refusal(name, fixture(name))).code, code);
  });
}

test('given a PDF that is cut off anywhere, when read, then it is read or refused, never an exception', async () => {
  const whole = fixture('two-columns.pdf');
  for (const share of [0.001, 0.1, 0.5, 0.9, 0.99]) {
    const bytes = whole.subarray(0, Math.floor(whole.length * share));
    const found = await readDocument('a.pdf', bytes, {
      readOther: () => Promise.resolve(null),
      maxBytes: 1e7,
      signal: new AbortController().signal,
    });
    if ('document' in found) assertSound(found.document);
    else assert.ok(['damaged', 'no-text'].includes(found.refusal.code));
  }
});

test('given a signal that is aborted while a PDF is read, when reading goes on, then it ends as cancelled', async () => {
  const stop = new AbortController();
  const reading = readDocument('a.pdf', fixture('printed.pdf'), {
    readOther: () => Promise.resolve(null),
    maxBytes: 1e7,
    signal: stop.signal,
  });
  setImmediate(() => stop.abort());
  await assert.rejects(reading, (error) => PreflexorError.is(error, 'cancelled'));
});

test('given a figure with labels in the middle of a sentence, when read, then the sentence is whole', async () => {
  const document = await readPages([
    ...lines(
      [
        'This sentence is long enough to fill the line up to its right edge, and it is',
        'then cut by a figure that stands between its first and its second half, so it',
      ],
      { y: 100 },
    ),
    { text: 'Alive', x: 120, y: 200 },
    { text: 'Dead', x: 300, y: 240 },
    ...lines(['Figure 1: Two states.'], { y: 300 }),
    ...lines(['goes on below it.'], { y: 340 }),
  ]);
  assert.match(readables(document)[0] ?? '', /second half, so it goes on below it\.$/);
  blockWith(document, 'Figure 1: Two states.');
});

test('given a real paper in two columns, when read, then its sections, sentences and code are those of the page', async () => {
  const document = await readOne('two-columns.pdf', fixture('two-columns.pdf'));
  assertSound(document);
  assert.deepEqual(
    document.blocks.filter(({ kind }) => kind === 'heading').map(({ readable }) => readable),
    [
      'Rcpp Extending',
      '1. Introduction',
      '2. Extending Rcpp::wrap',
      '3. Extending Rcpp::as',
      '4. Summary',
      'References',
    ],
  );
  // From the foot of the left column to the top of the right one.
  const texts = readables(document);
  const code = texts.findIndex((text) => text.includes('# $back'));
  assert.match(texts[code + 1] ?? '', /^The Rcpp converter functions Rcpp::as and Rcpp::wrap are extensible/);
  // A word broken at a line's end, on page 2.
  blockWith(document, 'Do not simultaneously use it alongside');
  assert.ok(!texts.some((text) => /Rcpp Vignette|January 11, 2022 \|/.test(text)));
  assert.equal(blockWith(document, 'The Rcpp package greatly facilitates').page, 3);
});

test('given a paper as a browser prints it, when read, then it is the paper’s text', async () => {
  const document = await readOne('printed.pdf', fixture('printed.pdf'));
  assertSound(document);
  assertRunsMatch(document);
  const note = readFileSync(join(folder, '../corpus/simcardems/paper.md'), 'utf8');
  const plain = (text: string): string => text.replace(/ \[@[^\]]*\]|[*_`]/g, '').replace(/\s+/g, ' ');
  const paragraphs = plain(
    note.slice(note.indexOf('# Summary'), note.indexOf('# References')).replace(/\n\n/g, '¶'),
  )
    .split('¶')
    .filter((text) => text.length > 200 && !text.includes(']('));
  assert.ok(paragraphs.length > 5);
  const all = readables(document).map(plain);
  // One compound is broken at its own hyphen, and nothing on the page tells.
  const unbroken = (text: string): string => text.replace('pre-defined', 'predefined').trim();
  for (const paragraph of paragraphs) assert.ok(all.includes(unbroken(paragraph)), paragraph.slice(0, 60));
  assert.ok(!all.some((text) => /Journal of Open Source Software|Page \d of/.test(text)));
});

test('given text anywhere on pages, when read, then every block is sound', async () => {
  const piece = fc.record({
    text: fc.constantFrom('alpha', 'beta gamma', 'Delta.', 'Epsilon-', 'zeta eta theta iota kappa'),
    x: fc.integer({ min: 0, max: pageWidth }),
    y: fc.integer({ min: 0, max: pageHeight }),
    size: fc.constantFrom(7, 10, 10, 10, 14),
    font: fc.constantFrom('regular' as const, 'bold' as const, 'mono' as const),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(piece, { maxLength: 25 }), { minLength: 1, maxLength: 2 }),
      async (pages) => {
        const found = await readDocument('a.pdf', pdfFile(pages), {
          readOther: () => Promise.resolve(null),
          maxBytes: 1e7,
          signal: new AbortController().signal,
        });
        if ('document' in found) assertSound(found.document);
      },
    ),
    runs(60),
  );
});
