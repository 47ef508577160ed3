import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Root } from 'mdast';
import { frontMatterEnd } from './closers.ts';
import { lineAt, textStart } from './lines.ts';
import { parseMarkdown } from './markdown.ts';
import { StructureScanner } from './structure.ts';
import { generatedNote, lineSoupNote } from './testing/generatedNotes.ts';
import { lineStarts } from './testing/places.ts';
import { runs } from './testing/runs.ts';

const anyNote = fc.oneof(generatedNote, lineSoupNote);

interface Scan {
  readonly fences: number[];
  readonly frontMatter: number[];
  readonly boundaries: number[];
  readonly headings: string[];
}

function scan(note: string, unclosed: 'runs-on' | 'ignored'): Scan {
  const found: Scan = { fences: [], frontMatter: [], boundaries: [], headings: [] };
  const scanner = new StructureScanner(note, { unclosed });
  while (scanner.nextLine()) {
    const { start, heading, region, boundary } = scanner;
    if (region === 'fence') found.fences.push(start);
    if (region === 'front-matter') found.frontMatter.push(start);
    if (boundary) found.boundaries.push(start);
    if (heading) found.headings.push(`${heading.level} ${note.slice(heading.start, heading.end)}`);
  }
  return found;
}

function bodyStart(note: string): number {
  return frontMatterEnd(note) || textStart(note);
}

