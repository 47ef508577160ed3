// Why there is no paragraph at a place, in words for the writer.
import type { Nodes } from 'mdast';
import { PreflexorError } from '../errors.ts';
import { frontMatterEnd } from './closers.ts';
import { lineAt } from './lines.ts';
import { isLatexBlock, rangeOf } from './parsedNote.ts';
import type { ParsedNote, Window } from './parsedNote.ts';

/** The longest note that is worked on, in UTF-16 code units. */
const longestNote = 4_000_000;
/** A text in which more than this share of units are control characters is none. */
const mostControls = 0.1;

const remedy = 'Put the cursor into a paragraph of text, a list item or a quote, and try again.';

/** @throws PreflexorError `note-too-large`, `not-text` */
export function checkNote(note: string): void {
  if (note.length > longestNote) {
    const size = (note.length / 1_000_000).toFixed(1);
    throw new PreflexorError(
      'note-too-large',
      `This note has ${size} million characters; 4 million is the limit.`,
      {
        remedy: 'Split it into smaller notes.',
      },
    );
  }
  if (note.includes('\0') || controlShare(note) > mostControls) {
    throw new PreflexorError('not-text', 'This file is not text.', {
      remedy: 'Open a markdown note instead.',
    });
  }
}

function controlShare(note: string): number {
  let controls = 0;
  for (let place = 0; place < note.length; place += 1) {
    const unit = note.charCodeAt(place);
    // Tab, line feed, vertical tab, form feed and carriage return are white space; U+FFFD stands for broken bytes.
    if ((unit < 32 && (unit < 9 || unit > 13)) || unit === 127 || unit === 0xfffd) controls += 1;
  }
  return note.length === 0 ? 0 : controls / note.length;
}

/** The error for a place in a block at top level that is too long to be parsed. */
export function refuseLongBlock(): PreflexorError {
  return new PreflexorError(
    'note-too-large',
    'The text at the cursor is one block of more than 300 000 characters.',
    {
      remedy: 'Split it into paragraphs with empty lines between them.',
    },
  );
}

/** The error for a line that holds no paragraph of the note's own. */
export function refuse(parsed: ParsedNote, lineStart: number): PreflexorError {
  const { note } = parsed;
  if (note.trim() === '') {
    return new PreflexorError('not-a-paragraph', 'This note has no text yet.', {
      remedy: 'Write a paragraph, put the cursor into it, and try again.',
    });
  }
  const block = parsed.blockAt(lineStart);
  if (block) {
    return new PreflexorError('not-a-paragraph', `The cursor is in the annotation ${block.id}.`, {
      remedy: 'Put it into the paragraph above, or use Regenerate on the annotation.',
    });
  }
  if (lineStart < frontMatterEnd(note)) return at('in the front matter of this note');
  return at(placeOf(parsed, lineStart));
}

function at(place: string): PreflexorError {
  return new PreflexorError('not-a-paragraph', `The cursor is ${place}.`, { remedy });
}

function placeOf(parsed: ParsedNote, lineStart: number): string {
  const window = parsed.windowAt(lineStart);
  if (!window) return 'in a very long block';
  const path = nodesAt(parsed.note, window.root.children, window, lineStart);
  for (const node of path.toReversed()) {
    const place = names[node.type];
    if (place === undefined) continue;
    return node.type === 'code' ? codePlace(parsed, rangeOf(node, window)) : place;
  }
  const line = lineAt(parsed.note, lineStart);
  const text = parsed.note.slice(line.start, line.end).replace(/^[\s>]+/, '');
  if (text === '') return 'on an empty line';
  const last = path.at(-1);
  if (last?.type !== 'paragraph') return 'on a line without text';
  const { start, end } = rangeOf(last, window);
  if (isLatexBlock(parsed.note.slice(start, end).trimEnd())) return 'in a LaTeX block';
  return 'on the title of a callout or the border of a block';
}

/** What a node of this type is called. Types that hold others have no entry. */
const names: Partial<Record<Nodes['type'] | 'math', string>> = {
  code: 'in a code block',
  math: 'in a math block',
  table: 'in a table',
  heading: 'in a heading',
  html: 'in HTML',
  thematicBreak: 'on a rule between paragraphs',
  definition: 'in a link definition',
};

function codePlace(parsed: ParsedNote, range: { start: number; end: number }): string {
  const { note } = parsed;
  const opening = /^(?:`{3,}|~{3,})/.exec(note.slice(range.start, range.start + 100))?.[0];
  const last = lineAt(note, range.end);
  const closing = note.slice(last.start, last.end).replace(/^[\s>]+/, '');
  if (!opening || (last.start > range.start && closing.startsWith(opening))) return 'in a code block';
  const line = note.slice(0, range.start).split(/\r\n?|\n/).length;
  return `in a code block that begins in line ${line} and is never closed`;
}

/** The nodes that the line belongs to, outermost first. */
function nodesAt(note: string, nodes: readonly Nodes[], window: Window, lineStart: number): Nodes[] {
  for (const node of nodes) {
    const { start, end } = rangeOf(node, window);
    const holds = lineAt(note, start).start <= lineStart && lineStart <= end;
    if (!holds) continue;
    const inner =
      'children' in node && node.type !== 'paragraph' ? nodesAt(note, node.children, window, lineStart) : [];
    return [node, ...inner];
  }
  return [];
}
