import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import { markdownDocument } from '../testing/papers.ts';
import { keyOf } from './candidates.ts';
import { acronymOf, definitionsIn } from './acronyms.ts';
import { keyPhrasesOf, mentionsIn, type KeyPhrase } from './index.ts';
import { isStopWord, languageOf, type Language } from './languages.ts';
import { wordsOfText } from './words.ts';

const never = new AbortController().signal;

async function phrasesOf(text: string): Promise<readonly KeyPhrase[]> {
  return (await keyPhrasesOf(markdownDocument('note.md', text), never)).phrases;
}

async function strongLabels(text: string): Promise<string[]> {
  return (await phrasesOf(text)).filter(({ strong }) => strong).map(({ label }) => label);
}

function key(text: string, language: Language = 'eng'): string {
  return keyOf(text.split(' '), language);
}

for (const [one, other] of [
  ['grain boundary', 'grain boundaries'],
  ['Grain-boundary', 'grain boundary'],
  ["Young's modulus", 'young modulus'],
  ['stiffness matrices', 'stiffness matrix'],
  ['analyses', 'analysis'],
  ['behaviour', 'behavior'],
  ['modelling', 'modeling'],
  ['stresses', 'stress'],
  ['homogenisation', 'homogenization'],
] as const) {
  test(`given "${one}" and "${other}", when they are compared, then they are one concept`, () => {
    assert.equal(key(one), key(other));
  });
}

for (const [one, other] of [
  ['mechanics', 'mechanic'],
  ['bias', 'bia'],
  ['filling', 'filing'],
  ['stress', 'stres'],
  ['organ', 'organization'],
] as const) {
  test(`given "${one}" and "${other}", when they are compared, then they stay two`, () => {
    assert.notEqual(key(one), key(other));
  });
}

test('given German and French plurals, when they are compared with the singular, then they are one concept', () => {
  assert.equal(key('Korngrenzen', 'deu'), key('Korngrenze', 'deu'));
  assert.equal(key('joints', 'fra'), key('joint', 'fra'));
  assert.equal(key('matériaux', 'fra'), key('matériau', 'fra'));
});

for (const [language, text] of [
  [
    'eng',
    'the strength of the material is given by the size of its grains and not by the load that it was under',
  ],
  [
    'deu',
    'die Festigkeit des Werkstoffs wird nicht von der Last bestimmt, die auf ihm liegt, sondern von den Körnern',
  ],
  [
    'fra',
    'la résistance du matériau est donnée par la taille de ses grains et non par la charge qui est sur lui',
  ],
  [
    'spa',
    'la resistencia del material no es dada por la carga sino por el tamaño de los granos que hay en él',
  ],
  ['und', 'Σ3 twins Hall-Petch 42 MPa'],
] as const) {
  test(`given a sentence, when its language is asked for, then it is ${language}`, () => {
    const words = wordsOfText(text).map(({ surface }) => surface);
    assert.equal(languageOf(words), language);
  });
}

test('given numbers and single letters, when they are looked up, then they carry no meaning in any language', () => {
  for (const word of ['42', '3', 'x', 'é']) assert.equal(isStopWord(word, 'fin'), true);
});

test('given an expansion with its acronym, when either is mentioned, then both are mentions of one concept', async () => {
  const text =
    'The finite element method (FEM) is old. We use FEM here. Finite element methods converge, and FEMs are quick.';
  const phrases = await phrasesOf(text);
  const found = phrases.find(({ label }) => label === 'finite element method (FEM)');
  assert.deepEqual(
    found?.mentions.map(({ start, end }) => text.slice(start, end)),
    ['finite element method', 'FEM', 'FEM', 'Finite element methods', 'FEMs'],
  );
  assert.deepEqual(
    phrases.filter(({ key: own }) => own === 'fem'),
    [],
  );
});

for (const [text, acronym, expansion] of [
  ['an orientation distribution function (ODF) is', 'ODF', 'orientation distribution function'],
  ['the FEM (finite element method) is', 'FEM', 'finite element method'],
  ['several equivalent circuit models (ECMs) are', 'ECM', 'equivalent circuit models'],
  ['a Research and Development Agreement (RDA) with', 'RDA', 'Research and Development Agreement'],
  ['of electron back scatter diffraction (EBSD) maps', 'EBSD', 'electron back scatter diffraction'],
] as const) {
  test(`given "${text}", when acronyms are read, then ${acronym} is explained`, () => {
    const [definition] = definitionsIn(wordsOfText(text));
    assert.equal(definition?.acronym, acronym);
    assert.equal(definition.expansion.map(({ surface }) => surface).join(' '), expansion);
  });
}

for (const text of [
  'as in the USA (Natick) today',
  'the program (MATLAB) is',
  'see it (Fig) here',
  'grains (SEM)',
]) {
  test(`given "${text}", when acronyms are read, then none is explained`, () => {
    assert.deepEqual(definitionsIn(wordsOfText(text)), []);
  });
}

test('given a plain word, a plural acronym and a name, when acronyms are told apart, then two capitals make one', () => {
  assert.deepEqual(['grain', 'ECMs', 'DNA', 'Firedrake', 'A'].map(acronymOf), [
    null,
    'ECM',
    'DNA',
    null,
    null,
  ]);
});

