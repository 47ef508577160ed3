import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { generatedNote, runs } from './testing/generated.ts';
import {
  assertRunsMatch,
  assertSound,
  blockWith,
  readables,
  readOne,
  refusal,
  textOf,
  told,
} from './testing/reading.ts';

const read = (note: string) => readOne('note.md', note);

test('given a note, when read, then each block has its kind and what a person reads of it', async () => {
  const document = await read(
    '# Title\n\nSome *marked* `code` and [a link](http://x.y).\n\n- one\n- two\n  more\n\n> said\n\n```js\nlet x;\n\n  y\n```\n\n$$\nE = mc^2\n$$\n\n| a | b |\n|---|---|\n| 1 | **2** |\n',
  );
  assert.deepEqual(told(document), [
    ['heading', 'Title'],
    ['paragraph', 'Some marked code and a link.'],
    ['list', 'one'],
    ['list', 'two more'],
    ['quote', 'said'],
    ['code', 'let x;\n  y'],
    ['math', 'E = mc^2'],
    ['table', 'a | b\n1 | 2'],
  ]);
});

test('given headings of several levels, when read, then each block has the path above it', async () => {
  const document = await read('# A\n\n## B\n\nx\n\n### C\n\ny\n\n## D\n\nz\n');
  assert.deepEqual(
    ['x', 'y', 'D', 'z'].map((text) => blockWith(document, text).heading),
    [['A', 'B'], ['A', 'B', 'C'], ['A'], ['A', 'D']],
  );
});

test('given markup at a paragraph’s edges, when read, then its place takes the markup in', async () => {
  const document = await read('First.\n\n**Bold** and *slanted*\n');
  assert.equal(textOf(document, blockWith(document, 'Bold')), '**Bold** and *slanted*');
});

test('given front matter, when read, then title and tags are known and it is no text', async () => {
  const document = await read(
    '---\ntitle: "My: title"\ntags: [Alloys, "#steel"]\ndate: 2020-01-01\n---\n\nText.\n',
  );
  assert.equal(document.title, 'My: title');
  assert.deepEqual(document.tags, ['Alloys', 'steel']);
  assert.deepEqual(readables(document), ['Text.']);
});

test('given an abstract in the front matter, when read, then it is read where it stands', async () => {
  const document = await read('---\nabstract: We show it.\n---\n\nText.\n');
  assert.equal(textOf(document, blockWith(document, 'We show it.')), 'We show it.');
});

for (const [name, front] of [
  ['a tag of another language’s objects', 'title: !!js/function "function () { throw 1 }"'],
  [
    'aliases that multiply',
    'a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]\ne: &e [*d,*d]\nf: &f [*e,*e]\ng: &g [*f,*f]\ntags: *g',
  ],
  ['broken YAML', 'title: [never: closed\n  tags'],
  ['a list', '- a\n- b'],
] as const) {
  test(`given front matter with ${name}, when read, then the note is read all the same`, async () => {
    assert.deepEqual(readables(await read(`---\n${front}\n---\n\nText.\n`)), ['Text.']);
  });
}

test('given tags in the text, when read, then they are the document’s, code and headings aside', async () => {
  const document = await read('# Not a tag\n\nOn #alloys/steel and (#3d-print), not a#b, #42 or `#code`.\n');
  assert.deepEqual(document.tags, ['alloys/steel', '3d-print']);
});

test('given citations, when read, then their keys are known and they stand in the text', async () => {
  const block = blockWith(await read('As [see @a, p. 3; @b] and @c say, not `@d`.\n'), 'As');
  assert.deepEqual(block.citations, ['a', 'b', 'c']);
  assert.match(block.readable, /\[see @a, p\. 3; @b\]/);
});

test('given inline math, when read, then it is kept between dollars', async () => {
  assert.deepEqual(readables(await read('With $\\alpha < 1$ here.\n')), ['With $\\alpha < 1$ here.']);
});

test('given escapes, references and other tools’ links, when read, then they are read as they are seen', async () => {
  const document = await read(
    'R\\*D &amp; more\u00A0[[Note|the note]] ==marked== ![[embed.png]]end ^block-1\n',
  );
  assert.deepEqual(readables(document), ['R*D & more the note marked end']);
});

