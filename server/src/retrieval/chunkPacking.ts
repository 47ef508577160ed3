// Sizes pieces in tokens and packs them into chunks that hold the limit, all groups of a batch in the same few calls
// to the model. Knows no document beyond its blocks and texts.
import { cutPiece, piecesOf } from './chunkPieces.ts';
import type { Piece } from './chunkPieces.ts';
import type { Pace } from './pace.ts';
import type { Block } from './ports.ts';

/** Blocks that may share chunks: under one heading, in one file, with nothing left out between them. */
export interface Group {
  readonly heading: readonly string[];
  readonly blocks: readonly [Block, ...Block[]];
}

/** Pieces that make a chunk, and the heading path that is embedded with them. */
export interface PackedChunk {
  readonly heading: readonly string[];
  readonly pieces: readonly [Piece, ...Piece[]];
}

export interface PackingOptions {
  readonly texts: Readonly<Record<string, string>>;
  /** Tokens of each text, in as many calls as it takes. */
  readonly count: (texts: readonly string[]) => Promise<readonly number[]>;
  /** The text that is embedded, whose tokens are limited. */
  readonly embedded: (heading: readonly string[], readable: string) => string;
  readonly maxTokens: number;
  readonly overlapTokens: number;
  readonly pace: Pace;
}

interface SizedPiece {
  readonly piece: Piece;
  readonly tokens: number;
}

interface Heading {
  readonly path: readonly string[];
  readonly tokens: number;
}

/** A group that is being packed; `budget` is what a chunk's pieces may take, in tokens. */
interface Work {
  readonly heading: readonly string[];
  pieces: readonly SizedPiece[];
  budget: number;
  packed: PackedChunk[];
}

/** A heading path takes at most this share of a chunk. */
const headingShare = 1 / 3;
/** A chunk that is filled to this share may end with its block, so that the next one begins with a block. */
const goodFilling = 0.5;
const prose: ReadonlySet<Block['kind']> = new Set(['paragraph', 'list', 'quote']);
/** How often groups are packed tighter when what joins their pieces costs more tokens than they do alone. */
const mostRounds = 6;

/** The chunks of some groups, in their order. */
export async function packGroups(groups: readonly Group[], options: PackingOptions): Promise<PackedChunk[]> {
  const headings = await fitHeadings(groups, options);
  const pieces = await sizedPieces(groups, options);
  const works = groups.map((group, index): Work => {
    const { path, tokens } = headings.get(pathOf(group.heading)) ?? { path: [], tokens: 0 };
    return {
      heading: path,
      pieces: pieces[index] ?? [],
      budget: Math.max(1, options.maxTokens - tokens),
      packed: [],
    };
  });
  let open = works;
  for (let round = 1; open.length > 0; round += 1) {
    await cutLong(open, options);
    for (const work of open) {
      await options.pace();
      const chunks = fill(work.pieces, work.budget, options.overlapTokens);
      work.packed = chunks.map((chunk) => ({ heading: work.heading, pieces: chunk }));
    }
    open = round < mostRounds ? await tooLong(open, round, options) : [];
  }
  return works.flatMap(({ packed }) => packed);
}

/** The groups with a chunk beyond the limit, with a budget that is smaller by what was too much. */
async function tooLong(works: readonly Work[], round: number, options: PackingOptions): Promise<Work[]> {
  const checked = works.filter(({ pieces }) => pieces[0]?.piece.block.kind !== 'entry');
  const texts = checked.map(({ packed }) =>
    packed.map(({ heading, pieces }) => options.embedded(heading, joined(pieces))),
  );
  const counts = await options.count(texts.flat());
  let next = 0;
  return checked.filter((work, index) => {
    const own = counts.slice(next, (next += texts[index]?.length ?? 0));
    const excess = own.reduce((most, tokens) => Math.max(most, tokens), 0) - options.maxTokens;
    if (excess <= 0 || work.budget === 1) return false;
    work.budget = Math.max(1, work.budget - excess * round);
    return true;
  });
}

/** Each group's pieces with their tokens, counted together. */
async function sizedPieces(groups: readonly Group[], options: PackingOptions): Promise<SizedPiece[][]> {
  const pieces: Piece[][] = [];
  for (const { blocks } of groups) {
    const own: Piece[] = [];
    for (const block of blocks) {
      await options.pace();
      for (const piece of piecesOf(block, options.texts[block.source] ?? '')) own.push(piece);
    }
    pieces.push(own);
  }
  const counts = await options.count(pieces.flat().map(readableOf));
  let next = 0;
  return pieces.map((group) => group.map((piece) => ({ piece, tokens: counts[next++] ?? 0 })));
}

/** The heading paths, cut where they would leave no room for text: outer headings go first. */
async function fitHeadings(groups: readonly Group[], options: PackingOptions): Promise<Map<string, Heading>> {
  const limit = Math.floor(options.maxTokens * headingShare);
  const fitted = new Map<string, Heading>();
  const paths = new Map(groups.map(({ heading }) => [pathOf(heading), heading]));
  let open = [...paths].map(([key, path]) => ({ key, path }));
  while (open.length > 0) {
    const counts = await options.count(open.map(({ path }) => pathOf(path)));
    const sized = open.map(({ key, path }, index) => {
      const tokens = path.length === 0 ? 0 : (counts[index] ?? 0) + 1;
      return { key, path, tokens };
    });
    for (const { key, path, tokens } of sized) if (tokens <= limit) fitted.set(key, { path, tokens });
    open = sized
      .filter(({ tokens }) => tokens > limit)
      .map(({ key, path }) => ({ key, path: shorter(path) }));
  }
  return fitted;
}