test('given math, code and citations that come again and again, when concepts are taken, then none is from them', async () => {
  const text =
    'We call `solve_matrix` twice: `solve_matrix` on $\\sigma_{yield}$ and $\\sigma_{yield}$ [@smith2020; @smith2020].\n\n' +
    '```python\nsolver = Solver()\nsolver.run()\nsolver.run()\n```\n\n$$\\sigma = E \\epsilon + \\sigma$$\n\n' +
    'Grain boundaries are hard; a grain boundary stops slip [@smith2020].';
  const keys = (await phrasesOf(text)).map((phrase) => phrase.key).join('\n');
  assert.match(keys, /grain boundary/);
  assert.doesNotMatch(keys, /solve|sigma|epsilon|smith|python/);
});

test('given a phrase that only stands within a longer one, when concepts are taken, then the longer one is it', async () => {
  const text = 'The von Mises stress grows. A von Mises stress is a stress. This von Mises stress was high.';
  const labels = await strongLabels(text);
  assert.ok(labels.includes('von Mises stress'), labels.join());
  assert.ok(!labels.includes('von Mises') && !labels.includes('Mises stress'), labels.join());
});

test('given references and acknowledgements, when concepts are taken, then people and titles there make none', async () => {
  const text = `# Texture\n\nTexture matters. Texture is measured.\n\n# Acknowledgements\n\nWe thank Ada Lovelace and again Ada Lovelace.\n\n# References\n\nCharles Babbage. Charles Babbage.`;
  const keys = (await phrasesOf(text)).map((phrase) => phrase.key);
  assert.ok(keys.includes('texture'));
  assert.deepEqual(
    keys.filter((own) => /ada|babbage/.test(own)),
    [],
  );
});

test('given a short note, when each phrase stands once, then it has concepts all the same', async () => {
  const labels = await strongLabels(
    'Nacre owes its fracture toughness to mineral bridges between the aragonite platelets.',
  );
  assert.ok(labels.includes('fracture toughness') && labels.includes('mineral bridges'), labels.join());
});

test('given a German note, when concepts are taken, then plurals are joined and stop words are none', async () => {
  const text =
    'Die Korngrenze hält die Versetzung auf. An der Korngrenze sammeln sich die Versetzungen, und viele Korngrenzen machen den Werkstoff hart. Auch eine Versetzung kann wandern.';
  const labels = await strongLabels(text);
  assert.ok(labels.includes('Korngrenze') && labels.includes('Versetzung'), labels.join());
  assert.ok(!labels.some((label) => /^(?:die|auch|viele)$/i.test(label)), labels.join());
});

test('given the same document, when its concepts are taken twice, then they are the same', async () => {
  const text = 'Grain size and grain boundary, grain size again. Slip stops at a grain boundary.';
  assert.deepEqual(await phrasesOf(text), await phrasesOf(text));
});

test('given known phrases, when another text names them, then their places there are found, acronyms too', async () => {
  const known = await keyPhrasesOf(
    markdownDocument(
      'a.md',
      'The finite element method (FEM) needs a stiffness matrix. The stiffness matrix is sparse.',
    ),
    never,
  );
  const text = 'Stiffness matrices come from FEM, not from `stiffness matrix`.';
  const found = mentionsIn(text, known).flatMap(({ places }) =>
    places.map(({ start, end }) => text.slice(start, end)),
  );
  assert.deepEqual(found.sort(), ['FEM', 'Stiffness matrices']);
});

test('given a signal that is aborted, when concepts are taken, then it ends as cancelled', async () => {
  const document = markdownDocument('a.md', 'Grain size.');
  await assert.rejects(keyPhrasesOf(document, AbortSignal.abort()), (error) =>
    PreflexorError.is(error, 'cancelled'),
  );
});

/** Where a script writes no blanks, the words of a piece depend on what stood around it. */
const withoutBlanks = (key: string): string => key.replaceAll(' ', '');

test('given any text, when concepts are taken, then each mention reads as its concept', async () => {
  const word = fc.constantFrom(
    'grain', 'boundary', 'boundaries', 'the', 'of', 'FEM', '(FEM)', 'finite', 'element', 'method', 'Kanapy', 'is', '*soft*',
    '`code`', '$x$', '.', ',', '\n\n', '# Grains\n\n', '[@key]', '|', '晶界', 'é', '\ud83d\ude00',
  ); // prettier-ignore
  const texts = fc.oneof(
    fc.array(word, { maxLength: 60 }).map((words) => words.join(' ')),
    fc.string({ unit: 'binary', maxLength: 300 }),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const { language, phrases } = await keyPhrasesOf(markdownDocument('a.md', text), never);
      for (const phrase of phrases) {
        assert.ok(phrase.mentions.length > 0);
        for (const { start, end } of phrase.mentions) {
          const surfaces = wordsOfText(text.slice(start, end)).map(({ surface }) => surface);
          const own = keyOf(surfaces, language);
          const said = [phrase.key, phrase.acronymKey ?? phrase.key].map(withoutBlanks);
          assert.ok(said.includes(withoutBlanks(own)), `${own} at ${start} is no ${phrase.key}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});