test('given a figure, when read, then its caption is read and cites', async () => {
  const document = await read('![The *flow*, $a_b*c$ [@x]. \\label{fig:f}](f.png){ width="50%" }\n');
  assert.deepEqual(readables(document), ['The flow, $a_b*c$ [@x].']);
});

test('given a callout and a div, when read, then their marks are left out', async () => {
  assert.deepEqual(told(await read('> [!note] Title\n> Said.\n\n::: {.box}\nBoxed.\n:::\n')), [
    ['quote', 'Title Said.'],
    ['paragraph', 'Boxed.'],
  ]);
});

test('given HTML in a note, when read, then its text is and comments are not', async () => {
  assert.deepEqual(readables(await read('<!-- hidden -->\n\n<div>Seen &amp; read</div>\n\nText.\n')), [
    'Seen & read',
    'Text.',
  ]);
});

test('given a link whose address stands at the end of a long note, when read, then only its text is', async () => {
  const filler = 'A paragraph of some length.\n\n'.repeat(400);
  const document = await read(
    `See [the paper][p] and a note[^1].\n\n${filler}[p]: http://x.y\n\n[^1]: Noted.\n`,
  );
  assert.equal(document.blocks[0]?.readable, 'See the paper and a note.');
});

test('given an annotation, when read, then nothing of it is and no chunk may reach over it', async () => {
  const text = `Own words.\n\n<!-- preflexor abc123 begin -->\n> [!thinking]- Thinking\n> Invented words.\n\n> [!answer]+ Suggestion\n> Invented too.\n<!-- preflexor abc123 end -->\n\nMore own words.\n`;
  const document = await read(text);
  assert.deepEqual(
    document.blocks.map(({ readable, apart }) => [readable, apart]),
    [
      ['Own words.', false],
      ['More own words.', true],
    ],
  );
  assert.equal(textOf(document, blockWith(document, 'More')), 'More own words.');
});

test('given a model’s raw markers within a paragraph, when read, then the paragraph is parted there', async () => {
  const document = await read('Before it <|thinking|>invented<|/thinking|> after it.\n');
  assert.deepEqual(
    document.blocks.map(({ readable, apart }) => [readable, apart]),
    [
      ['Before it', false],
      ['after it.', true],
    ],
  );
});

test('given a note of nothing but an annotation, when read, then it is refused as empty', async () => {
  const note = '<!-- preflexor abc123 begin -->\n> [!answer]+ S\n> x\n<!-- preflexor abc123 end -->\n';
  assert.equal((await refusal('n.md', note)).code, 'empty');
});

test('given any note, when read, then every block is sound and its runs match the source', async () => {
  await fc.assert(
    fc.asyncProperty(generatedNote, async (note) => {
      fc.pre(note.trim() !== '' && !note.includes('\0'));
      const found = await readOne('n.md', note).catch(() => null);
      if (!found) return;
      assertSound(found);
      assertRunsMatch(found);
    }),
    runs(300),
  );
});

for (const [name, note] of [
  ['quotes', '> '.repeat(5000) + 'deep'],
  ['lists', Array.from({ length: 400 }, (_, depth) => `${'  '.repeat(depth)}- item`).join('\n')],
  ['brackets', `${'['.repeat(20_000)}deep`],
  ['emphasis', `${'*'.repeat(20_000)}deep${'*'.repeat(20_000)}`],
] as const) {
  test(`given ${name} nested thousands deep, when read, then the text is still found`, async () => {
    const document = await read(`${note}\n\nLast words.\n`);
    assertSound(document);
    blockWith(document, 'Last words.');
  });
}

test('given one paragraph of a megabyte, when read, then it is read and cut nowhere', async () => {
  const document = await read('word '.repeat(200_000));
  assert.equal(document.blocks.length, 1);
  assertSound(document);
});

test('given a long note, when it is read, then other work gets its turn', async () => {
  const note = 'A *paragraph* with a [link](x) and $m$.\n\n'.repeat(4000);
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  await read(note);
  clearInterval(timer);
  assert.ok(turns > 5, `only ${turns} turns`);
});
