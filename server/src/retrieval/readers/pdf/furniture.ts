// What stands on the pages but is no text of the document: running headers and footers, page numbers,
// tables of contents.
import type { Line } from './lines.ts';

export interface PageLines {
  readonly number: number;
  readonly height: number;
  /** From top to bottom, then from left to right. */
  readonly lines: readonly Line[];
}

/** How far from the page's edge furniture stands at most, as a share of its height. */
const margin = 0.12;
/** So many lines at the top and at the bottom are looked at. */
const outermost = 4;
/** How far it stands off from the text at least, in font sizes from baseline to baseline. */
const standsOff = 1.6;
const longestRunning = 120;
/** So many lines with dots to a page number make a table of contents. */
const fewestDotted = 5;
const pageNumber =
  /^(?:[-–—|\s]*)(?:(?:page|p\.|seite)\s*)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|\/|von)\s*\d{1,4})?(?:[-–—|\s]*)$/i;

/**
 * The lines of each page without furniture: the outermost rows in its margins, when they come again on other pages,
 * count on with the pages or are nothing but a number, and stand off from the text.
 */
export function withoutFurniture(pages: readonly PageLines[]): Line[][] {
  const candidates = pages.map((page) => marginLines(page));
  const repeated = repeatedTexts(candidates);
  const offsets = numberOffsets(pages, candidates);
  const isFurniture = (line: Line): boolean =>
    repeated.has(pattern(line.text)) ||
    pageNumber.test(line.text) ||
    (line.text.length < longestRunning &&
      numbersIn(line.text).some((number) => isRunning(offsets, number - line.page)));
  return pages.map(({ lines, height }) => {
    const rows = rowsOf(lines);
    const top = furnitureRows(rows, isFurniture, (line) => line.y < margin * height);
    const rest = rows.slice(top);
    const bottom = furnitureRows(rest.toReversed(), isFurniture, (line) => line.y > (1 - margin) * height);
    return withoutContents(rest.slice(0, rest.length - bottom).flat());
  });
}

/** A page's lines without its table of contents: all that lies between its first and last line of dots. */
function withoutContents(lines: readonly Line[]): Line[] {
  const dotted = lines.filter(({ text }) => /(?:\.\s?){4,}\s*\d{1,4}$/.test(text));
  if (dotted.length < fewestDotted) return [...lines];
  const top = Math.min(...dotted.map(({ y }) => y));
  const bottom = Math.max(...dotted.map(({ y }) => y));
  return lines.filter(({ y }) => y < top - 1 || y > bottom + 1);
}

/** How many rows from the page's edge inwards are furniture: they stand off from the text. */
function furnitureRows(
  rows: readonly (readonly Line[])[],
  isFurniture: (line: Line) => boolean,
  isInMargin: (line: Line) => boolean,
): number {
  let count = 0;
  if (rows.every((row) => row.every(isInMargin))) return 0;
  while (rows[count]?.every(isInMargin) && rows[count]?.some(isFurniture)) count += 1;
  const gap = (index: number): number =>
    Math.abs((rows[index]?.[0]?.y ?? Infinity) - (rows[index - 1]?.[0]?.y ?? 0));
  while (count > 0 && gap(count) < standsOff * (rows[count]?.[0]?.size ?? 0)) count -= 1;
  return count;
}

function rowsOf(lines: readonly Line[]): Line[][] {
  const rows: Line[][] = [];
  for (const line of lines) {
    const row = rows.at(-1);
    if (row?.[0] && Math.abs(row[0].y - line.y) < 0.4 * line.size) row.push(line);
    else rows.push([line]);
  }
  return rows;
}

function marginLines({ height, lines }: PageLines): Line[] {
  const isTop = (line: Line): boolean => line.y < margin * height;
  const isBottom = (line: Line): boolean => line.y > (1 - margin) * height;
  return [...lines.filter(isTop).slice(0, outermost), ...lines.filter(isBottom).slice(-outermost)];
}

/** A text with its numbers taken out: what a running header has in common from page to page. */
function pattern(text: string): string {
  return text
    .toLowerCase()
    .replace(/\d+(?:\s*[–—-]\s*\d+)?/g, '#')
    .replace(/[\s|·•]+/g, ' ')
    .trim();
}

function repeatedTexts(candidates: readonly (readonly Line[])[]): Set<string> {
  const pagesWith = new Map<string, number>();
  for (const lines of candidates) {
    for (const text of new Set(lines.map((line) => pattern(line.text)))) {
      pagesWith.set(text, (pagesWith.get(text) ?? 0) + 1);
    }
  }
  const enough = candidates.length <= 4 ? 2 : 3;
  return new Set([...pagesWith].filter(([, count]) => count >= enough).map(([text]) => text));
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/(?<![\d.,])\d{1,4}(?![\d.,]*\d)/g)].map(([number]) => Number(number));
}

/** Differences between numbers in margins and the page's own, by how many pages have them. */
function numberOffsets(
  pages: readonly PageLines[],
  candidates: readonly (readonly Line[])[],
): Map<number, number> {
  const counts = new Map<number, number>();
  if (pages.length < 3) return counts;
  for (const [index, page] of pages.entries()) {
    const numbers = (candidates[index] ?? []).flatMap((line) => numbersIn(line.text));
    for (const offset of new Set(numbers.map((number) => number - page.number))) {
      counts.set(offset, (counts.get(offset) ?? 0) + 1 / pages.length);
    }
  }
  return counts;
}

function isRunning(offsets: ReadonlyMap<number, number>, offset: number): boolean {
  return (offsets.get(offset) ?? 0) >= 0.6;
}
