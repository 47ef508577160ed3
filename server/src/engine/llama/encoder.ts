// The embedder and the reranker as the rest of the program sees them: an encoder in a process of its own, which
// everything else on the machine comes before. Implements the ports of retrieval; knows no library and no editor.
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import type { EncoderDescription, Gpu, HostMessage, ModelIdentity } from '../../protocol/index.ts';
import type { Embedder, EmbedderIdentity, Reranker } from '../../retrieval/ports.ts';
import type { ComputeBudget } from '../compute/index.ts';
import { describeGguf, type FoundEmbedder, type FoundReranker } from '../models/index.ts';
import { realTimers, type Timers } from '../timers.ts';
import type { Backend } from './backends.ts';
import { HostedModel, type EngineLease } from './hostedModel.ts';
import type { HostAnswer, HostQuestion } from './hostProcess.ts';
import { Pace } from './pace.ts';
import { Turns } from './turns.ts';

export interface EncoderOptions {
  readonly gpu: Gpu;
  /** 0: learned while it works. */
  readonly threads: number;
  /** Time without work after which the model leaves memory; 0: it stays. */
  readonly idleUnloadMs: number;
  /** dist/engineHost.js, or the host's source where the sources run as they are. */
  readonly hostModule: string;
  /** Asked before each batch of passages; without one, nothing is waited for. */
  readonly compute?: ComputeBudget;
  readonly onLog: (line: string) => void;
  readonly platform?: NodeJS.Platform;
  readonly timers?: Timers;
}

export interface LlamaEmbedderOptions extends EncoderOptions {
  /** Finds the model's file; asked before each load. @throws PreflexorError `no-model` and the like */
  readonly resolveModel: (signal: AbortSignal) => Promise<FoundEmbedder>;
}

export interface LlamaRerankerOptions extends EncoderOptions {
  readonly resolveModel: (signal: AbortSignal) => Promise<FoundReranker>;
}

/** What an encoder has beside its port. */
interface HostedLife {
  /** Keeps the model in memory until it is released. */
  acquire(): EngineLease;
  /** Gives all of the model's memory back; the next call loads again. */
  unload(): Promise<void>;
  dispose(): Promise<void>;
  /** The host's process id while there is one. */
  readonly hostPid: number | null;
}

export interface LlamaEmbedder extends Embedder, HostedLife {
  /** Token ids of one text, without special tokens and prefix. */
  tokenize(text: string, signal: AbortSignal): Promise<readonly number[]>;
}

export interface LlamaReranker extends Reranker, HostedLife {
  identity(signal: AbortSignal): Promise<ModelIdentity>;
}

/** The embedder for one model and one set of settings. Starts nothing before it is first needed. */
export function createLlamaEmbedder(options: LlamaEmbedderOptions): LlamaEmbedder {
  return new HostedEmbedder(options);
}

/** The reranker for one model and one set of settings. Starts nothing before it is first needed. */
export function createLlamaReranker(options: LlamaRerankerOptions): LlamaReranker {
  return new HostedReranker(options);
}

/**
 * A batch is as long as a writer might have to wait for it: some 250 ms of a small model on an old machine. It is
 * counted in characters, of which a token has about four, because counting tokens costs a round trip.
 */
const batchCharacters = 4096;
const batchTexts = 16;

/** The texts of each batch: together short enough, or one alone. `[from, to)` of `texts`. */
export function batchesOf(texts: readonly string[]): readonly (readonly [from: number, to: number])[] {
  const batches: [number, number][] = [];
  let from = 0;
  let characters = 0;
  for (const [index, text] of texts.entries()) {
    const full = characters + text.length > batchCharacters || index - from >= batchTexts;
    if (index > from && full) {
      batches.push([from, index]);
      from = index;
      characters = 0;
    }
    characters += text.length;
  }
  if (from < texts.length) batches.push([from, texts.length]);
  return batches;
}

type Found = FoundEmbedder | FoundReranker;

