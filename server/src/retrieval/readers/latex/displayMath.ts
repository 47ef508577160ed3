// Displayed math: its lines as they are written, without labels, numbers' switches, comments and alignment marks.
import type { ReadableBuilder } from '../readableBuilder.ts';

const leftOut =
  /\\label\s*\{[^{}]*\}|(?<!\\)%[^\n]*\n?|\\(?:nonumber|notag|displaystyle|centering)(?![A-Za-z])|(?<!\\)&|\\\\(?:\[[^\]\n]{0,40}\])?/g;

/** Copies the math `text[start, end)`; a row of it becomes a line. */
export function copyDisplayMath(readable: ReadableBuilder, text: string, start: number, end: number): void {
  let from = start;
  for (const match of text.slice(start, end).matchAll(leftOut)) {
    const at = start + match.index;
    readable.copy(text, from, at);
    from = at + match[0].length;
    if (match[0].startsWith('\\\\')) readable.lineBreak();
    else readable.space(at, from);
  }
  readable.copy(text, from, end);
}
