// Cuts a document into the chunks that are embedded and found. Follows blocks, then sentences; sized in the embedder's
// tokens, which it is given a way to count. Knows no model and no store.
import { createHash } from 'node:crypto';
import { throwIfCancelled } from '../errors.ts';
import { joined, packGroups } from './chunkPacking.ts';
import type { Group, PackedChunk } from './chunkPacking.ts';
import { newPace } from './pace.ts';
import type { Block, Chunk, SourceDocument } from './ports.ts';

/** Part of an index's identity: with another chunker, ids and texts are others. */
export const chunkerVersion = 'chunker-1';

export interface ChunkOptions {
  /** Tokens of each text in the embedder's vocabulary, without special tokens. Called with batches. */
  readonly countTokens: (texts: readonly string[]) => Promise<readonly number[]>;
  /** How many tokens of embedded text (heading path included) a chunk has at most; at least 16. */
  readonly maxTokens: number;
  /** How many tokens' worth of whole sentences a chunk takes over from the one before it, at most. */
  readonly overlapTokens: number;
  /** Modification time of the document, milliseconds since the epoch. */
  readonly modified: number;
  readonly signal: AbortSignal;
}

/** What is embedded of a chunk: its heading path, outermost first, and what a person reads of it. */
export function embeddedText({ heading, readable }: Pick<Chunk, 'heading' | 'readable'>): string {
  return heading.length === 0 ? readable : `${heading.join(' > ')}\n${readable}`;
}

type IdentifiedBy = Pick<Chunk, 'document' | 'source' | 'start' | 'end' | 'text' | 'readable'>;

/** The id of a chunk: the same in every run, another one in another document, at another place, with another text. */
export function chunkId(chunk: IdentifiedBy): string {
  const { document, source, start, end, text, readable } = chunk;
  return hashOf(JSON.stringify([document, source, start, end, text, readable]));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/**
 * The chunks of a document, in its order. No chunk crosses a heading, a source file or a stretch that was left out; a
 * heading or a citation alone is none. Neighbours under one heading share a chunk as far as they fit; a sentence that is too long is
 * cut at words. An entry of a bibliography is one chunk, whatever its length: the embedder reads as much of it as it
 * can. `text` is the source's very text at `[start, end)`.
 * @throws PreflexorError `cancelled`; whatever `countTokens` throws
 */
export async function chunkDocument(document: SourceDocument, options: ChunkOptions): Promise<Chunk[]> {
  const pace = newPace(options.signal);
  const packing = {
    texts: document.texts,
    count: (texts: readonly string[]) => countInBatches(texts, options),
    embedded: (heading: readonly string[], readable: string) => embeddedText({ heading, readable }),
    maxTokens: options.maxTokens,
    overlapTokens: options.overlapTokens,
    pace,
  };
  const chunks: Chunk[] = [];
  for (const groups of batchesOf(groupsOf(document.blocks))) {
    const packed = await packGroups(groups, packing);
    for (const chunk of packed) {
      await pace();
      if (saysSomething(chunk)) chunks.push(finish(document, chunk, options.modified));
    }
  }
  return chunks;
}

function* groupsOf(blocks: readonly Block[]): Generator<Group> {
  let open: [Block, ...Block[]] | null = null;
  for (const block of blocks) {
    const ends = open !== null && !belongs(open[0], block);
    if (open && ends) yield { heading: open[0].heading, blocks: open };
    if (block.kind === 'heading') open = null;
    else if (open && !ends) open.push(block);
    else open = [block];
  }
  if (open) yield { heading: open[0].heading, blocks: open };
}

function belongs(first: Block, block: Block): boolean {
  if (block.kind === 'heading' || block.kind === 'entry' || first.kind === 'entry' || block.apart)
    return false;
  return block.source === first.source && block.heading.join('\n') === first.heading.join('\n');
}

/** So much readable text is sized at a time, in UTF-16 units: a long document does not lie in memory twice. */
const batchLength = 200_000;

function* batchesOf(groups: Iterable<Group>): Generator<Group[]> {
  let batch: Group[] = [];
  let length = 0;
  for (const group of groups) {
    batch.push(group);
    length += group.blocks.reduce((sum, { readable }) => sum + readable.length, 0);
    if (length < batchLength) continue;
    yield batch;
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield batch;
}

const mostTexts = 512;
const mostUnits = 100_000;

/** Counts tokens in batches of a size that a model takes in a moment. */
async function countInBatches(texts: readonly string[], options: ChunkOptions): Promise<number[]> {
  const counts: number[] = [];
  for (let from = 0; from < texts.length;) {
    let to = from;
    let units = 0;
    while (to < texts.length && to - from < mostTexts && (to === from || units < mostUnits)) {
      units += texts[to]?.length ?? 0;
      to += 1;
    }
    counts.push(...(await options.countTokens(texts.slice(from, to))));
    throwIfCancelled(options.signal);
    from = to;
  }
  return counts;
}

/** Blocks that are nothing but citations make no passage. */
function saysSomething({ pieces }: PackedChunk): boolean {
  const citations = /\[[^[\]]*@[^[\]]*\]|@[\w:.-]+/g;
  return pieces.some(({ block }) => /[\p{L}\p{N}]/u.test(block.readable.replace(citations, '')));
}

function finish(document: SourceDocument, { heading, pieces }: PackedChunk, modified: number): Chunk {
  const [first] = pieces;
  const { block } = first;
  const source = document.texts[block.source] ?? '';
  const start = pieces.reduce((least, piece) => Math.min(least, piece.start), first.start);
  const end = pieces.reduce((most, piece) => Math.max(most, piece.end), first.end);
  const readable = joined(pieces);
  const place = {
    document: document.path,
    source: block.source,
    start,
    end,
    text: source.slice(start, end),
    readable,
  };
  const cited = [...new Set(pieces.flatMap((piece) => piece.block.citations))];
  return {
    id: chunkId(place),
    ...place,
    kind: document.kind,
    heading,
    page: pageOf(block, source, start),
    tags: document.tags,
    citations: cited.filter((key) => place.text.includes(key)),
    modified,
    textHash: hashOf(embeddedText({ heading, readable })),
  };
}

/** A block that goes on overleaf has form feeds in its text. */
function pageOf(block: Block, source: string, start: number): number | null {
  if (block.page === null) return null;
  return block.page + (source.slice(block.start, start).match(/\f/g)?.length ?? 0);
}
