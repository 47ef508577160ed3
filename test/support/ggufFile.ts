// Writes small GGUF files: models that are none, and adapters for the small test model.
// Source: docs/gguf.md of ggml; the names of an adapter's parts are those of llama.cpp's convert_lora_to_gguf.py.

type Value = string | number | readonly string[] | { readonly float: number };

export interface WrittenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Every weight's value. */
  readonly fill: number;
}

/** A GGUF file of version 3 with f32 tensors; whole numbers are written as 32 bits. */
export function ggufFile(
  metadata: Readonly<Record<string, Value>>,
  tensors: readonly WrittenTensor[],
): Buffer {
  const entries = Object.entries(metadata);
  const header = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(entries.length)];
  for (const [key, value] of entries) header.push(text(key), typed(value));
  let offset = 0;
  for (const { name, shape } of tensors) {
    header.push(text(name), uint32(shape.length), ...shape.map(uint64), uint32(0), uint64(offset));
    offset += padded(bytesOf(shape));
  }
  const start = Buffer.concat(header);
  const data = tensors.map(({ shape, fill }) => {
    const bytes = Buffer.alloc(padded(bytesOf(shape)));
    for (let at = 0; at < bytesOf(shape); at += 4) bytes.writeFloatLE(fill, at);
    return bytes;
  });
  return Buffer.concat([start, Buffer.alloc(padded(start.length) - start.length), ...data]);
}

/** The metadata of what looks like a small language model, as far as a header can. */
export function modelMetadata(architecture: string): Record<string, Value> {
  return {
    'general.architecture': architecture,
    [`${architecture}.context_length`]: 128,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.tokens': ['a', 'b', 'c', '<end>'],
  };
}

export const modelTensors: readonly WrittenTensor[] = [
  { name: 'token_embd.weight', shape: [8, 4], fill: 0.1 },
  { name: 'blk.0.attn_q.weight', shape: [8, 8], fill: 0.1 },
];

/** Hidden size of SmolLM2-135M. */
const hidden = 576;

/** A LoRA adapter of rank 1 on the first layer's attention output, all of whose second factor is `strength`. */
export function adapterFile(architecture: string, strength: number): Buffer {
  const metadata = {
    ...{ 'general.type': 'adapter', 'general.architecture': architecture, 'adapter.type': 'lora' },
    'adapter.lora.alpha': { float: 1 },
  };
  return ggufFile(metadata, [
    { name: 'blk.0.attn_output.weight.lora_a', shape: [hidden, 1], fill: 1 },
    { name: 'blk.0.attn_output.weight.lora_b', shape: [1, hidden], fill: strength },
  ]);
}

function bytesOf(shape: readonly number[]): number {
  return 4 * shape.reduce((product, length) => product * length, 1);
}

function padded(length: number): number {
  return Math.ceil(length / 32) * 32;
}

function typed(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([uint32(8), text(value)]);
  if (typeof value === 'number') return Buffer.concat([uint32(4), uint32(value)]);
  if ('float' in value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value.float);
    return Buffer.concat([uint32(6), bytes]);
  }
  return Buffer.concat([uint32(9), uint32(8), uint64(value.length), ...value.map(text)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
