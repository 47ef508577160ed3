// A work that a model made up never reads as a citation, and nothing else of its text changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { citationPlaces, markUnknownCitations } from './index.ts';

const known = new Set(['real', 'kocks1998texture']);
const marked = (text: string): string => markUnknownCitations(text, known).text;
const keys = (text: string): string[] => [...citationPlaces(text)].flat().map(({ key }) => key);

const examples: readonly (readonly [string, string, string])[] = [
  ['a citation of its own', 'So it is [@smith2020].', 'So it is [unknown citation: smith2020].'],
  ['one without a bracket', 'As @smith2020 says.', 'As [unknown citation: smith2020] says.'],
  [
    'one with a place in the work',
    'So [see @smith2020, p. 3].',
    'So [unknown citation: see smith2020, p. 3].',
  ],
  ['one without its author', 'Smith [-@smith2020].', 'Smith [unknown citation: smith2020].'],
  ['one beside a real one', 'So [@real; @smith2020].', 'So [@real] [unknown citation: smith2020].'],
  [
    'one between real ones',
    'So [@real, p. 1; @smith2020; @kocks1998texture].',
    'So [@real, p. 1; @kocks1998texture] [unknown citation: smith2020].',
  ],
  [
    'one in the same part as a real one',
    'So [see @real after @smith2020].',
    'So [see @real after unknown citation: smith2020].',
  ],
  ['one in braces', 'So @{https://made.up/x}.', 'So [unknown citation: https://made.up/x].'],
  ['one in a heading', '# Of @smith2020', '# Of [unknown citation: smith2020]'],
  [
    'one that a link shows',
    '[see @smith2020](https://x.org)',
    '[see [unknown citation: smith2020]](https://x.org)',
  ],
  ['one in a remark in brackets', '[a remark; @smith2020]', '[a remark; [unknown citation: smith2020]]'],
  [
    'one in a bracket inside a bracket that cites too',
    '[[see @real; -@smith2020] and @smith2021]',
    '[unknown citation: [see @real] [unknown citation: smith2020] and smith2021]',
  ],
  ['one in an inline note', 'So^[it is; @smith2020].', 'So^[it is; [unknown citation: smith2020]].'],
];
for (const [name, text, wanted] of examples) {
  test(`given ${name} that no bibliography knows, when it is marked, then a person sees it and pandoc does not`, () => {
    assert.equal(marked(text), wanted);
  });
}

test('given what follows could make a link or a definition of the mark, when it is marked, then it stays text', () => {
  assert.equal(marked('@smith2020: he says'), '[unknown citation: smith2020] : he says');
  assert.equal(marked('@smith2020(here)'), '[unknown citation: smith2020] (here)');
  assert.equal(marked('[@smith2020][here]'), '[unknown citation: smith2020] [here]');
});

test('given code, math, HTML and addresses, when they are marked, then they are what they were', () => {
  const text = [
    '`@a` $@b$ <b title="@c"> ada@smith.org <ada@smith.org> https://x.org/@d \\@e',
    '```\n[@f]\n```',
    '$$\n@g\n$$',
    '<div>\n@h\n</div>',
    '    [@i]',
  ].join('\n\n');
  assert.deepEqual(markUnknownCitations(text, known), { text, unknown: [] });
});

test('given keys of the note itself, when they are cited, then they stay; the others are told once each', () => {
  const text = 'A [@mine], [@x] and @y, again [@x].';
  assert.deepEqual(markUnknownCitations(text, new Set(), new Set(['mine'])), {
    text: 'A [@mine], [unknown citation: x] and [unknown citation: y], again [unknown citation: x].',
    unknown: ['x', 'y'],
  });
});

const key = fc.constantFrom(
  'real',
  'kocks1998texture',
  'smith2020',
  'doe:99',
  'a_b',
  '{x/y}',
  '{a@b}',
  '{@c}',
  'a<b>c',
  'a$b',
);
const piece = fc.oneof(
  key.map((name) => `@${name}`),
  fc.tuple(key, key).map(([a, b]) => `[see @${a}, p. 3; -@${b}]`),
  fc.constantFrom(
    '[',
    ']',
    '(',
    ')',
    ':',
    ';',
    '`',
    '$',
    '*',
    '_',
    '\\',
    '!',
    '^',
    '|',
    '\n',
    '\n\n',
    '> ',
    '# ',
    '- ',
  ),
  fc.constantFrom(' words ', 'ada@x.org', '<b>', '<!-- ', ' -->', '```\n', 'https://x.org/', '.', ' '),
);
const text = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(''));

test('given any text, when it is marked, then no unknown work is cited in it any more', () => {
  fc.assert(
    fc.property(text, (original) => {
      assert.deepEqual(markUnknownCitations(marked(original), known).unknown, []);
    }),
  );
});

test('given any text, when it is marked twice, then the second time changes nothing', () => {
  fc.assert(
    fc.property(text, (original) => {
      assert.equal(marked(marked(original)), marked(original));
    }),
  );
});

test('given any text that cites only real works, when it is marked, then it is what it was', () => {
  fc.assert(
    fc.property(text, (original) => {
      const all = new Set(markUnknownCitations(original, new Set()).unknown);
      assert.equal(markUnknownCitations(original, all).text, original);
    }),
  );
});

test('given sentences with citations, when they are marked, then the real ones are still cited and the words are all there', () => {
  const word = fc.constantFrom('grains', 'are', 'small', 'hence', 'hard');
  const cited = fc
    .array(fc.constantFrom('real', 'kocks1998texture', 'smith2020', 'doe99'), { minLength: 1, maxLength: 4 })
    .map((names) => `[${names.map((name) => `@${name}`).join('; ')}]`);
  fc.assert(
    fc.property(fc.array(fc.oneof(word, cited), { maxLength: 12 }), (parts) => {
      const original = parts.join(' ');
      const real = keys(original).filter((name) => known.has(name));
      assert.deepEqual(keys(marked(original)), real);
      const words = (of: string): string[] =>
        of
          .replace(/\[[^\]]*\]/g, ' ')
          .split(/\s+/)
          .filter(Boolean);
      assert.deepEqual(words(marked(original)), words(original));
    }),
  );
});
