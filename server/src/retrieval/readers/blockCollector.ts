// Collects a document's blocks and keeps the heading path. Knows no format.
import type { Block } from '../ports.ts';
import type { ReadableBuilder } from './readableBuilder.ts';

export interface NewBlock {
  readonly source: string;
  readonly kind: Block['kind'];
  readonly readable: ReadableBuilder;
  /** UTF-16 offsets into the source's text. Left out: from the first piece of `readable` to the last. */
  readonly start?: number;
  readonly end?: number;
  readonly citations?: readonly string[];
  readonly page?: number | null;
}

interface Heading {
  readonly level: number;
  readonly text: string;
}

/** A heading's part of a path: longer ones are no headings but mistakes, and are cut. */
const longestHeading = 200;

export class BlockCollector {
  readonly blocks: Block[] = [];
  readonly #ends = new Map<string, number>();
  #headings: readonly Heading[] = [];
  #apart = false;

  /** The next block must not share a chunk with the last one. */
  leaveOut(): void {
    this.#apart = true;
  }

  /** The heading path, to be put back by `restoreHeadings` when an environment ends. */
  get headings(): readonly Heading[] {
    return this.#headings;
  }

  restoreHeadings(headings: readonly Heading[]): void {
    this.#headings = headings;
  }

  /** A heading that stands in no source of its own (an abstract's). Level 1 is the outermost. */
  openHeading(level: number, text: string): void {
    this.#headings = [
      ...this.#headings.filter((heading) => heading.level < level),
      { level, text: text.slice(0, longestHeading) },
    ];
  }

  /** A heading block; what follows stands under it. */
  addHeading(level: number, block: Omit<NewBlock, 'kind'>): void {
    const text = block.readable.text.replace(/\s+/g, ' ');
    this.#headings = this.#headings.filter((heading) => heading.level < level);
    if (this.add({ ...block, kind: 'heading' })) this.openHeading(level, text);
  }

  /** Adds a block. One without anything to read, or that lies before what its source gave already, is left out. */
  add(block: NewBlock): boolean {
    const { source, kind, readable } = block;
    const start = Math.max(block.start ?? readable.extent.start, this.#ends.get(source) ?? 0);
    const end = block.end ?? readable.extent.end;
    if (readable.text.trim() === '' || start >= end) return false;
    this.#ends.set(source, end);
    this.blocks.push({
      source,
      start,
      end,
      readable: readable.text,
      runs: readable.runs,
      apart: this.#apart,
      kind,
      heading: this.#headings.map(({ text }) => text),
      page: block.page ?? null,
      citations: [...new Set(block.citations)],
    });
    this.#apart = false;
    return true;
  }
}
