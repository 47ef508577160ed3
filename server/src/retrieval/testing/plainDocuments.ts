// The smallest reader and chunker: paragraphs between blank lines, `# ` titles, `\input{…}` in .tex files.
// For tests of what stands around reading; the real readers are in ../readers.
import { createHash } from 'node:crypto';
import type { DocumentKind } from '../../protocol/index.ts';
import type { DocumentChunker, DocumentReader } from '../indexing/index.ts';
import type { Block, Chunk, ReadOther, ReadResult, SourceDocument } from '../ports.ts';

const kinds: Readonly<Record<string, DocumentKind>> = {
  md: 'markdown',
  tex: 'latex',
  txt: 'text',
  bib: 'bibtex',
};

export interface PlainReader extends DocumentReader {
  /** Every file that was read, in order. */
  readonly reads: string[];
}

/** Refuses `%ENCRYPTED` files, breaks on `%BREAK`, and takes a missing \input for nothing. */
export function plainReader(): PlainReader {
  const reads: string[] = [];
  return {
    reads,
    kindOf,
    read: async (path, bytes, readOther) => {
      reads.push(path);
      return await readPlain(path, kindOf(path), new TextDecoder().decode(bytes), readOther);
    },
  };
}

function kindOf(path: string): DocumentKind | null {
  return kinds[/\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''] ?? null;
}

async function readPlain(
  path: string,
  kind: DocumentKind | null,
  text: string,
  readOther: ReadOther,
): Promise<ReadResult> {
  if (kind === null)
    return { refusal: { code: 'unknown-kind', reason: 'No reader knows this kind of file.' } };
  if (text.startsWith('%ENCRYPTED'))
    return { refusal: { code: 'encrypted', reason: 'It needs a password.' } };
  if (text.startsWith('%BREAK')) throw new TypeError('made for a test');
  const texts: Record<string, string> = { [path]: text };
  const blocks: Block[] = [];
  if (kind === 'latex') await takeIn(path, text, readOther, texts, blocks, new Set([path]));
  else blocks.push(...paragraphs(path, text));
  const document: SourceDocument = {
    path,
    kind,
    title: /^# (.*)/m.exec(text)?.[1] ?? nameOf(path),
    tags: [...text.matchAll(/(?<=\s)#(\p{L}+)/gu)].map((match) => match[1] ?? ''),
    blocks,
    texts,
    dependencies: Object.keys(texts).filter((each) => each !== path),
    defines: kind === 'bibtex' ? [...text.matchAll(/@\w+\{([^,]+),/g)].map((match) => match[1] ?? '') : [],
  };
  return { document };
}

async function takeIn(
  path: string,
  text: string,
  readOther: ReadOther,
  texts: Record<string, string>,
  blocks: Block[],
  seen: Set<string>,
): Promise<void> {
  for (const block of paragraphs(path, text)) {
    const taken = /^\\input\{(.+)\}$/.exec(block.readable)?.[1];
    if (taken === undefined) blocks.push(block);
    else if (!seen.has(taken)) {
      seen.add(taken);
      const bytes = await readOther(taken);
      if (!bytes) continue;
      const inner = new TextDecoder().decode(bytes);
      texts[taken] = inner;
      await takeIn(taken, inner, readOther, texts, blocks, seen);
    }
  }
}

function paragraphs(source: string, text: string): Block[] {
  return [...text.matchAll(/\S(?:.|\n(?!\s*\n))*/g)].map((match) => ({
    source,
    start: match.index,
    end: match.index + match[0].length,
    readable: match[0].trim(),
    kind: 'paragraph',
    heading: [],
    page: null,
    citations: [],
    runs: [],
    apart: false,
  }));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
}

/** One chunk for each paragraph. */
export const paragraphChunker: DocumentChunker = {
  chunk: (document, modified) => Promise.resolve(chunksOf(document, modified)),
  embeddedText: (chunk) => chunk.readable,
};

function chunksOf(document: SourceDocument, modified: number): Chunk[] {
  return document.blocks.map(({ source, start, end, readable, heading, page, citations }) => {
    const text = (document.texts[source] ?? '').slice(start, end);
    return {
      id: chunkId({ source, start, end, text }),
      document: document.path,
      source,
      kind: document.kind,
      heading,
      page,
      start,
      end,
      text,
      readable,
      tags: document.tags,
      citations,
      modified,
      textHash: sha256(readable).slice(0, 32),
    };
  });
}

/** sha256 of source, place and text, 32 hex digits. */
export function chunkId(chunk: Pick<Chunk, 'source' | 'start' | 'end' | 'text'>): string {
  return sha256(JSON.stringify([chunk.source, chunk.start, chunk.end, chunk.text])).slice(0, 32);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