/** A loaded encoder, with what was found of it. */
interface LoadedEncoder<F> {
  readonly found: F;
  readonly description: EncoderDescription;
  /** Null: the settings say how many threads. */
  readonly pace: Pace | null;
}

/** What a batch came to; tokens and seconds where the host tells them. */
interface BatchResult<T> {
  readonly value: T;
  readonly tokens?: number;
  readonly seconds?: number;
}

/** What embedder and reranker have in common: the model's life, and work in turns. */
class HostedEncoder<F extends Found> implements HostedLife {
  readonly #options: EncoderOptions;
  readonly #turns = new Turns();
  readonly #model: HostedModel<EncoderDescription, LoadedEncoder<F>>;

  constructor(
    kind: 'embedder' | 'reranker',
    options: EncoderOptions,
    resolveModel: (signal: AbortSignal) => Promise<F>,
  ) {
    this.#options = options;
    this.#model = new HostedModel({
      plan: async (signal) => {
        const found = await resolveModel(signal);
        const { file, maxTokens } = found;
        return {
          file,
          question: (gpu: Backend): HostQuestion => ({
            do: 'load-encoder',
            load: { file, kind, gpu, maxTokens },
          }),
          loaded: (answer: HostAnswer) =>
            answer.is === 'encoder-loaded' ? { value: answer.encoder } : undefined,
          done: (description: EncoderDescription) => ({
            ...{ found, description },
            pace: options.threads === 0 ? new Pace(description.cores) : null,
          }),
        };
      },
      onState: () => undefined,
      onMemory: () => undefined,
      ...{ gpu: options.gpu, platform: options.platform ?? process.platform, background: true },
      ...{ idleUnloadMs: options.idleUnloadMs, hostModule: options.hostModule, onLog: options.onLog },
      timers: options.timers ?? realTimers,
    });
  }

  get hostPid(): number | null {
    return this.#model.hostPid;
  }

  acquire(): EngineLease {
    return this.#model.acquire();
  }

  unload(): Promise<void> {
    return this.#model.unload();
  }

  dispose(): Promise<void> {
    return this.#model.dispose();
  }

  /** Asks the loaded model something that takes no turn. */
  async ask<T>(
    question: HostQuestion,
    signal: AbortSignal,
    read: (answer: HostMessage) => { readonly value: T } | undefined,
  ): Promise<T> {
    this.#model.requireAlive();
    const lease = this.#model.acquire();
    try {
      const { host } = await this.#model.ready(signal);
      return await host.ask(question, signal, read);
    } finally {
      lease.release();
    }
  }

  /**
   * Runs one batch, when it is its turn. What nobody waits for asks the budget first. `read` is given each answer,
   * and gives the result when it was the last one.
   */
  async batch<T>(
    urgent: boolean,
    signal: AbortSignal,
    question: (loaded: LoadedEncoder<F>, threads: number) => HostQuestion,
    read: (answer: HostMessage, loaded: LoadedEncoder<F>) => BatchResult<T> | undefined,
  ): Promise<T> {
    const { compute, threads: wished } = this.#options;
    const left = (urgent ? undefined : await compute?.background(signal)) ?? Infinity;
    const endTurn = await this.#turns.take(signal);
    try {
      const { host, model } = await this.#model.ready(signal);
      const most = Math.min(left, model.description.cores);
      const threads = model.pace?.choose(most) ?? Math.min(wished, left);
      const result = await host.ask(question(model, threads), signal, (answer) => {
        const value = read(answer, model);
        return value === undefined ? undefined : { value };
      });
      this.#model.succeeded();
      model.pace?.took(threads, result.tokens ?? 0, result.seconds ?? 0);
      return result.value;
    } finally {
      endTurn();
    }
  }

  /** Runs `work` with the model kept in memory and alive. */
  async held<T>(work: () => Promise<T>): Promise<T> {
    this.#model.requireAlive();
    const lease = this.#model.acquire();
    try {
      return await work();
    } finally {
      lease.release();
    }
  }
}

