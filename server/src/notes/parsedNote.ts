// One note, looked at as markdown: which paragraph stands where. Only a window of whole top-level blocks around the
// place in question is parsed (micromark takes 0.6 s for 1 MB); the line scanner tells where a note can be cut.
// paragraphs.test.ts proves that a window gives what the whole note gives.
import type { OffsetRange } from '../protocol/index.ts';
import type { Nodes, Paragraph as ParagraphNode, Parents, Root } from 'mdast';
import { frontMatterEnd } from './closers.ts';
import { readBlocks } from './blocks.ts';
import type { Block } from './blocks.ts';
import { containersOf, takePrefixes } from './containers.ts';
import type { Container } from './containers.ts';
import { LineCursor } from './lineCursor.ts';
import { lineAt, textStart } from './lines.ts';
import { trimmedEnd } from './lineSyntax.ts';
import { parseMarkdown } from './markdown.ts';
import { StructureScanner } from './structure.ts';
import type { HeadingLine, ListSpan } from './structure.ts';

/** How far around a paragraph prose is looked for, in UTF-16 code units that are not annotations. */
const reach = 4000;
/** The longest block at top level that is parsed, in UTF-16 code units: a second or less of work. */
const longestBlock = 300_000;
/** How much of a note is parsed at a time where all of it is: some milliseconds of work. */
const windowSize = 20_000;

/** A stretch of a note with its tree; the tree's offsets count from `start`. */
export interface Window {
  readonly start: number;
  readonly end: number;
  readonly root: Root;
}

/** A paragraph of the note's own prose. */
export interface Prose {
  readonly node: ParagraphNode;
  readonly window: Window;
  /** Its ancestors below the root, outermost first. */
  readonly ancestors: readonly Parents[];
  readonly containers: readonly Container[];
  /** Its text `[start, end)` without the line end, and without lines that are syntax of a wider kind. */
  readonly start: number;
  readonly end: number;
  /** Where the last line with text of its outermost container (or its own last line) ends. */
  readonly outerEnd: number;
}

export class ParsedNote {
  readonly note: string;
  readonly blocks: readonly Block[];
  readonly headings: readonly HeadingLine[];
  /** Where the note can be cut, in order; the first is where its body begins, the last its end. */
  readonly #boundaries: readonly number[];
  readonly #whole: boolean;
  readonly #lists: readonly ListSpan[];
  readonly #listStarts: readonly number[];
  readonly #windows = new Map<string, Window>();
  readonly #prose = new Map<Window, Prose[]>();

  /** @param options `whole`: parse the whole note, never a window (for tests) */
  constructor(note: string, options: { readonly whole?: boolean } = {}) {
    this.note = note;
    this.blocks = readBlocks(note).blocks;
    const bodyStart = frontMatterEnd(note) || textStart(note);
    const boundaries = [bodyStart];
    const headings: HeadingLine[] = [];
    const scanner = new StructureScanner(note, { unclosed: 'runs-on' });
    while (scanner.nextLine()) {
      const cut = scanner.boundary || scanner.itemBoundary;
      if (cut && scanner.start > bodyStart) boundaries.push(scanner.start);
      if (scanner.heading) headings.push(scanner.heading);
    }
    boundaries.push(note.length);
    this.headings = headings;
    this.#lists = scanner.lists;
    this.#listStarts = scanner.lists.map(({ start }) => start);
    this.#boundaries = boundaries;
    this.#whole = options.whole ?? false;
  }

  /** The annotation block that holds this offset, its comments included. */
  blockAt(offset: number): Block | null {
    const line = lineAt(this.note, offset);
    return (
      this.blocks.find(({ comments }) => line.start >= comments.start && line.start < comments.end) ?? null
    );
  }

  /** The tree around an offset, wide enough for the prose around it; null where a block is too long to be parsed. */
  windowAt(offset: number): Window | null {
    const extent = this.#extentAt(offset);
    if (!extent) return null;
    return this.#whole
      ? this.#parse(this.#bound(0), this.note.length)
      : this.#parse(extent.start, extent.end);
  }

