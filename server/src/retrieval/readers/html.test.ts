import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { runs } from './testing/generated.ts';
import {
  assertRunsMatch,
  assertSound,
  blockWith,
  readables,
  readOne,
  textOf,
  told,
} from './testing/reading.ts';

const read = (html: string) => readOne('page.html', html);
const page = readFileSync(join(import.meta.dirname, '../../../../test/fixtures/documents/page.html'), 'utf8');

test('given a page, when read, then its blocks are what a person sees, in their order', async () => {
  const document = await read(page);
  assert.equal(document.title, 'Grain boundaries & strength');
  assert.deepEqual(told(document), [
    ['heading', 'Grain boundaries'],
    ['paragraph', 'Smaller grains make stronger metals — the Hall–Petch relation. It fails below 10 nm.'],
    ['heading', 'Data'],
    ['list', 'Copper'],
    ['list', 'fine'],
    ['list', 'Iron'],
    ['table', 'Strength\nMetal | MPa\nCu | 210'],
    ['code', 'x = 1 < 2\ny = 2'],
    ['quote', 'Finer is better.'],
    ['paragraph', 'With $\\sigma_y$ the yield stress.'],
    ['paragraph', 'The end ☺ ¬anentity; R&D.'],
  ]);
});

test('given entities, when read, then offsets give the raw HTML', async () => {
  const document = await read(page);
  assert.equal(
    textOf(document, blockWith(document, 'Smaller')),
    'Smaller grains make <em>stronger</em> metals&nbsp;&mdash; the Hall&ndash;Petch relation.<br>It fails below 10&thinsp;nm.',
  );
});

test('given CRLF line ends, when read, then offsets are those of the file', async () => {
  const document = await read('<p>one\r\ntwo</p>\r\n\r\n<p>three</p>\r\n');
  assert.deepEqual(
    document.blocks.map((block) => textOf(document, block)),
    ['one\r\ntwo', 'three'],
  );
});

test('given a script between paragraphs, when read, then no chunk may reach over it', async () => {
  const document = await read('<p>One.</p><p>Two.</p><script>x()</script><p>Three.</p>');
  assert.deepEqual(
    document.blocks.map(({ apart }) => apart),
    [false, false, true],
  );
});

for (const [name, html] of [
  ['a script', '<script>bad</script>'],
  ['a style', '<style>bad</style>'],
  ['a template', '<template>bad</template>'],
  ['navigation', '<nav>bad</nav>'],
  ['a navigation role', '<div role="navigation">bad</div>'],
  ['a hidden element', '<p hidden>bad</p>'],
  ['an element hidden by style', '<p style="color:red; display : none">bad</p>'],
  ['an element hidden from readers', '<span aria-hidden="true">bad</span>'],
  ['a comment', '<!-- bad -->'],
  ['a form’s control', '<button>bad</button>'],
  ['a drawing', '<svg><text>bad</text></svg>'],
] as const) {
  test(`given ${name}, when read, then it is left out`, async () => {
    assert.deepEqual(readables(await read(`${html}<p>Good.</p>`)), ['Good.']);
  });
}

test('given a table that lays out the page, when read, then its cells are blocks', async () => {
  const document = await read('<table><tr><td><h1>A</h1><p>One.</p></td><td><p>Two.</p></td></tr></table>');
  assert.deepEqual(told(document), [
    ['heading', 'A'],
    ['paragraph', 'One.'],
    ['paragraph', 'Two.'],
  ]);
});

test('given elements nested ten thousand deep, when read, then the text is found', async () => {
  const document = await read(`${'<div>'.repeat(10_000)}Deep.${'</div>'.repeat(10_000)}`);
  assert.deepEqual(readables(document), ['Deep.']);
});

const tag = fc.constantFrom(
  'p',
  'div',
  'b',
  'table',
  'tr',
  'td',
  'li',
  'ul',
  'h2',
  'pre',
  'script',
  'select',
  'math',
  'a',
);
const mangled = fc
  .array(
    fc.oneof(
      fc
        .tuple(fc.constantFrom('<', '</'), tag, fc.constantFrom('>', ' hidden>', '', ' a="&amp;>'))
        .map((p) => p.join('')),
      fc.constantFrom(
        'text',
        ' ',
        '\r\n',
        '&lt;',
        '&amp',
        '&#0;',
        '\0',
        '<!--',
        '-->',
        '😀',
        '<',
        '&nosuch;',
        'R&D',
      ),
    ),
    { maxLength: 30 },
  )
  .map((parts) => `${parts.join('')}<p>End.`);

test('given mangled HTML, when read, then every block is sound', async () => {
  await fc.assert(
    fc.asyncProperty(mangled, async (html) => {
      const document = await readOne('a.html', html.replaceAll('\0', '')).catch(() => null);
      if (!document) return;
      assertSound(document);
      assertRunsMatch(document);
    }),
    runs(500),
  );
});
