// Looks ahead for what closes a fence, math or HTML block, so that one that is never closed can be told at once.
// Each kind is searched for once in a note: the whole stays linear.
import { lineEndAt, textStart } from './lines.ts';
import { findHtmlEnd } from './lineSyntax.ts';
import type { Fence, HtmlEnd } from './lineSyntax.ts';

/** Lines that close fences of one character: where each begins, and the longest from there to the note's end. */
interface ClosingLines {
  readonly starts: number[];
  readonly longestFrom: number[];
}

export class Closers {
  readonly #note: string;
  readonly #fences = new Map<number, ClosingLines>();
  readonly #absent = new Set<HtmlEnd>();

  constructor(note: string) {
    this.#note = note;
  }

  /** Whether a line at or after `from` (a line start) closes this fence at top level. */
  closesFence(fence: Fence, from: number): boolean {
    let lines = this.#fences.get(fence.unit);
    if (!lines) {
      lines = closingLines(this.#note, fence.unit);
      this.#fences.set(fence.unit, lines);
    }
    const index = firstAtOrAfter(lines.starts, from);
    return (lines.longestFrom[index] ?? 0) >= fence.size;
  }

  /** Whether this end of an HTML block stands anywhere from `from` on. */
  endsHtml(until: HtmlEnd, from: number): boolean {
    if (until === 'blank') return true;
    if (this.#absent.has(until)) return false;
    if (findHtmlEnd(this.#note, from, this.#note.length, until) >= 0) return true;
    this.#absent.add(until);
    return false;
  }
}

function closingLines(note: string, unit: number): ClosingLines {
  const shortest = String.fromCharCode(unit).repeat(2);
  const starts: number[] = [];
  const sizes: number[] = [];
  let place = note.indexOf(shortest);
  while (place >= 0) {
    let end = place;
    while (note.charCodeAt(end) === unit) end += 1;
    const lineStart = startOfLineBefore(note, place);
    if (lineStart !== null && restIsBlank(note, end)) {
      starts.push(lineStart);
      sizes.push(end - place);
    }
    place = note.indexOf(shortest, end);
  }
  const longestFrom = sizes;
  for (let index = sizes.length - 2; index >= 0; index -= 1) {
    longestFrom[index] = Math.max(sizes[index] ?? 0, longestFrom[index + 1] ?? 0);
  }
  return { starts, longestFrom };
}

/** Start of the line when nothing but up to three spaces stand before `place`, else null. */
function startOfLineBefore(note: string, place: number): number | null {
  for (let start = place; place - start <= 3; start -= 1) {
    if (start === textStart(note) || lineEndAt(note, start - 1) !== '') return start;
    if (note[start - 1] !== ' ') return null;
  }
  return null;
}

/** Whether only spaces and tabs stand between `from` and the end of its line. */
function restIsBlank(note: string, from: number): boolean {
  const end = afterSpaces(note, from);
  return end === note.length || lineEndAt(note, end) !== '';
}

function afterSpaces(note: string, from: number): number {
  let end = from;
  while (note[end] === ' ' || note[end] === '\t') end += 1;
  return end;
}

function firstAtOrAfter(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Offset of the line after the front matter (`---` or `+++` fences, closed), or 0 where there is none. */
export function frontMatterEnd(note: string): number {
  const start = textStart(note);
  const fence = note.slice(start, start + 3);
  if (fence !== '---' && fence !== '+++') return 0;
  if (!restIsBlank(note, start + 3)) return 0;
  let place = note.indexOf(fence, start + 3);
  while (place >= 0) {
    if (lineEndAt(note, place - 1) !== '' && restIsBlank(note, place + 3)) {
      const end = afterSpaces(note, place + 3);
      return end + lineEndAt(note, end).length;
    }
    place = note.indexOf(fence, place + 1);
  }
  return 0;
}
