// The block structure of a note, line by line and in linear time: which lines belong to front matter, code fences,
// math and HTML, where containers (lists, quotes, footnotes) begin and end. No markdown parser, no inline syntax.
// It follows micromark closely (structure.test.ts compares the two); containers nested deeper than 64 are not told
// apart, and a setext underline below nothing but link definitions counts as a heading.
import { Closers, frontMatterEnd } from './closers.ts';
import { LineWalk } from './lines.ts';
import { LineCursor } from './lineCursor.ts';
import {
  atxLevel,
  closesFence,
  delimiterCells,
  findHtmlEnd,
  headCells,
  headingText,
  htmlCloser,
  htmlStart,
  isThematicBreak,
  listMarkerLength,
  openingFence,
  openingMath,
  setextLevel,
  trimmedEnd,
} from './lineSyntax.ts';
import type { Fence, HtmlEnd } from './lineSyntax.ts';
import { continuesContainer, newContainer } from './openContainers.ts';
import type { OpenContainer } from './openContainers.ts';

/** The innermost block that is open at the end of a line. */
type Leaf =
  | { readonly kind: 'none' | 'paragraph' | 'table' | 'indented' }
  | { readonly kind: 'fence' | 'math'; readonly fence: Fence }
  | { readonly kind: 'html'; readonly until: HtmlEnd; readonly start: number };

/** A heading that stands in no container. `[start, end)` is its text, without marks and outer white space. */
export interface HeadingLine {
  readonly level: number;
  readonly start: number;
  readonly end: number;
  /** Underlined, so its text may turn out to be link definitions. */
  readonly setext: boolean;
}

/** A list that stands in no container: from its first line's start to the end of its last line with text. */
export interface ListSpan {
  readonly start: number;
  readonly end: number;
}

/** What a line is part of, as far as the lines around it can't be read as markdown there. */
export type Region = 'front-matter' | 'fence' | null;

const none: Leaf = { kind: 'none' };
const paragraph: Leaf = { kind: 'paragraph' };
const table: Leaf = { kind: 'table' };
const indented: Leaf = { kind: 'indented' };
const deepest = 64;

export interface ScanOptions {
  /**
   * What a fence, math or HTML block at top level does that is never closed: `runs-on` to the end of the note, as
   * CommonMark has it, or it is `ignored`, as the writer is just typing it.
   */
  readonly unclosed: 'runs-on' | 'ignored';
}

/** Reads a note line by line: call `nextLine()` until it is false, and look at the public fields after each. */
export class StructureScanner extends LineWalk {
  readonly #note: string;
  readonly #ignoreUnclosed: boolean;
  readonly #cursor: LineCursor;
  readonly #closers: Closers;
  readonly #frontMatterEnd: number;
  readonly #containers: OpenContainer[] = [];
  #leaf: Leaf = none;
  #afterBlankLine = true;
  /** The list at top level that the line above belongs to. */
  #list: { marker: string; start: number; end: number } | null = null;
  /** Where the open paragraph's text begins. */
  #paragraphStart = 0;
  /** The text of the open paragraph's last line, and whether it may be the head of a table. */
  #row = { start: 0, end: 0, mayHead: false };

  /** Front matter, or a code fence at top level, with the lines that open and close it. */
  region: Region = null;
  /** Set on the last line of a heading at top level. */
  heading: HeadingLine | null = null;
  /** Whether the note can be cut before this line and the parts be parsed on their own. */
  boundary = false;
  /** Whether the line begins an item of a list at top level, so that it can be cut there but for the list's extent. */
  itemBoundary = false;
  /** The lists at top level so far, in order. */
  readonly lists: ListSpan[] = [];

  constructor(note: string, options: ScanOptions) {
    super(note);
    this.#note = note;
    this.#ignoreUnclosed = options.unclosed === 'ignored';
    this.#cursor = new LineCursor(note);
    this.#closers = new Closers(note);
    this.#frontMatterEnd = frontMatterEnd(note);
  }

