import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyEdits } from '../notes/index.ts';
import { inverse } from './carryOut.ts';

test('given any text and edits, when the inverse edits are applied to the result, then the text is back', () => {
  const places = fc.uniqueArray(fc.nat(60), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.string({ minLength: 61 }),
      places,
      fc.array(fc.string(), { minLength: 4 }),
      (text, at, texts) => {
        const sorted = [...at].sort((a, b) => a - b);
        const edits = [];
        for (let index = 0; index + 1 < sorted.length; index += 2) {
          edits.push({
            start: sorted[index] ?? 0,
            end: sorted[index + 1] ?? 0,
            text: texts[index % texts.length] ?? '',
          });
        }
        assert.equal(applyEdits(applyEdits(text, edits), inverse(text, edits)), text);
      },
    ),
  );
});
