// Says what a GGUF file is (a language model, an embedder, an adapter, …) and how it is built, by its header
// alone. Whether llama.cpp can run its architecture is not decided here: the engine finds out when it loads.
import { basename } from 'node:path';
import type { ModelKind, Pooling } from '../../protocol/index.ts';
import { badModel, readGgufHeader, type GgufHeader, type GgufValue } from './gguf.ts';

export type GgufKind =
  'language-model' | 'embedding-model' | 'reranker' | 'adapter' | 'projector' | 'vocabulary-only' | 'unknown';

/** How a decoder is built: all that an estimate of its memory needs. Lengths are counts of numbers. */
export interface ModelShape {
  readonly trainedContext: number;
  readonly layers: number;
  readonly heads: number;
  /** Key-value heads of each layer. */
  readonly keyValueHeads: readonly number[];
  readonly keyLength: number;
  readonly valueLength: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  readonly vocabulary: number;
  /** Which layers look back only `window` tokens. */
  readonly sliding: { readonly window: number; readonly layers: readonly boolean[] } | null;
}

export interface GgufDescription extends ModelShape {
  readonly file: string;
  readonly kind: GgufKind;
  /** `llama`, `qwen3`, `gemma3`, …; empty where the file does not say. */
  readonly architecture: string;
  readonly name: string | null;
  readonly license: string | null;
  readonly parameters: number;
  /** Bytes of all tensors: what the weights take in memory. */
  readonly weightBytes: number;
  readonly fileBytes: number;
  /** Bytes that the file lacks; 0: it is whole. */
  readonly missingBytes: number;
  /** The tensor type that holds most of the weights: `q4_K`, `f16`, … */
  readonly quantization: string | null;
  /** Jinja source, when the file brings a chat template. */
  readonly chatTemplate: string | null;
  /** How an encoder makes one vector of a text's; null where the file says nothing, or that it makes none. */
  readonly pooling: Pooling | 'rank' | null;
  /** More than 1: the model is spread over several files and this is one of them. */
  readonly parts: number;
}

/**
 * Reads and describes the GGUF file at `path`.
 * Throws as `readGgufHeader` does; a file that is some other kind of GGUF is described, not refused.
 */
export async function describeGguf(path: string, signal?: AbortSignal): Promise<GgufDescription> {
  return describeHeader(path, await readGgufHeader(path, signal === undefined ? {} : { signal }));
}

/** Throws `bad-model` unless the file is a whole language model that the engine can try to load. */
export function requireLanguageModel(path: string, description: GgufDescription): void {
  requireModel(path, description, 'language');
}

/** What a GGUF file of a kind is as a model, or null: it is none of those that the engine runs. */
export function modelKindOf({ kind }: GgufDescription): ModelKind | null {
  return modelKinds[kind] ?? null;
}

const modelKinds: Partial<Record<GgufKind, ModelKind>> = {
  'language-model': 'language',
  'embedding-model': 'embedder',
  reranker: 'reranker',
};

/** Throws `bad-model` unless the file is a whole model of the kind that is wanted. */
export function requireModel(path: string, description: GgufDescription, wanted: ModelKind): void {
  if (modelKindOf(description) !== wanted) {
    throw badModel(path, `it is ${kindNames[description.kind]}, and ${wantedNames[wanted]} is needed here`);
  }
  if (wanted === 'embedder' && description.pooling === null) {
    throw badModel(path, 'it does not say how the vector of a text is made of those of its tokens');
  }
  if (description.missingBytes > 0) {
    throw badModel(
      path,
      `it is cut off: ${description.missingBytes.toLocaleString('en')} bytes are missing at its end`,
    );
  }
  if (description.parts > 1) {
    throw badModel(
      path,
      `it is one of ${description.parts} parts; join them with llama.cpp's llama-gguf-split --merge`,
    );
  }
}

const kindNames: Record<GgufKind, string> = {
  'language-model': 'a language model',
  'embedding-model': 'an embedding model, which cannot write text',
  reranker: 'a reranking model, which cannot write text',
  adapter: 'an adapter, which belongs on top of a model',
  projector: 'the image part of a model, not the language model itself',
  'vocabulary-only': 'a vocabulary without weights',
  unknown: 'a GGUF file, but not a model that can be run',
};

/** As in "… is needed here". */
export const wantedNames: Record<ModelKind, string> = {
  language: 'a language model',
  embedder: 'an embedding model',
  reranker: 'a reranking model',
};

/** Encoders: architectures that turn text into vectors and never generate. Source: llama-arch.cpp. */
const encoders = /bert|t5encoder|embedding|^llama-embed/;

