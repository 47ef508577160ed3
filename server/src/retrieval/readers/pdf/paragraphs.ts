// Lines in reading order to paragraphs, headings, code and tables. Knows how pages are set, not what they say.
import { isHeadingLine } from '../plainText.ts';
import type { Column } from './columns.ts';
import type { Line } from './lines.ts';
import { readHeading } from './headings.ts';
import { mostFrequent, plainTitle, rounded } from './typography.ts';
import type { Typography } from './typography.ts';

export interface Paragraph {
  readonly kind: 'paragraph' | 'heading' | 'code' | 'table' | 'float';
  /** Of a heading: 1 is the outermost. */
  readonly level: number;
  /** Of a heading: only its looks tell its level. */
  readonly isGuessed: boolean;
  readonly lines: readonly Line[];
}

const bullet = /^(?:[•‣▪◦●○■□–—*]|\(?\d{1,2}[.)]|\(?[a-z]\)|\[\d{1,3}\])\s+\S/u;
const caption =
  /^(?:fig(?:ure|\.)?|table|algorithm|listing|scheme|box)\s+(?:[A-Z]?\d+(?:\.\d+)*|[IVX]+)\s*[.:|–—]/i;
const endsSentence = /[.!?:;][)\]”’"']*$/;

/** The paragraphs of a page in reading order. */
export function paragraphsOf(columns: readonly Column[], typography: Typography): Paragraph[] {
  const bottom = Math.max(0, ...columns.flatMap(({ lines }) => lines.map(({ y }) => y)));
  return columns.flatMap((column) => notesApart(splitColumn(column, typography), 0.6 * bottom, typography));
}

/** What stands in small letters at the foot of a column is notes. */
function notesApart(paragraphs: readonly Paragraph[], below: number, typography: Typography): Paragraph[] {
  const isNote = ({ kind, lines }: Paragraph): boolean =>
    kind === 'paragraph' && (lines[0]?.size ?? 0) < 0.93 * typography.size && (lines[0]?.y ?? 0) > below;
  const lastOfText = paragraphs.findLastIndex((paragraph) => !isNote(paragraph));
  return paragraphs.map((paragraph, index) =>
    index > lastOfText ? { ...paragraph, kind: 'float' } : paragraph,
  );
}

/** Whether all of a line is in letters of one width. */
function isCode({ fonts }: Line, { monospaced }: Typography): boolean {
  return [...fonts.keys()].every((font) => monospaced.has(font));
}

/** Lines side by side on one baseline are a row. */
type Row = readonly [Line, ...Line[]];

function splitColumn(column: Column, typography: Typography): Paragraph[] {
  const rows = rowsOf(column.lines);
  const spacing = usualSpacing(rows, typography.size);
  const paragraphs: Row[][] = [];
  for (const row of rows) {
    const open = paragraphs.at(-1);
    if (!open || begins(open, row, column, spacing, typography)) paragraphs.push([row]);
    else open.push(row);
  }
  return paragraphs.map((rowsOfOne, index) =>
    classify(
      rowsOfOne,
      paragraphs[index - 1]?.at(-1)?.[0],
      paragraphs[index + 1]?.[0]?.[0],
      spacing,
      typography,
    ),
  );
}

function rowsOf(lines: readonly Line[]): Row[] {
  const rows: [Line, ...Line[]][] = [];
  for (const line of lines.toSorted((a, b) => a.y - b.y)) {
    const row = rows.at(-1);
    if (row && Math.abs(row[0].y - line.y) < 0.3 * line.size) row.push(line);
    else rows.push([line]);
  }
  return rows.map((row) => row.sort((a, b) => a.x - b.x));
}

/** The distance between baselines within a paragraph: the most frequent one that is no more than two lines. */
function usualSpacing(rows: readonly Row[], size: number): number {
  const counts = new Map<number, number>();
  for (const [index, row] of rows.entries()) {
    const distance = row[0].y - (rows[index - 1]?.[0].y ?? row[0].y);
    if (distance > 0.8 * size && distance < 2.5 * size)
      counts.set(rounded(distance), (counts.get(rounded(distance)) ?? 0) + 1);
  }
  return mostFrequent(counts) ?? 1.25 * size;
}

/** Whether a row begins a paragraph, being below those of `open`. */
function begins(
  open: readonly Row[],
  row: Row,
  column: Column,
  spacing: number,
  typography: Typography,
): boolean {
  const [line] = row;
  const last = open.at(-1) ?? row;
  const [above] = last;
  const inCode = row.every((cell) => isCode(cell, typography));
  if (inCode !== last.every((cell) => isCode(cell, typography))) return true;
  const distance = line.y - above.y;
  if (inCode) return distance > 3.2 * spacing;
  if (Math.abs(line.size - above.size) > 0.12 * Math.max(line.size, above.size)) return true;
  const isLarge = rounded(line.size) > rounded(typography.size);
  if (distance > Math.max(1.35 * spacing, (isLarge ? 1.6 : 1.3) * line.size)) return true;
  if (isLarge && row.length + last.length === 2) return false;
  if (row.length > 1 !== last.length > 1) return true;
  if (row.length > 1) return false;
  if (bullet.test(line.text) || caption.test(line.text)) return true;
  const looksOther = line.font !== above.font || distance > 1.15 * spacing;
  if (looksOther && (isHeading(line.text, typography) || isHeading(above.text, typography))) return true;
  return isIndented(open, line, column) || isAfterShortLine(above, line, column);
}

function isHeading(text: string, { outline }: Typography): boolean {
  return isHeadingLine(text) || (text.length > 3 && outline.has(plainTitle(text)));
}

/** A first line that is set in, or one that hangs out over the lines above it. */
function isIndented(open: readonly Row[], line: Line, column: Column): boolean {
  const first = open[0]?.[0];
  const above = open.at(-1)?.[0];
  if (!first || !above) return false;
  const indent = 0.8 * line.size;
  const isIn = line.x > column.left + indent && line.x < column.left + 5 * line.size;
  const aboveIsIn = above.x > column.left + indent;
  if (isIn && !aboveIsIn && !bullet.test(first.text))
    return open.length > 1 || endsSentence.test(above.text) || above.right < column.right - 2 * line.size;
  // A list of references: the first line hangs out.
  return !isIn && aboveIsIn && open.length > 1 && first.x < above.x - indent;
}

function isAfterShortLine(above: Line, line: Line, column: Column): boolean {
  const isShort = above.right < column.right - 0.15 * (column.right - column.left);
  return isShort && endsSentence.test(above.text) && /^[\p{Lu}\d[(“"]/u.test(line.text);
}

function classify(
  rows: readonly Row[],
  above: Line | undefined,
  below: Line | undefined,
  spacing: number,
  typography: Typography,
): Paragraph {
  const lines = rows.flat();
  const [first] = lines;
  const text = lines.map((line) => line.text).join(' ');
  const plain = { level: 0, isGuessed: false, lines };
  if (!first) return { ...plain, kind: 'paragraph' };
  if (lines.every((line) => isCode(line, typography))) return { ...plain, kind: 'code' };
  if (rows.length > 1 && rows.every((row) => row.length > 1)) return { ...plain, kind: 'table' };
  const gap = above?.page === first.page ? first.y - above.y : Infinity;
  const standsFree = gap > 1.2 * spacing || gap < 0;
  const heading = readHeading({ lines, text, standsFree, below }, typography);
  if (heading) return { kind: 'heading', ...heading, lines };
  return { ...plain, kind: caption.test(text) ? 'float' : 'paragraph' };
}
