import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whatBecame } from './reflections.ts';

const thinking = 'Small grains are hard. Heat never matters here. Grains grow with time.';

test('given a quoted sentence, when it stands in the next thinking as well, then it is not removed', () => {
  const { isQuote, removed, others } = whatBecame(
    'Heat never matters here.',
    thinking,
    'Small grains are hard, and HEAT never matters: here.',
  );
  assert.deepEqual([isQuote, removed], [true, false]);
  assert.deepEqual(others, { count: 2, removed: 1 });
});

test('given a quoted sentence, when one word of it has changed, then it is removed', () => {
  assert.equal(whatBecame('Heat never matters here.', thinking, 'Heat often matters here.').removed, true);
});

test('given a part of a sentence, when it is quoted, then it counts, and its sentence is none of the others', () => {
  const { isQuote, others } = whatBecame('never matters here', thinking, '');
  assert.equal(isQuote, true);
  assert.equal(others.count, 2);
});

test('given what is no quotation of one sentence, when it is looked up, then there is nothing to be removed', () => {
  for (const sentence of [
    'Heat always matters here.',
    'Heat never',
    'eat never matters here',
    // Everything at once would always be gone.
    thinking,
    '',
    null,
  ])
    assert.deepEqual(
      { ...whatBecame(sentence, thinking, ''), others: null },
      { isQuote: false, removed: null, others: null },
      String(sentence),
    );
});

test('given the same thinking again, when it is compared, then nothing was removed', () => {
  assert.deepEqual(whatBecame('Grains grow with time.', thinking, thinking), {
    ...{ isQuote: true, removed: false },
    others: { count: 2, removed: 0 },
  });
});
