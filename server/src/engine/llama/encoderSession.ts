// An encoder in memory: texts in, vectors or scores out. Computes one text at a time, between which it can stop.
// Runs in the engine host; knows neither processes nor who else wants to compute.
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { LlamaEmbeddingContext, LlamaModel, LlamaRankingContext, Token } from 'node-llama-cpp';
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import type {
  EmbedRequest,
  EncoderDescription,
  EncoderLoadRequest,
  RankRequest,
} from '../../protocol/index.ts';
import { badModel, describeGguf, estimateEncoder, fits, requireModel } from '../models/index.ts';
import { encoderTokens, type EncoderTokens } from './encoderTokens.ts';
import { loadModel, memoryFor, ranOutOfMemory, reasonOf, type LoadPorts } from './modelLoading.ts';
import type { OpenLibrary } from './library.ts';

type Context =
  | { readonly kind: 'embedder'; readonly context: LlamaEmbeddingContext }
  | { readonly kind: 'reranker'; readonly context: LlamaRankingContext };

/** What is needed to embed or to rank. */
export interface EncoderSession {
  readonly tokens: EncoderTokens;
  readonly encoder: Context;
  readonly description: EncoderDescription;
  /** Threads of every evaluation from now on. */
  readonly setThreads: (threads: number) => void;
}

/**
 * Loads an encoder on one backend.
 * @throws PreflexorError `no-model`, `bad-model`, `no-gpu`, `out-of-memory`, `bad-input`, `engine-failed`,
 * `cancelled`
 */
export async function loadEncoder(request: EncoderLoadRequest, ports: LoadPorts): Promise<EncoderSession> {
  const { file, kind, gpu } = request;
  if (gpu === 'auto') throw new PreflexorError('bad-input', 'The engine host is told which backend to use.');
  const description = await describeGguf(file, ports.signal);
  requireModel(file, description, kind);
  if (description.trainedContext < 1) throw badModel(file, 'it does not say how long an input may be');
  const maxTokens = Math.min(request.maxTokens, description.trainedContext);

  const cores = availableParallelism();
  const opened = await ports.open(gpu);
  throwIfCancelled(ports.signal);
  opened.llama.maxThreads = cores;
  const available = await memoryFor(opened);
  const { totalBytes } = estimateEncoder(description, maxTokens);
  const tooLarge = () => outOfMemory(totalBytes, available);
  if (!fits(totalBytes, available)) throw tooLarge();
  const model = await loadModel(file, opened, ports, tooLarge);
  const encoder = await createContext({ file, kind, opened, model, maxTokens, cores, ports, tooLarge });
  return {
    tokens: await encoderTokens(file, model, maxTokens, ports.signal),
    encoder,
    setThreads: (threads) => {
      opened.llama.maxThreads = Math.min(threads, cores);
    },
    description: {
      ...{ file: basename(file), architecture: description.architecture, backend: gpu, fallback: null },
      ...{ dimensions: model.embeddingVectorSize, maxTokens, cores },
      memoryBytes: process.memoryUsage.rss(),
    },
  };
}

function outOfMemory(needed: number, available: number): PreflexorError {
  const gigabytes = (bytes: number) => `${(Math.max(0, bytes) / 1e9).toFixed(1)} GB`;
  return new PreflexorError(
    'out-of-memory',
    `The model needs about ${gigabytes(needed)} of memory, and ${gigabytes(available)} can be had.`,
    { remedy: 'Close other programs, or choose a smaller model.' },
  );
}

interface Creation {
  readonly file: string;
  readonly kind: Context['kind'];
  readonly opened: OpenLibrary;
  readonly model: LlamaModel;
  readonly maxTokens: number;
  readonly cores: number;
  readonly ports: LoadPorts;
  readonly tooLarge: () => PreflexorError;
}

async function createContext(creation: Creation): Promise<Context> {
  const { file, kind, opened, model, maxTokens, cores, ports, tooLarge } = creation;
  // The library takes inputs that are shorter than its context, and an encoder reads an input as one batch.
  const size = maxTokens + 1;
  const options = { contextSize: size, batchSize: size, threads: cores, createSignal: ports.signal };
  try {
    return kind === 'embedder'
      ? { kind, context: await model.createEmbeddingContext(options) }
      : { kind, context: await model.createRankingContext(options) };
  } catch (error) {
    if (ports.signal.aborted) throw cancelled();
    if (ranOutOfMemory(opened, opened.complaints.join('\n'), error)) throw tooLarge();
    throw badModel(file, `the model library cannot use it (${reasonOf(opened, error)})`, error);
  }
}

export interface Embedded {
  /** One after the other, each of length 1. */
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly tokens: number;
  readonly seconds: number;
}

/** Vectors of the texts, in their order. @throws PreflexorError `bad-input`, `engine-failed`, `cancelled` */
export async function embed(
  { encoder, tokens, description, setThreads }: EncoderSession,
  { texts, threads }: EmbedRequest,
  signal: AbortSignal,
): Promise<Embedded> {
  if (encoder.kind !== 'embedder')
    throw new PreflexorError('bad-input', 'This model ranks; it does not embed.');
  const started = performance.now();
  setThreads(threads);
  const vectors = new Float32Array(texts.length * description.dimensions);
  let read = 0;
  for (const [index, text] of texts.entries()) {
    throwIfCancelled(signal);
    const input = tokens.input(text);
    const { vector } = await encoder.context.getEmbeddingFor(input);
    putNormalised(vector, vectors, index * description.dimensions);
    read += input.length;
  }
  throwIfCancelled(signal);
  return { vectors, tokens: read, seconds: (performance.now() - started) / 1000 };
}

function putNormalised(vector: readonly number[], into: Float32Array, at: number): void {
  const length = Math.hypot(...vector);
  if (!(length > 0) || !Number.isFinite(length)) {
    throw new PreflexorError('engine-failed', 'The embedding model gave a vector without a direction.', {
      remedy: 'Choose another embedding model.',
    });
  }
  for (const [index, value] of vector.entries()) into[at + index] = value / length;
}

/** How well each text answers the query. @throws PreflexorError `bad-input`, `engine-failed`, `cancelled` */
export async function rank(
  { encoder, tokens, setThreads }: EncoderSession,
  { query, texts, threads }: RankRequest,
  signal: AbortSignal,
): Promise<number[]> {
  if (encoder.kind !== 'reranker')
    throw new PreflexorError('bad-input', 'This model embeds; it does not rank.');
  setThreads(threads);
  const scores: number[] = [];
  for (const text of texts) {
    throwIfCancelled(signal);
    const pair: { query: Token[]; text: Token[] } = tokens.pair(query, text);
    const score = await encoder.context.rank(pair.query, pair.text);
    if (!Number.isFinite(score)) {
      throw new PreflexorError('engine-failed', 'The reranking model gave a score that is no number.', {
        remedy: 'Choose another reranking model, or none.',
      });
    }
    scores.push(score);
  }
  throwIfCancelled(signal);
  return scores;
}
