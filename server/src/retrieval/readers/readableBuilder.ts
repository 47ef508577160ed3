// Builds what a person reads out of pieces of a source, and keeps where each piece stands there.
// Knows no format: readers call it.
import type { TextRun } from '../ports.ts';

interface OpenRun {
  readonly at: number;
  readonly start: number;
  end: number;
}

/** White space is collapsed to one space and trimmed at both ends, but for what `lineBreak` and `verbatim` bring. */
export class ReadableBuilder {
  readonly #parts: string[] = [];
  #length = 0;
  #last = '';
  readonly #runs: OpenRun[] = [];
  /** What stands before the next piece, if one comes. */
  #gap: { readonly unit: ' ' | '\n'; readonly start: number; readonly end: number } | null = null;

  /** Whether nothing but white space came so far. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** What was built so far, white space at its end left out. */
  get text(): string {
    return this.#parts.join('');
  }

  get runs(): readonly TextRun[] {
    return this.#runs;
  }

  /** Where in the source the first piece begins and the last one ends; both 0 when empty. */
  get extent(): { readonly start: number; readonly end: number } {
    return { start: this.#runs[0]?.start ?? 0, end: this.#runs.at(-1)?.end ?? 0 };
  }

  /** Takes over `source[start, end)`, white space collapsed. */
  copy(source: string, start: number, end: number): void {
    let from = start;
    while (from < end) {
      let to = from;
      while (to < end && !isSpace(source.charCodeAt(to))) to += 1;
      if (to > from) this.#emit(source.slice(from, to), from, to);
      from = to;
      while (to < end && isSpace(source.charCodeAt(to))) to += 1;
      if (to > from) this.space(from, to);
      from = to;
    }
  }

  /** Takes over `source[start, end)` as it is, white space too. */
  verbatim(source: string, start: number, end: number): void {
    if (end > start) this.#emit(source.slice(start, end), start, end);
  }

  /** Puts text of the reader's own in the place of `[start, end)`. */
  put(text: string, start: number, end: number): void {
    let rest = text;
    if (/^\s/.test(rest)) {
      this.space(start, start);
      rest = rest.trimStart();
    }
    const body = rest.trimEnd();
    if (body !== '') this.#emit(body, start, end);
    if (body !== rest) this.space(end, end);
  }

  /** A space in the place of `[start, end)`, if anything follows and none is there already. */
  space(start: number, end: number): void {
    this.#gap ??= { unit: ' ', start, end };
  }

  /** The next piece begins a line of its own. */
  lineBreak(): void {
    const { end } = this.extent;
    this.#gap = { unit: '\n', start: end, end };
  }

  #emit(text: string, start: number, end: number): void {
    const gap = this.#gap;
    this.#gap = null;
    if (gap && this.#length > 0 && (gap.unit === '\n' || !/\s/.test(this.#last))) {
      this.#add(gap.unit, gap.start, gap.end);
    }
    this.#add(text, start, end);
  }

  /** Runs never go back in the source: a piece that would is pinned to the end of the last one. */
  #add(text: string, start: number, end: number): void {
    const last = this.#runs.at(-1);
    const from = Math.max(start, last?.end ?? 0);
    const to = Math.max(from, end);
    const lastIsEven = last !== undefined && this.#length - last.at === last.end - last.start;
    if (last && lastIsEven && last.end === from && text.length === to - from) last.end = to;
    else this.#runs.push({ at: this.#length, start: from, end: to });
    this.#parts.push(text);
    this.#length += text.length;
    this.#last = text.charAt(text.length - 1);
  }
}

const space = 32;
const noBreakSpace = 160;

/** White space in the sense of `\s`, the frequent ones first. */
export function isSpace(unit: number): boolean {
  if (unit === space || (unit >= 9 && unit <= 13)) return true;
  if (unit < noBreakSpace) return false;
  return unit === noBreakSpace || (unit >= 0x1680 && /\s/.test(String.fromCharCode(unit)));
}