  /** The note's body in consecutive windows of whole blocks; blocks that are too long to be parsed are left out. */
  *windows(): Generator<Window> {
    const last = this.#boundaries.length - 1;
    for (let first = 0; first < last;) {
      let next = first + 1;
      while (next < last && this.#bound(next + 1) - this.#bound(first) <= windowSize) next += 1;
      const [start, end] = [this.#bound(first), this.#bound(next)];
      // Not kept: nobody asks for these windows by a place in them.
      if (end - start <= longestBlock) yield { start, end, root: parseMarkdown(this.note.slice(start, end)) };
      first = next;
    }
  }

  /** Whole blocks around an offset, as far as prose is looked for; none that is too long. */
  #extentAt(offset: number): OffsetRange | null {
    const count = this.#boundaries.length;
    let first = Math.max(0, Math.min(lastAtOrBefore(this.#boundaries, offset), count - 2));
    let last = first + 1;
    const isParsed = (index: number): boolean => this.#bound(index + 1) - this.#bound(index) <= longestBlock;
    if (!isParsed(first)) return null;
    const from = this.#own(this.#bound(first)) - reach;
    const to = this.#own(this.#bound(last)) + reach;
    while (first > 0 && this.#own(this.#bound(first)) > from && isParsed(first - 1)) first -= 1;
    while (last < count - 1 && this.#own(this.#bound(last)) < to && isParsed(last)) last += 1;
    return { start: this.#bound(first), end: this.#bound(last) };
  }

  #bound(index: number): number {
    return this.#boundaries[index] ?? this.note.length;
  }

  #parse(start: number, end: number): Window {
    const key = `${start} ${end}`;
    let window = this.#windows.get(key);
    if (!window) {
      window = { start, end, root: parseMarkdown(this.note.slice(start, end)) };
      this.#windows.set(key, window);
    }
    return window;
  }

  /** How much of the note before an offset is not annotations. */
  #own(offset: number): number {
    let annotations = 0;
    for (const block of this.blocks) {
      if (block.start >= offset) break;
      annotations += Math.min(block.end, offset) - block.start;
    }
    return offset - annotations;
  }

  /** All paragraphs of a window that are not part of an annotation. */
  proseOf(window: Window): readonly Prose[] {
    const known = this.#prose.get(window);
    if (known) return known;
    const found: Prose[] = [];
    const visit = (node: Nodes, ancestors: readonly Parents[]): void => {
      if (node.type === 'paragraph') {
        const prose = this.#readProse(node, window, ancestors);
        if (prose) found.push(prose);
      } else if ('children' in node && !isLeaf(node)) {
        for (const child of node.children) visit(child, [...ancestors, node]);
      }
    };
    for (const child of window.root.children) visit(child, []);
    this.#prose.set(window, found);
    return found;
  }

  #readProse(node: ParagraphNode, window: Window, ancestors: readonly Parents[]): Prose | null {
    const range = rangeOf(node, window);
    const start = behindCheckbox(this.note, node, ancestors, window);
    if (this.blockAt(start)) return null;
    const containers = containersOf(this.note, ancestors, window.start);
    const trimmed = this.#withoutBorders(start, range.end, containers);
    if (!trimmed || isLatexBlock(this.note.slice(trimmed.start, trimmed.end))) return null;
    // A window may cut a list between its items, so the scanner tells how far the list goes.
    const outer = this.#listAt(start) ?? rangeOf(ancestors[0] ?? node, window);
    const outerEnd = this.#textEnd(outer.start, outer.end);
    return { node, window, ancestors, containers, ...trimmed, outerEnd };
  }

  #listAt(offset: number): ListSpan | null {
    const list = this.#lists[lastAtOrBefore(this.#listStarts, offset)];
    return list && offset <= list.end ? list : null;
  }

  /** The list, quote, footnote or other block at top level that a line belongs to, or null. */
  topLevelAt(lineStart: number): OffsetRange | null {
    const list = this.#listAt(lineStart);
    if (list) return list;
    const window = this.windowAt(lineStart);
    if (!window) return null;
    const ranges = window.root.children.map((node) => rangeOf(node, window));
    return (
      ranges.find(({ start, end }) => lineAt(this.note, start).start <= lineStart && lineStart <= end) ?? null
    );
  }

  /** All paragraphs in a block at top level that are not part of an annotation; none where it is too long. */
  proseIn({ start, end }: OffsetRange): Prose[] {
    if (end - start > longestBlock) return [];
    const from = this.#bound(Math.max(0, lastAtOrBefore(this.#boundaries, start)));
    const to = this.#bound(lastAtOrBefore(this.#boundaries, end) + 1);
    return this.proseOf(this.#parse(from, to)).filter((prose) => prose.start >= start && prose.end <= end);
  }

  /**
   * A paragraph without what other readers of markdown don't count as its text: the first line of a callout
   * (`[!note] Title` in a quote) and the fences of a pandoc div (`:::`). Null where nothing is left.
   */
  #withoutBorders(
    nodeStart: number,
    nodeEnd: number,
    containers: readonly Container[],
  ): { start: number; end: number } | null {
    const { note } = this;
    let start = nodeStart;
    let end = trimmedEnd(note, start, this.#textEnd(start, nodeEnd));
    const isBorder = containers.at(-1)?.kind === 'quote' ? /^(?::{3,}|\[![A-Za-z][^\]]*\])/ : /^:{3,}/;
    while (start < end && isBorder.test(note.slice(start, Math.min(end, start + 80)))) {
      const line = lineAt(note, start);
      if (line.next >= end) return null;
      start = this.#lineText(line.next, containers);
    }
    for (;;) {
      const line = lineAt(note, end);
      if (line.start <= start) break;
      const text = this.#lineText(line.start, containers);
      if (!/^:{3,}[ \t]*$/.test(note.slice(text, end))) break;
      const above = lineAt(note, line.start - 1);
      end = trimmedEnd(note, Math.max(start, above.start), above.end);
    }
    return { start, end };
  }

  /** Where the text of a line begins, behind the prefixes of its containers. */
  #lineText(lineStart: number, containers: readonly Container[]): number {
    const line = lineAt(this.note, lineStart);
    const cursor = new LineCursor(this.note);
    cursor.enter(line.start, line.end);
    takePrefixes(this.note, cursor, containers);
    cursor.look();
    return cursor.nonspace;
  }

  /** Where the last line with text in `[start, end)` ends: a list may take in the empty lines below it. */
  #textEnd(start: number, end: number): number {
    let place = end;
    while (place > start && /[ \t\r\n]/.test(this.note.charAt(place - 1))) place -= 1;
    return place;
  }

