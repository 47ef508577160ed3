// The questions that were kept, to tell whether a new one was asked before: by meaning where an embedder is there, by
// words always.
import type { EmbedTexts } from '../../preferences/index.ts';
import { cosine } from '../../retrieval/index.ts';
import { commonWords, sampleLimits } from './checks.ts';

export interface Nearest {
  /** Closeness to the nearest one, 0 to 1; null: it is the first. */
  readonly value: number | null;
  readonly isDuplicate: boolean;
}

export class QuestionBook {
  readonly #embed: EmbedTexts | null;
  readonly #questions: string[] = [];
  readonly #vectors: Float32Array[] = [];

  constructor(embed: EmbedTexts | null) {
    this.#embed = embed;
  }

  async add(questions: readonly string[], signal: AbortSignal): Promise<void> {
    if (questions.length === 0) return;
    this.#questions.push(...questions);
    if (this.#embed) this.#vectors.push(...(await this.#embed(questions, signal)));
  }

  async nearest(question: string, signal: AbortSignal): Promise<Nearest> {
    if (this.#questions.length === 0) return { value: null, isDuplicate: false };
    const words = Math.max(...this.#questions.map((known) => commonWords(question, known)));
    if (!this.#embed) return { value: words, isDuplicate: words >= sampleLimits.sameWords };
    const [vector] = await this.#embed([question], signal);
    const meaning = vector ? Math.max(...this.#vectors.map((known) => cosine(vector, known))) : 0;
    const isDuplicate = meaning >= sampleLimits.sameMeaning || words >= sampleLimits.sameWords;
    return { value: meaning, isDuplicate };
  }
}
