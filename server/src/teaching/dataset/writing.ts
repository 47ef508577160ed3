// How a sample's texts are written: completions of the model, one after the other, at low priority. Counts what it
// costs.
import type { LanguageModel } from '../../engine/languageModel.ts';
import { complete, seedFor, type Completed } from '../../evaluation/index.ts';
import type { ChatMessage, GenerateRequest } from '../../protocol/index.ts';

export interface Wish {
  readonly messages: ChatMessage[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly prefix?: string;
  readonly stop?: string[];
  readonly jsonSchema?: NonNullable<GenerateRequest['jsonSchema']>;
  /** The model is to write as it would by itself. */
  readonly freely?: boolean;
}

export class Writing {
  readonly #giveWay: (signal: AbortSignal) => Promise<void>;
  readonly #seed: number;
  readonly #signal: AbortSignal;
  #generated = 0;

  constructor(giveWay: (signal: AbortSignal) => Promise<void>, seed: number, signal: AbortSignal) {
    this.#giveWay = giveWay;
    this.#seed = seed;
    this.#signal = signal;
  }

  /** Tokens that were generated so far. */
  get generated(): number {
    return this.#generated;
  }

  /** @param name what the text is for: with the seed, it decides how it is sampled */
  async write(model: LanguageModel, name: string, wish: Wish): Promise<Completed> {
    await this.#giveWay(this.#signal);
    const { freely = false, ...request } = wish;
    const written = await complete(
      model,
      {
        ...request,
        seed: seedFor(this.#seed, name),
        // Held to JSON, a penalty on what was written would fall on its quotation marks.
        avoidLoops: !freely && request.jsonSchema === undefined,
      },
      this.#signal,
    );
    this.#generated += written.generated;
    return written;
  }
}
