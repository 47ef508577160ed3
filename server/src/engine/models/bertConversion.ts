// Turns a BERT encoder as sentence-transformers publishes it (a folder with configuration, WordPiece vocabulary
// and safetensors) into a GGUF file. The same folder gives the same bytes on every machine. Fetches nothing.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { toHalves } from './float16.ts';
import { badModel } from './gguf.ts';
import { writeGgufFile, type GgufMetadata, type GgufTensorData } from './ggufWriter.ts';
import { SafetensorsFile, type SafetensorsTensor } from './safetensors.ts';

/** The files that a conversion needs, relative to the model's folder. */
export const bertFiles = {
  config: 'config.json',
  tokenizer: 'tokenizer_config.json',
  vocabulary: 'vocab.txt',
  pooling: '1_Pooling/config.json',
  weights: 'model.safetensors',
} as const;
export type BertFile = keyof typeof bertFiles;

export interface BertConversion {
  /** Where each of the files is. */
  readonly files: Readonly<Record<BertFile, string>>;
  readonly target: string;
  /** Written into the file: `general.name` and `general.license`. */
  readonly name: string;
  readonly license: string;
  readonly signal: AbortSignal;
  /** Hears the bytes of weights that have been read. */
  readonly onProgress?: (bytes: number) => void;
}

const Config = z.object({
  model_type: z.literal('bert'),
  hidden_act: z.literal('gelu'),
  position_embedding_type: z.literal('absolute').optional(),
  num_hidden_layers: z.int().min(1).max(1000),
  hidden_size: z.int().min(1).max(65_536),
  intermediate_size: z.int().min(1).max(1_048_576),
  num_attention_heads: z.int().min(1).max(1024),
  max_position_embeddings: z.int().min(1).max(1_048_576),
  type_vocab_size: z.int().min(1).max(1024),
  vocab_size: z.int().min(1).max(4_194_304),
  layer_norm_eps: z.number().positive(),
});
type Config = z.infer<typeof Config>;

const Tokenizer = z.object({
  do_lower_case: z.boolean(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.literal(true).optional(),
  unk_token: z.string(),
  sep_token: z.string(),
  pad_token: z.string(),
  cls_token: z.string(),
  mask_token: z.string(),
});
type Tokenizer = z.infer<typeof Tokenizer>;

const Pooling = z.object({
  pooling_mode_cls_token: z.boolean(),
  pooling_mode_mean_tokens: z.boolean(),
});

/** llama.cpp's numbers (llama.h, `llama_pooling_type` and `llama_token_type`). */
const poolingTypes = { mean: 1, cls: 2 } as const;
const tokenTypes = { normal: 1, control: 3, unused: 5 } as const;

/** Matrices are halves: `LLAMA_FTYPE_MOSTLY_F16`. */
const mostlyHalves = 1;

/**
 * Converts a model. Matrices become halves; vectors, position and token-type embeddings stay 32-bit, as in
 * llama.cpp's own conversion (conversion/bert.py), whose metadata this writes.
 * Throws `bad-model` with a sentence for what is no such BERT, `disk-full`, `read-only`, `cancelled`.
 */
export async function convertBert(conversion: BertConversion): Promise<void> {
  const { files, signal } = conversion;
  const config = await decoded(files.config, Config, 'not the configuration of a BERT encoder');
  const tokenizer = await decoded(files.tokenizer, Tokenizer, 'not the description of a WordPiece tokenizer');
  const pooling = await decoded(files.pooling, Pooling, 'not the description of a pooling layer');
  const tokens = await readVocabulary(files.vocabulary, config.vocab_size);
  const weights = await SafetensorsFile.open(files.weights, signal);
  try {
    const metadata = new Map<string, GgufMetadata>([
      ...describe(conversion, config, poolingOf(files.pooling, pooling)),
      ...describeVocabulary(files.vocabulary, tokens, tokenizer, config),
    ]);
    await writeGgufFile(
      conversion.target,
      { metadata, tensors: tensorsOf(conversion, config, weights) },
      signal,
    );
  } finally {
    await weights.close();
  }
}

async function decoded<T>(file: string, schema: z.ZodType<T>, fault: string): Promise<T> {
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw badModel(file, 'it cannot be read as JSON', error);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw badModel(file, `it is ${fault} that can be converted (${where})`, parsed.error);
}

function poolingOf(file: string, pooling: z.infer<typeof Pooling>): keyof typeof poolingTypes {
  if (pooling.pooling_mode_mean_tokens && !pooling.pooling_mode_cls_token) return 'mean';
  if (pooling.pooling_mode_cls_token && !pooling.pooling_mode_mean_tokens) return 'cls';
  throw badModel(file, 'it pools in a way that is neither the mean nor the first token');
}

/** One token a line. Lines that are missing at the end become tokens that nothing is made of. */
async function readVocabulary(file: string, size: number): Promise<(string | null)[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw badModel(file, 'it cannot be read', error);
  });
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length > size || new Set(lines).size !== lines.length) {
    throw badModel(file, 'it has more tokens than the model, or one twice');
  }
  return Array.from({ length: size }, (_, id) => lines[id] ?? null);
}

