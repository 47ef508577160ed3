// What the start of a line can be in CommonMark with GFM tables, footnotes and `$$` math: each function looks
// at one line from `at` (first unit that is not white space) to `end`. They keep no state.
// They follow micromark construct by construct; structure.test.ts compares the two.

const hash = 35;
const dollar = 36;
const backtick = 96;
const tilde = 126;

function isSpaceOrTab(unit: number): boolean {
  return unit === 32 || unit === 9;
}

/** How many units equal to `unit` stand from `at` on. */
function runLength(note: string, at: number, end: number, unit: number): number {
  let place = at;
  while (place < end && note.charCodeAt(place) === unit) place += 1;
  return place - at;
}

function isBlankFrom(note: string, at: number, end: number): boolean {
  let place = at;
  while (place < end && isSpaceOrTab(note.charCodeAt(place))) place += 1;
  return place >= end;
}

/** A fence of code or of math: `unit` is its character, `size` how many there are. */
export interface Fence {
  readonly unit: number;
  readonly size: number;
}

/** An opening code fence: three or more backticks (no backtick in the info string) or tildes. */
export function openingFence(note: string, at: number, end: number): Fence | null {
  const unit = note.charCodeAt(at);
  if (unit !== backtick && unit !== tilde) return null;
  const size = runLength(note, at, end, unit);
  if (size < 3) return null;
  if (unit === backtick && note.slice(at + size, end).includes('`')) return null;
  return { unit, size };
}

/** An opening math fence: two or more dollars, and no dollar after them. */
export function openingMath(note: string, at: number, end: number): Fence | null {
  if (note.charCodeAt(at) !== dollar) return null;
  const size = runLength(note, at, end, dollar);
  if (size < 2 || note.slice(at + size, end).includes('$')) return null;
  return { unit: dollar, size };
}

/** Whether the line closes the fence. Its indentation (0 to 3 columns) is the caller's to check. */
export function closesFence(note: string, at: number, end: number, fence: Fence): boolean {
  const size = runLength(note, at, end, fence.unit);
  return size >= fence.size && isBlankFrom(note, at + size, end);
}

/** Level of an ATX heading, or 0. */
export function atxLevel(note: string, at: number, end: number): number {
  const size = runLength(note, at, end, hash);
  if (size === 0 || size > 6) return 0;
  return at + size >= end || isSpaceOrTab(note.charCodeAt(at + size)) ? size : 0;
}

/** The text of an ATX heading in `[from, to)`: without white space around it and without closing `#`s. */
export function headingText(note: string, from: number, to: number): { start: number; end: number } {
  let start = from;
  while (start < to && isSpaceOrTab(note.charCodeAt(start))) start += 1;
  const end = trimmedEnd(note, start, to);
  let closing = end;
  while (closing > start && note.charCodeAt(closing - 1) === hash) closing -= 1;
  if (closing === start) return { start, end: start };
  const isClosed = closing < end && isSpaceOrTab(note.charCodeAt(closing - 1));
  return { start, end: isClosed ? trimmedEnd(note, start, closing) : end };
}

/** Where `[start, end)` ends without the spaces and tabs at its end. */
export function trimmedEnd(note: string, start: number, end: number): number {
  let place = end;
  while (place > start && isSpaceOrTab(note.charCodeAt(place - 1))) place -= 1;
  return place;
}

/** Level of a setext underline (1 for `=`, 2 for `-`), or 0. */
export function setextLevel(note: string, at: number, end: number): number {
  const unit = note.charCodeAt(at);
  const size = runLength(note, at, end, unit);
  if (!isBlankFrom(note, at + size, end)) return 0;
  return note[at] === '=' ? 1 : note[at] === '-' ? 2 : 0;
}

/** Three or more of the same of `*`, `-`, `_`, with nothing but white space between. */
export function isThematicBreak(note: string, at: number, end: number): boolean {
  const unit = note.charCodeAt(at);
  let count = 0;
  for (let place = at; place < end; place += 1) {
    const here = note.charCodeAt(place);
    if (here === unit) count += 1;
    else if (!isSpaceOrTab(here)) return false;
  }
  return count >= 3;
}

/**
 * Length of a list marker (`-`, `12.`) at `at`, or 0.
 * @param interrupting the line would otherwise continue a paragraph: then only a non-empty item may start,
 * and a numbered one only with `1`
 */
export function listMarkerLength(note: string, at: number, end: number, interrupting: boolean): number {
  const length = bulletOrNumberLength(note, at, end, interrupting);
  if (length === 0) return 0;
  const after = at + length;
  if (after < end && !isSpaceOrTab(note.charCodeAt(after))) return 0;
  return interrupting && isBlankFrom(note, after, end) ? 0 : length;
}

