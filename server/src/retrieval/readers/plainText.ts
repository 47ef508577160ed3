// Reads plain text: paragraphs, list items, and headings where they are plain to see. Also what is left of other
// formats when their own reader gives up on a stretch.
import type { BlockCollector } from './blockCollector.ts';
import type { Pace } from '../pace.ts';
import { ReadableBuilder } from './readableBuilder.ts';

interface Line {
  readonly start: number;
  /** Without the line end and white space before it. */
  readonly end: number;
  readonly text: string;
}

const underline = /^(?:={3,}|-{3,}|~{3,}|\*{3,})$/;
/** Only what can't be an item of a list: `2.1 Methods`, `3 Results`, `IV. RESULTS`, `1. Introduction`. */
const numbered =
  /^(?:\d{1,2}(?:\.\d{1,2}){1,3}\.?\s+\p{Lu}[^.!?;:]{2,80}|\d{1,2}\s{1,4}\p{Lu}[^.!?;:\d]{2,80}|[IVX]{1,5}\.\s+[^\p{Ll}.!?;:]{3,80})$/u;
const usual =
  /^(?:(?:\d{1,2}|[IVX]{1,5}|[A-H])\.\s+)?(?:abstract|summary|introduction|background|related work|(?:materials and )?methods?|methodology|experiments?|results(?: and discussion)?|discussion|conclusions?|limitations|acknowledge?ments?|references|bibliography|appendix)$/i;
const bullet = /^\s*(?:[-*+•‣–]|\(?\d{1,3}[.)]|\(?[a-z]\))\s+/u;
const longestHeading = 100;

/** Reads `text[start, end)` into blocks of a source. */
export async function readPlainText(
  collector: BlockCollector,
  source: string,
  text: string,
  pace: Pace,
  range: { readonly start: number; readonly end: number } = { start: 0, end: text.length },
): Promise<void> {
  let open: Line[] = [];
  const flush = (): void => {
    addStretch(collector, source, text, open);
    open = [];
  };
  for (const line of linesOf(text, range.start, range.end)) {
    if (line.text.trim() === '') {
      if (open.length > 0) flush();
      await pace();
      continue;
    }
    if (open.length > 0 && bullet.test(line.text)) flush();
    open.push(line);
  }
  flush();
}

function* linesOf(text: string, start: number, end: number): Generator<Line> {
  const lineEnd = /\r\n|[\n\r\f\v\u2028\u2029]/g;
  let from = start;
  while (from < end) {
    lineEnd.lastIndex = from;
    const found = lineEnd.exec(text);
    const to = Math.min(found?.index ?? end, end);
    const line = text.slice(from, to).trimEnd();
    yield { start: from, end: from + line.length, text: line };
    if (text[to] === '\f') yield { start: to, end: to, text: '' };
    from = found ? found.index + found[0].length : end;
  }
}

/** Lines without a blank one between them: a heading with what is under it, a list item, or a paragraph. */
function addStretch(collector: BlockCollector, source: string, text: string, lines: readonly Line[]): void {
  const [first, second] = lines;
  if (!first) return;
  const isUnderlined =
    second !== undefined && underline.test(second.text) && isHeadingText(first.text) && fits(first, second);
  if (isUnderlined || (lines.length === 1 && isHeadingLine(first.text))) {
    const readable = new ReadableBuilder();
    readable.copy(text, first.start, first.end);
    const level = isUnderlined ? (second.text.startsWith('=') ? 1 : 2) : levelOf(first.text);
    const end = isUnderlined ? second.end : first.end;
    collector.addHeading(level, { source, readable, start: first.start, end });
    addParagraph(collector, source, text, lines.slice(isUnderlined ? 2 : 1));
    return;
  }
  addParagraph(collector, source, text, lines);
}

function addParagraph(collector: BlockCollector, source: string, text: string, lines: readonly Line[]): void {
  const first = lines.find((line) => !underline.test(line.text));
  const last = lines.findLast((line) => !underline.test(line.text));
  if (!first || !last) return;
  const readable = new ReadableBuilder();
  const mark = bullet.exec(first.text)?.[0].length ?? 0;
  readable.copy(text, first.start + mark, last.end);
  collector.add({
    source,
    kind: mark > 0 ? 'list' : 'paragraph',
    readable,
    start: first.start,
    end: last.end,
  });
}

/** Whether a line that stands alone can be nothing but a heading, by its number or its words. */
export function isHeadingLine(text: string): boolean {
  return text.length <= longestHeading && (numbered.test(text) || usual.test(text));
}

function isHeadingText(text: string): boolean {
  return text.length <= longestHeading && /\p{L}/u.test(text);
}

/** Whether an underline is about as long as what stands above it. */
function fits(heading: Line, line: Line): boolean {
  return Math.abs(heading.text.trim().length - line.text.length) <= 3;
}

/** The level that a heading's number says: `2.1` is of level 2. Without a number it is 1. */
export function levelOf(text: string): number {
  const number = /^[\d.]+/.exec(text)?.[0].replace(/\.$/, '') ?? '';
  return number.split('.').length;
}