function pathOf(heading: readonly string[]): string {
  return heading.join(' > ');
}

function shorter(path: readonly string[]): readonly string[] {
  const [first = '', ...rest] = path;
  if (rest.length > 0) return rest;
  const half = first.slice(0, Math.floor(first.length / 2)).trimEnd();
  return half === '' ? [] : [half];
}

/** Cuts pieces that are longer than their group's budget, at words, until none is or can be. */
async function cutLong(works: readonly Work[], options: PackingOptions): Promise<void> {
  for (;;) {
    await options.pace();
    const cut = new Map<SizedPiece, Piece[]>();
    for (const { pieces, budget } of works) {
      for (const sized of pieces) {
        const parts = isTooLong(sized, budget) ? cutInParts(sized, budget, options) : [];
        if (parts.length > 1) cut.set(sized, parts);
      }
    }
    if (cut.size === 0) return;
    const counts = await options.count([...cut.values()].flat().map(readableOf));
    let next = 0;
    const sized = new Map(
      [...cut].map(([whole, parts]) => [
        whole,
        parts.map((piece) => ({ piece, tokens: counts[next++] ?? 0 })),
      ]),
    );
    for (const work of works) work.pieces = work.pieces.flatMap((piece) => sized.get(piece) ?? [piece]);
  }
}

function isTooLong({ piece, tokens }: SizedPiece, budget: number): boolean {
  return tokens > budget && piece.block.kind !== 'entry';
}

/** Parts of about the budget's size, by the piece's own density of tokens; each shorter than the piece. */
function cutInParts({ piece, tokens }: SizedPiece, budget: number, options: PackingOptions): Piece[] {
  const units = piece.to - piece.from;
  const longest = Math.max(1, Math.min(units - 1, Math.floor((units * budget * 0.9) / tokens)));
  return cutPiece(piece, options.texts[piece.block.source] ?? '', longest);
}

function readableOf({ block, from, to }: Piece): string {
  return block.readable.slice(from, to);
}

/** Fills chunks with pieces, whole blocks where that leaves no chunk half empty. */
function fill(pieces: readonly SizedPiece[], budget: number, overlap: number): [Piece, ...Piece[]][] {
  const chunks: SizedPiece[][] = [];
  let open: SizedPiece[] = [];
  /** How many pieces of the open chunk are not in the one before it. */
  let own = 0;
  let size = 0;
  const close = (next: SizedPiece): void => {
    chunks.push(open);
    open = overlapOf(open, Math.min(overlap, budget - next.tokens));
    size = sum(open);
    own = 0;
  };
  for (const [index, piece] of pieces.entries()) {
    const { block } = piece.piece;
    const beginsBlock = pieces[index - 1]?.piece.block !== block;
    const needed = beginsBlock ? blockSize(pieces, index) : piece.tokens;
    const endsWell = beginsBlock && needed <= budget && size >= goodFilling * budget;
    if (own > 0 && size + (endsWell ? needed : piece.tokens) > budget) close(piece);
    open.push(piece);
    size += piece.tokens;
    own += 1;
  }
  if (own > 0) chunks.push(open);
  return chunks.flatMap((chunk) => {
    const [first, ...rest] = chunk.map(({ piece }) => piece);
    return first ? [[first, ...rest] as [Piece, ...Piece[]]] : [];
  });
}

function blockSize(pieces: readonly SizedPiece[], from: number): number {
  const block = pieces[from]?.piece.block;
  let size = 0;
  for (let index = from; pieces[index]?.piece.block === block && index < pieces.length; index += 1)
    size += pieces[index]?.tokens ?? 0;
  return size;
}

/** The last whole sentences of a chunk that fit in so many tokens, but never all of it; code and tables don't count. */
function overlapOf(chunk: readonly SizedPiece[], tokens: number): SizedPiece[] {
  let size = 0;
  let from = chunk.length;
  const isProse = (index: number): boolean => prose.has(chunk[index]?.piece.block.kind ?? 'code');
  while (from > 1 && isProse(from - 1) && size + (chunk[from - 1]?.tokens ?? Infinity) <= tokens) {
    from -= 1;
    size += chunk[from]?.tokens ?? 0;
  }
  return chunk.slice(from);
}

function sum(pieces: readonly SizedPiece[]): number {
  return pieces.reduce((total, { tokens }) => total + tokens, 0);
}

/** What a person reads of pieces that follow each other: items on lines of their own, paragraphs with a blank line. */
export function joined(pieces: readonly Piece[]): string {
  let text = '';
  let previous: Piece | null = null;
  for (const piece of pieces) {
    const { block, from, to } = piece;
    if (previous?.block === block) text += block.readable.slice(previous.to, to);
    else {
      const isList = previous?.block.kind === 'list' && block.kind === 'list';
      text += (previous ? (isList ? '\n' : '\n\n') : '') + block.readable.slice(from, to);
    }
    previous = piece;
  }
  return text;
}
