// A tiny cross-encoder (BERT with a classification head) as a GGUF file, with weights that a seed decides, and its
// score computed number by number: the reference for the ranking context, as no real reranker is small enough.
// Source of the head: BertPooler (dense, tanh) and the classifier of BertForSequenceClassification.
import { convertBert } from '../../server/src/engine/models/bertConversion.ts';
import {
  seeded,
  tinyBertConfig,
  tinyBertFolder,
  tinyBertVocabulary,
  tinyBertWeights,
  writeBertFolder,
} from '../../server/src/engine/models/bertTesting.ts';
import { join } from 'node:path';
import {
  readGgufHeader,
  writeGgufFile,
  type GgufMetadata,
  type GgufTensorData,
} from '../../server/src/engine/index.ts';

const { hidden_size: hidden, num_attention_heads: heads, num_hidden_layers: layers } = tinyBertConfig;
const headLength = hidden / heads;
const signal = new AbortController().signal;

/** The encoder's weights, and the head's. A large head makes scores differ. */
export function crossEncoderWeights(seed: number) {
  const next = seeded(seed + 100);
  const random = (count: number, spread: number) =>
    Float32Array.from({ length: count }, () => spread * next());
  return {
    encoder: tinyBertWeights(seed),
    pooler: { weight: random(hidden * hidden, 1), bias: random(hidden, 0.2) },
    classifier: { weight: random(hidden, 3), bias: random(1, 0.2) },
  };
}
type Weights = ReturnType<typeof crossEncoderWeights>;

/** Writes the model into `folder`; gives its path. All of it is 32-bit, so that only arithmetic differs. */
export async function writeCrossEncoder(folder: string, weights: Weights): Promise<string> {
  // The vocabulary and the names are those of the converted encoder.
  const encoder = join(folder, 'encoder.gguf');
  const files = await writeBertFolder(join(folder, 'source'), tinyBertFolder());
  await convertBert({ files, target: encoder, name: 'tiny', license: 'MIT', signal });
  const target = join(folder, 'cross-encoder.gguf');
  const metadata = new Map([...vocabulary(), ...shape()]);
  const header = await readGgufHeader(encoder);
  const tensors = header.tensors.map(({ name, shape: lengths }): GgufTensorData => {
    const { values } = weights.encoder.get(originalName(name)) ?? missing(name);
    return f32(name, lengths, values);
  });
  const { pooler, classifier } = weights;
  const head = [
    f32('cls.weight', [hidden, hidden], pooler.weight),
    f32('cls.bias', [hidden], pooler.bias),
    f32('cls.output.weight', [hidden, 1], classifier.weight),
    f32('cls.output.bias', [1], classifier.bias),
  ];
  await writeGgufFile(target, { metadata, tensors: [...tensors, ...head] }, signal);
  return target;
}

function f32(name: string, lengths: readonly number[], values: Float32Array): GgufTensorData {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, shape: lengths, type: 'f32', pieces: () => [bytes] };
}

function missing(name: string): never {
  throw new Error(`There are no weights for ${name}.`);
}

function shape(): [string, GgufMetadata][] {
  const whole = (value: number): GgufMetadata => ({ type: 'uint32', value });
  return [
    ['general.architecture', { type: 'string', value: 'bert' }],
    ['bert.block_count', whole(layers)],
    ['bert.context_length', whole(tinyBertConfig.max_position_embeddings)],
    ['bert.embedding_length', whole(hidden)],
    ['bert.feed_forward_length', whole(tinyBertConfig.intermediate_size)],
    ['bert.attention.head_count', whole(heads)],
    ['bert.attention.layer_norm_epsilon', { type: 'float32', value: tinyBertConfig.layer_norm_eps }],
    ['bert.attention.causal', { type: 'bool', value: false }],
    // By a classification head: LLAMA_POOLING_TYPE_RANK.
    ['bert.pooling_type', whole(4)],
  ];
}

function vocabulary(): [string, GgufMetadata][] {
  const whole = (value: number): GgufMetadata => ({ type: 'uint32', value });
  const id = (token: string) => whole(tinyBertVocabulary.indexOf(token));
  const tokens = Array.from({ length: tinyBertConfig.vocab_size }, (_, at) => {
    const token = tinyBertVocabulary[at] ?? `[PAD${at}]`;
    if (token.startsWith('[')) return token;
    return token.startsWith('##') ? token.slice(2) : `\u2581${token}`;
  });
  const types = tokens.map((token) => (token.startsWith('[') ? 3 : 1));
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'bert' }],
    ['tokenizer.ggml.token_type_count', whole(2)],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', values: tokens }],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', values: types }],
    ['tokenizer.ggml.bos_token_id', id('[CLS]')],
    ['tokenizer.ggml.unknown_token_id', id('[UNK]')],
    ['tokenizer.ggml.seperator_token_id', id('[SEP]')],
    ['tokenizer.ggml.padding_token_id', id('[PAD]')],
    ['tokenizer.ggml.mask_token_id', id('[MASK]')],
  ];
}

