// The pieces that chunks are made of: sentences of prose, lines of code and tables, each with its place in the source.
// Knows no model: sizes are the chunker's.
import type { OffsetRange } from '../protocol/index.ts';
import type { Block, TextRun } from './ports.ts';
import { sentencesOf, wholeCharacters } from './sentences.ts';

export interface Piece {
  readonly block: Block;
  /** `[from, to)` of the block's readable text. */
  readonly from: number;
  readonly to: number;
  /** `[start, end)` of its source: all that the readable text came from, markup around it included. */
  readonly start: number;
  readonly end: number;
}

/** The pieces of a block, in order; an entry and a formula are one. */
export function piecesOf(block: Block, source: string): Piece[] {
  return placed(block, source, rangesOf(block));
}

function rangesOf({ kind, readable }: Block): OffsetRange[] {
  if (kind === 'entry' || kind === 'math') return [{ start: 0, end: readable.length }];
  if (kind !== 'code' && kind !== 'table') return sentencesOf(readable);
  return [...readable.matchAll(/\S[^\n]*/g)].map(({ 0: line, index }) => ({
    start: index,
    end: index + line.trimEnd().length,
  }));
}

/** Cuts a piece at words, then at characters, so that each part is at most `longest` UTF-16 units of readable text. */
export function cutPiece(piece: Piece, source: string, longest: number): Piece[] {
  const { block, from, to } = piece;
  const text = block.readable;
  const ranges: OffsetRange[] = [];
  let start = from;
  while (start < to) {
    const far = start + Math.max(1, longest);
    let end = Math.min(to, far);
    if (end < to) {
      const space = lastSpace(text, start + 1, end);
      end = space > 0 ? space : Math.max(start + 1, wholeCharacters(text, end));
      if (end === start + 1 && /[\uD800-\uDBFF]/.test(text.charAt(start))) end = Math.min(to, start + 2);
    }
    ranges.push({ start, end });
    start = end;
    while (start < to && /\s/.test(text.charAt(start))) start += 1;
  }
  if (ranges.length < 2) return [piece];
  const parts = placed(block, source, ranges);
  const [first] = parts;
  const last = parts.at(-1);
  // The outermost edges stay where they were.
  return parts.map((part) => ({
    ...part,
    start: part === first ? piece.start : part.start,
    end: part === last ? piece.end : part.end,
  }));
}

function lastSpace(text: string, from: number, to: number): number {
  for (let place = to; place > from; place -= 1) if (/\s/.test(text.charAt(place))) return place;
  return -1;
}

/** Gives ranges of the readable text their places. Markup between two goes to the one that it touches. */
function placed(block: Block, source: string, ranges: readonly OffsetRange[]): Piece[] {
  let start = block.start;
  return ranges.map(({ start: from, end: to }, index) => {
    const next = ranges[index + 1];
    const own = start;
    const end = next ? sourceEnd(block.runs, block.readable.length, to) : block.end;
    if (!next) return { block, from, to, start: Math.min(own, end), end };
    const follows = sourceStart(block.runs, block.readable.length, next.start);
    const gap = end <= follows ? /\s+/.exec(source.slice(end, follows)) : null;
    start = gap ? end + gap.index + gap[0].length : follows;
    return { block, from, to, start: own, end: gap ? end + gap.index : Math.max(end, own) };
  });
}

/** Where in the source the readable text from `offset` on begins. */
function sourceStart(runs: readonly TextRun[], length: number, offset: number): number {
  const { run, isEven } = runAt(runs, length, offset);
  return run.start + (isEven ? offset - run.at : 0);
}

/** Where in the source the readable text up to `offset` ends. */
function sourceEnd(runs: readonly TextRun[], length: number, offset: number): number {
  const { run, isEven } = runAt(runs, length, offset - 1);
  return isEven ? run.start + (offset - run.at) : run.end;
}

/** The run that holds an offset, and whether it corresponds to its source unit by unit. */
function runAt(
  runs: readonly TextRun[],
  length: number,
  offset: number,
): { readonly run: TextRun; readonly isEven: boolean } {
  let low = 0;
  let high = runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((runs[middle]?.at ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const run = runs[low] ?? { at: 0, start: 0, end: 0 };
  const end = runs[low + 1]?.at ?? length;
  return { run, isEven: end - run.at === run.end - run.start };
}