export function describeHeader(path: string, header: GgufHeader): GgufDescription {
  const { metadata, tensors } = header;
  const architecture = text(metadata.get('general.architecture')) ?? '';
  const ofArchitecture = (key: string) => metadata.get(`${architecture}.${key}`);
  const layers = count(ofArchitecture('block_count')) ?? 0;
  const heads = count(ofArchitecture('attention.head_count')) ?? 0;
  const embeddingLength = count(ofArchitecture('embedding_length')) ?? 0;
  const keyLength =
    count(ofArchitecture('attention.key_length')) ?? (heads > 0 ? embeddingLength / heads : 0);
  const vocabulary = metadata.get('tokenizer.ggml.tokens');
  return {
    file: basename(path),
    kind: kindOf(header, architecture),
    architecture,
    name: text(metadata.get('general.name')),
    license: text(metadata.get('general.license')),
    parameters: tensors.reduce(
      (sum, tensor) => sum + tensor.shape.reduce((product, length) => product * length, 1),
      0,
    ),
    weightBytes: tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
    fileBytes: header.fileBytes,
    missingBytes: header.missingBytes,
    quantization: mostlyOf(header),
    chatTemplate: text(metadata.get('tokenizer.chat_template')),
    pooling: poolings[count(ofArchitecture('pooling_type')) ?? 0] ?? null,
    parts: count(metadata.get('split.count')) ?? 1,
    trainedContext: count(ofArchitecture('context_length')) ?? 0,
    layers,
    heads,
    keyValueHeads: perLayer(ofArchitecture('attention.head_count_kv'), layers, heads),
    keyLength,
    valueLength: count(ofArchitecture('attention.value_length')) ?? keyLength,
    embeddingLength,
    feedForwardLength: count(ofArchitecture('feed_forward_length')) ?? 4 * embeddingLength,
    vocabulary: typeof vocabulary === 'object' ? vocabulary.length : 0,
    sliding: slidingOf(architecture, layers, ofArchitecture),
  };
}

/** By llama.cpp's numbers (llama.h, `llama_pooling_type`); 0 makes no vector of a text. */
const poolings: readonly (Pooling | 'rank' | null)[] = [null, 'mean', 'cls', 'last', 'rank'];

function kindOf({ metadata, tensors }: GgufHeader, architecture: string): GgufKind {
  const type = metadata.get('general.type');
  if (type === 'adapter' || metadata.has('adapter.type')) return 'adapter';
  if (type === 'mmproj' || architecture === 'clip') return 'projector';
  const pooling = metadata.get(`${architecture}.pooling_type`);
  if (pooling === 4) return 'reranker';
  if (encoders.test(architecture) || (typeof pooling === 'number' && pooling > 0)) return 'embedding-model';
  if (!metadata.has('tokenizer.ggml.tokens')) return 'unknown';
  if (tensors.length === 0) return 'vocabulary-only';
  const names = new Set(tensors.map((tensor) => tensor.name));
  const decodes =
    names.has('token_embd.weight') && tensors.some((tensor) => tensor.name.startsWith('blk.0.'));
  return decodes ? 'language-model' : 'unknown';
}

/**
 * Sliding windows. Where the file does not give the pattern, llama.cpp knows it by architecture
 * (source: its models' `load_swa_pattern`); a window without a known pattern is counted as full attention.
 */
function slidingOf(
  architecture: string,
  layers: number,
  ofArchitecture: (key: string) => GgufValue | undefined,
): ModelShape['sliding'] {
  const window = count(ofArchitecture('attention.sliding_window')) ?? 0;
  const pattern = ofArchitecture('attention.sliding_window_pattern');
  if (window === 0) return null;
  if (typeof pattern === 'object')
    return { window, layers: (pattern.numbers ?? []).map((slides) => slides !== 0) };
  const fullEvery = count(pattern) ?? fullEveryByArchitecture[architecture] ?? 1;
  return fullEvery > 1 ? { window, layers: slidingLayers(layers, fullEvery) } : null;
}

/** For each layer whether it slides, when every `fullEvery`th looks back all the way. */
export function slidingLayers(layers: number, fullEvery: number): readonly boolean[] {
  return Array.from(
    { length: Math.min(layers, mostLayers) },
    (_, layer) => layer % fullEvery < fullEvery - 1,
  );
}

/** No model has so many layers; a hostile file may say so. */
const mostLayers = 4096;

const fullEveryByArchitecture: Readonly<Record<string, number>> = {
  gemma2: 2,
  gemma3: 6,
  gemma3n: 5,
  cohere2: 4,
  exaone4: 4,
  olmo2: 4,
  'gpt-oss': 2,
};

function mostlyOf(header: GgufHeader): string | null {
  const bytes = new Map<string, number>();
  for (const tensor of header.tensors) bytes.set(tensor.type, (bytes.get(tensor.type) ?? 0) + tensor.bytes);
  return [...bytes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

function text(value: GgufValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A whole number that is not negative; of a list per layer, the largest. */
function count(value: GgufValue | undefined): number | null {
  const single =
    typeof value === 'object'
      ? (value.numbers ?? []).reduce((most, each) => Math.max(most, each), -1)
      : value;
  return typeof single === 'number' && Number.isSafeInteger(single) && single >= 0 ? single : null;
}

/** One number for each layer, from one for all or from a list. */
function perLayer(value: GgufValue | undefined, layers: number, otherwise: number): readonly number[] {
  const list = typeof value === 'object' ? (value.numbers ?? []) : null;
  const one = count(value) ?? otherwise;
  return Array.from({ length: Math.min(layers, mostLayers) }, (_, layer) => {
    const own = list?.[layer];
    return own !== undefined && Number.isSafeInteger(own) && own >= 0 ? own : one;
  });
}