function requireCount(found: number, expected: number): void {
  if (found === expected) return;
  throw new PreflexorError(
    'engine-failed',
    'The model process gave another number of results than was asked for.',
    {
      remedy: 'Try again; if it happens again, install PRefLexOR again.',
    },
  );
}

class HostedEmbedder extends HostedEncoder<FoundEmbedder> implements LlamaEmbedder {
  readonly #resolveModel: LlamaEmbedderOptions['resolveModel'];

  constructor(options: LlamaEmbedderOptions) {
    super('embedder', options, options.resolveModel);
    this.#resolveModel = options.resolveModel;
  }

  /** By the file's header: no model is loaded for it. */
  async identity(signal: AbortSignal): Promise<EmbedderIdentity> {
    const { file, identity, maxTokens } = await this.#resolveModel(signal);
    const { embeddingLength, trainedContext } = await describeGguf(file, signal);
    throwIfCancelled(signal);
    return {
      ...{ id: identity.id, sha256: identity.sha256, dimensions: embeddingLength },
      maxTokens: Math.min(maxTokens, trainedContext),
    };
  }

  async embed(
    texts: readonly string[],
    as: 'query' | 'passage',
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    return await this.held(async () => {
      const vectors: Float32Array[] = [];
      for (const [from, to] of batchesOf(texts)) {
        vectors.push(...(await this.#embedBatch(texts.slice(from, to), as, signal)));
      }
      return vectors;
    });
  }

  async countTokens(texts: readonly string[], signal: AbortSignal): Promise<readonly number[]> {
    if (texts.length === 0) return [];
    return await this.ask({ do: 'count', texts: [...texts] }, signal, (answer) => {
      if (answer.is !== 'counted') return undefined;
      requireCount(answer.counts.length, texts.length);
      return { value: answer.counts };
    });
  }

  async tokenize(text: string, signal: AbortSignal): Promise<readonly number[]> {
    return await this.ask({ do: 'tokenize', text }, signal, (answer) =>
      answer.is === 'tokenized' ? { value: answer.tokens } : undefined,
    );
  }

  async #embedBatch(
    texts: readonly string[],
    as: 'query' | 'passage',
    signal: AbortSignal,
  ): Promise<Float32Array[]> {
    return await this.batch(
      as === 'query',
      signal,
      ({ found }, threads) => ({
        do: 'embed',
        embed: { texts: texts.map((text) => found.prefixes[as] + text), threads },
      }),
      (answer, { description: { dimensions } }) => {
        if (answer.is !== 'embedded') return undefined;
        const { vectors, tokens, seconds } = answer;
        requireCount(vectors.length, texts.length * dimensions);
        const value = texts.map((_, index) => vectors.slice(index * dimensions, (index + 1) * dimensions));
        return { value, tokens, seconds };
      },
    );
  }
}

class HostedReranker extends HostedEncoder<FoundReranker> implements LlamaReranker {
  readonly #resolveModel: LlamaRerankerOptions['resolveModel'];

  constructor(options: LlamaRerankerOptions) {
    super('reranker', options, options.resolveModel);
    this.#resolveModel = options.resolveModel;
  }

  async identity(signal: AbortSignal): Promise<ModelIdentity> {
    return (await this.#resolveModel(signal)).identity;
  }

  /** Somebody waits for it, so it waits for nobody. */
  async rank(query: string, texts: readonly string[], signal: AbortSignal): Promise<readonly number[]> {
    return await this.held(async () => {
      const scores: number[] = [];
      for (const [from, to] of batchesOf(texts)) {
        const part = texts.slice(from, to);
        const ranked = await this.batch(
          true,
          signal,
          (_, threads) => ({ do: 'rank', rank: { query, texts: part, threads } }),
          (answer) => {
            if (answer.is !== 'ranked') return undefined;
            requireCount(answer.scores.length, part.length);
            return { value: answer.scores };
          },
        );
        scores.push(...ranked);
      }
      return scores;
    });
  }
}
