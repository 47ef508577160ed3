import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { runs } from '../testing/generated.ts';
import {
  assertRunsMatch,
  assertSound,
  blockWith,
  read,
  readables,
  readOne,
  result,
  textOf,
  told,
} from '../testing/reading.ts';

const folder = join(import.meta.dirname, '../../../../../test/fixtures/documents/paper');
const paper = Object.fromEntries(
  ['main.tex', 'sections/intro.tex', 'sections/results.tex'].map((name) => [
    name,
    readFileSync(join(folder, name), 'utf8'),
  ]),
);
const body = (latex: string) => readOne('a.tex', latex);
const text = async (latex: string) => readables(await body(latex)).join('\n');

test('given a paper in several files, when read, then its blocks are those of all files in reading order', async () => {
  const document = await read('main.tex', paper);
  assert.equal(document.title, 'Impedance of porous electrodes');
  assert.deepEqual(document.dependencies, ['sections/intro.tex', 'sections/results.tex']);
  assert.deepEqual(
    document.blocks.map(({ kind, source }) => `${kind} ${source}`),
    [
      'paragraph main.tex',
      ...['heading', 'paragraph', 'paragraph', 'paragraph'].map((kind) => `${kind} sections/intro.tex`),
      ...[
        'heading',
        'paragraph',
        'heading',
        'list',
        'list',
        'paragraph',
        'math',
        'paragraph',
        'paragraph',
        'table',
      ].map((kind) => `${kind} main.tex`),
      ...['heading', 'code', 'paragraph', 'paragraph', 'quote'].map((kind) => `${kind} sections/results.tex`),
    ],
  );
});

test('given sections in several files, when read, then the heading path goes on across them', async () => {
  const document = await read('main.tex', paper);
  assert.deepEqual(blockWith(document, 'All models').heading, ['Methods', 'Results']);
  assert.deepEqual(blockWith(document, 'We fit').heading, ['Abstract']);
  assert.deepEqual(blockWith(document, 'Porous electrodes are').heading, ['Introduction']);
});

test('given a paragraph with commands, when read, then it is text and its place gives the raw LaTeX', async () => {
  const document = await read('main.tex', paper);
  const block = blockWith(document, 'Porous electrodes are');
  assert.equal(
    block.readable,
    'Porous electrodes are “everywhere” [see @levie1963; @barsoukov2005, p. 3]. As @orazem2017 shows, they are hard to model (And harder to measure.).',
  );
  assert.deepEqual(block.citations, ['levie1963', 'barsoukov2005', 'orazem2017']);
  assert.ok(textOf(document, block).startsWith("Porous electrodes are ``everywhere'' \\citep[see][p.~3]{"));
});

test('given macros without parameters, when used, then what they stand for is read', async () => {
  const document = await read('main.tex', paper);
  assert.equal(
    blockWith(document, 'powder').readable,
    'TiO$_2$ powder was pressed in the laboratory, see Section [sec:results] and checked twice.',
  );
});

test('given what is no text of the paper, when read, then it is left out', async () => {
  const all = readables(await read('main.tex', paper)).join('\n');
  for (const hidden of [
    'That is none',
    'an aside',
    'This is never read',
    'draft is hidden',
    'A remark',
    'Writer',
    'cell.pdf',
  ])
    assert.ok(!all.includes(hidden), hidden);
});

test('given a stretch that is switched off, when read, then no chunk may reach over it', async () => {
  const document = await read('main.tex', paper);
  assert.deepEqual(
    ['The residual', 'It stays', 'All models'].map((words) => blockWith(document, words).apart),
    [false, true, true],
  );
});

for (const [name, latex, expected] of [
  ['an equation', '\\begin{equation}\\label{e}\nE &= mc^2 % note\n\\end{equation}', 'E = mc^2'],
  ['rows of equations', '\\begin{align*}a &= b \\\\ c &= d\\end{align*}', 'a = b\nc = d'],
  ['brackets', '\\[ x^2 \\]', 'x^2'],
  ['double dollars', '$$ x^2 $$', 'x^2'],
] as const) {
  test(`given math in ${name}, when read, then it is kept readable`, async () => {
    assert.deepEqual(told(await body(latex)), [['math', expected]]);
  });
}

