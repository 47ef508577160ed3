// Reads a note in markdown: its own blocks with their places, never what a model wrote into it.
// It parses stretch by stretch, so that a long note does not hold the event loop; knows no file system.
import { basename } from 'node:path/posix';
import type { List, Nodes, Root, RootContent, Table, Text } from 'mdast';
import {
  citationsOf,
  frontMatterEnd,
  parseMarkdown,
  readBlocks,
  readRawMarkers,
  stretchesOf,
} from '../../notes/index.ts';
import type { Block, SourceDocument } from '../ports.ts';
import { BlockCollector } from './blockCollector.ts';
import { readFrontMatter } from './frontMatter.ts';
import { readHtmlBlocks } from './html.ts';
import { placeOf, readInline } from './markdownInline.ts';
import type { Stretch } from './markdownInline.ts';
import type { Pace } from '../pace.ts';
import { readPlainText } from './plainText.ts';
import { ReadableBuilder } from './readableBuilder.ts';

/** A stretch of this many UTF-16 units parses in some milliseconds. */
const stretchLength = 4000;
/** A longer single block is data rather than prose: it is read as plain text. UTF-16 units. */
const longestParsed = 60_000;
/** Containers nested deeper than this are read as text. */
const deepest = 60;

/**
 * Reads a note. Annotation blocks and a model's raw markers are left out wholly.
 * @throws PreflexorError `cancelled`
 */
export async function readMarkdown(path: string, text: string, pace: Pace): Promise<SourceDocument> {
  const reader = new MarkdownReader(path, text);
  await reader.read(pace);
  return reader.document();
}