  /** The paragraph's source with the prefixes of its containers taken from its further lines, joined with LF. */
  textOf(prose: Prose): string {
    return this.linesOf(prose)
      .map(({ start, end }) => this.note.slice(start, end))
      .join('\n');
  }

  /** Where the lines of `textOf` stand in the note. */
  linesOf({ start, end, containers }: Prose): OffsetRange[] {
    const { note } = this;
    const first = lineAt(note, start);
    const lines = [{ start, end: Math.min(end, first.end) }];
    for (
      let line = lineAt(note, first.next);
      line.start < end && line.start > start;
      line = lineAt(note, line.next)
    ) {
      lines.push({ start: this.#lineText(line.start, containers), end: Math.min(end, line.end) });
      if (line.next === line.end) break;
    }
    return lines;
  }

  /** Prose that begins or ends within reach of a paragraph: what stands before it and what after it. */
  around(prose: Prose): { before: Prose[]; after: Prose[] } {
    const extent = this.#extentAt(prose.start) ?? prose.window;
    const near = this.proseOf(prose.window).filter(
      ({ start, end }) => start >= extent.start && end <= extent.end,
    );
    const from = this.#own(prose.start) - reach;
    const to = this.#own(prose.end) + reach;
    return {
      before: near.filter((other) => other.end <= prose.start && this.#own(other.end) > from),
      after: near.filter((other) => other.start >= prose.end && this.#own(other.start) < to),
    };
  }
}

/** Index of the last of these ascending numbers that is not above `value`, or -1. */
function lastAtOrBefore(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Where a paragraph's text begins: behind the checkbox of a task. The parser leaves that in the paragraph where
 * anything but plain text follows.
 */
function behindCheckbox(
  note: string,
  node: ParagraphNode,
  ancestors: readonly Parents[],
  window: Window,
): number {
  const { start } = rangeOf(node, window);
  const item = ancestors.at(-1);
  if (item?.type !== 'listItem' || typeof item.checked !== 'boolean') return start;
  const isFirst = /^(?:[-+*]|\d{1,9}[.)])\s+$/.test(note.slice(rangeOf(item, window).start, start));
  const text = note.slice(start, lineAt(note, start).end);
  return start + ((isFirst ? /^\[[ \txX]\][ \t]+/ : /^[ \t]*/).exec(text)?.[0].length ?? 0);
}

/** A LaTeX environment: markdown takes it for a paragraph. */
export function isLatexBlock(text: string): boolean {
  return text.startsWith('\\begin{') && /\\end\{[^{}]*\}$/.test(text);
}

/** Nodes whose children are never paragraphs. */
function isLeaf(node: Nodes): boolean {
  return node.type === 'heading' || node.type === 'table';
}

/** A node's offsets in the note. */
export function rangeOf(node: Nodes, window: Window): { start: number; end: number } {
  return {
    start: window.start + (node.position?.start.offset ?? 0),
    end: window.start + (node.position?.end.offset ?? 0),
  };
}
