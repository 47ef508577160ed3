import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeText } from './decodeText.ts';

function textOf(bytes: Uint8Array): string {
  const decoded = decodeText(bytes);
  return 'text' in decoded ? decoded.text : assert.fail(decoded.refusal.reason);
}

test('given any text without NUL, when its UTF-8 is decoded, then it is that very text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'é', '日', '😀', '\r\n', '\n', ' ', '\t') }),
      (text) => {
        assert.equal(textOf(Buffer.from(text, 'utf8')), text);
      },
    ),
  );
});

for (const [name, bytes] of [
  ['UTF-8', Buffer.from('\uFEFFcafé', 'utf8')],
  ['UTF-16 little-endian', Buffer.from('\uFEFFcafé', 'utf16le')],
  ['UTF-16 big-endian', Buffer.from('\uFEFFcafé', 'utf16le').swap16()],
] as const) {
  test(`given ${name} with a byte order mark, when decoded, then the mark is no part of the text`, () => {
    assert.equal(textOf(bytes), 'café');
  });
}

test('given Latin-1, when decoded, then its letters are right', () => {
  assert.equal(textOf(Buffer.from('na\u00EFve caf\u00E9', 'latin1')), 'naïve café');
});

test('given Windows quotes, when decoded, then they are quotes', () => {
  assert.equal(textOf(Buffer.from([0x93, 0x61, 0x94])), '“a”');
});

test('given UTF-8 with one broken byte, when decoded, then the rest is not taken for Latin-1', () => {
  const bytes = Buffer.concat([Buffer.from('déjà vu à côté ', 'utf8'), Buffer.from([0xff])]);
  assert.equal(textOf(bytes), 'déjà vu à côté \uFFFD');
});

test('given HTML that names its encoding, when decoded, then by that', () => {
  const bytes = Buffer.concat([
    Buffer.from('<meta charset="iso-8859-2">', 'latin1'),
    Buffer.from([0xb3]), // ł
  ]);
  assert.ok(textOf(bytes).endsWith('ł'));
});

for (const [name, bytes] of [
  ['NUL bytes', Buffer.from('a\0b')],
  ['an image', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])],
  ['control characters', Buffer.from([1, 2, 3, 4, 5, 0xff, 0xfe, 6, 7])],
] as const) {
  test(`given ${name}, when decoded, then it is refused as no text`, () => {
    const decoded = decodeText(bytes);
    assert.equal('refusal' in decoded && decoded.refusal.code, 'not-text');
  });
}
