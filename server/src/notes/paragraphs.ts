// The paragraph at a place in a note, and where a paragraph is after edits. Never changes anything.
import type { OffsetRange } from '../protocol/index.ts';
import { citationsOf } from './citations.ts';
import { continuationPrefix } from './containers.ts';
import { isLineStart, lineAt, lineEndAt } from './lines.ts';
import { trimmedEnd } from './lineSyntax.ts';
import { ParsedNote } from './parsedNote.ts';
import type { Prose } from './parsedNote.ts';
import { checkNote, refuse, refuseLongBlock } from './refusals.ts';
import { firstSentences, lastSentences, proseAfter, proseBefore } from './surroundings.ts';
import { parseMarkdown } from './markdown.ts';

/** A paragraph of a note, in UTF-16 offsets. */
export interface Paragraph {
  /** Its text `[start, end)`, without the marker before it and without the line end after it. */
  readonly start: number;
  readonly end: number;
  /** Its source, lines joined with LF, without the prefixes (`> `, indentation) of its containers. */
  readonly text: string;
  /** The headings above it, outermost first, as they stand in the source. */
  readonly headingPath: readonly string[];
  /** The note's prose around it, some sentences on each side, never from annotations. */
  readonly before: string;
  readonly after: string;
  /** Keys of its citations, each once. */
  readonly citations: readonly string[];
  /** Where an annotation goes: after the paragraph, or after the outermost list, quote or footnote around it. */
  readonly insertAt: number;
  /** What each further line of a replacement needs to stay in the paragraph's containers. */
  readonly continuationPrefix: string;
}

/**
 * The paragraph that an offset stands in, also that of a list item, a quote or a footnote.
 * @throws PreflexorError `not-a-paragraph` (the sentence says what is there), `note-too-large` (also for a block
 * of hundreds of thousands of characters), `not-text`
 */
export function paragraphAt(note: string, offset: number): Paragraph {
  checkNote(note);
  const parsed = new ParsedNote(note);
  return describe(parsed, proseAt(parsed, offset));
}

/** The prose at an offset. @throws PreflexorError `not-a-paragraph`, `note-too-large` */
export function proseAt(parsed: ParsedNote, offset: number): Prose {
  const line = lineAt(parsed.note, offset);
  if (parsed.blockAt(line.start)) throw refuse(parsed, line.start);
  const window = parsed.windowAt(line.start);
  if (!window) throw refuseLongBlock();
  const found = parsed.proseOf(window).find((prose) => {
    const first = lineAt(parsed.note, prose.start).start;
    return line.start >= first && line.start <= prose.end;
  });
  if (!found) throw refuse(parsed, line.start);
  return found;
}

/** Everything that is to be known of a paragraph. */
export function describe(parsed: ParsedNote, prose: Prose): Paragraph {
  const { start, end, containers } = prose;
  const { before, after } = parsed.around(prose);
  const text = parsed.textOf(prose);
  const texts = (others: readonly Prose[]): string[] => others.map((other) => parsed.textOf(other));
  return {
    start,
    end,
    text,
    headingPath: headingPath(parsed, start),
    before: lastSentences(texts(before), proseBefore),
    after: firstSentences(texts(after), proseAfter),
    citations: citationsOf(prose.node, parsed.note.slice(prose.window.start, prose.window.end)),
    insertAt: insertionPlace(parsed, prose),
    continuationPrefix: continuationPrefix(containers),
  };
}

/** The line after the paragraph (or what it is in) and after the annotations that follow it. */
function insertionPlace(parsed: ParsedNote, prose: Prose): number {
  let place = lineAt(parsed.note, prose.outerEnd).next;
  for (const block of parsed.blocks) {
    if (block.start <= place && place < block.end) place = block.end;
  }
  // Text may have been typed behind an end comment: a block begins at a line start.
  return isLineStart(parsed.note, place) ? place : lineAt(parsed.note, place).next;
}

