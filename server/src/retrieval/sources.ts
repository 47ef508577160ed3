// Which passages stand behind which section of a run: sentences of the section beside the passages, by the cosine of
// their vectors. It says that they agree, not that the model read them so.
import { throwIfCancelled } from '../errors.ts';
import type { Iteration, Passage, SectionSources } from '../protocol/index.ts';
import { cosine } from './fusion.ts';
import type { Embedder } from './ports.ts';

/** Below this a sentence and a passage only speak of the same field. */
const supportThreshold = 0.5;

/** Longer sections are sampled evenly: it is shown to people, and every sentence costs an embedding. */
const mostSentences = 24;

/** A passage is compared window by window: a sentence must not be lost in the average of a long text. */
const windowSentences = 2;

const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' });

/** The sentences of a text that say something, each trimmed. */
export function sentencesOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment.trim()).filter(
    (sentence) => /\p{L}{3}/u.test(sentence) && sentence.length >= 20,
  );
}

/**
 * For each section of each iteration the passages that support it, best first.
 * @throws PreflexorError `cancelled`, and what the embedder throws
 */
export async function sourcesOf(
  iterations: readonly Iteration[],
  passages: readonly Passage[],
  embedder: Embedder,
  signal: AbortSignal,
): Promise<SectionSources[]> {
  if (passages.length === 0) return [];
  const windows = passages.flatMap((passage) =>
    windowsOf(passage.readable ?? passage.text).map((text) => ({ id: passage.id, text })),
  );
  const sections = iterations.flatMap((iteration) =>
    (['thinking', 'reflection', 'answer'] as const).map((kind) => {
      return { iteration: iteration.index, kind, sentences: sampled(sentencesOf(iteration[kind])) };
    }),
  );
  // Iterations repeat each other: each sentence is embedded once.
  const texts = [
    ...new Set([...windows.map(({ text }) => text), ...sections.flatMap(({ sentences }) => sentences)]),
  ];
  const embedded = await embedder.embed(texts, 'passage', signal);
  throwIfCancelled(signal);
  const vectors = new Map(texts.map((text, index) => [text, embedded[index]]));
  return sections.map(({ iteration, kind, sentences }) => {
    return { iteration, kind, passages: supporting(sentences, windows, vectors) };
  });
}

function supporting(
  sentences: readonly string[],
  windows: readonly { readonly id: string; readonly text: string }[],
  vectors: ReadonlyMap<string, Float32Array | undefined>,
): SectionSources['passages'] {
  const best = new Map<string, { id: string; support: number; sentence: string }>();
  for (const sentence of sentences) {
    for (const { id, text } of windows) {
      const said = vectors.get(sentence);
      const shown = vectors.get(text);
      const support = said && shown ? Math.min(1, cosine(said, shown)) : 0;
      const known = best.get(id);
      if (support >= supportThreshold && (!known || support > known.support))
        best.set(id, { id, support, sentence });
    }
  }
  return [...best.values()].sort((a, b) => b.support - a.support || (a.id < b.id ? -1 : 1));
}

function windowsOf(text: string): string[] {
  const sentences = sentencesOf(text);
  if (sentences.length <= windowSentences) return text.trim() === '' ? [] : [text.trim()];
  const windows: string[] = [];
  for (let at = 0; at + windowSentences <= sentences.length; at += 1) {
    windows.push(sentences.slice(at, at + windowSentences).join(' '));
  }
  return windows;
}

function sampled(sentences: readonly string[]): string[] {
  if (sentences.length <= mostSentences) return [...sentences];
  const step = sentences.length / mostSentences;
  return Array.from({ length: mostSentences }, (_, index) => sentences[Math.floor(index * step)] ?? '');
}
