import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { runs } from './testing/generated.ts';
import { readBibliography } from './bibtex.ts';
import type { BibliographyEntry } from './bibtex.ts';
import { assertSound, readOne } from './testing/reading.ts';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures');
const library = readFileSync(join(fixtures, 'documents/library.bib'), 'utf8');

function entry(key: string, text = library): BibliographyEntry {
  return readBibliography(text).find((found) => found.key === key) ?? assert.fail(`no entry ${key}`);
}

test('given a library in all its forms, when read, then every entry with a key is found in its order', () => {
  assert.deepEqual(
    readBibliography(library).map(({ key, type }) => `${type} ${key}`),
    [
      'article levie1963',
      'book orazem2017',
      'article broken2001',
      'inproceedings lasia1999',
      'online websource',
      'incollection child',
      'book parent',
      'article levie1963',
    ],
  );
});

test('given an entry, when read, then its fields are text and its place is its very text', () => {
  const { start, end, ...fields } = entry('levie1963');
  assert.deepEqual(fields, {
    key: 'levie1963',
    type: 'article',
    title: 'On porous electrodes in electrolyte solutions: I. Capacitance effects',
    authors: ['R. de Levie', 'Jörg Müller', 'Anders Ångström'],
    year: '1963',
    venue: 'Journal of the Electrochemical Society',
    doi: '10.1016/0013-4686(63)80042-0',
    url: null,
    abstract:
      'We treat porous electrodes. The capacitance of $\\alpha$-phase pores is derived, with an accuracy of 5%.',
    keywords: ['impedance', 'porous', 'electrode'],
    file: 'files/12/levie_1963.pdf',
  });
  assert.match(library.slice(start, end), /^@article\{levie1963,[^]*text\/plain\},\n\}$/);
});

test('given an address with escapes, when read, then it is the address', () => {
  assert.equal(entry('orazem2017').url, 'https://example.org/a_b?c=1%2');
});

test('given an entry that is never closed, when read, then its fields are and the next entry stands', () => {
  assert.deepEqual(entry('broken2001').authors, ['A. Lost']);
  assert.equal(entry('lasia1999').venue, 'Modern Aspects of Electrochemistry');
});

test('given a chapter that refers to its book, when read, then the book is its venue', () => {
  const { venue, year, authors } = entry('child');
  assert.deepEqual(
    { venue, year, authors },
    { venue: 'The whole book', year: '1987', authors: ['Jane Doe', 'José Corpé'] },
  );
});

for (const [name, value, expected] of [
  ['umlauts', String.raw`G{\"o}del, M\"uller \"{U}ber`, 'Gödel, Müller Über'],
  ['accents over dotless letters', String.raw`na{\"\i}ve S{\'\i}`, 'naïve Sí'],
  ['accents with a word', String.raw`{\v S}koda, \c{c}a, \v{s}, Erd{\H o}s`, 'Škoda, ça, š, Erdős'],
  ['letters of their own', String.raw`{\O}rsted, Stra{\ss}e, {\L}ukasz, \aa`, 'Ørsted, Straße, Łukasz, å'],
  ['braces and dashes', 'The {DNA} of pages 1--2 --- all', 'The DNA of pages 1–2 — all'],
  ['quotes', "``Quoted'' it", '“Quoted” it'],
  ['styles', String.raw`\textit{Slanted} {\bf bold} \emph{x}`, 'Slanted bold x'],
  ['escapes and a percent sign', String.raw`R\&D at 5\% and 5% \_x`, 'R&D at 5% and 5% _x'],
  ['math', String.raw`$\alpha$-Fe and H$_2$O`, String.raw`$\alpha$-Fe and H$_2$O`],
  ['an unknown command', String.raw`\unknown{kept} text`, 'kept text'],
] as const) {
  test(`given a title with ${name}, when read, then it is read as it is printed`, () => {
    assert.equal(entry('k', `@misc{k, title = {${value}}}`).title, expected);
  });
}

for (const [written, spoken] of [
  ['Knuth, Donald E.', ['Donald E. Knuth']],
  ['Donald E. Knuth', ['Donald E. Knuth']],
  ['de la Cruz, Jr., Juan', ['Juan de la Cruz, Jr.']],
  ['{Barnes and Noble Inc.} and Ng, A.', ['Barnes and Noble Inc.', 'A. Ng']],
  ['A. One\n  and B. Two and others', ['A. One', 'B. Two']],
] as const) {
  test(`given the authors "${written.replace('\n', ' ')}", when read, then they are ${spoken.join(' + ')}`, () => {
    assert.deepEqual(entry('k', `@misc{k, author = {${written}}}`).authors, spoken);
  });
}

test('given strings that are put together, when read, then the value is whole', () => {
  const text = '@string{a = "One"}\n@string{b = a # " Two"}\n@misc{k, title = b # { Three} # mar}';
  assert.equal(entry('k', text).title, 'One Two ThreeMarch');
});

test('given a bibliography as a document, when read, then each entry is a block and its key is defined', async () => {
  const document = await readOne('library.bib', library);
  assert.equal(document.blocks.length, 8);
  assert.deepEqual(document.blocks[0]?.citations, ['levie1963']);
  assert.equal(
    document.blocks[1]?.readable,
    'Electrochemical Impedance Spectroscopy\nMark E. Orazem, Bernard Tribollet. 2017. Wiley',
  );
  assert.equal(document.defines.length, 7);
});

test('given the bibliographies of the corpus, when read, then every entry has a key, a title and a year', () => {
  for (const paper of ['autoeis', 'echemfem', 'elasticipy', 'kanapy', 'simcardems']) {
    const text = readFileSync(join(fixtures, `corpus/${paper}/paper.bib`), 'utf8');
    const entries = readBibliography(text);
    assert.equal(entries.length, text.match(/^@\w+\{/gm)?.length, paper);
    for (const { key, title } of entries) assert.ok(title, `${paper}: ${key} has no title`);
  }
});

test('given mangled BibTeX, when read, then places are in order and within the text', async () => {
  const part = fc.constantFrom(
    '@',
    '@article{',
    '@misc(',
    '@string{',
    '@comment{',
    'key',
    ',',
    '=',
    ' title = ',
    '{',
    '}',
    '"',
    '#',
    '\n',
    ')',
    String.raw`\"o`,
    '$',
    '\n@book{k2,',
    '12',
    ' and ',
    '%',
    '😀',
    '\\',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 40 }), async (parts) => {
      const text = `${parts.join('')}\n@misc{last, title = {Last}}\n`;
      let place = 0;
      for (const { start, end } of readBibliography(text)) {
        assert.ok(start >= place && end > start && end <= text.length);
        place = end;
      }
      const document = await readOne('a.bib', text).catch(() => null);
      if (document) assertSound(document);
    }),
    runs(500),
  );
});

test('given thousands of broken entries, when read, then it takes no longer than as many sound ones', () => {
  const broken = '@article{k, title = {a {b, \n'.repeat(5000);
  assert.equal(readBibliography(broken).length, 5000);
});
