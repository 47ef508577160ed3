// Lines of a note: a line ends with LF, CRLF or a lone CR, as in CommonMark and the Language Server Protocol.
// Offsets are UTF-16 code units. Knows nothing of markdown.

const lineFeed = 10;
const carriageReturn = 13;

/** A line `[start, end)` without its line end; `next` is where the following line starts. */
export interface Line {
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

function isLineEndUnit(unit: number): boolean {
  return unit === lineFeed || unit === carriageReturn;
}

/**
 * The line that holds `offset`. An offset between CR and LF belongs to the line that they end; a byte order mark is
 * no part of the first line.
 */
export function lineAt(note: string, offset: number): Line {
  const first = textStart(note);
  const place = Math.max(first, Math.min(offset, note.length));
  let end = splitsLineEnd(note, place) ? place - 1 : place;
  let start = end;
  while (start > first && !isLineEndUnit(note.charCodeAt(start - 1))) start -= 1;
  while (end < note.length && !isLineEndUnit(note.charCodeAt(end))) end += 1;
  return { start, end, next: end + lineEndAt(note, end).length };
}

/** The line end that begins at `offset`, or an empty string. */
export function lineEndAt(note: string, offset: number): '' | '\n' | '\r' | '\r\n' {
  const unit = note.charCodeAt(offset);
  if (unit === lineFeed) return '\n';
  if (unit !== carriageReturn) return '';
  return note.charCodeAt(offset + 1) === lineFeed ? '\r\n' : '\r';
}

/** The line end that ends right before `offset`, or an empty string. */
export function lineEndBefore(note: string, offset: number): '' | '\n' | '\r' | '\r\n' {
  const unit = note.charCodeAt(offset - 1);
  if (unit === carriageReturn) return '\r';
  if (unit !== lineFeed) return '';
  return note.charCodeAt(offset - 2) === carriageReturn ? '\r\n' : '\n';
}

/** Whether `offset` lies between the CR and the LF of one line end. */
function splitsLineEnd(note: string, offset: number): boolean {
  return note.charCodeAt(offset - 1) === carriageReturn && note.charCodeAt(offset) === lineFeed;
}

/** Where the note's text begins: after its byte order mark, if it has one. */
export function textStart(note: string): number {
  return note.charCodeAt(0) === 0xfeff ? 1 : 0;
}

/** Whether a line starts at `offset`. */
export function isLineStart(note: string, offset: number): boolean {
  if (offset <= textStart(note)) return offset === textStart(note);
  return lineEndBefore(note, offset) !== '' && !splitsLineEnd(note, offset);
}

/** The line end in use around `offset`: the nearest one before it, else the first one after it, else LF. */
export function lineEndAround(note: string, offset: number): string {
  let place = Math.min(offset, note.length);
  if (splitsLineEnd(note, place)) place += 1;
  while (place > 0 && !isLineEndUnit(note.charCodeAt(place - 1))) place -= 1;
  if (place > 0) return lineEndBefore(note, place);
  const { end } = lineAt(note, offset);
  return lineEndAt(note, end) || '\n';
}

/** Goes through the lines of a note from the first on. A line end at the very end begins no further line. */
export class LineWalk {
  readonly #text: string;
  #nextFeed = -2;
  #nextReturn = -2;

  /** Number of the line, counted from 0. */
  line = -1;
  /** The line is `[start, end)` without its line end; the following one begins at `next`. */
  start = 0;
  end = 0;
  next: number;

  constructor(note: string) {
    this.#text = note;
    this.next = textStart(note);
  }

  /** Goes to the next line. False at the end of the note. */
  step(): boolean {
    const from = this.next;
    if (from >= this.#text.length) return false;
    if (this.#nextFeed < from && this.#nextFeed !== -1) this.#nextFeed = this.#text.indexOf('\n', from);
    if (this.#nextReturn < from && this.#nextReturn !== -1) this.#nextReturn = this.#text.indexOf('\r', from);
    const feed = this.#nextFeed < 0 ? this.#text.length : this.#nextFeed;
    this.line += 1;
    this.start = from;
    this.end = this.#nextReturn < 0 ? feed : Math.min(feed, this.#nextReturn);
    this.next = this.end + lineEndAt(this.#text, this.end).length;
    return true;
  }
}
