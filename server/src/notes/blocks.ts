// Annotation blocks as they stand in a note. The reader is total: any text gives blocks and problems, never an
// exception; it takes linear time, for folding and lenses ask after each key press.
import type { OffsetRange, SegmentKind } from '../protocol/index.ts';
import { unescapeModelText } from './escape.ts';
import { isLineStart, lineAt, lineEndAt, lineEndBefore } from './lines.ts';
import type { Line } from './lines.ts';
import { StructureScanner } from './structure.ts';

/** A callout of a block. Offsets are UTF-16 code units, lines are counted from 0 and both ends belong to it. */
export interface Section {
  readonly kind: SegmentKind;
  /** What stands behind the callout's mark. */
  readonly title: string;
  /** As the model or the writer wrote it: without `> `, escapes undone, lines joined with LF. */
  readonly text: string;
  /** From the callout's mark to the end of its last line, without the line end. */
  readonly start: number;
  readonly end: number;
  readonly startLine: number;
  readonly endLine: number;
}

/** An annotation block. */
export interface Block {
  readonly id: string;
  /** What goes when the block is removed: the blank line above it, the block, and its last line end. */
  readonly start: number;
  readonly end: number;
  /** The lines of its two comments. */
  readonly startLine: number;
  readonly endLine: number;
  /** From the first unit of the begin comment to the last of the end comment. */
  readonly comments: OffsetRange;
  /** What lies between the comments' lines. */
  readonly body: OffsetRange;
  readonly sections: readonly Section[];
}

/** The two comments. An id has 6 to 32 of [0-9a-z] (protocol: BlockId). */
export function blockComment(id: string, edge: 'begin' | 'end'): string {
  return `<!-- preflexor ${id} ${edge} -->`;
}

const commentStart = '<!-- preflexor ';
const comment = /<!-- preflexor ([0-9a-z]{6,32}) (begin|end) -->/y;

interface Comment {
  readonly id: string;
  readonly edge: 'begin' | 'end';
  readonly start: number;
  readonly end: number;
}

/**
 * The block comment that stands at the very start of a line. A begin comment has its line to itself; text may have
 * been typed behind an end comment.
 */
export function commentAt(note: string, lineStart: number): Comment | null {
  if (!note.startsWith(commentStart, lineStart)) return null;
  comment.lastIndex = lineStart;
  const match = comment.exec(note);
  if (!match?.[1]) return null;
  const end = comment.lastIndex;
  const edge = match[2] === 'begin' ? 'begin' : 'end';
  if (edge === 'begin' && !restIsBlank(note, end)) return null;
  return { id: match[1], edge, start: lineStart, end };
}

/**
 * All annotation blocks of a note, in their order. Look-alikes in front matter or in a closed code fence at top level
 * are none, nor is anything without both comments and a callout; what looks damaged is named in `problems`.
 */
export function readBlocks(note: string): { blocks: Block[]; problems: string[] } {
  const blocks: Block[] = [];
  const problems: string[] = [];
  if (!note.includes(commentStart)) return { blocks, problems };
  const ids = new Set<string>();
  const last = note.lastIndexOf(commentStart);
  const scanner = new StructureScanner(note, { unclosed: 'ignored' });
  while (scanner.next <= last && scanner.nextLine()) {
    if (scanner.region !== null) continue;
    const begin = commentAt(note, scanner.start);
    if (!begin) continue;
    const line = scanner.line;
    const end = begin.edge === 'begin' ? nextComment(note, scanner.next) : null;
    if (end?.edge !== 'end' || end.id !== begin.id) {
      problems.push(unmatched(begin, line));
      continue;
    }
    const body = { start: scanner.next, end: end.start };
    const { sections, stray, lines } = readBody(note, body, line + 1);
    scanner.skipTo(lineAt(note, end.end).next);
    if (sections.length === 0) {
      problems.push(`Line ${line + 1}: the annotation ${begin.id} holds no callout, so it is left alone.`);
      continue;
    }
    if (stray !== null) {
      problems.push(
        `Line ${stray + 1}: the annotation ${begin.id} holds text of its own there, which goes when it goes.`,
      );
    }
    if (ids.has(begin.id)) {
      problems.push(`Line ${line + 1}: the annotation ${begin.id} stands in this note more than once.`);
    }
    ids.add(begin.id);
    blocks.push({
      id: begin.id,
      ...blockStretch(note, begin.start, end.end),
      startLine: line,
      endLine: line + 1 + lines,
      comments: { start: begin.start, end: end.end },
      body,
      sections,
    });
  }
  return { blocks, problems };
}