  /** Goes to the next line. False at the end of the note. */
  nextLine(): boolean {
    if (!this.step()) return false;
    this.region = null;
    this.heading = null;
    this.boundary = false;
    this.itemBoundary = false;
    if (this.start < this.#frontMatterEnd) this.region = 'front-matter';
    else this.#readLine();
    return true;
  }

  /** Goes on at the line that starts at `offset`, as if nothing were open there. */
  skipTo(offset: number): void {
    while (this.next < offset && this.step());
    this.#containers.length = 0;
    this.#leaf = none;
    this.#afterBlankLine = false;
    this.#list = null;
  }

  /** What closes the fence, math or HTML block at top level that is open now: a line of text, or an empty string. */
  openCloser(): string {
    const leaf = this.#leaf;
    if (this.#containers.length > 0) return '';
    if (leaf.kind === 'fence' || leaf.kind === 'math') {
      return String.fromCharCode(leaf.fence.unit).repeat(leaf.fence.size);
    }
    return leaf.kind === 'html' ? htmlCloser(this.#note, leaf.start, leaf.until) : '';
  }

  #readLine(): void {
    const cursor = this.#cursor;
    cursor.enter(this.start, this.end);
    cursor.look();
    const blankLine = cursor.blank;
    const matched = this.#matchContainers();
    const all = matched === this.#containers.length;
    if (!all || !this.#continueVerbatim()) {
      if (!all && this.#leaf.kind !== 'paragraph') this.#close(matched);
      this.boundary = this.#afterBlankLine && matched === 0 && this.#startsFlushLeft();
      this.#openBlocks(matched, all);
    }
    this.#afterBlankLine = blankLine;
    if (blankLine) return;
    if (this.#containers[0]?.kind !== 'item') this.#list = null;
    else if (this.#list) this.#list.end = this.end;
  }

  /** An item at top level: it goes on with the list above it if that has the same marker. */
  #beginItem(markerEnd: number): void {
    const marker = this.#note.charAt(markerEnd - 1);
    if (this.#list?.marker === marker) return;
    this.#list = { marker, start: this.start, end: this.end };
    this.lists.push(this.#list);
  }

  /** Takes the prefixes of as many open containers as go on in this line; returns how many do. */
  #matchContainers(): number {
    const cursor = this.#cursor;
    let matched = 0;
    for (const container of this.#containers) {
      if (!continuesContainer(container, this.#note, cursor)) break;
      matched += 1;
      cursor.look();
    }
    return matched;
  }

  /** Reads the line as part of the open fence, math or HTML block. False where there is none or it is over. */
  #continueVerbatim(): boolean {
    const leaf = this.#leaf;
    const cursor = this.#cursor;
    if (leaf.kind === 'fence' || leaf.kind === 'math') {
      if (leaf.kind === 'fence' && this.#containers.length === 0) this.region = 'fence';
      if (cursor.indent < 4 && closesFence(this.#note, cursor.nonspace, this.end, leaf.fence))
        this.#leaf = none;
      return true;
    }
    if (leaf.kind !== 'html') return false;
    if (leaf.until === 'blank') {
      if (cursor.blank) this.#leaf = none;
      return !cursor.blank;
    }
    if (findHtmlEnd(this.#note, cursor.at, this.end, leaf.until) >= 0) this.#leaf = none;
    return true;
  }

  /** No white space, list marker or byte order mark at the line's start: nothing from above goes on in it. */
  #startsFlushLeft(): boolean {
    if (this.#leaf.kind === 'indented') return false;
    const first = this.#note[this.start];
    if (this.start === this.end || first === ' ' || first === '\t' || first === '\uFEFF') return false;
    return listMarkerLength(this.#note, this.start, this.end, false) === 0;
  }

  /** Closes the containers beyond the first `count`, and with them what is open inside. */
  #close(count: number): void {
    this.#containers.length = count;
    this.#leaf = none;
  }

  /** Opens containers and the leaf that begin in this line, behind the prefixes of the matched containers. */
  #openBlocks(matchedAtStart: number, all: boolean): void {
    const cursor = this.#cursor;
    let matched = matchedAtStart;
    // As in micromark: indented code counts, and containers that open in this line make no difference.
    const interrupts = this.#interrupts(matched) || (all && this.#leaf.kind === 'indented');
    for (;;) {
      if (cursor.blank) {
        // Indented code may go on below.
        if (this.#leaf.kind !== 'indented') this.#close(matched);
        return;
      }
      if (cursor.indent > 3) {
        this.#readIndented(matched, all);
        return;
      }
      const at = cursor.nonspace;
      const container = matched < deepest ? newContainer(this.#note, cursor, interrupts) : null;
      if (!container) break;
      if (matched === 0 && container.kind === 'item') {
        this.#beginItem(at + container.markerLength);
        this.itemBoundary = !interrupts;
      }
      this.#close(matched);
      this.#containers.push(container);
      matched += 1;
    }
    if (!this.#openLeaf(matched)) this.#readText(matched);
  }

  /** Indented code, or text of the paragraph that is open. */
  #readIndented(matched: number, all: boolean): void {
    if (this.#leaf.kind === 'paragraph') {
      this.#takeRow(false);
      return;
    }
    this.#close(matched);
    if (all) this.#leaf = indented;
  }

  /** Whether the line would otherwise go on with the open paragraph as a line of its own containers. */
  #interrupts(matched: number): boolean {
    return this.#leaf.kind === 'paragraph' && matched === this.#containers.length;
  }

  #openLeaf(matched: number): boolean {
    const at = this.#cursor.nonspace;
    switch (this.#note[at]) {
      case '#':
        return this.#openHeading(at, matched);
      case '`':
      case '~':
      case '$':
        return this.#openFence(at, matched);
      case '<':
        return this.#openHtml(at, matched);
      case '=':
      case '|':
      case ':':
        return this.#underline(at, matched);
      case '-':
        return this.#underline(at, matched) || this.#breakThematically(at, matched);
      case '*':
      case '_':
        return this.#breakThematically(at, matched);
      default:
        return false;
    }
  }

  #openHeading(at: number, matched: number): boolean {
    const level = atxLevel(this.#note, at, this.end);
    if (level === 0) return false;
    this.#close(matched);
    if (matched === 0) {
      const { start, end } = headingText(this.#note, at + level, this.end);
      this.heading = { level, start, end, setext: false };
    }
    return true;
  }

  #openFence(at: number, matched: number): boolean {
    const code = openingFence(this.#note, at, this.end);
    const fence = code ?? openingMath(this.#note, at, this.end);
    if (!fence) return false;
    if (this.#ignoreUnclosed && matched === 0 && !this.#closers.closesFence(fence, this.next)) return false;
    this.#close(matched);
    this.#leaf = { kind: code ? 'fence' : 'math', fence };
    if (code && matched === 0) this.region = 'fence';
    return true;
  }

  #openHtml(at: number, matched: number): boolean {
    const html = htmlStart(this.#note, at, this.end, this.#interrupts(matched));
    if (!html) return false;
    const closed = findHtmlEnd(this.#note, html.searchFrom, this.end, html.until) >= 0;
    if (!closed && this.#ignoreUnclosed && matched === 0 && !this.#closers.endsHtml(html.until, this.next)) {
      return false;
    }
    this.#close(matched);
    if (!closed) this.#leaf = { kind: 'html', until: html.until, start: at };
    return true;
  }

  /** A line that makes a heading, or a table's head, of the one above. */
  #underline(at: number, matched: number): boolean {
    if (!this.#interrupts(matched)) return false;
    const level = setextLevel(this.#note, at, this.end);
    if (level > 0) {
      this.#leaf = none;
      if (matched === 0) {
        this.heading = { level, start: this.#paragraphStart, end: this.#row.end, setext: true };
      }
      return true;
    }
    const cells = this.#row.mayHead ? delimiterCells(this.#note, at, this.end) : 0;
    if (cells === 0 || cells !== headCells(this.#note, this.#row.start, this.#row.end)) return false;
    this.#leaf = table;
    return true;
  }

  #breakThematically(at: number, matched: number): boolean {
    if (!isThematicBreak(this.#note, at, this.end)) return false;
    this.#close(matched);
    return true;
  }

  /** A line of text: it goes on with what is open, or begins a paragraph. */
  #readText(matched: number): void {
    if (this.#leaf.kind === 'table') return;
    if (this.#leaf.kind !== 'paragraph') {
      this.#close(matched);
      this.#leaf = paragraph;
      this.#paragraphStart = this.#cursor.nonspace;
    }
    this.#takeRow(true);
  }

  #takeRow(mayHead: boolean): void {
    const start = this.#cursor.nonspace;
    this.#row = { start, end: trimmedEnd(this.#note, start, this.end), mayHead };
  }
}
