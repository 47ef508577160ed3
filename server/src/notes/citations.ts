// Citation keys in pandoc's syntax: [@key], [see @a, p. 3; @b], @key, [-@key], @{key}. Where they stand in a text,
// and which keys a note has of its own. Code, math, HTML, comments and addresses cite nothing.
import { setImmediate as pause } from 'node:timers/promises';
import type { Nodes } from 'mdast';
import { parse } from 'yaml';
import type { OffsetRange } from '../protocol/index.ts';
import { frontMatterEnd } from './closers.ts';
import { textStart } from './lines.ts';
import { parseMarkdown } from './markdown.ts';
import { ParsedNote } from './parsedNote.ts';

const letter = String.raw`\p{L}\p{N}_`;
const citation = new RegExp(
  String.raw`(?<![${letter}@\\/])@(?:\{([^{}\s]+)\}|([${letter}](?:[:.#$%&\-+?<>~/]?[${letter}])*))`,
  'gu',
);

/** One citation key in a text. `[start, end)` goes from its `@` to the end of the key (or its brace). */
export interface CitationPlace {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/** A text that belongs together: of a paragraph, a heading or a table's cell. */
export interface InlineText {
  readonly start: number;
  readonly end: number;
  /** The stretches of plain text in it, in order. */
  readonly texts: readonly PlainText[];
}

export interface PlainText {
  readonly start: number;
  readonly end: number;
  /** Whether it is what a link or a footnote mark shows. */
  readonly linked: boolean;
}

/**
 * The keys that a node (a paragraph, a cell, a heading) cites, each once, in their order. Code, math and HTML cite nothing.
 * @param source the text that was parsed into `node`
 */
export function citationsOf(node: Nodes, source: string): string[] {
  const texts = plainTexts(node, source);
  return [...new Set(texts.flatMap((text) => citationsIn(source, text)).map(({ key }) => key))];
}

/** The citations in one stretch of plain text. */
export function citationsIn(source: string, { start, end }: PlainText): CitationPlace[] {
  return [...source.slice(start, end).matchAll(citation)].map((match) => {
    const at = start + match.index;
    return { key: match[1] ?? match[2] ?? '', start: at, end: at + match[0].length };
  });
}

/** The texts of a piece of markdown without front matter. Offsets count from its start. */
export function inlineTexts(markdown: string): InlineText[] {
  return textsBelow(parseMarkdown(markdown), markdown);
}

/**
 * Every citation of a note's own text, window by window, so that a caller can pause between them. What stands in
 * front matter, code, math, HTML, comments and annotations is none.
 */
export function* citationPlaces(note: string): Generator<readonly CitationPlace[]> {
  const parsed = new ParsedNote(note);
  for (const window of parsed.windows()) {
    const source = note.slice(window.start, window.end);
    yield textsBelow(window.root, source)
      .flatMap(({ texts }) => texts.flatMap((text) => citationsIn(source, text)))
      .map(({ key, start, end }) => ({ key, start: window.start + start, end: window.start + end }))
      .filter(({ start }) => !parsed.blockAt(start));
  }
}

/** The citation whose text holds an offset (its end included, where a cursor behind it stands), or null. */
export function citationAt(note: string, offset: number): CitationPlace | null {
  const window = offset < frontMatterEnd(note) ? null : new ParsedNote(note).windowAt(offset);
  if (!window) return null;
  const source = note.slice(window.start, window.end);
  const places = textsBelow(window.root, source).flatMap(({ texts }) =>
    texts.flatMap((text) => citationsIn(source, text)),
  );
  const found = places.find(
    ({ start, end }) => window.start + start <= offset && offset <= window.start + end,
  );
  return found ? { ...found, start: window.start + found.start, end: window.start + found.end } : null;
}

/**
 * The keys that stand in the note itself: what it cites, the labels of its figures, tables and equations
 * (`{#fig:one}`), and the works that its front matter holds (`references:`). Annotations are not the note's own. Pauses between stretches of a long note.
 */
export async function keysOfNote(note: string): Promise<Set<string>> {
  const keys = new Set(definedKeys(note));
  for (const places of citationPlaces(note)) {
    for (const { key } of places) keys.add(key);
    await pause();
  }
  return keys;
}

/** The labels that a note gives and the works that its front matter holds: what its citations may name. */
export function definedKeys(note: string): string[] {
  const labels = [...note.matchAll(/\{#([^\s{}]+)/g)].map(([, label = '']) => label);
  const { references } = frontMatterOf(note);
  const works = Array.isArray(references) ? (references as unknown[]) : [];
  return [...labels, ...works.flatMap((work) => stringsOf(property(work, 'id')))];
}

/** The files that the front matter names as bibliographies, as they stand there. */
export function bibliographiesOf(note: string): string[] {
  return stringsOf(frontMatterOf(note)['bibliography']);
}

/** Whether a key names a figure, table, equation, section or theorem, as pandoc-crossref and Quarto have it. */
export function isCrossReference(key: string): boolean {
  return /^(?:fig|tbl|eq|sec|lst|thm|lem|cor|prp|cnj|def|exm|exr|rem|sol)[:-]/i.test(key);
}

/** What a cursor has before it when a key is being typed: from the `@` on, without it and without a brace. */
export interface OpenCitation {
  /** Where the key begins. */
  readonly start: number;
  readonly typed: string;
}

/** The key that is being typed right before `offset`, or null. */
export function openCitation(note: string, offset: number): OpenCitation | null {
  const lineStart = note.lastIndexOf('\n', offset - 1) + 1;
  const before = note.slice(Math.max(lineStart, offset - 200), offset);
  const match = new RegExp(String.raw`(?<![${letter}@\\/])@\{?([${letter}:.#$%&\-+?<>~/]*)$`, 'u').exec(
    before,
  );
  if (!match || offset < frontMatterEnd(note)) return null;
  const typed = match[1] ?? '';
  return isVerbatim(note, offset - match[0].length) ? null : { start: offset - typed.length, typed };
}

/** Whether the unit at an offset is code, math or HTML. */
function isVerbatim(note: string, offset: number): boolean {
  const window = new ParsedNote(note).windowAt(offset);
  if (!window) return true;
  let node: Nodes = window.root;
  for (;;) {
    if (!('children' in node)) break;
    const children: readonly Nodes[] = node.children;
    const inside = children.find(({ position }) => {
      const { start, end } = position ?? {};
      const at = offset - window.start;
      return (
        start?.offset !== undefined && end?.offset !== undefined && start.offset <= at && at < end.offset
      );
    });
    if (!inside) break;
    node = inside;
  }
  return ['code', 'inlineCode', 'math', 'inlineMath', 'html'].includes(node.type);
}

function textsBelow(root: Nodes, source: string): InlineText[] {
  const found: InlineText[] = [];
  const visit = (node: Nodes): void => {
    if (node.type === 'paragraph' || node.type === 'heading' || node.type === 'tableCell') {
      const texts = plainTexts(node, source);
      if (texts.length > 0) found.push({ start: texts[0]?.start ?? 0, end: texts.at(-1)?.end ?? 0, texts });
    } else if ('children' in node) {
      for (const child of node.children) visit(child);
    }
  };
  visit(root);
  return found;
}

function plainTexts(root: Nodes, source: string): PlainText[] {
  const found: PlainText[] = [];
  const take = ({ start, end }: OffsetRange, linked: boolean): void => {
    const last = found.at(-1);
    if (last?.end === start && last.linked === linked) found[found.length - 1] = { ...last, end };
    else found.push({ start, end, linked });
  };
  const visit = (node: Nodes, linked: boolean): void => {
    const { start, end } = node.position ?? {};
    if (start?.offset === undefined || end?.offset === undefined) return;
    const range = { start: start.offset, end: end.offset };
    // A bare address is a link as well, whose text is the address. It is a citation's in `@{https://…}`.
    const isAddress = node.type === 'link' && source[range.start] !== '[';
    if (node.type === 'text' || (isAddress && source.endsWith('@{', range.start))) take(range, linked);
    else if ('children' in node && !isAddress) {
      const inLink = linked || node.type === 'link' || node.type === 'linkReference';
      for (const child of node.children) visit(child, inLink);
    }
  };
  visit(root, false);
  return found;
}

function frontMatterOf(note: string): Record<string, unknown> {
  const end = frontMatterEnd(note);
  const text = note.slice(textStart(note), end);
  // `+++` is TOML, which knows neither of what is looked for here.
  if (!text.startsWith('---')) return {};
  try {
    const value: unknown = parse(text.replace(/^---[ \t]*/, '').replace(/---\s*$/, ''));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // It is being typed, or is no YAML: then it names nothing.
    return {};
  }
}

function stringsOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((one) => typeof one === 'string');
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