for (const [name, latex, expected] of [
  ['accents', 'caf\\\'e na\\"{\\i}ve Erd\\H{o}s', 'café naïve Erdős'],
  ['special characters', '5\\% of R\\&D \\_x \\#1 \\$3 \\{a\\}', '5% of R&D _x #1 $3 {a}'],
  ['ties and spaces', 'Fig.~3\\,mm a\\ b', 'Fig. 3 mm a b'],
  [
    'quantities',
    '\\SI{5}{\\milli\\metre\\per\\second} \\num{1e5} \\qty{20}{\\degreeCelsius}',
    '5 mm/s 1 × 10^5 20 °C',
  ],
  ['links', '\\href{http://x.y/a%b}{the page} \\url{http://x.y/a_b}', 'the page http://x.y/a_b'],
  ['literal text', '\\verb|a % {b| and more', 'a % {b and more'],
  ['styles', '{\\bf bold} \\textbf{and \\emph{slanted}}', 'bold and slanted'],
  ['lone dollars', 'It costs 5\\$ or $6', 'It costs 5$ or $6'],
  ['references', 'See \\autoref{fig:a} and \\eqref{e}', 'See [fig:a] and [e]'],
  [
    'citations of many packages',
    '\\parencite{a} \\autocite[12]{b} \\textcite{c} \\cite{d,e} \\nocite{f}',
    '[@a] [@b, 12] @c [@d; @e]',
  ],
  ['a definition', '\\newcommand{\\x}[2][d]{#1 #2}Text \\x{a}{b}', 'Text a b'],
  ['an environment that is defined', '\\newenvironment{e}[1]{begin #1}{end}Text', 'Text'],
  ['a length', '\\setlength{\\parindent}{0pt}Text\\vspace{2mm}', 'Text'],
  ['a comment within a word', 'un%\nbroken', 'unbroken'],
] as const) {
  test(`given ${name}, when read, then a person reads "${expected}"`, async () => {
    assert.equal(await text(latex), expected);
  });
}

for (const [name, latex, expected] of [
  ['a brace that is never closed', 'One {two\n\nThree', ['One two', 'Three']],
  ['a brace too many', 'One} two', ['One two']],
  ['an environment that is never closed', '\\begin{itemize}\\item One\n\nTwo', ['One', 'Two']],
  ['an end without a beginning', 'One \\end{itemize} two', ['One', 'two']],
  ['an equation that is never closed', '\\begin{equation} x\n\nText', ['x', 'Text']],
  ['a section that is never closed', '\\section{Title\nText', ['Title', 'Text']],
  ['a preamble without a body', '\\documentclass{article}\nText', ['Text']],
  ['a backslash at the end', 'Text\\', ['Text']],
] as const) {
  test(`given ${name}, when read, then what can be read is`, async () => {
    assert.deepEqual(readables(await body(latex)), expected);
  });
}

const doc = (inside: string): string => `\\documentclass{article}\\begin{document}${inside}\\end{document}`;

test('given files that take each other in, when read, then each is read once', async () => {
  const files = { 'a.tex': doc('A \\input{b}'), 'b.tex': 'B \\input{a} \\input{b}' };
  assert.deepEqual(readables(await read('a.tex', files)), ['A', 'B']);
});

for (const path of ['../secret', '/etc/secret', '~/secret', 'x/../../secret', 'C:/secret', '|secret']) {
  test(`given \\input{${path}}, when read, then nothing outside the workspace is asked for`, async () => {
    const asked: string[] = [];
    const bytes = new TextEncoder().encode(doc(`Text \\input{${path}}`));
    const signal = new AbortController().signal;
    const { readDocument } = await import('../readDocument.ts');
    const readOther = (other: string) => {
      asked.push(other);
      return Promise.resolve(null);
    };
    await readDocument('a.tex', bytes, { readOther, maxBytes: 1e6, signal });
    assert.deepEqual(
      asked.filter((other) => other.startsWith('..') || /^[/~]|:/.test(other)),
      [],
    );
  });
}