function unmatched({ id, edge }: Comment, line: number): string {
  return edge === 'end'
    ? `Line ${line + 1}: the end of the annotation ${id} stands without its beginning, so it is left alone.`
    : `Line ${line + 1}: the annotation ${id} has no end comment, so it is left alone.`;
}

/** The next block comment at a line start, at or after `from`. */
function nextComment(note: string, from: number): Comment | null {
  for (
    let place = note.indexOf(commentStart, from);
    place >= 0;
    place = note.indexOf(commentStart, place + 1)
  ) {
    const found = isLineStart(note, place) ? commentAt(note, place) : null;
    if (found) return found;
  }
  return null;
}

function restIsBlank(note: string, from: number): boolean {
  let place = from;
  while (note[place] === ' ' || note[place] === '\t') place += 1;
  return place >= note.length || lineEndAt(note, place) !== '';
}

/**
 * What belongs to a block besides its lines: the blank line above and the line end below. Where the note ends with
 * the end comment, without a line end, it did so before the block came: then the line end that was put before the
 * blank line goes as well.
 */
function blockStretch(note: string, beginStart: number, endEnd: number): OffsetRange {
  const start = blankLineAbove(note, beginStart);
  if (!restIsBlank(note, endEnd)) return { start, end: endEnd };
  const { end, next } = lineAt(note, endEnd);
  return next > end ? { start, end: next } : { start: start - lineEndBefore(note, start).length, end };
}

/** Where the blank line above a line starts; the line's own start where there is none. */
export function blankLineAbove(note: string, lineStart: number): number {
  const lineEnd = lineEndBefore(note, lineStart);
  if (lineEnd === '') return lineStart;
  let start = lineStart - lineEnd.length;
  while (note[start - 1] === ' ' || note[start - 1] === '\t') start -= 1;
  return isLineStart(note, start) ? start : lineStart;
}

const callout = /^\[!(thinking|reflection|answer)\][+-]?(?:[ \t]+(.*))?$/i;

interface OpenSection {
  readonly kind: SegmentKind;
  readonly title: string;
  readonly lines: string[];
  readonly start: number;
  readonly startLine: number;
  end: number;
  endLine: number;
}

interface Body {
  readonly sections: Section[];
  /** The first line with text that belongs to no callout, or null. */
  readonly stray: number | null;
  /** Number of lines. */
  readonly lines: number;
}

/**
 * The callouts between a block's comments, in whatever state they are: quoted lines after a gap belong to the callout
 * above, and so does text right below a quoted line, as in markdown.
 */
function readBody(note: string, { start, end }: OffsetRange, firstLine: number): Body {
  const open: OpenSection[] = [];
  let stray: number | null = null;
  let previous: 'quoted' | 'other' = 'other';
  let number = firstLine;
  for (let line = lineAt(note, start); line.start < end; line = lineAt(note, line.next), number += 1) {
    const text = note.slice(line.start, line.end);
    const quoted = /^ {0,3}> ?/.exec(text);
    const content = quoted ? text.slice(quoted[0].length) : text;
    const mark = quoted && callout.exec(content);
    const section = open.at(-1);
    if (mark) {
      open.push(newSection(mark, line, number));
    } else if (section && (quoted || (previous === 'quoted' && text.trim() !== ''))) {
      if (quoted && previous === 'other' && section.lines.length > 0) section.lines.push('');
      section.lines.push(content);
      section.end = line.end;
      section.endLine = number;
    } else if (text.trim() !== '') {
      stray ??= number;
    }
    if (text.trim() === '') previous = 'other';
    else if (quoted) previous = 'quoted';
  }
  const sections = open.map(({ lines, ...section }) => ({
    ...section,
    text: unescapeModelText(lines.join('\n')),
  }));
  return { sections, stray, lines: number - firstLine };
}

function newSection(mark: RegExpExecArray, line: Line, number: number): OpenSection {
  const name = mark[1]?.toLowerCase();
  return {
    kind: name === 'thinking' || name === 'reflection' ? name : 'answer',
    title: unescapeModelText((mark[2] ?? '').trimEnd()),
    lines: [],
    start: line.start,
    startLine: number,
    end: line.end,
    endLine: number,
  };
}
