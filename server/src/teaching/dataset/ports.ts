// What the dataset needs from outside: the index, the model in its present state, and somebody who says when it may
// work. The doors wire them.
import type { LanguageModel } from '../../engine/languageModel.ts';
import type { Judging } from '../../evaluation/index.ts';
import type { EmbedTexts } from '../../preferences/index.ts';
import type { DatasetSample, Passage } from '../../protocol/index.ts';
import type { Chunk } from '../../retrieval/index.ts';

/** A stretch of a note or paper that a question can be asked from. */
export type CorpusChunk = Pick<
  Chunk,
  'id' | 'document' | 'source' | 'start' | 'end' | 'readable' | 'textHash' | 'heading'
>;

/** The writer's notes and papers, as far as they may be learnt from. */
export interface Corpus {
  /** All chunks; with a topic, those nearest to it. */
  chunks(topic: string | null, signal: AbortSignal): Promise<readonly CorpusChunk[]>;
  /** Passages for a question, best first, from documents that are not left out. */
  search(
    query: string,
    k: number,
    leftOut: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly Passage[]>;
  /** sha256 of the document's present text, or null when it is gone or may not be learnt from any more. */
  hashOf(document: string, signal: AbortSignal): Promise<string | null>;
}

export interface DatasetPorts {
  readonly corpus: Corpus;
  /** Writes questions, notes and answers with the passages in view. */
  readonly teacher: LanguageModel;
  /** The model that is to be trained, with its current adapter. May be the teacher itself. */
  readonly student: LanguageModel;
  /** Vectors of length 1; null: questions are compared by their words alone. */
  readonly embed: EmbedTexts | null;
  readonly judging: Judging | null;
  /** Hears of each sample that is kept: the knowledge graph grows with it. */
  readonly learn: (sample: DatasetSample) => Promise<void>;
  /** Waits until work that nobody waits for may go on. */
  readonly giveWay: (signal: AbortSignal) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