function bulletOrNumberLength(note: string, at: number, end: number, interrupting: boolean): number {
  const first = note[at];
  if (first === '-' || first === '*') return isThematicBreak(note, at, end) ? 0 : 1;
  if (first === '+') return 1;
  let digits = 0;
  while (digits < 9 && isDigit(note.charCodeAt(at + digits)) && at + digits < end) digits += 1;
  if (digits === 0 || at + digits >= end) return 0;
  if (interrupting && (digits > 1 || first !== '1')) return 0;
  const closer = note[at + digits];
  return closer === '.' || closer === ')' ? digits + 1 : 0;
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

const footnoteDefinition = /^\[\^(?:\\[[\]\\]|[^\s[\]])+\]:[ \t]*/;

/** Length of a footnote definition's start (`[^1]: ` with the white space after it) at `at`, or 0. */
export function footnoteDefinitionLength(note: string, at: number, end: number): number {
  if (note[at + 1] !== '^') return 0;
  return footnoteDefinition.exec(note.slice(at, end))?.[0].length ?? 0;
}

/** How an HTML block ends: at a line that holds this, or at a blank line. */
export type HtmlEnd = '-->' | '?>' | '>' | ']]>' | 'raw' | 'blank';

export interface HtmlStart {
  readonly until: HtmlEnd;
  /** Offset from which the end may already stand on the first line. */
  readonly searchFrom: number;
}

const rawStart = /^<(?:pre|script|style|textarea)(?=[ \t>]|$)/i;
const rawEnd = /<\/(?:pre|script|style|textarea)>/i;
const namedBlock = new RegExp(
  '^</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|' +
    'dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|' +
    'main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|' +
    'thead|title|tr|track|ul)(?=[ \\t>]|/>|$)',
  'i',
);
const attribute = `[ \\t]+[A-Za-z_:][A-Za-z0-9_.:-]*(?:[ \\t]*=[ \\t]*(?:[^ \\t"'=<>\`/]+|'[^']*'|"[^"]*"))?`;
const loneTag = new RegExp(
  `^(?:<[A-Za-z][A-Za-z0-9-]*(?:${attribute})*[ \\t]*/?>|</[A-Za-z][A-Za-z0-9-]*[ \\t]*>)[ \\t]*$`,
);

/**
 * The start of an HTML block, or null.
 * @param interrupting the line would otherwise continue a paragraph: then a lone unknown tag is text
 */
export function htmlStart(note: string, at: number, end: number, interrupting: boolean): HtmlStart | null {
  const line = note.slice(at, end);
  if (line.startsWith('<!--')) return { until: '-->', searchFrom: at + 2 };
  if (line.startsWith('<?')) return { until: '?>', searchFrom: at + 1 };
  if (line.startsWith('<![CDATA[')) return { until: ']]>', searchFrom: at + 9 };
  if (/^<![A-Za-z]/.test(line)) return { until: '>', searchFrom: at + 3 };
  if (rawStart.test(line)) return { until: 'raw', searchFrom: at + 4 };
  if (namedBlock.test(line)) return { until: 'blank', searchFrom: end };
  if (!interrupting && loneTag.test(line)) return { until: 'blank', searchFrom: end };
  return null;
}

/** Offset of the first end of an HTML block in `[from, to)`, or -1. Blocks that end at a blank line have none. */
export function findHtmlEnd(note: string, from: number, to: number, until: HtmlEnd): number {
  if (until === 'blank') return -1;
  const text = note.slice(from, to);
  const found = until === 'raw' ? text.search(rawEnd) : text.indexOf(until);
  return found < 0 ? -1 : from + found;
}

/** What would close the HTML block that opens at `at`; an empty string where a blank line does. */
export function htmlCloser(note: string, at: number, until: HtmlEnd): string {
  if (until === 'blank') return '';
  return until === 'raw' ? `</${/[a-z]+/i.exec(note.slice(at, at + 10))?.[0] ?? 'pre'}>` : until;
}

const delimiterRow = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Number of cells of a table's delimiter row (`| --- | :-: |`), or 0. It needs a `|` or a `:`. */
export function delimiterCells(note: string, at: number, end: number): number {
  const row = note.slice(at, end);
  if (!/[|:]/.test(row) || !delimiterRow.test(row)) return 0;
  return row.match(/-+/g)?.length ?? 0;
}

/** Number of cells of a table's head row. */
export function headCells(note: string, at: number, end: number): number {
  let cells = 0;
  let pending = note[at] !== '|';
  for (let place = at; place < end; place += 1) {
    const unit = note[place];
    if (unit === ' ' || unit === '\t') continue;
    if (pending) {
      cells += 1;
      pending = false;
    }
    if (unit === '|') pending = true;
    else if (unit === '\\' && (note[place + 1] === '|' || note[place + 1] === '\\')) place += 1;
  }
  return cells;
}
