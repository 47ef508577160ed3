// For tests only: a tiny BERT encoder as sentence-transformers publishes one, with weights that a seed decides.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bertFiles, type BertFile } from './bertConversion.ts';

export const tinyBertConfig = {
  ...{ model_type: 'bert', hidden_act: 'gelu', num_hidden_layers: 2, hidden_size: 8, intermediate_size: 16 },
  ...{ num_attention_heads: 2, max_position_embeddings: 32, type_vocab_size: 2, vocab_size: 40 },
  ...{ layer_norm_eps: 1e-12 },
};

const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const words = 'the crack gradient interface stops starts a b c d e f g h ##s ##ed ##ing . , ! 水 é'.split(
  ' ',
);
export const tinyBertVocabulary: readonly string[] = [...specials, ...words];

const tokenizerConfig = {
  ...{ do_lower_case: true, strip_accents: null, tokenize_chinese_chars: true, unk_token: '[UNK]' },
  ...{ sep_token: '[SEP]', pad_token: '[PAD]', cls_token: '[CLS]', mask_token: '[MASK]' },
};

/** Numbers between -1 and 1 from a seed (the linear congruential generator of Numerical Recipes). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** A safetensors file of 32-bit floats. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, { shape: number[]; values: Float32Array }>,
): Buffer {
  let end = 0;
  const header = Object.fromEntries(
    [...tensors].map(([name, { shape, values }]) => {
      const start = end;
      end += values.byteLength;
      return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = [...tensors.values()].map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  );
  return Buffer.concat([length, text, ...data]);
}

/** The weights of the tiny encoder, by their names in PyTorch. */
export function tinyBertWeights(seed = 1): Map<string, { shape: number[]; values: Float32Array }> {
  const next = seeded(seed);
  const tensors = new Map<string, { shape: number[]; values: Float32Array }>();
  const add = (name: string, ...shape: number[]) => {
    const count = shape.reduce((product, length) => product * length, 1);
    // Norms scale by about one, everything else is small.
    const [mean, spread] = name.endsWith('LayerNorm.weight') ? [1, 0.1] : [0, 0.5];
    tensors.set(name, { shape, values: Float32Array.from({ length: count }, () => mean + spread * next()) });
  };
  const norm = (name: string) => {
    add(`${name}.weight`, 8);
    add(`${name}.bias`, 8);
  };
  const linear = (name: string, rows: number, columns: number) => {
    add(`${name}.weight`, rows, columns);
    add(`${name}.bias`, rows);
  };
  add('embeddings.word_embeddings.weight', 40, 8);
  add('embeddings.position_embeddings.weight', 32, 8);
  add('embeddings.token_type_embeddings.weight', 2, 8);
  norm('embeddings.LayerNorm');
  for (const layer of [0, 1]) {
    const part = (name: string) => `encoder.layer.${layer}.${name}`;
    for (const name of ['query', 'key', 'value']) linear(part(`attention.self.${name}`), 8, 8);
    linear(part('attention.output.dense'), 8, 8);
    norm(part('attention.output.LayerNorm'));
    linear(part('intermediate.dense'), 16, 8);
    linear(part('output.dense'), 8, 16);
    norm(part('output.LayerNorm'));
  }
  // What llama.cpp has no use for is there in real ones too.
  linear('pooler.dense', 8, 8);
  return tensors;
}

/** The files of the tiny encoder. */
export function tinyBertFolder(seed = 1): Record<BertFile, Buffer> {
  return {
    config: Buffer.from(JSON.stringify(tinyBertConfig)),
    tokenizer: Buffer.from(JSON.stringify(tokenizerConfig)),
    vocabulary: Buffer.from(`${tinyBertVocabulary.join('\n')}\n`),
    pooling: Buffer.from(JSON.stringify({ pooling_mode_cls_token: false, pooling_mode_mean_tokens: true })),
    weights: writeSafetensors(tinyBertWeights(seed)),
  };
}

/** Writes the files of an encoder into `folder`, where they are in a published one. Gives their paths. */
export async function writeBertFolder(
  folder: string,
  content: Readonly<Record<BertFile, Uint8Array>>,
): Promise<Record<BertFile, string>> {
  const kinds = Object.keys(bertFiles) as BertFile[];
  const paths = Object.fromEntries(kinds.map((kind) => [kind, join(folder, bertFiles[kind])]));
  for (const kind of kinds) {
    const path = join(folder, bertFiles[kind]);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content[kind]);
  }
  return paths as Record<BertFile, string>;
}
