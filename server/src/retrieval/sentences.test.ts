import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runs } from './readers/testing/generated.ts';
import { sentencesOf } from './sentences.ts';

function sentences(text: string): string[] {
  return sentencesOf(text).map(({ start, end }) => text.slice(start, end));
}

test('given two sentences, when parted, then the space between them belongs to neither', () => {
  assert.deepEqual(sentences(' One ends.  Two ends! '), ['One ends.', 'Two ends!']);
});

for (const whole of [
  'Metals, e.g. Copper, conduct.',
  'This holds, i.e. Fig. 3 and Eq. (4) agree with Ref. 12.',
  'As Smith et al. Showed in Sec. II, it works.',
  'It was J. R. Smith, Prof. Miller and Dr. Li.',
  'A value of 3.14 or approx. Ten is used vs. Others.',
  'See [@smith2020, pp. 3-5; cf. @b] for more.',
  'Here $a. B = c$ is meant.',
  'Das gilt z.B. Für Stahl.',
]) {
  test(`given "${whole}", when parted, then it is one sentence`, () => {
    assert.deepEqual(sentences(whole), [whole]);
  });
}

test('given prices, when parted, then dollars hold no sentences together', () => {
  assert.deepEqual(sentences('It costs $5. Bread costs $6. All is dear.').length, 3);
});

test('given a sentence that ends in a citation, when parted, then the citation stays with it', () => {
  assert.deepEqual(sentences('It holds [@a]. More follows.'), ['It holds [@a].', 'More follows.']);
});

test('given languages without spaces, when parted, then their full stops count', () => {
  assert.deepEqual(sentences('日本語の文。次の文。'), ['日本語の文。', '次の文。']);
});

test('given any text, when parted, then nothing but white space is lost', () => {
  const unit = fc.constantFrom('a', 'B', '.', ' ', '\n', '$', '!', '😀', 'e.g. ', 'Dr. ', '?', '1', '(');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
      assert.equal(sentences(text).join('').replace(/\s/g, ''), text.replace(/\s/g, ''));
    }),
    runs(1000),
  );
});

test('given a text beyond the window without any full stop, when parted, then no character is broken', () => {
  const text = '😀'.repeat(30_000);
  assert.equal(sentences(text).join(''), text);
  for (const part of sentences(text)) assert.ok(part.isWellFormed());
});
