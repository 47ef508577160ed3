// What a document says: its headings and chunks, the works that it cites or lists, and its concepts, each with the
// places where that can be read. Knows no store and no other document.
import { throwIfCancelled } from '../errors.ts';
import type { Evidence } from '../protocol/index.ts';
import type { Block, Chunk, SourceDocument } from '../retrieval/index.ts';
import { createBreather } from './breather.ts';
import { chunkId, citationId, labelOf } from './identifiers.ts';
import { keyPhrasesOf } from './keyPhrases/index.ts';
import { PartBuilder } from './partBuilder.ts';
import { PlacesOfChunks } from './placesOfChunks.ts';
import type { GraphPart } from './ports.ts';

/** Weights of a work's label: its title in a bibliography against its key where it is cited. */
const cited = 0;
const listed = 1;

/**
 * The graph of one document. Total: any document and chunks give a part.
 * @param chunks all of the document's chunks
 * @throws PreflexorError `cancelled`
 */
export async function graphOfDocument(
  document: SourceDocument,
  chunks: readonly Chunk[],
  signal: AbortSignal,
): Promise<GraphPart> {
  const builder = new PartBuilder(`document:${document.path}`);
  const breathe = createBreather();
  const headings = placesOfHeadings(document);
  builder.section(document.path, document.title, [], () => nowhere(document.path));
  for (const chunk of chunks) {
    await breathe();
    throwIfCancelled(signal);
    sayChunk(builder, document, chunk, headings);
  }
  const places = new PlacesOfChunks(chunks);
  sayListedWorks(builder, document, places);
  for (const phrase of (await keyPhrasesOf(document, signal)).phrases) {
    await breathe();
    throwIfCancelled(signal);
    const mentioned = phrase.mentions.flatMap((mention) =>
      places.holding(mention).map((chunk) => ({ chunk, mention })),
    );
    // What stands in no chunk can't be shown.
    if (mentioned.length === 0) continue;
    const concept = builder.concept(phrase);
    for (const { chunk, mention } of mentioned) builder.edge(chunkId(chunk.id), 'mentions', concept, mention);
  }
  return builder.part();
}

function nowhere(source: string): Evidence {
  return { source, start: 0, end: 0 };
}

function sayChunk(
  builder: PartBuilder,
  document: SourceDocument,
  chunk: Chunk,
  headings: ReadonlyMap<string, Evidence>,
): void {
  const above = builder.section(
    document.path,
    document.title,
    chunk.heading,
    (depth) => headings.get(JSON.stringify(chunk.heading.slice(0, depth + 1))) ?? chunk,
  );
  const id = builder.node({ id: chunkId(chunk.id), kind: 'chunk', label: labelOf(chunk.readable, chunk.id) });
  builder.edge(above, 'contains', id, chunk);
  for (const key of chunk.citations) {
    const work = builder.node(
      { id: citationId(key), kind: 'citation', label: labelOf(key, key) },
      { weight: cited },
    );
    for (const place of placesOfKey(chunk, key)) builder.edge(id, 'cites', work, place);
  }
}

/** Where each heading stands, by its whole path. */
function placesOfHeadings(document: SourceDocument): Map<string, Evidence> {
  const places = new Map<string, Evidence>();
  for (const { kind, heading, readable, source, start, end } of document.blocks) {
    if (kind !== 'heading') continue;
    const key = JSON.stringify([...heading, readable.trim()]);
    if (!places.has(key)) places.set(key, { source, start, end });
  }
  return places;
}

/** Where the key stands in the chunk's text, as a whole; the chunk's own place where it is not found. */
function placesOfKey(chunk: Chunk, key: string): Evidence[] {
  const places: Evidence[] = [];
  for (
    let index = chunk.text.indexOf(key);
    index >= 0 && key !== '';
    index = chunk.text.indexOf(key, index + 1)
  ) {
    const around = `${chunk.text[index - 1] ?? ''} ${chunk.text[index + key.length] ?? ''}`;
    if (/[\p{L}\p{N}_]/u.test(around)) continue;
    const start = chunk.start + index;
    places.push({ source: chunk.source, start, end: start + key.length });
  }
  return places.length > 0 ? places : [chunk];
}

/** The works that a bibliography lists, each within the chunk that its entry begins in. */
function sayListedWorks(builder: PartBuilder, document: SourceDocument, places: PlacesOfChunks): void {
  const keys = new Set(document.defines);
  if (keys.size === 0) return;
  for (const block of document.blocks) {
    const key = keyOfEntry(block, document);
    if (key === null || !keys.has(key)) continue;
    const title = block.readable.trim().split('\n')[0] ?? '';
    const work = builder.node(
      { id: citationId(key), kind: 'citation', label: labelOf(title, key) },
      { weight: listed },
    );
    for (const chunk of places.holding({ source: block.source, start: block.start, end: block.start + 1 }))
      builder.edge(chunkId(chunk.id), 'contains', work, block);
  }
}

/** The key of a BibTeX entry, read off its first line: `@article{key,`. */
function keyOfEntry(block: Block, document: SourceDocument): string | null {
  if (block.kind !== 'entry') return null;
  const head = (document.texts[block.source] ?? '').slice(
    block.start,
    Math.min(block.end, block.start + 400),
  );
  return /^\s*@\s*\w+\s*[{(]\s*([^\s,{}()]+)/.exec(head)?.[1] ?? null;
}
