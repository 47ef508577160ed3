// One file of LaTeX as text: which brace closes which, arguments, commands, ends of environments. Total and linear;
// knows no command's meaning but those that change what a brace is.
import type { OffsetRange } from '../../../protocol/index.ts';

/** A command. `next` is where what follows its name begins. */
export interface Command {
  /** Without the backslash; with the star, if it has one. */
  readonly name: string;
  readonly start: number;
  readonly next: number;
}

/** An argument's inside, and where what follows it begins. */
export interface Argument extends OffsetRange {
  readonly next: number;
}

/** An optional argument is short; beyond this many UTF-16 units `[` is a bracket of the text. */
const longestOptional = 2000;
/** So far is looked for what closes `\verb|…|` and an address. */
const longestLiteral = 2000;
const verbatimStart =
  /\\(?:begin\{((?:verbatim|lstlisting|minted|Verbatim|comment)\*?)\}|verb\*?(?![A-Za-z])(.)|(?:url|path|href)\s*\{)/y;

export class SourceText {
  readonly text: string;
  readonly #comments: boolean;
  /** For each `{` the offset of its `}`; 0 where it has none. */
  readonly #closers: Int32Array;
  /** Where no end of an environment was found from, by its name: it needs no second look. */
  readonly #endless = new Map<string, number>();

  /** @param options `comments`: whether `%` begins a comment, as in LaTeX but not in BibTeX's values */
  constructor(text: string, options: { readonly comments: boolean } = { comments: true }) {
    this.text = text;
    this.#comments = options.comments;
    this.#closers = this.#matchBraces();
  }

  #matchBraces(): Int32Array {
    const { text } = this;
    const closers = new Int32Array(text.length);
    const open: number[] = [];
    for (let place = 0; place < text.length; place += 1) {
      switch (text.charCodeAt(place)) {
        case 92: // backslash
          place = this.#afterBackslash(place, closers) - 1;
          break;
        case 37: // percent sign
          if (this.#comments) place = this.lineEnd(place);
          break;
        case 123: // opening brace
          open.push(place);
          break;
        case 125: {
          const start = open.pop();
          if (start !== undefined) closers[start] = place;
        }
      }
    }
    return closers;
  }

  /** Where the search for braces goes on behind a backslash: behind what it takes literally. */
  #afterBackslash(place: number, closers: Int32Array): number {
    verbatimStart.lastIndex = place;
    const match = this.#comments ? verbatimStart.exec(this.text) : null;
    if (!match) return place + 2;
    const behind = verbatimStart.lastIndex;
    if (match[1] !== undefined) {
      closers[place + '\\begin'.length] = behind - 1;
      const end = this.endOf(match[1], behind);
      return end < 0 ? behind : end;
    }
    // An address may hold a percent sign, so it is left before its braces.
    if (match[2] === undefined) return this.#afterAddress(behind - 1, closers);
    const [line] = this.text.slice(behind, behind + longestLiteral).split('\n', 1);
    const close = line?.indexOf(match[2]) ?? -1;
    return close < 0 ? behind : behind + close + 1;
  }

  #afterAddress(brace: number, closers: Int32Array): number {
    const address = /^\{[^{}\n%]*%[^{}\n]*(?=\})/.exec(this.text.slice(brace, brace + longestLiteral));
    if (!address) return brace;
    closers[brace] = brace + address[0].length;
    return brace + address[0].length + 1;
  }

  /** The offset of the line end at or after `place`, or of the text's end. */
  lineEnd(place: number): number {
    const feed = this.text.indexOf('\n', place);
    return feed < 0 ? this.text.length : feed;
  }

  /** Where `\end{name}` begins, at or after `from`; -1 where there is none. */
  endOf(name: string, from: number): number {
    if (from >= (this.#endless.get(name) ?? Infinity)) return -1;
    const end = this.text.indexOf(`\\end{${name}}`, from);
    if (end < 0) this.#endless.set(name, from);
    return end;
  }

  /** The command at a backslash. White space behind a name of letters belongs to it, up to one line end. */
  commandAt(start: number): Command {
    const name = /\\([A-Za-z@]+\*?|[^]?)/y;
    name.lastIndex = start;
    const found = name.exec(this.text)?.[1] ?? '';
    return { name: found, start, next: start + 1 + found.length };
  }

  /** The offset behind white space that begins at `place` and holds no blank line, comments included. */
  skipSpace(place: number): number {
    let at = place;
    let lineEnds = 0;
    for (;;) {
      const unit = this.text.charCodeAt(at);
      if (unit === 37 && this.#comments) at = this.lineEnd(at);
      else if (unit === 10 && (lineEnds += 1) > 1) return place;
      else if (unit === 10 || unit === 32 || unit === 9 || unit === 13) at += 1;
      else return at;
    }
  }

  /** The argument in braces at `place` (behind white space), or null. A brace that is never closed ends with its line. */
  argumentAt(place: number): Argument | null {
    const open = this.skipSpace(place);
    if (this.text[open] !== '{') return null;
    const close = this.#closers[open] ?? 0;
    if (close > 0) return { start: open + 1, end: close, next: close + 1 };
    const end = this.lineEnd(open);
    return { start: open + 1, end, next: end };
  }

  /** The argument in brackets at `place` (behind white space), or null. */
  optionalAt(place: number): Argument | null {
    const open = this.skipSpace(place);
    if (this.text[open] !== '[') return null;
    const limit = Math.min(this.text.length, open + longestOptional);
    for (let at = open + 1; at < limit; at += 1) {
      const unit = this.text[at];
      if (unit === ']') return { start: open + 1, end: at, next: at + 1 };
      if (unit === '\\') at += 1;
      else if (unit === '{') at = Math.max(at, this.#closers[at] ?? 0);
      else if (unit === '\n' && /^[ \t\r]*\n/.test(this.text.slice(at + 1, at + 80))) return null;
    }
    return null;
  }

  slice({ start, end }: OffsetRange): string {
    return this.text.slice(start, end);
  }
}
