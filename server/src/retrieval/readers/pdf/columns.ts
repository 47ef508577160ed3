// The reading order of a page's lines: columns from left to right, between lines that reach over all of them.
// Geometry only.
import type { Line } from './lines.ts';

/** Lines that stand below each other, in reading order. */
export interface Column {
  readonly lines: readonly Line[];
  /** Where its text begins and ends. */
  readonly left: number;
  readonly right: number;
}

const deepest = 3;
/** A column has at least so many lines. */
const fewestLines = 4;
/** The least width of the gap between columns, in font sizes. */
const narrowestGutter = 0.6;

/** @param lines from top to bottom, then from left to right */
export function columnsOf(lines: readonly Line[], depth = 0): Column[] {
  if (lines.length === 0) return [];
  const gutter = depth < deepest ? findGutter(lines) : null;
  if (gutter === null) return [toColumn(lines)];
  const columns: Column[] = [];
  let left: Line[] = [];
  let right: Line[] = [];
  let across: Line[] = [];
  const endBand = (): void => {
    columns.push(...columnsOf(left, depth + 1), ...columnsOf(right, depth + 1));
    left = [];
    right = [];
  };
  const endAcross = (): void => {
    if (across.length > 0) columns.push(toColumn(across));
    across = [];
  };
  for (const [index, line] of lines.entries()) {
    const isBeside = line.right <= gutter || line.x >= gutter;
    if (isBeside && !goesWith(line, lines[index + 1], gutter) && !goesWith(line, across.at(-1), gutter)) {
      endAcross();
      (line.right <= gutter ? left : right).push(line);
    } else {
      if (left.length + right.length > 0) endBand();
      across.push(line);
    }
  }
  endAcross();
  endBand();
  return columns;
}

/** A short line of a title or paragraph whose next or last line reaches over the columns. */
function goesWith(line: Line, other: Line | undefined, gutter: number): boolean {
  if (!other || other.right <= gutter || other.x >= gutter || line.x >= gutter) return false;
  const isAlike = Math.abs(other.size - line.size) < 0.1 * line.size;
  return isAlike && Math.abs(other.y - line.y) < 1.6 * line.size;
}

function toColumn(lines: readonly Line[]): Column {
  const starts = lines.map(({ x }) => x).sort((a, b) => a - b);
  const ends = lines.map(({ right }) => right).sort((a, b) => a - b);
  // A single line that sticks out makes no wider column.
  const left = starts[Math.floor(starts.length * 0.1)] ?? 0;
  return { lines, left, right: ends[Math.floor(ends.length * 0.9)] ?? left };
}

/** Where a vertical gap parts the lines in two columns, or null where they are one. */
function findGutter(lines: readonly Line[]): number | null {
  const left = Math.min(...lines.map(({ x }) => x));
  const right = Math.max(...lines.map(({ right: end }) => end));
  const width = right - left;
  let best: { at: number; crossing: number; gap: number } | null = null;
  for (let at = left + width * 0.15; at < left + width * 0.85; at += 2) {
    const sides = sidesOf(lines, at);
    if (!isGutter(sides, at, left, right)) continue;
    const gap =
      Math.min(...sides.after.map(({ x }) => x)) - Math.max(...sides.before.map(({ right: end }) => end));
    const isBetter =
      !best || sides.crossing < best.crossing || (sides.crossing === best.crossing && gap > best.gap + 1);
    if (isBetter) best = { at: middleOf(sides), crossing: sides.crossing, gap };
  }
  return best?.at ?? null;
}

interface Sides {
  readonly before: readonly Line[];
  readonly after: readonly Line[];
  readonly crossing: number;
}

function sidesOf(lines: readonly Line[], at: number): Sides {
  const before = lines.filter(({ right }) => right <= at);
  const after = lines.filter(({ x }) => x >= at);
  return { before, after, crossing: lines.length - before.length - after.length };
}

function middleOf({ before, after }: Sides): number {
  return (Math.max(...before.map(({ right }) => right)) + Math.min(...after.map(({ x }) => x))) / 2;
}

function isGutter({ before, after, crossing }: Sides, at: number, left: number, right: number): boolean {
  if (before.length < fewestLines || after.length < fewestLines) return false;
  const size = before[0]?.size ?? 10;
  const gap = Math.min(...after.map(({ x }) => x)) - Math.max(...before.map(({ right: end }) => end));
  if (gap < narrowestGutter * size) return false;
  const overlap = Math.min(bottom(before), bottom(after)) - Math.max(top(before), top(after));
  if (overlap < 0.3 * Math.min(bottom(before) - top(before), bottom(after) - top(after))) return false;
  const full = Math.min(fullShare(before, at - left), fullShare(after, right - at));
  // Cells of a table are narrow, lines of a column fill it.
  return full >= 0.3 || (full >= 0.15 && before.length + after.length > 3 * crossing);
}

/** How many of the lines fill a good part of their side. */
function fullShare(lines: readonly Line[], width: number): number {
  return lines.filter(({ x, right }) => right - x > 0.4 * width).length / lines.length;
}

function top(lines: readonly Line[]): number {
  return Math.min(...lines.map(({ y }) => y));
}

function bottom(lines: readonly Line[]): number {
  return Math.max(...lines.map(({ y }) => y));
}
