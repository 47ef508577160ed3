// Where citations stand in a note, and which keys are its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bibliographiesOf, citationPlaces, isCrossReference, keysOfNote, openCitation } from './index.ts';

const places = (note: string) => [...citationPlaces(note)].flat();
const keys = (note: string) => places(note).map(({ key }) => key);

const block = `<!-- preflexor k3v9q2xa begin -->
> [!answer]+ Suggestion · draft
> As @invented says.
<!-- preflexor k3v9q2xa end -->
`;

test('given citations in every form, when a note is read, then each is found with the place of its text', () => {
  const note =
    '# Of [@a]\n\nSee @b and [-@c, p. 3; cf. @d].\n\n- > @{http://e.org/x}\n\n| h |\n| - |\n| @f |\n';
  assert.deepEqual(keys(note), ['a', 'b', 'c', 'd', 'http://e.org/x', 'f']);
  for (const { key, start, end } of places(note))
    assert.ok([`@${key}`, `@{${key}}`].includes(note.slice(start, end)), key);
});

test('given code, math, HTML, comments, addresses and escapes, when a note is read, then nothing in them is a citation', () => {
  const note = [
    '---\nnocite: "@front"\n---\n',
    '`@a` and $x @b$ and <b title="@c"> and <!-- @d --> and ada@e.org and \\@f and https://x.org/@g\n',
    '```\n@h\n```\n\n    @i\n\n$$\n@j\n$$\n\n<div>\n@k\n</div>\n',
  ].join('\n');
  assert.deepEqual(keys(note), []);
});

test('given an annotation, when a note is read, then what the model wrote there is not the note’s own', async () => {
  assert.deepEqual(keys(`Mine [@a].\n\n${block}`), ['a']);
  assert.deepEqual([...(await keysOfNote(`Mine [@a].\n\n${block}`))], ['a']);
});

test('given labels and works in the front matter, when its keys are asked for, then they belong to the note', async () => {
  const note =
    '---\nreferences:\n  - id: own\n    title: A work\n---\n\n![Grains](g.png){#fig:grains} as [@cited].\n';
  assert.deepEqual([...(await keysOfNote(note))].sort(), ['cited', 'fig:grains', 'own']);
});

test('given bibliographies in the front matter, when they are asked for, then one and many are read, and half-typed YAML gives none', () => {
  assert.deepEqual(bibliographiesOf('---\nbibliography: a.bib\n---\n'), ['a.bib']);
  assert.deepEqual(bibliographiesOf('---\nbibliography: [a.bib, sub/b.bib]\n---\n'), ['a.bib', 'sub/b.bib']);
  assert.deepEqual(bibliographiesOf('---\nbibliography: [a.bib\n---\n'), []);
  assert.deepEqual(bibliographiesOf('bibliography: a.bib\n'), []);
});

test('given keys of figures and of works, when they are told apart, then only the reserved prefixes are cross-references', () => {
  assert.ok(['fig:one', 'tbl-two', 'eq:3', 'sec:intro'].every(isCrossReference));
  assert.ok(!['figueroa2020', 'equation', 'smith:2020', 'kocks1998'].some(isCrossReference));
});

test('given a cursor, when a key is being typed before it, then its start and what is typed are told', () => {
  const at = (text: string) => openCitation(text, text.length);
  assert.deepEqual(at('See [@'), { start: 6, typed: '' });
  assert.deepEqual(at('See [@a; @koc'), { start: 10, typed: 'koc' });
  assert.deepEqual(at('See @{koc'), { start: 6, typed: 'koc' });
  assert.deepEqual(at('See [-@Koc'), { start: 7, typed: 'Koc' });
});

test('given a cursor where no key can be, when it is asked about, then there is none', () => {
  for (const text of ['ada@ex', 'See [@a ', '`[@co', '```\n@co', '$$\n@m', '---\nnocite: @f', '<!-- @c'])
    assert.equal(openCitation(`${text}\`\n$$ -->\n---\n`, text.length), null, text);
});

test('given a long note, when it is read window by window, then every citation is found once', () => {
  const paragraph = fc
    .nat(999)
    .map((number) => `Grains [@key${String(number)}] are small, ${'and so on '.repeat(40)}.`);
  fc.assert(
    fc.property(fc.array(paragraph, { minLength: 1, maxLength: 120 }), (paragraphs) => {
      const wanted = paragraphs.map((text) => /@(key\d+)/.exec(text)?.[1] ?? '');
      assert.deepEqual(keys(paragraphs.join('\n\n')), wanted);
    }),
    { numRuns: 30 },
  );
});
