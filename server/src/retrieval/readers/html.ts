// Reads HTML: what a person sees of a page, with places in its source. Scripts, styles, menus and what is hidden are
// left out. Nothing in the page is run, fetched or kept as markup.
import { basename } from 'node:path/posix';
import { parse, parseFragment } from 'parse5';
import type { DefaultTreeAdapterTypes, Token } from 'parse5';
import type { OffsetRange } from '../../protocol/index.ts';
import type { Block, SourceDocument } from '../ports.ts';
import { BlockCollector } from './blockCollector.ts';
import { copyHtmlText } from './entities.ts';
import { ReadableBuilder } from './readableBuilder.ts';

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

const leftOut = new Set(
  `script style noscript template nav svg iframe object embed audio video canvas dialog button select option input
   textarea datalist title annotation annotation-xml`.split(/\s+/),
);
const leftOutRoles = new Set(['navigation', 'banner', 'contentinfo', 'search', 'menu', 'menubar', 'toolbar']);
const blockElements = new Set(
  `address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
   h5 h6 header hgroup hr html legend li main ol p pre section summary table ul`.split(/\s+/),
);
const kinds: Readonly<Record<string, Block['kind']>> = {
  li: 'list',
  dt: 'list',
  dd: 'list',
  blockquote: 'quote',
  pre: 'code',
};
const tableParts = new Set(['tr', 'caption']);

/** Reads a page. Total: any text gives a document. */
export function readHtml(path: string, text: string): SourceDocument {
  const collector = new BlockCollector();
  const tree = parse(text, { sourceCodeLocationInfo: true });
  const walk = new PageWalk(text, 0);
  walk.walk(tree);
  addAll(collector, path, walk.found);
  const heading = collector.blocks.find(({ kind }) => kind === 'heading');
  return {
    path,
    kind: 'html',
    title: walk.title ?? heading?.readable ?? basename(path).replace(/\.[^.]*$/, ''),
    tags: [],
    blocks: collector.blocks,
    texts: { [path]: text },
    dependencies: [],
    defines: [],
  };
}

/** Reads `text[start, end)`, HTML that stands in another format, into the blocks of a source. */
export function readHtmlBlocks(
  collector: BlockCollector,
  source: string,
  text: string,
  { start, end }: OffsetRange,
): void {
  const walk = new PageWalk(text, start);
  walk.walk(parseFragment(text.slice(start, end), { sourceCodeLocationInfo: true }));
  addAll(collector, source, walk.found);
}

interface Found {
  readonly kind: Block['kind'];
  readonly level: number;
  readonly readable: ReadableBuilder;
  readonly apart: boolean;
}

/** The tree's order is not the source's where the parser mended a table. */
function addAll(collector: BlockCollector, source: string, found: readonly Found[]): void {
  const inOrder = found.toSorted((a, b) => a.readable.extent.start - b.readable.extent.start);
  for (const { kind, level, readable, apart } of inOrder) {
    if (apart) collector.leaveOut();
    if (kind === 'heading') collector.addHeading(level, { source, readable });
    else collector.add({ source, kind, readable });
  }
}

/** Goes through a tree without recursion: pages nest as deeply as they like. */
class PageWalk {
  readonly found: Found[] = [];
  title: string | null = null;
  readonly #text: string;
  readonly #offset: number;
  #readable = new ReadableBuilder();
  #apart = false;
  readonly #kinds: Block['kind'][] = ['paragraph'];
  #heading = 0;
  #tables = 0;
  #cells = 0;

  /** @param offset where the parsed text begins in `text` */
  constructor(text: string, offset: number) {
    this.#text = text;
    this.#offset = offset;
  }

