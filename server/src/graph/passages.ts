// What runs and samples have in common in the graph: passages under their documents, and what a text made from them
// mentions. Concepts come from the words of people alone: a text of the model mentions concepts, it makes none.
import type { Evidence } from '../protocol/index.ts';
import type { Block, SourceDocument } from '../retrieval/index.ts';
import { chunkId, documentId, labelOf } from './identifiers.ts';
import { keyPhrasesOf, mentionsIn } from './keyPhrases/index.ts';
import type { PartBuilder } from './partBuilder.ts';

/** A passage as it is read, and where it stands. */
export interface GraphPassage extends Evidence {
  readonly id: string;
  readonly heading: readonly string[];
  readonly readable: string;
}

/** The passage's chunk, under its document and headings: it stays when the document no longer has it. */
export function sayPassage(builder: PartBuilder, passage: GraphPassage): string {
  const { id, source, heading, readable } = passage;
  const above = builder.section(source, null, heading, () => passage);
  const chunk = builder.node({ id: chunkId(id), kind: 'chunk', label: labelOf(readable, id) });
  builder.edge(above, 'contains', chunk, passage);
  return chunk;
}

/** Words of people as one document, piece after piece. */
export function humanText(
  path: string,
  pieces: readonly { readonly text: string; readonly readable: string }[],
): SourceDocument {
  const source = documentId(path);
  let start = 0;
  const blocks = pieces.map(({ text, readable }): Block => {
    const block = { start, end: start + text.length, readable };
    start += text.length + 2;
    return {
      ...block,
      ...{ source, kind: 'paragraph', heading: [], page: null, citations: [], runs: [], apart: true },
    };
  });
  const none = { title: '', tags: [], dependencies: [], defines: [] };
  const texts = { [source]: pieces.map(({ text }) => text).join('\n\n') };
  return { ...none, path: source, kind: 'markdown', blocks, texts };
}

/**
 * Says which concepts of `human` a text mentions.
 * @param of the text, and what it is called as the source of evidence
 * @throws PreflexorError `cancelled`
 */
export async function sayMentions(
  builder: PartBuilder,
  node: string,
  of: { readonly text: string; readonly source: string },
  human: SourceDocument,
  signal: AbortSignal,
): Promise<void> {
  const known = await keyPhrasesOf(human, signal);
  for (const { phrase, places } of mentionsIn(of.text, known)) {
    // It makes no concept strong and gives it no name: documents do.
    const concept = builder.concept({ ...phrase, strong: false, labelWeight: 0 });
    for (const { start, end } of places)
      builder.edge(node, 'mentions', concept, { source: of.source, start, end });
  }
}