function describe(
  { name, license }: BertConversion,
  config: Config,
  pooling: keyof typeof poolingTypes,
): [string, GgufMetadata][] {
  return [
    ['general.architecture', { type: 'string', value: 'bert' }],
    ['general.type', { type: 'string', value: 'model' }],
    ['general.name', { type: 'string', value: name }],
    ['general.license', { type: 'string', value: license }],
    ['general.file_type', whole(mostlyHalves)],
    ['bert.block_count', whole(config.num_hidden_layers)],
    ['bert.context_length', whole(config.max_position_embeddings)],
    ['bert.embedding_length', whole(config.hidden_size)],
    ['bert.feed_forward_length', whole(config.intermediate_size)],
    ['bert.attention.head_count', whole(config.num_attention_heads)],
    ['bert.attention.layer_norm_epsilon', { type: 'float32', value: config.layer_norm_eps }],
    ['bert.attention.causal', { type: 'bool', value: false }],
    ['bert.pooling_type', whole(poolingTypes[pooling])],
  ];
}

/** A whole number as GGUF writers give it. */
function whole(value: number): GgufMetadata {
  return { type: 'uint32', value };
}

function describeVocabulary(
  file: string,
  tokens: readonly (string | null)[],
  tokenizer: Tokenizer,
  config: Config,
): [string, GgufMetadata][] {
  const special = (token: string): GgufMetadata => {
    const id = tokens.indexOf(token);
    if (id < 0) throw badModel(file, `it lacks the token ${token}`);
    return whole(id);
  };
  const { unk_token: unknown, sep_token: separator, pad_token: padding } = tokenizer;
  const { cls_token: first, mask_token: mask } = tokenizer;
  const control = new Set([unknown, separator, padding, first, mask]);
  const types = tokens.map((token) =>
    token === null ? tokenTypes.unused : control.has(token) ? tokenTypes.control : tokenTypes.normal,
  );
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'bert' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'default' }],
    ['tokenizer.ggml.token_type_count', whole(config.type_vocab_size)],
    [
      'tokenizer.ggml.tokens',
      { type: 'array', of: 'string', values: tokens.map((token, id) => written(token, id, control)) },
    ],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', values: types }],
    ['tokenizer.ggml.bos_token_id', special(first)],
    ['tokenizer.ggml.unknown_token_id', special(unknown)],
    ['tokenizer.ggml.seperator_token_id', special(separator)],
    ['tokenizer.ggml.padding_token_id', special(padding)],
    ['tokenizer.ggml.mask_token_id', special(mask)],
    ['tokenizer.ggml.normalizer.lowercase', { type: 'bool', value: tokenizer.do_lower_case }],
    [
      'tokenizer.ggml.normalizer.strip_accents',
      // As BertNormalizer has it: where nothing is said, accents go when capitals go.
      { type: 'bool', value: tokenizer.strip_accents ?? tokenizer.do_lower_case },
    ],
  ];
}

