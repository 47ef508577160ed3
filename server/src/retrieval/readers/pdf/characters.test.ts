import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanText } from './characters.ts';

for (const [name, text, expected] of [
  ['ligatures of Unicode', 'o\uFB03ce and \uFB01nd', 'office and find'],
  ['ligatures of TeX’s T1 fonts', 'di\x1Berent \x1Celds', 'different fields'],
  ['ligatures of TeX’s OT1 fonts', 'e\x0Bect of \x0Cts', 'effect of fits'],
  ['dashes of TeX', '2\x153', '2–3'],
  ['a control character between spaces', 'a \x0C b', 'a   b'],
  ['a soft hyphen at the end', 'tem\u00AD', 'tem-'],
  ['a soft hyphen within', 'tem\u00ADper', 'temper'],
  ['a letter and its accent', 'e\u0301', 'é'],
] as const) {
  test(`given ${name}, when cleaned, then they are what a person reads`, () => {
    assert.equal(cleanText(text), expected);
  });
}
