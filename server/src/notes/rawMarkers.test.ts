import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyEdits, insertBlock, readRawMarkers } from './index.ts';
import { generatedNote, hostileText } from './testing/generatedNotes.ts';
import { runs } from './testing/runs.ts';

test('given marker pairs in a note, when read, then each has its kind, lines and offsets', () => {
  const note =
    'a\n<|thinking|>\nx\n<|/thinking|>\n<|reflect|>\ny\n<|/reflection|>\n\n<think>z\n\n</think> b\n';
  assert.deepEqual(
    readRawMarkers(note).map(({ kind, startLine, endLine, start, end }) => [
      kind,
      startLine,
      endLine,
      note.slice(start, end),
    ]),
    [
      ['thinking', 1, 3, '<|thinking|>\nx\n<|/thinking|>'],
      ['reflection', 4, 6, '<|reflect|>\ny\n<|/reflection|>'],
      ['thinking', 8, 10, '<think>z\n\n</think>'],
    ],
  );
});

test('given a section within another, when read, then both are found, in the order of their start', () => {
  const note = '<|thinking|>\r\n<|reflect|>\r\na\r\n<|/reflect|>\r\n<|/thinking|>';
  assert.deepEqual(
    readRawMarkers(note).map(({ kind, startLine, endLine }) => [kind, startLine, endLine]),
    [
      ['thinking', 0, 4],
      ['reflection', 1, 3],
    ],
  );
});

test('given markers without a partner, in code, in backticks, escaped or in an annotation, when read, then none count', () => {
  const pair = '<|thinking|>\nx\n<|/thinking|>';
  const edit = insertBlock('A\n', 2, { id: 'k3v9q2', answer: pair, iteration: 0, of: 0, model: 'M' });
  for (const note of [
    '<|thinking|>\nx',
    'x\n<|/thinking|>',
    '<|thinking|>\n<|/reflect|>',
    '<think>\n</thinking>',
    `\`\`\`\n${pair}\n\`\`\``,
    `---\n${pair}\n---\n`,
    'say `<|thinking|>`\nand `<|/thinking|>`',
    '\\<|thinking|>\n\\<|/thinking|>',
    applyEdits('A\n', [edit]),
  ]) {
    assert.deepEqual(readRawMarkers(note), [], note);
  }
});

test('given any text, when read, then pairs lie within the text and start before they end', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(generatedNote, hostileText), { maxLength: 4 }), (parts) => {
      const note = parts.join('\n');
      for (const { start, end, startLine, endLine } of readRawMarkers(note)) {
        assert.ok(start < end && end <= note.length && startLine <= endLine);
        assert.match(note.slice(start, end), /^<\|?[\s\S]*\/(?:think|thinking|reflect|reflection)\|?>$/);
      }
    }),
    runs(800),
  );
});
