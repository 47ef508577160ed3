// Reads a markdown paper into blocks and chunks for tests: headings, paragraphs, lists, code, math, nothing more.
// The real readers know far more; this one keeps the graph's tests independent of them.
import { createHash } from 'node:crypto';
import type { Block, Chunk, SourceDocument } from '../../retrieval/index.ts';

/** A markdown text as a document. Front matter is left out, its title taken. */
export function markdownDocument(path: string, text: string): SourceDocument {
  const front = /^---\n[\s\S]*?\n---\n/.exec(text)?.[0] ?? '';
  const title = /^title:\s*['"]?(.*?)['"]?$/m.exec(front)?.[1] ?? path;
  const blocks: Block[] = [];
  let heading: string[] = [];
  let fenced: { start: number } | null = null;
  const pattern = /(?:[^\n]+(?:\n|$))+/g;
  pattern.lastIndex = front.length;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const start = match.index;
    const piece = match[0].trimEnd();
    const end = start + piece.length;
    const marks = /^(#{1,6})\s+(.*)$/.exec(piece.split('\n')[0] ?? '');
    const fences = piece.match(/^`{3,}/gm)?.length ?? 0;
    if (fenced ?? fences > 0) {
      if (fences % 2 === 1) fenced = fenced ? null : { start };
      blocks.push(blockOf(path, text, start, end, 'code', heading));
    } else if (marks) {
      const line = start + (piece.split('\n')[0] ?? '').length;
      heading = heading.slice(0, (marks[1]?.length ?? 1) - 1);
      blocks.push(blockOf(path, text, start, line, 'heading', heading));
      heading = [...heading, marks[2] ?? ''];
      if (line < end) blocks.push(blockOf(path, text, line + 1, end, 'paragraph', heading));
    } else blocks.push(blockOf(path, text, start, end, kindOf(piece), heading));
  }
  return {
    path,
    kind: 'markdown',
    title,
    tags: [],
    blocks,
    texts: { [path]: text },
    dependencies: [],
    defines: [],
  };
}

function kindOf(piece: string): Block['kind'] {
  if (piece.startsWith('$$') && piece.endsWith('$$')) return 'math';
  return /^\s*(?:[-*+]|\d+[.)])\s/.test(piece) ? 'list' : 'paragraph';
}

function blockOf(
  source: string,
  text: string,
  start: number,
  end: number,
  kind: Block['kind'],
  heading: readonly string[],
): Block {
  const raw = text.slice(start, end);
  const citations = [
    ...new Set([...raw.matchAll(/(?<![\p{L}\p{N}])@([\p{L}\p{N}_:-]+)/gu)].map((match) => match[1] ?? '')),
  ];
  return {
    ...{ source, start, end, kind, heading, page: null, citations, readable: readable(raw) },
    ...{ runs: [], apart: false },
  };
}

/** What a person reads: without comments, heading marks, emphasis and citations. */
function readable(raw: string): string {
  return raw
    .replace(/<!--[\s\S]*?-->/g, ' ')
    .replace(/^#{1,6}\s+/gm, '')
    .replace(/!?\[([^\]@]*)\]\([^)]*\)/g, '$1')
    .replace(/\[[^\]]*@[^\]]*\]/g, ' ')
    .replace(/[*`]+/g, '');
}

/** A chunk for each block; `perChunk` blocks of the same section at most make one. */
export function chunksOf(document: SourceDocument, perChunk = 1): Chunk[] {
  const groups: Block[][] = [];
  for (const block of document.blocks) {
    const group = groups.at(-1);
    const same = group?.[0] && JSON.stringify(group[0].heading) === JSON.stringify(block.heading);
    if (group && same && group.length < perChunk && group[0]?.source === block.source) group.push(block);
    else groups.push([block]);
  }
  return groups.flatMap((blocks) => {
    const [first] = blocks;
    const last = blocks.at(-1);
    return first && last ? [chunkOf(document, blocks, first, last)] : [];
  });
}

function chunkOf(document: SourceDocument, blocks: readonly Block[], first: Block, last: Block): Chunk {
  const text = (document.texts[first.source] ?? '').slice(first.start, last.end);
  const digest = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 32);
  return {
    id: digest(`${first.source} ${first.start} ${last.end} ${text}`),
    document: document.path,
    source: first.source,
    kind: document.kind,
    heading: first.heading,
    page: null,
    start: first.start,
    end: last.end,
    text,
    readable: blocks.map((block) => block.readable).join('\n\n'),
    tags: document.tags,
    citations: [...new Set(blocks.flatMap((block) => block.citations))],
    modified: 0,
    textHash: digest(text),
  };
}