  walk(root: Node): void {
    const steps: (Node | (() => void))[] = [root];
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (typeof step === 'function') {
        step();
        continue;
      }
      if (step.nodeName === '#text') this.#readText(step as DefaultTreeAdapterTypes.TextNode);
      const leave = isElement(step) ? this.#enter(step) : () => {};
      if (!leave || !('childNodes' in step)) continue;
      steps.push(leave);
      for (let index = step.childNodes.length - 1; index >= 0; index -= 1) {
        const child = step.childNodes[index];
        if (child) steps.push(child);
      }
    }
    this.#flush();
  }

  /** What to do after the element's children, or null where they are not to be read. */
  #enter(element: Element): (() => void) | null {
    const name = element.tagName;
    if (name === 'title') this.title ??= titleOf(element);
    if (name === 'head') return () => {};
    if (name === 'img' || name === 'math') {
      if (this.#readReplacement(element)) return null;
    }
    if (leftOut.has(name) || isHidden(element)) {
      if (this.#readable.empty && element.childNodes.length > 0) this.#apart = true;
      return null;
    }
    if (name === 'br') this.#space(element);
    if (this.#tables > 0) return this.#enterInTable(element);
    return blockElements.has(name) ? this.#enterBlock(element) : () => {};
  }

  #enterBlock(element: Element): () => void {
    const name = element.tagName;
    this.#flush();
    if (name === 'table' && !isLayout(element)) {
      this.#tables = 1;
      this.#kinds.push('table');
      return () => {
        this.#flush();
        this.#kinds.pop();
        this.#tables = 0;
      };
    }
    const level = /^h([1-6])$/.exec(name)?.[1];
    if (level !== undefined) this.#heading = Number(level);
    const kind = kinds[name];
    // A paragraph in a list item is part of the list.
    if (kind) this.#kinds.push(kind);
    return () => {
      this.#flush();
      if (kind) this.#kinds.pop();
      if (level !== undefined) this.#heading = 0;
    };
  }

  #enterInTable(element: Element): () => void {
    const name = element.tagName;
    if (tableParts.has(name)) {
      this.#readable.lineBreak();
      this.#cells = 0;
    } else if (name === 'td' || name === 'th') {
      const place = this.#placeOf(element.sourceCodeLocation);
      if (this.#cells > 0 && place) this.#readable.put(' | ', place.start, place.start);
      this.#cells += 1;
    } else if (blockElements.has(name)) {
      this.#space(element);
    }
    return () => {};
  }

  #readText(node: DefaultTreeAdapterTypes.TextNode): void {
    const place = this.#placeOf(node.sourceCodeLocation);
    if (!place) return;
    if (this.#kinds.at(-1) !== 'code') {
      copyHtmlText(this.#readable, this.#text, place.start, place.end);
      return;
    }
    const lines = /[^\r\n]+/g;
    for (const line of this.#text.slice(place.start, place.end).matchAll(lines)) {
      const start = place.start + line.index;
      if (start > place.start) this.#readable.lineBreak();
      if (line[0].includes('&')) copyHtmlText(this.#readable, this.#text, start, start + line[0].length);
      else this.#readable.verbatim(this.#text, start, start + line[0].trimEnd().length);
    }
  }

  /** An image's or a formula's text. False where it has none. */
  #readReplacement(element: Element): boolean {
    const place = this.#placeOf(element.sourceCodeLocation);
    const text = replacementOf(element);
    if (!place || text === null || text.trim() === '') return false;
    this.#readable.put(element.tagName === 'math' ? `$${text.trim()}$` : text, place.start, place.end);
    return true;
  }

  #space(element: Element): void {
    const place = this.#placeOf(element.sourceCodeLocation);
    if (place) this.#readable.space(place.start, place.start);
  }

  #placeOf(location: Token.Location | null | undefined): OffsetRange | null {
    if (!location) return null;
    return { start: this.#offset + location.startOffset, end: this.#offset + location.endOffset };
  }

  #flush(): void {
    const readable = this.#readable;
    if (readable.empty) return;
    const kind = this.#heading > 0 ? 'heading' : (this.#kinds.at(-1) ?? 'paragraph');
    this.found.push({ kind, level: this.#heading, readable, apart: this.#apart });
    this.#readable = new ReadableBuilder();
    this.#apart = false;
  }
}

function isElement(node: Node): node is Element {
  return 'tagName' in node;
}

function attribute(element: Element, name: string): string | null {
  return element.attrs.find((candidate) => candidate.name === name)?.value ?? null;
}

function isHidden(element: Element): boolean {
  if (attribute(element, 'hidden') !== null || attribute(element, 'aria-hidden') === 'true') return true;
  if (leftOutRoles.has(attribute(element, 'role') ?? '')) return true;
  const style = attribute(element, 'style');
  if (style === null || !/(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(style)) return false;
  // Wikipedia hides its formulas behind images of them.
  return !element.childNodes.some((child) => child.nodeName === 'math');
}

function replacementOf(element: Element): string | null {
  if (element.tagName === 'img')
    return attribute(element, 'aria-hidden') === 'true' ? null : attribute(element, 'alt');
  const alternative = attribute(element, 'alttext');
  if (alternative !== null) return alternative;
  const annotation = firstDescendant(
    element,
    (child) => child.tagName === 'annotation' && /tex/i.test(attribute(child, 'encoding') ?? ''),
  );
  return annotation ? textOf(annotation) : null;
}

function titleOf(element: Element): string | null {
  return textOf(element).replace(/\s+/g, ' ').trim() || null;
}

function textOf(element: Element): string {
  return element.childNodes
    .map((child) => (child.nodeName === '#text' ? (child as DefaultTreeAdapterTypes.TextNode).value : ''))
    .join('');
}

/** Whether a table only lays out a page: then what is in its cells is read as the page's own blocks. */
function isLayout(table: Element): boolean {
  return (
    firstDescendant(table, ({ tagName }) => /^(?:h[1-6]|table|article|section|pre)$/.test(tagName)) !== null
  );
}

function firstDescendant(root: Element, wanted: (element: Element) => boolean): Element | null {
  const open: Node[] = root.childNodes.toReversed();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (!isElement(node)) continue;
    if (wanted(node)) return node;
    for (let index = node.childNodes.length - 1; index >= 0; index -= 1) {
      const child = node.childNodes[index];
      if (child) open.push(child);
    }
  }
  return null;
}
