// Lines in reading order to paragraphs, headings, code and tables. Knows how pages are set, not what they say.
import { isHeadingLine, levelOf } from '../plainText.ts';
import type { Column } from './columns.ts';
import type { Line } from './lines.ts';
import type { OutlineEntry, Page } from './pages.ts';

export interface Paragraph {
  readonly kind: 'paragraph' | 'heading' | 'code' | 'table' | 'float';
  /** Of a heading: 1 is the outermost; `alike` where only its looks say that it is one. */
  readonly level: number | 'alike';
  readonly lines: readonly Line[];
}

/** What is usual in a document, so that what is unusual can be told. */
export interface Typography {
  /** Size and font of most letters. */
  readonly size: number;
  readonly font: string;
  /** Fonts whose letters are all equally wide. */
  readonly monospaced: ReadonlySet<string>;
  /** Sizes of headings, the largest first. */
  readonly headingSizes: readonly number[];
  readonly outline: ReadonlyMap<string, number>;
  /** The largest text of the first page, if that is what the document is called. */
  readonly title: string;
}

const longestHeading = 160;
const bullet = /^(?:[•‣▪◦●○■□–—*]|\(?\d{1,2}[.)]|\(?[a-z]\)|\[\d{1,3}\])\s+\S/u;
const caption =
  /^(?:fig(?:ure|\.)?|table|algorithm|listing|scheme|box)\s+(?:[A-Z]?\d+(?:\.\d+)*|[IVX]+)\s*[.:|–—]/i;
const endsSentence = /[.!?:;][)\]”’"']*$/;

export function typographyOf(
  pages: readonly Page[],
  lines: readonly Line[],
  outline: readonly OutlineEntry[],
): Typography {
  const sizes = new Map<number, number>();
  const fonts = new Map<string, number>();
  for (const { size, font, text } of lines) {
    sizes.set(rounded(size), (sizes.get(rounded(size)) ?? 0) + text.length);
    fonts.set(font, (fonts.get(font) ?? 0) + text.length);
  }
  const size = mostFrequent(sizes) ?? 10;
  const larger = [...sizes.keys()].filter((other) => other >= size * 1.12).sort((a, b) => b - a);
  return {
    size,
    font: mostFrequent(fonts) ?? '',
    monospaced: monospacedFonts(pages),
    headingSizes: larger,
    outline: new Map(outline.map(({ title, level }) => [plainTitle(title), level])),
    title: largestText(lines, larger[0]),
  };
}

function rounded(size: number): number {
  return Math.round(size * 2) / 2;
}