/** llama.cpp marks the beginning of a word where WordPiece marks its continuation. */
function written(token: string | null, id: number, control: ReadonlySet<string>): string {
  if (token === null) return `[PAD${id}]`;
  if (control.has(token)) return token;
  return token.startsWith('##') ? token.slice(2) : `\u2581${token}`;
}

function tensorsOf(
  { files, signal, onProgress }: BertConversion,
  config: Config,
  weights: SafetensorsFile,
): GgufTensorData[] {
  const prefix = weights.tensors.has('bert.embeddings.word_embeddings.weight') ? 'bert.' : '';
  let done = 0;
  return expectedTensors(config).map(({ from, name, shape, halves }) => {
    const tensor = weights.tensors.get(prefix + from);
    requireShape(files.weights, prefix + from, tensor, shape);
    return {
      name,
      // GGUF names the dimension that is contiguous first, PyTorch last.
      shape: shape.toReversed(),
      type: halves ? 'f16' : 'f32',
      pieces: async function* () {
        for await (const piece of weights.pieces(tensor, signal)) {
          yield halves ? toHalves(piece) : piece;
          onProgress?.((done += piece.length));
        }
      },
    };
  });
}

function requireShape(
  file: string,
  name: string,
  tensor: SafetensorsTensor | undefined,
  shape: readonly number[],
): asserts tensor is SafetensorsTensor {
  if (tensor === undefined) throw badModel(file, `it lacks the tensor "${name}"`);
  if (tensor.type !== 'F32') throw badModel(file, `its tensor "${name}" is ${tensor.type}, not F32`);
  if (tensor.shape.join() === shape.join()) return;
  throw badModel(file, `its tensor "${name}" is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`);
}

interface ExpectedTensor {
  readonly from: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly halves: boolean;
}

/** Names on both sides. Source: conversion/bert.py and gguf-py's tensor_mapping.py of llama.cpp. */
function expectedTensors(config: Config): ExpectedTensor[] {
  const { hidden_size: hidden, intermediate_size: wide } = config;
  const norm = (from: string, name: string) => [
    { from: `${from}.weight`, name: `${name}.weight`, shape: [hidden], halves: false },
    { from: `${from}.bias`, name: `${name}.bias`, shape: [hidden], halves: false },
  ];
  const linear = (from: string, name: string, rows: number, columns: number) => [
    { from: `${from}.weight`, name: `${name}.weight`, shape: [rows, columns], halves: true },
    { from: `${from}.bias`, name: `${name}.bias`, shape: [rows], halves: false },
  ];
  const table = (from: string, name: string, rows: number, halves: boolean) => ({
    ...{ from: `embeddings.${from}.weight`, name: `${name}.weight`, shape: [rows, hidden], halves },
  });
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    const from = (part: string) => `encoder.layer.${layer}.${part}`;
    const to = (part: string) => `blk.${layer}.${part}`;
    return [
      ...linear(from('attention.self.query'), to('attn_q'), hidden, hidden),
      ...linear(from('attention.self.key'), to('attn_k'), hidden, hidden),
      ...linear(from('attention.self.value'), to('attn_v'), hidden, hidden),
      ...linear(from('attention.output.dense'), to('attn_output'), hidden, hidden),
      ...norm(from('attention.output.LayerNorm'), to('attn_output_norm')),
      ...linear(from('intermediate.dense'), to('ffn_up'), wide, hidden),
      ...linear(from('output.dense'), to('ffn_down'), hidden, wide),
      ...norm(from('output.LayerNorm'), to('layer_output_norm')),
    ];
  });
  return [
    table('word_embeddings', 'token_embd', config.vocab_size, true),
    table('position_embeddings', 'position_embd', config.max_position_embeddings, false),
    table('token_type_embeddings', 'token_types', config.type_vocab_size, false),
    ...norm('embeddings.LayerNorm', 'token_embd_norm'),
    ...layers.flat(),
  ];
}