function headingPath(parsed: ParsedNote, offset: number): string[] {
  const path: string[] = [];
  let level = 7;
  for (const heading of above(parsed.headings, offset)) {
    if (heading.level >= level) continue;
    const source = headingText(parsed.note.slice(heading.start, heading.end), heading.setext);
    if (source === null) continue;
    level = heading.level;
    if (source !== '') path.unshift(source.replace(/\s+/g, ' '));
    if (level === 1) break;
  }
  return path;
}

function* above<T extends { readonly start: number }>(sorted: readonly T[], offset: number): Generator<T> {
  let index = sorted.length;
  while (index > 0 && (sorted[index - 1]?.start ?? 0) >= offset) index -= 1;
  while (index > 0) {
    index -= 1;
    const item = sorted[index];
    if (item) yield item;
  }
}

/** The text of a heading; null when it is none, as underlined link definitions. */
function headingText(source: string, setext: boolean): string | null {
  if (!setext || !source.startsWith('[')) return source;
  const heading = parseMarkdown(`${source}\n=`).children.find((node) => node.type === 'heading');
  return heading ? source.slice(heading.children[0]?.position?.start.offset) : null;
}

/** What is kept of a paragraph so as to find it again. */
export interface ParagraphMark {
  /** `Paragraph.text` as it was. */
  readonly text: string;
  /** `Paragraph.start` as it was. */
  readonly start: number;
}

/**
 * Where a paragraph is after edits elsewhere: the one with exactly its text, nearest to where it was.
 * @returns null when it was changed or is gone
 * @throws PreflexorError `note-too-large`, `not-text`
 */
export function relocate(note: string, mark: ParagraphMark): Paragraph | null {
  checkNote(note);
  const parsed = new ParsedNote(note);
  const found = findProse(parsed, mark);
  return found && describe(parsed, found);
}

/** How many places where the text stands are looked at, at most. */
const mostPlaces = 50;

/** The prose with exactly this text that is nearest to where it was, or null. @param within only there */
export function findProse(parsed: ParsedNote, mark: ParagraphMark, within?: OffsetRange): Prose | null {
  const places = placesOf(parsed.note, mark).filter(
    (place) => !within || (place >= within.start && place <= within.end),
  );
  for (const place of places.slice(0, mostPlaces)) {
    if (parsed.blockAt(place)) continue;
    const window = parsed.windowAt(lineAt(parsed.note, place).start);
    const found = window && parsed.proseOf(window).find(({ start }) => start === place);
    if (found && parsed.textOf(found) === mark.text) return found;
  }
  return null;
}

/** Where the text's lines stand one below the other behind nothing but prefixes, nearest to its old place first. */
function placesOf(note: string, mark: ParagraphMark): number[] {
  const lines = mark.text.split('\n');
  const [first = ''] = lines;
  if (first === '') return [];
  const places: number[] = [];
  for (let place = note.indexOf(first); place >= 0; place = note.indexOf(first, place + 1)) {
    if (standsAt(note, place, lines)) places.push(place);
  }
  return places.sort((a, b) => Math.abs(a - mark.start) - Math.abs(b - mark.start));
}

const prefixes = /^\uFEFF?[ \t>]*(?:(?:[-+*]|\d{1,9}[.)]|\[\^[^\]]+\]:|\[[ \txX]\])[ \t>]*)*$/;

function standsAt(note: string, place: number, lines: readonly string[]): boolean {
  let end = place;
  for (const [index, text] of lines.entries()) {
    const isLast = index === lines.length - 1;
    if (index > 0) {
      const next = lineAt(note, end + lineEndAt(note, end).length);
      // White space behind the last line is not part of a paragraph's text, that behind the others is.
      const lineEnd = isLast ? trimmedEnd(note, next.start, next.end) : next.end;
      end = lineEnd - text.length;
      if (end < next.start || !note.startsWith(text, end)) return false;
    }
    end += text.length;
    if (isLast) while (note[end] === ' ' || note[end] === '\t') end += 1;
    if (end < note.length && lineEndAt(note, end) === '') return false;
  }
  return prefixes.test(note.slice(lineAt(note, place).start, place));
}
