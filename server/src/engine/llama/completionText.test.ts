import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StopReader, TokenDecoder } from './completionText.ts';

/** A vocabulary of single bytes: token n is the byte n. */
const bytes = (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens));

function readAll(pieces: readonly string[], stops: readonly string[]) {
  const reader = new StopReader(stops);
  let text = '';
  const tokens: number[] = [];
  for (const [token, piece] of pieces.entries()) {
    const read = reader.push(piece, [token]);
    text += read.text;
    tokens.push(...read.tokens);
    if (read.stop !== null) return { text, tokens, stop: read.stop };
  }
  const last = reader.end('', []);
  return { text: text + last.text, tokens: [...tokens, ...last.tokens], stop: last.stop };
}

/** What a stop should do, by looking at the whole text at once. */
function expected(text: string, stops: readonly string[]) {
  for (let end = 1; end <= text.length; end += 1) {
    const here = stops
      .filter((stop) => text.slice(0, end).endsWith(stop))
      .sort((a, b) => b.length - a.length)[0];
    if (here !== undefined) return { text: text.slice(0, end - here.length), stop: here };
  }
  return { text, stop: null };
}

test('given any text, stops and cuts, when it is read in pieces, then the result is that of the whole text', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '|', '<'), maxLength: 4 });
  const stop = fc.string({ unit: fc.constantFrom('a', 'b', '|', '<'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 12 }), fc.array(stop, { maxLength: 3 }), (pieces, stops) => {
      const wanted = expected(pieces.join(''), stops);
      const { text, stop } = readAll(pieces, stops);
      assert.deepEqual({ text, stop }, wanted);
    }),
    { numRuns: 2000 },
  );
});

test('given a stop that straddles three tokens, when it is read, then the tokens before it come out and no other', () => {
  const read = readAll(['Well', ' then', '\n<', '|/thinking', '|> more'], ['<|/thinking|>']);
  assert.equal(read.text, 'Well then\n');
  // The third token began before the stop, so that a part of it belongs to the text.
  assert.deepEqual(read.tokens, [0, 1, 2]);
  assert.equal(read.stop, '<|/thinking|>');
});

test('given what only looks like a stop, when it goes on otherwise, then held text comes out with its tokens', () => {
  const reader = new StopReader(['<|end|>']);
  assert.deepEqual(reader.push('a<|', [1]), { text: 'a', tokens: [], stop: null });
  assert.deepEqual(reader.push('en', [2]), { text: '', tokens: [], stop: null });
  assert.deepEqual(reader.push('d of', [3]), { text: '<|end of', tokens: [1, 2, 3], stop: null });
});

test('given the end, when text is held back, then it is given as it stands', () => {
  const reader = new StopReader(['<|end|>']);
  reader.push('a<|en', [1]);
  assert.deepEqual(reader.end('', []), { text: '<|en', tokens: [1], stop: null });
});

test('given any text as bytes, when it is decoded one byte at a time, then no half character ever comes out', () => {
  // U+FFFD itself, written out, looks like half a character to the decoder, and may be lost at the end.
  const written = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\uFFFD'));
  fc.assert(
    fc.property(written, (text) => {
      const decoder = new TokenDecoder(bytes);
      const pieces = [...new TextEncoder().encode(text)].map((byte) => decoder.push(byte));
      const whole = pieces.filter((piece) => piece !== null);
      for (const piece of whole)
        assert.ok(piece.isWellFormed() && !piece.includes('\uFFFD'), JSON.stringify(piece));
      assert.equal(whole.join('') + decoder.end(), text);
    }),
  );
});

test('given a character that is cut off, when the text ends, then what came before it is given without it', () => {
  const decoder = new TokenDecoder(bytes);
  assert.equal(decoder.push(0x41), 'A');
  assert.equal(decoder.push(0xf0), null);
  assert.equal(decoder.push(0x9f), null);
  assert.equal(decoder.end(), '');
});

test('given bytes that never make a character, when they go on, then they are not waited for forever', () => {
  const decoder = new TokenDecoder(bytes);
  const pieces = [0xff, 0xff, 0xff, 0xff, 0x41].map((byte) => decoder.push(byte));
  assert.equal(pieces.filter((piece) => piece !== null).join(''), '\uFFFD\uFFFD\uFFFD\uFFFDA');
});

test('given a vocabulary that drops the first space, when a token follows the prompt, then its space stays', () => {
  const words = ['', ' Hello', ' world'];
  const sentencePiece = (tokens: readonly number[]) =>
    tokens
      .map((token) => words[token])
      .join('')
      .replace(/^ /, '');
  const decoder = new TokenDecoder(sentencePiece, [1]);
  assert.equal(decoder.push(2), ' world');
});