function mostFrequent<Key>(counts: ReadonlyMap<Key, number>): Key | undefined {
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** A title without its number, so that the outline's and the page's forms agree. */
function plainTitle(text: string): string {
  return text
    .toLowerCase()
    .replace(/^[\divx]+(?:\.\d+)*\.?\s+/, '')
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

function largestText(lines: readonly Line[], size: number | undefined): string {
  const first = lines.filter((line) => line.page === 1 && rounded(line.size) === size).slice(0, 5);
  return first.map(({ text }) => text).join(' ');
}

/** Fonts in which text is as long as it has letters, whatever the letters. */
function monospacedFonts(pages: readonly Page[]): Set<string> {
  const widths = new Map<string, { least: number; most: number; letters: number }>();
  for (const { pieces } of pages) {
    for (const { font, text, width, size } of pieces) {
      if (text.length < 4) continue;
      const letter = width / text.length / size;
      const known = widths.get(font) ?? { least: letter, most: letter, letters: 0 };
      known.least = Math.min(known.least, letter);
      known.most = Math.max(known.most, letter);
      known.letters += text.length;
      widths.set(font, known);
    }
  }
  const isEven = ({ least, most, letters }: { least: number; most: number; letters: number }): boolean =>
    letters > 60 && most < 1.03 * least;
  return new Set([...widths].filter(([, width]) => isEven(width)).map(([font]) => font));
}

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
  if (!first) return { kind: 'paragraph', level: 0, lines };
  if (lines.every((line) => isCode(line, typography))) return { kind: 'code', level: 0, lines };
  if (rows.length > 1 && rows.every((row) => row.length > 1)) return { kind: 'table', level: 0, lines };
  const gap = above?.page === first.page ? first.y - above.y : Infinity;
  const level = headingLevel(lines, text, gap > 1.2 * spacing || gap < 0, below, typography);
  if (level !== 0) return { kind: 'heading', level, lines };
  return { kind: caption.test(text) ? 'float' : 'paragraph', level: 0, lines };
}

/** 0 for what is no heading. */
function headingLevel(
  lines: readonly Line[],
  text: string,
  standsFree: boolean,
  below: Line | undefined,
  typography: Typography,
): number | 'alike' {
  const [first] = lines;
  if (!first || text.length > longestHeading || !/\p{L}{2}/u.test(text) || /[,;]$/.test(text)) return 0;
  const size = rounded(first.size);
  if (
    first.page === 1 &&
    typography.title !== '' &&
    typography.title.startsWith(text) &&
    size > typography.size
  )
    return 1;
  const known = text.length > 3 ? typography.outline.get(plainTitle(text)) : undefined;
  if (known !== undefined && lines.length <= 3) return known + 1;
  if (size >= typography.size * 1.12 && lines.length <= 3 && !/[.:]$/.test(text)) {
    const numbered = /^\d+(?:\.\d+)*\.?\s/.test(text);
    return numbered ? levelOf(text) + 1 : Math.min(5, typography.headingSizes.indexOf(size) + 2);
  }
  if (lines.length > 2 || first.size < 0.95 * typography.size || !standsFree) return 0;
  const isSet = lines.every(({ font }) => font === first.font && font !== typography.font);
  if (isHeadingLine(text) && lines.length === 1) return levelOf(text) + 1;
  const isNumbered = /^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|[A-Z]\.|[IVX]+\.)\s+\p{Lu}/u.test(text);
  const isPlain = text.length < 100 && /^[\p{Lu}\d]/u.test(text) && !/[.:!?]$/.test(text);
  if (!isSet || !isPlain || !below || (below.font === first.font && !isNumbered)) return 0;
  return isNumbered ? levelOf(text) + 1 : 'alike';
}

/** So many headings in a row, without a number, are no headings: labels of a figure are set large, too. */
const longestRun = 3;

/** Gives headings that only look like headings the level of those that they look like, and makes labels text again. */
export function levelHeadings(pages: readonly (readonly Paragraph[])[]): Paragraph[][] {
  const labels = labelsIn(pages.flat());
  const levels = new Map<string, number>();
  const looks = ({ lines: [line] }: Paragraph): string => `${line?.font} ${rounded(line?.size ?? 0)}`;
  for (const paragraph of pages.flat()) {
    if (paragraph.kind !== 'heading' || paragraph.level === 'alike' || labels.has(paragraph)) continue;
    levels.set(looks(paragraph), Math.min(paragraph.level, levels.get(looks(paragraph)) ?? Infinity));
  }
  const settle = (paragraph: Paragraph): Paragraph => {
    if (labels.has(paragraph)) return { ...paragraph, kind: 'float' };
    return paragraph.level === 'alike'
      ? { ...paragraph, level: levels.get(looks(paragraph)) ?? 3 }
      : paragraph;
  };
  return pages.map((page) => page.map(settle));
}

function labelsIn(paragraphs: readonly Paragraph[]): Set<Paragraph> {
  const labels = new Set<Paragraph>();
  let run: Paragraph[] = [];
  for (const paragraph of [...paragraphs, null]) {
    if (paragraph?.kind === 'heading') {
      run.push(paragraph);
      continue;
    }
    // Numbers along an axis.
    if (paragraph && !paragraph.lines.some(({ text }) => /\p{L}{3}/u.test(text))) continue;
    const isNumbered = run.some(
      ({ lines: [line], level }) => level === 1 || /^[\dIVX]+\.?\s/.test(line?.text ?? ''),
    );
    if (run.length > longestRun && !isNumbered) for (const label of run) labels.add(label);
    run = [];
  }
  return labels;
}