class MarkdownReader {
  readonly #path: string;
  readonly #text: string;
  /** The note with line ends in place of what a model wrote: of the same length, so offsets hold. */
  readonly #note: string;
  /** Where text of a model stands, in order. */
  readonly #leftOut: readonly { readonly start: number; readonly end: number }[];
  #passed = 0;
  readonly #definitions: ReadonlyMap<string, string>;
  readonly #collector = new BlockCollector();
  readonly #tags = new Set<string>();
  #title: string | null = null;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
    this.#leftOut = [...readBlocks(text).blocks, ...readRawMarkers(text)]
      .map(({ start, end }) => ({ start, end }))
      .sort((a, b) => a.start - b.start);
    this.#note = blankOut(text, this.#leftOut);
    this.#definitions = definitionsIn(this.#note);
  }

  async read(pace: Pace): Promise<void> {
    this.#readFrontMatter();
    for (const { start, end } of stretchesOf(this.#note, stretchLength)) {
      await pace();
      const root = end - start > longestParsed ? null : this.#parse(this.#note.slice(start, end));
      if (root) this.#readStretch(root, { note: this.#note, start, end });
      else await readPlainText(this.#collector, this.#path, this.#note, pace, { start, end });
    }
  }

  document(): SourceDocument {
    const { blocks } = this.#collector;
    const heading = blocks.find(({ kind, heading }) => kind === 'heading' && heading.length === 0);
    return {
      path: this.#path,
      kind: 'markdown',
      title: this.#title ?? heading?.readable ?? basename(this.#path).replace(/\.[^.]*$/, ''),
      tags: [...this.#tags],
      blocks,
      texts: { [this.#path]: this.#text },
      dependencies: [],
      defines: [],
    };
  }

  #readFrontMatter(): void {
    const front = readFrontMatter(this.#note, frontMatterEnd(this.#note));
    this.#title = front.title;
    for (const tag of front.tags) this.#tags.add(tag);
    for (const { start, end, value } of front.prose) {
      const readable = new ReadableBuilder();
      if (this.#note.slice(start, end) === value) readable.copy(this.#note, start, end);
      else readable.put(value.replace(/\s+/g, ' '), start, end);
      this.#collector.add({ source: this.#path, kind: 'paragraph', readable, start, end });
    }
  }

  /** Null where the parser gives up, as on brackets nested ten thousand deep. */
  #parse(stretch: string): Root | null {
    if (isTangled(stretch)) return null;
    const labels = new Set([...stretch.matchAll(/\[([^[\]\r\n]{1,200})\]/g)].map((match) => match[1] ?? ''));
    const lines = [...labels].flatMap((label) => this.#definitions.get(label) ?? []);
    const text = lines.length === 0 ? stretch : `${stretch}\n\n${lines.join('\n')}\n`;
    try {
      return parseMarkdown(text);
    } catch {
      return null;
    }
  }

  #readStretch(root: Root, stretch: Stretch): void {
    for (const node of root.children) {
      if (placeOf(node, stretch).start >= stretch.end) return;
      this.#readNode(node, stretch, null, 0);
    }
  }

  /** @param inside the kind of the container that the node stands in */
  #readNode(node: RootContent, stretch: Stretch, inside: 'list' | 'quote' | null, depth: number): void {
    if (depth > deepest) {
      this.#addText(node, stretch, inside ?? 'paragraph');
      return;
    }
    switch (node.type) {
      case 'heading':
        if (inside) this.#addInline(node, stretch, inside);
        else this.#addHeading(node, node.depth, stretch);
        return;
      case 'paragraph':
        this.#addParagraph(node, stretch, inside ?? 'paragraph');
        return;
      case 'list':
        this.#readItems(node, stretch, inside, depth);
        return;
      case 'blockquote':
      case 'footnoteDefinition':
        for (const child of node.children) {
          const kind = node.type === 'blockquote' ? 'quote' : inside;
          this.#readNode(child, stretch, kind, depth + 1);
        }
        return;
      case 'code':
      case 'math':
        this.#addVerbatim(node, node.value, stretch);
        return;
      case 'table':
        this.#addTable(node, stretch);
        return;
      case 'html':
        this.#readHtml(node, stretch);
        return;
      default:
    }
  }

  #readItems(list: List, stretch: Stretch, inside: 'list' | 'quote' | null, depth: number): void {
    for (const item of list.children) {
      for (const child of item.children) this.#readNode(child, stretch, inside ?? 'list', depth + 1);
    }
  }

  #addHeading(node: Nodes, level: number, stretch: Stretch): void {
    const readable = new ReadableBuilder();
    readInline(readable, node, stretch);
    const { start, end } = placeOf(node, stretch);
    this.#noteTags(start, end);
    const citations = this.#citationsOf(node, stretch);
    this.#beforeBlock(start);
    this.#collector.addHeading(level, { source: this.#path, readable, start, end, citations });
  }

  /** A paragraph, or an environment of LaTeX that markdown takes for one. */
  #addParagraph(node: Nodes, stretch: Stretch, kind: 'paragraph' | 'list' | 'quote'): void {
    const { start, end } = placeOf(node, stretch);
    const text = this.#note.slice(start, end);
    if (/^\\begin\{[^{}]+\}[^]*\\end\{[^{}]+\}$/.test(text)) {
      const readable = new ReadableBuilder();
      readable.copy(this.#note, start, end);
      this.#add(readable, start, end, 'math', []);
      return;
    }
    this.#addInline(node, stretch, kind);
  }

  #addInline(node: Nodes, stretch: Stretch, kind: 'paragraph' | 'list' | 'quote'): void {
    const place = placeOf(node, stretch);
    const text = this.#note.slice(place.start, place.end);
    const mark = kind === 'quote' ? /^\[![A-Za-z][^\]\n]*\][+-]?/ : /^:{3,}[^\n]*/;
    const skipped = mark.exec(text)?.[0].length ?? 0;
    const start = place.start + skipped;
    // The name of a block in Obsidian (` ^a1b2c3`) is no text.
    const end = place.end - (/\s\^[\w-]+$/.exec(text)?.[0].length ?? 0);
    const readable = new ReadableBuilder();
    readInline(readable, clipped(node, start - stretch.start, end - stretch.start), stretch);
    this.#noteTags(start, end);
    this.#add(readable, start, end, kind, this.#citationsOf(node, stretch));
  }

  /** A node's source as it stands. */
  #addText(node: Nodes, stretch: Stretch, kind: Block['kind']): void {
    const { start, end } = placeOf(node, stretch);
    const readable = new ReadableBuilder();
    readable.copy(this.#note, start, end);
    this.#add(readable, start, end, kind, []);
  }

  /** Code or math: its lines as they are, without fences and without what indents them. */
  #addVerbatim(node: Nodes, value: string, stretch: Stretch): void {
    const { start, end } = placeOf(node, stretch);
    const readable = new ReadableBuilder();
    let place = start + (/^[`~$]{2,}[^\r\n]*/.exec(this.#note.slice(start, end))?.[0].length ?? 0);
    for (const line of value.split(/\r\n|\r|\n/)) {
      const body = line.trimEnd();
      const at = this.#note.indexOf(body, place);
      readable.lineBreak();
      if (body === '' || at < 0 || at + body.length > end) continue;
      readable.verbatim(this.#note, at, at + body.length);
      place = at + body.length;
    }
    this.#add(readable, start, end, node.type === 'math' ? 'math' : 'code', []);
  }

  #addTable(table: Table, stretch: Stretch): void {
    const readable = new ReadableBuilder();
    for (const row of table.children) {
      readable.lineBreak();
      for (const [column, cell] of row.children.entries()) {
        const at = placeOf(cell, stretch).start;
        if (column > 0) readable.put(' | ', at, at);
        readInline(readable, cell, stretch);
      }
    }
    const { start, end } = placeOf(table, stretch);
    this.#add(readable, start, end, 'table', this.#citationsOf(table, stretch));
  }

  #readHtml(node: Nodes, stretch: Stretch): void {
    const { start, end } = placeOf(node, stretch);
    if (/^<!--[^]*-->$/.test(this.#note.slice(start, end))) return;
    this.#beforeBlock(start);
    readHtmlBlocks(this.#collector, this.#path, this.#note, { start, end });
  }

  #add(
    readable: ReadableBuilder,
    start: number,
    end: number,
    kind: Block['kind'],
    citations: readonly string[],
  ): void {
    this.#beforeBlock(start);
    this.#collector.add({ source: this.#path, kind, readable, start, end, citations });
  }

  /** Keeps blocks apart that text of a model stands between. */
  #beforeBlock(start: number): void {
    while ((this.#leftOut[this.#passed]?.start ?? Infinity) < start) {
      this.#passed += 1;
      this.#collector.leaveOut();
    }
  }

  /** Captions of images cite, too, though they are no text to the parser. */
  #citationsOf(node: Nodes, stretch: Stretch): string[] {
    const source = this.#note.slice(stretch.start, stretch.start + (node.position?.end.offset ?? 0));
    const images = 'children' in node ? node.children.filter(({ type }) => type === 'image') : [];
    const captions = images.map((image): Text => ({
      type: 'text',
      value: '',
      ...(image.position && { position: image.position }),
    }));
    return [node, ...captions].flatMap((part) => citationsOf(part, source));
  }

  #noteTags(start: number, end: number): void {
    const text = this.#note.slice(start, end);
    if (!text.includes('#')) return;
    for (const match of withoutCode(text).matchAll(tag)) if (match[1]) this.#tags.add(match[1]);
  }
}

/** `#tag` and `#tag/below`: at least one character that is no digit, as in Obsidian. */
const tag = /(?<=^|[\s(,;])#([\p{L}\p{N}_/-]*[\p{L}_][\p{L}\p{N}_/-]*)/gu;

function withoutCode(text: string): string {
  return text.replace(/`+[^`]*`+|\$[^$\n]*\$|\]\([^)\n]*\)/g, ' ');
}

/** `text` with line ends in place of these stretches. */
function blankOut(text: string, stretches: readonly { start: number; end: number }[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { start, end } of stretches) {
    if (start < from) continue;
    parts.push(text.slice(from, start), '\n'.repeat(end - start));
    from = end;
  }
  return from === 0 ? text : parts.join('') + text.slice(from);
}

const mostDefinitions = 2000;

/** The lines that say where link labels lead and that footnotes exist, by label: a stretch needs those of others. */
function definitionsIn(note: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const match of note.matchAll(/^ {0,3}\[([^\]\r\n]{1,200})\]:[ \t]*\S[^\r\n]{0,400}/gm)) {
    const label = match[1] ?? '';
    if (found.size >= mostDefinitions) break;
    if (!found.has(label)) found.set(label, label.startsWith('^') ? `[${label}]: note\n` : match[0]);
  }
  return found;
}

/** Whether so much of a stretch is marks that the parser would take seconds over it. */
function isTangled(stretch: string): boolean {
  const marks = stretch.match(/[*_[\]!~`<]/g)?.length ?? 0;
  return marks > 3000 && marks * 4 > stretch.length;
}

/** The node with its outermost text cut to `[start, end)`, offsets of the tree. */
function clipped(node: Nodes, start: number, end: number): Nodes {
  if (!('children' in node)) return node;
  const children = node.children.flatMap((child) => {
    const from = child.position?.start.offset ?? 0;
    const to = child.position?.end.offset ?? 0;
    if (to <= start || from >= end) return [];
    if (child.type !== 'text' || !child.position || (from >= start && to <= end)) return [child];
    const position = {
      start: { ...child.position.start, offset: Math.max(from, start) },
      end: { ...child.position.end, offset: Math.min(to, end) },
    };
    return [{ ...child, position }];
  });
  return { ...node, children } as Nodes;
}
