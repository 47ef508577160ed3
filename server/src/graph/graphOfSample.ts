// What a sample of self-teaching says: its question, the passages that it was asked from and those that were looked up
// for it, the answer that was written with them in view, and the concepts of the passages that thinking and answer name.
import { createHash } from 'node:crypto';
import type { DatasetSample } from '../protocol/index.ts';
import type { Chunk } from '../retrieval/index.ts';
import { answerId, chunkId, documentId, labelOf, questionId } from './identifiers.ts';
import { PartBuilder } from './partBuilder.ts';
import { humanText, sayMentions, sayPassage } from './passages.ts';
import type { GraphPart } from './ports.ts';

/** The same question from the same passages is one sample, whichever phase answers it. */
export function sampleKey({ question, evidence, askedFrom }: DatasetSample): string {
  const from = evidence.slice(0, askedFrom).map(({ id }) => id);
  return createHash('sha256')
    .update(JSON.stringify([question, ...from]))
    .digest('hex')
    .slice(0, 32);
}

/**
 * The graph of one kept sample. Evidence of what it mentions has the source `sample:<key>`, which is no file: its
 * offsets are of the sample's `chosen` text. All other evidence is of files as they were when it was made.
 * @param chunks of the index, as far as they are still there
 * @throws PreflexorError `cancelled`
 */
export async function graphOfSample(
  sample: DatasetSample,
  chunks: readonly Chunk[],
  signal: AbortSignal,
): Promise<GraphPart> {
  const key = sampleKey(sample);
  const owner = `sample:${key}` as const;
  const builder = new PartBuilder(owner);
  const known = new Map(chunks.map((chunk) => [chunk.id, chunk]));
  const question = builder.node({
    id: questionId(sample.question, sample.evidence[0]?.id ?? ''),
    kind: 'question',
    label: labelOf(sample.question, key),
  });
  const answer = builder.node({
    id: answerId(owner),
    kind: 'answer',
    label: labelOf(sample.reference, key),
  });
  builder.edge(answer, 'answers', question, { source: sample.note.path, ...sample.note.range });
  for (const [at, place] of sample.evidence.entries()) {
    const chunk = known.get(place.id);
    const passage = chunk ? sayPassage(builder, chunk) : sayPlace(builder, place);
    if (at < sample.askedFrom) builder.edge(question, 'asked-from', passage, place);
    else builder.edge(passage, 'retrieved-for', question, place);
    // The answer was written from them, and held to their words.
    builder.edge(passage, 'supports', answer, place);
  }
  const pieces = sample.evidence.flatMap(({ id }) => {
    const chunk = known.get(id);
    return chunk ? [{ text: chunk.text, readable: chunk.readable }] : [];
  });
  const human = humanText(sample.note.path, pieces);
  await sayMentions(builder, answer, { text: sample.chosen, source: owner }, human, signal);
  return builder.part();
}

/** A passage that the index no longer has: its document names it. */
function sayPlace(builder: PartBuilder, place: DatasetSample['evidence'][number]): string {
  builder.node(
    { id: documentId(place.source), kind: 'document', label: labelOf(place.source, '') },
    { weight: 0 },
  );
  return builder.node({ id: chunkId(place.id), kind: 'chunk', label: place.id }, { weight: 0 });
}