const parts: Readonly<Record<string, string>> = {
  attn_q: 'attention.self.query',
  attn_k: 'attention.self.key',
  attn_v: 'attention.self.value',
  attn_output: 'attention.output.dense',
  attn_output_norm: 'attention.output.LayerNorm',
  ffn_up: 'intermediate.dense',
  ffn_down: 'output.dense',
  layer_output_norm: 'output.LayerNorm',
  token_embd: 'embeddings.word_embeddings',
  position_embd: 'embeddings.position_embeddings',
  token_types: 'embeddings.token_type_embeddings',
  token_embd_norm: 'embeddings.LayerNorm',
};

function originalName(name: string): string {
  const [, layer, part, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? missing(name);
  const original = parts[part ?? ''] ?? missing(name);
  return `${layer === undefined ? '' : `encoder.layer.${layer}.`}${original}.${kind ?? ''}`;
}

// The score, number by number.

type Vector = readonly number[];

/** The probability that the model gives to a pair, whose tokens are `ids` with all special ones. */
export function crossEncoderScore(weights: Weights, ids: readonly number[]): number {
  const at = (name: string) => weights.encoder.get(name)?.values ?? missing(name);
  const linear = (name: string, input: Vector) => dense(at(`${name}.weight`), at(`${name}.bias`), input);
  const norm = (name: string, input: Vector) => normalise(at(`${name}.weight`), at(`${name}.bias`), input);
  const row = (name: string, index: number): Vector => [
    ...at(name).subarray(index * hidden, (index + 1) * hidden),
  ];
  let states: Vector[] = ids.map((id, position) =>
    norm(
      'embeddings.LayerNorm',
      add(
        add(row('embeddings.word_embeddings.weight', id), row('embeddings.token_type_embeddings.weight', 0)),
        row('embeddings.position_embeddings.weight', position),
      ),
    ),
  );
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `encoder.layer.${layer}.${part}`;
    const of = (part: string) => states.map((state) => linear(name(`attention.self.${part}`), state));
    const attended = attention(of('query'), of('key'), of('value'));
    states = states.map((state, position) => {
      const output = linear(name('attention.output.dense'), attended[position] ?? []);
      const first = norm(name('attention.output.LayerNorm'), add(state, output));
      const wide = linear(name('intermediate.dense'), first).map(gelu);
      return norm(name('output.LayerNorm'), add(first, linear(name('output.dense'), wide)));
    });
  }
  const { pooler, classifier } = weights;
  const pooled = dense(pooler.weight, pooler.bias, states[0] ?? []).map(Math.tanh);
  const [logit = NaN] = dense(classifier.weight, classifier.bias, pooled);
  return 1 / (1 + Math.exp(-logit));
}

function attention(queries: Vector[], keys: Vector[], values: Vector[]): Vector[] {
  return queries.map((query) =>
    Array.from({ length: heads }, (_, head) => {
      const part = (vector: Vector) => vector.slice(head * headLength, (head + 1) * headLength);
      const scores = keys.map((key) => Math.exp(dot(part(query), part(key)) / Math.sqrt(headLength)));
      const sum = scores.reduce((total, score) => total + score, 0);
      return Array.from({ length: headLength }, (__, index) =>
        values.reduce(
          (total, value, position) => total + ((scores[position] ?? 0) / sum) * (part(value)[index] ?? 0),
          0,
        ),
      );
    }).flat(),
  );
}

function dense(weight: Float32Array, bias: Float32Array, input: Vector): number[] {
  return Array.from(bias, (start, output) =>
    input.reduce((sum, value, index) => sum + value * (weight[output * input.length + index] ?? 0), start),
  );
}

function normalise(weight: Float32Array, bias: Float32Array, input: Vector): number[] {
  const mean = input.reduce((sum, value) => sum + value, 0) / input.length;
  const variance = input.reduce((sum, value) => sum + (value - mean) ** 2, 0) / input.length;
  const scale = 1 / Math.sqrt(variance + tinyBertConfig.layer_norm_eps);
  return input.map((value, index) => (value - mean) * scale * (weight[index] ?? 0) + (bias[index] ?? 0));
}

/** As ggml has it: by tanh, which is within a thousandth of BERT's own by erf. */
function gelu(value: number): number {
  return 0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)));
}

function add(a: Vector, b: Vector): number[] {
  return a.map((value, index) => value + (b[index] ?? 0));
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