test('given a main file in a folder, when it takes files in, then they are looked for beside it', async () => {
  const files = {
    'thesis/main.tex': doc('\\input{parts/one}'),
    'thesis/parts/one.tex': '\\input{parts/two}',
    'thesis/parts/two.tex': 'Two',
  };
  const document = await read('thesis/main.tex', files);
  assert.deepEqual(document.dependencies, ['thesis/parts/one.tex', 'thesis/parts/two.tex']);
});

test('given a subfile with a preamble of its own, when read, then only its body is', async () => {
  const files = {
    'a.tex': doc('\\subfile{s/b} After'),
    's/b.tex':
      '\\documentclass[../a]{subfiles}\n\\newcommand{\\x}{y}\n\\begin{document}Within\\end{document}',
  };
  assert.deepEqual(readables(await read('a.tex', files)), ['Within', 'After']);
});

test('given files nested beyond the limit, when read, then reading ends', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, depth) => [`f${depth}.tex`, `Text ${depth} \\input{f${depth + 1}}`]),
  );
  const document = await read('f0.tex', files);
  assert.ok(document.dependencies.length >= 10 && document.dependencies.length < 50);
});

test('given a file to be taken in that is too large or binary, when read, then the rest is', async () => {
  const files = {
    'a.tex': doc('A \\input{big} \\input{bin} B'),
    'big.tex': 'x'.repeat(2000),
    'bin.tex': new Uint8Array([0, 1]),
  };
  const found = await result('a.tex', files, { maxBytes: 1000 });
  assert.deepEqual('document' in found && readables(found.document), ['A', 'B']);
});

test('given mangled LaTeX, when read, then every block is sound', async () => {
  const part = fc.constantFrom(
    '\\section{A}',
    '\\begin{itemize}',
    '\\end{itemize}',
    '\\item',
    '\\begin{verbatim}',
    '\\end{verbatim}',
    '{',
    '}',
    '[',
    ']',
    '$',
    '$$',
    '%',
    '\n',
    '\n\n',
    ' ',
    'word',
    '\\cite{a,b}',
    "\\'",
    '\\',
    '\\verb|',
    '\\begin{equation}',
    '&',
    '~',
    '\\[',
    '\\]',
    '\\begin{tabular}{l}',
    '\\end{tabular}',
    '\\\\',
    '\\caption{',
    '\\footnote{',
    '\\newcommand{\\x}{y\\x}',
    '\\x',
    '\\def\\x',
    '\\iffalse',
    '\\fi',
    '\\input{a}',
    '\\SI{1}{\\m',
    '\\begin{document}',
    '\\documentclass{a}',
    '\r\n',
    '\\begin{comment}',
    '\\end{comment}',
    '😀',
    '\\let\\x=\\y',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 40 }), async (parts) => {
      const document = await readOne('m.tex', `${parts.join('')} end`).catch(() => null);
      if (!document) return;
      assertSound(document);
      assertRunsMatch(document);
    }),
    runs(1000),
  );
});

for (const [name, unit] of [
  ['unclosed sections', '\\section{'],
  ['unclosed commands', '\\textbf{'],
  ['unclosed brackets', '\\[ '],
  ['switched-off stretches', '\\iffalse '],
  ['unclosed environments', '\\begin{equation} '],
  ['literal text', '\\verb|'],
  ['braces', '{'],
] as const) {
  test(`given a hundred thousand ${name}, when read, then the end is reached`, async () => {
    const document = await body(`${unit.repeat(100_000)}\n\nLast words.\n`);
    assertSound(document);
    blockWith(document, 'Last words');
  });
}
