import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frontMatterEnd } from './closers.ts';
import { parseMarkdown } from './markdown.ts';
import { stretchesOf } from './stretches.ts';
import { generatedNote } from './testing/generatedNotes.ts';
import { runs } from './testing/runs.ts';

type Place = readonly [type: string, start: number | undefined];

function topLevel(text: string, offset: number): Place[] {
  return parseMarkdown(text).children.map(({ type, position }) => [
    type,
    (position?.start.offset ?? 0) + offset,
  ]);
}

test('given any note, when it is cut in stretches, then they are its body without gaps', () => {
  fc.assert(
    fc.property(generatedNote, fc.integer({ min: 0, max: 80 }), (note, least) => {
      const start = frontMatterEnd(note) || (note.startsWith('\uFEFF') ? 1 : 0);
      const parts = [...stretchesOf(note, least)].map((part) => note.slice(part.start, part.end));
      assert.equal(parts.join(''), note.slice(start));
    }),
    runs(300),
  );
});

test('given any note, when its stretches are parsed one by one, then each heading, code and math stands where it does in the whole', () => {
  const told = ({ 0: type }: Place): boolean => ['heading', 'code', 'math', 'html', 'table'].includes(type);
  fc.assert(
    fc.property(generatedNote, (note) => {
      const stretches = [...stretchesOf(note, 0)];
      const start = stretches[0]?.start ?? note.length;
      const parts = stretches.flatMap((part) => topLevel(note.slice(part.start, part.end), part.start));
      assert.deepEqual(parts.filter(told), topLevel(note.slice(start), start).filter(told));
    }),
    runs(300),
  );
});

test('given a least length, when a note is cut, then only the last stretch is shorter', () => {
  const note = 'A paragraph.\n\n'.repeat(50);
  const lengths = [...stretchesOf(note, 100)].map(({ start, end }) => end - start);
  assert.ok(lengths.slice(0, -1).every((length) => length >= 100 && length < 130));
  assert.ok(lengths.length > 5);
});
