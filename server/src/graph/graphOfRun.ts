// What a run of reasoning says: its question, the passages that were retrieved for it, its answer and what supports
// it. Concepts come from the writer's paragraph and the passages alone: an answer mentions concepts, it makes none.
import type { Passage, Run, SectionSources } from '../protocol/index.ts';
import type { Chunk, SourceDocument } from '../retrieval/index.ts';
import { answerId, chunkId, labelOf, questionId } from './identifiers.ts';
import { PartBuilder } from './partBuilder.ts';
import { humanText, sayMentions, sayPassage, type GraphPassage } from './passages.ts';
import { PlacesOfChunks } from './placesOfChunks.ts';
import type { GraphPart } from './ports.ts';

/**
 * The graph of one run. Evidence of what the answer mentions has the source `run:<id>`, which is no file: its
 * offsets are of the run's `final` text. All other evidence is of files as they were when the run was made.
 * @param sources which passages stand behind which section; empty where it was not worked out
 * @param noteChunks the chunks of the run's note, as far as it is indexed: the question is asked from the one that
 *   the paragraph stands in, else from the note
 * @throws PreflexorError `cancelled`
 */
export async function graphOfRun(
  run: Run,
  sources: readonly SectionSources[],
  noteChunks: readonly Chunk[],
  signal: AbortSignal,
): Promise<GraphPart> {
  const builder = new PartBuilder(`run:${run.id}`);
  const question = builder.node({
    id: questionId(run.question, run.paragraph),
    kind: 'question',
    label: labelOf(run.question, run.id),
  });
  sayWhereAsked(builder, run, question, noteChunks);
  for (const passage of run.passages) {
    const chunk = sayPassage(builder, graphPassage(passage));
    builder.edge(chunk, 'retrieved-for', question, passage);
  }
  if (run.final.trim() === '') return builder.part();
  const answer = builder.node({ id: answerId(run.id), kind: 'answer', label: labelOf(run.final, run.id) });
  const { path, range } = run.note;
  builder.edge(answer, 'answers', question, { source: path, ...range });
  for (const passage of supporting(run, sources))
    builder.edge(chunkId(passage.id), 'supports', answer, passage);
  const said = { text: run.final, source: `run:${run.id}` };
  await sayMentions(builder, answer, said, humanTextOf(run), signal);
  return builder.part();
}

function sayWhereAsked(builder: PartBuilder, run: Run, question: string, noteChunks: readonly Chunk[]): void {
  const { path, range } = run.note;
  const place = { source: path, start: range.start, end: range.end };
  const note = builder.section(path, null, [], () => place);
  const [chunk] = new PlacesOfChunks(noteChunks).holding(place);
  if (!chunk) {
    builder.edge(question, 'asked-from', note, place);
    return;
  }
  const above = builder.section(path, null, chunk.heading, () => chunk);
  const id = builder.node({ id: chunkId(chunk.id), kind: 'chunk', label: labelOf(chunk.readable, chunk.id) });
  builder.edge(above, 'contains', id, chunk);
  builder.edge(question, 'asked-from', id, place);
}

/** The passages behind the answer of the best iteration, each once. */
function supporting(run: Run, sources: readonly SectionSources[]): Passage[] {
  const ids = new Set(
    sources
      .filter(({ iteration, kind }) => kind === 'answer' && iteration === run.best)
      .flatMap(({ passages }) => passages.map(({ id }) => id)),
  );
  return run.passages.filter(({ id }) => ids.has(id));
}

/** Paragraph and passages: the words of people that the answer was made from. */
function humanTextOf({ note, paragraph, passages }: Run): SourceDocument {
  return humanText(note.path, [
    { text: paragraph, readable: paragraph },
    ...passages.map(({ text, readable }) => ({ text, readable: readable ?? text })),
  ]);
}

function graphPassage(passage: Passage): GraphPassage {
  return { ...passage, readable: passage.readable ?? passage.text };
}