/** Starts of the lines that micromark gives to fenced code at top level. */
function fencedLines(note: string): number[] {
  const base = bodyStart(note);
  const lines: number[] = [];
  for (const { type, position } of parseMarkdown(note.slice(base)).children) {
    const start = base + (position?.start.offset ?? 0);
    if (type !== 'code' || !/^[`~]/.test(note.slice(start))) continue;
    const end = base + (position?.end.offset ?? 0);
    lines.push(...lineStarts(note).filter((line) => line >= lineAt(note, start).start && line <= end));
  }
  return lines;
}

/** Empty lines at the end of a note belong to an open fence or not, as you like. */
function withoutEmptyEnd(note: string, lines: readonly number[]): number[] {
  const end = note.trimEnd().length;
  return lines.filter((line) => line <= end);
}

test('given any note, when scanned as CommonMark, then its fences at top level are micromark’s', () => {
  fc.assert(
    fc.property(anyNote, (note) => {
      assert.deepEqual(
        withoutEmptyEnd(note, scan(note, 'runs-on').fences),
        withoutEmptyEnd(note, fencedLines(note)),
        JSON.stringify(note),
      );
    }),
    runs(800),
  );
});

test('given any note, when cut at the scanner’s boundaries, then its parts parse to what the whole parses to', () => {
  fc.assert(
    fc.property(anyNote, (note) => {
      const cuts = [bodyStart(note), ...scan(note, 'runs-on').boundaries, note.length];
      const parts = cuts.slice(1).flatMap((end, index) => outline(note, cuts[index] ?? 0, end));
      assert.deepEqual(parts, outline(note, bodyStart(note), note.length), JSON.stringify(note));
    }),
    runs(600),
  );
});

/** Types and places of the top-level nodes in a part of the note, without empty lines at their ends. */
function outline(note: string, start: number, end: number): string[] {
  const root: Root = parseMarkdown(note.slice(start, end));
  return root.children.map(({ type, position }) => {
    const from = start + (position?.start.offset ?? 0);
    const text = note.slice(from, start + (position?.end.offset ?? 0)).trimEnd();
    return `${type} ${from} ${from + text.length}`;
  });
}

test('given any note, when scanned, then its headings at top level are micromark’s', () => {
  fc.assert(
    // Below link definitions an underline is told apart where a heading is asked for: see paragraphs.test.ts.
    fc.property(
      anyNote.filter((note) => !note.includes('[x]:')),
      (note) => {
        const base = bodyStart(note);
        const expected = parseMarkdown(note.slice(base)).children.flatMap((node) => {
          if (node.type !== 'heading') return [];
          const start = node.children[0]?.position?.start.offset ?? 0;
          const end = node.children.at(-1)?.position?.end.offset ?? 0;
          return [`${node.depth} ${note.slice(base + start, base + end)}`];
        });
        assert.deepEqual(scan(note, 'runs-on').headings, expected, JSON.stringify(note));
      },
    ),
    runs(500),
  );
});

test('given any note, when scanned, then its lists at top level are micromark’s', () => {
  fc.assert(
    fc.property(anyNote, (note) => {
      const scanner = new StructureScanner(note, { unclosed: 'runs-on' });
      while (scanner.nextLine());
      const base = bodyStart(note);
      const expected = parseMarkdown(note.slice(base)).children.flatMap(({ type, position }) => {
        if (type !== 'list') return [];
        const start = base + (position?.start.offset ?? 0);
        return [
          [lineAt(note, start).start, note.slice(0, base + (position?.end.offset ?? 0)).trimEnd().length],
        ];
      });
      const found = scanner.lists.map(({ start, end }) => [start, note.slice(0, end).trimEnd().length]);
      assert.deepEqual(found, expected, JSON.stringify(note));
    }),
    runs(500),
  );
});

const fenceCases: readonly (readonly [string, readonly number[]])[] = [
  ['a\n```\nb\n```\nc\n', [1, 2, 3]],
  ['a\n```\nb\n', []],
  ['```\na\n~~~\nb\n```\n', [0, 1, 2, 3, 4]],
  ['````\n```\n````\n', [0, 1, 2]],
  ['```\na\n``` js\n', []],
  ['- a\n  ```\n  b\n\nc\n\n```js\nd\n```\n', [6, 7, 8]],
  ['> ```\n> a\n\n```\nb\n```\n', [3, 4, 5]],
  ['<!--\n```\n-->\n```\na\n```\n', [3, 4, 5]],
  ['<!--\n```\na\n```\n', [1, 2, 3]],
  ['$$\n```\n$$\n```\na\n```\n', [3, 4, 5]],
  ['    ```\na\n```\nb\n```\n', [2, 3, 4]],
  ['---\n```\n---\n```\na\n```\n', [3, 4, 5]],
];

test('given fences, closed or not, when those that are not closed are ignored, then the others are found', () => {
  for (const [note, expected] of fenceCases) {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = note.replaceAll('\n', end);
      const starts = lineStarts(text);
      assert.deepEqual(
        scan(text, 'ignored').fences,
        expected.map((line) => starts[line]),
        JSON.stringify(text),
      );
    }
  }
});

test('given front matter, when scanned, then it ends at its closing fence; without one it is none', () => {
  assert.deepEqual(scan('---\na: b\n---\nc\n', 'ignored').frontMatter, [0, 4, 9]);
  assert.deepEqual(scan('\uFEFF+++\r\na = 1\r\n+++ \r\nc', 'ignored').frontMatter, [1, 6, 13]);
  for (const note of ['---\na\n', 'a\n---\nb\n---\n', '---- \na\n---\n', '---\na\n ---\n']) {
    assert.deepEqual(scan(note, 'ignored').frontMatter, [], JSON.stringify(note));
  }
});

test('given a note that begins with a rule, when scanned, then what follows is read as markdown', () => {
  assert.deepEqual(scan('---\n# Heading\n', 'ignored').headings, ['1 Heading']);
});

test('given hostile repetitions, when scanned, then it ends in linear time', () => {
  for (const part of [
    '> ',
    '- ',
    '`',
    '```\n',
    '``` x\n',
    '`````\n````\n``` y\n',
    '<!--\n',
    '<a ',
    '[^',
    '# #',
    '|',
    '\t',
    '\r',
  ]) {
    const note = part.repeat(300_000 / part.length);
    for (const unclosed of ['runs-on', 'ignored'] as const) {
      const scanner = new StructureScanner(`${note}\n\n\na`, { unclosed });
      while (scanner.nextLine());
      assert.ok(scanner.line >= 3);
    }
  }
});
