import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeModelText, normaliseModelText, unescapeModelText } from './escape.ts';
import { hostileText } from './testing/generatedNotes.ts';
import { runs } from './testing/runs.ts';

test('given any normalised text, when escaped and unescaped, then it is as it was', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const normalised = normaliseModelText(text);
      assert.equal(unescapeModelText(escapeModelText(normalised)), normalised);
    }),
    runs(10_000),
  );
});

test('given any text, when normalised twice, then the second time changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), hostileText, (one, other) => {
      const normalised = normaliseModelText(one + other);
      assert.equal(normaliseModelText(normalised), normalised);
      assert.ok(normalised.isWellFormed());
    }),
    runs(2000),
  );
});

test('given line ends and control characters of all kinds, when normalised, then only LF and tab are left', () => {
  assert.equal(
    normaliseModelText('a\r\nb\rc\u2028d\u2029e\u0085f\vg\fh\ti\0\u001b\u007f\u009f\ufeff\ud800j\udc00😀'),
    'a\nb\nc\nd\ne\nf g h\ti\ufffdj\ufffd😀',
  );
});

const escaped: readonly (readonly [string, string])[] = [
  ['<b>', '\\<b>'],
  ['</div> <!-- x --> <?php <|thinking|>', '\\</div> \\<!-- x \\--> \\<?php \\<|thinking|>'],
  ['a < b, 1<2, <3', 'a < b, 1<2, <3'],
  ['\\<b> \\\\<b>', '\\\\\\<b> \\\\\\\\\\<b>'],
  ['[!note] x\n  [!tip]- y\nsee [!z]', '\\[!note] x\n  \\[!tip]- y\nsee [!z]'],
  ['![alt](a.png)', '!\\[alt](a.png)'],
  ['[a]: https://x.org\n[^1]: note', '[a]\\: https://x.org\n[^1]\\: note'],
  ['[a](https://x.org) [b](fig/a.png) [c](#d)', '[a](https://x.org) [b](fig/a.png) [c](#d)'],
  ['[a](command:x) [b]( vscode://x)', '[a]\\(command:x) [b]\\( vscode://x)'],
  ['[a](\\command:x) [b](&#99;ommand:x)', '[a]\\(\\command:x) [b]\\(&#99;ommand:x)'],
  ['<command:x>', '\\<command:x>'],
  ['https://x.org/a', 'https://x.org/a'],
  ['https://x.org/<b>', 'https\\://x.org/\\<b>'],
  ['www.x.org/<b>', 'www\\.x.org/\\<b>'],
];

test('given each kind of live syntax, when escaped, then a backslash stands before it and nothing else changes', () => {
  for (const [text, expected] of escaped) {
    assert.equal(escapeModelText(text), expected);
    assert.equal(unescapeModelText(expected), text);
  }
});

test('given what the writer typed without or with two backslashes, when read, then it is left alone', () => {
  assert.equal(unescapeModelText('<b> \\\\<b> a \\* b'), '<b> \\\\<b> a \\* b');
});

test('given long runs of backslashes, brackets and addresses, when escaped, then it ends in linear time', () => {
  for (const part of ['\\', '](', 'http://', '[', '](\n', '<', 'www.', '\\<', '](\\']) {
    const text = part.repeat(200_000 / part.length);
    assert.equal(unescapeModelText(escapeModelText(text)), text);
  }
});
