// For the tests of this room only: a base model too small to be of use, and adapters of it in PEFT's form.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeGgufFile, type FoundModel, type GgufMetadata } from '../../engine/models/index.ts';
import { preflexorMarkers } from '../../protocol/index.ts';

export const never = new AbortController().signal;

/** A folder that is gone after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-adapters-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Widths of the base model's linear maps: two heads of 4, one key-value head. */
const shapes: Readonly<Record<string, readonly [input: number, output: number]>> = {
  attn_q: [8, 8],
  attn_k: [8, 4],
  attn_v: [8, 4],
  attn_output: [8, 8],
  ffn_gate: [8, 16],
  ffn_up: [8, 16],
  ffn_down: [16, 8],
};

/** Two layers of `architecture`, filled with zeros. */
export async function tinyBase(folder: string, architecture = 'llama'): Promise<FoundModel> {
  const number = (value: number): GgufMetadata => ({ type: 'uint32', value });
  const metadata = new Map<string, GgufMetadata>([
    ['general.architecture', { type: 'string', value: architecture }],
    [`${architecture}.block_count`, number(2)],
    [`${architecture}.context_length`, number(64)],
    [`${architecture}.embedding_length`, number(8)],
    [`${architecture}.attention.head_count`, number(2)],
    [`${architecture}.attention.head_count_kv`, number(1)],
  ]);
  const tensors = [0, 1].flatMap((layer) =>
    Object.entries(shapes).map(([name, shape]) => ({
      ...{ name: `blk.${layer}.${name}.weight`, shape, type: 'f32' },
      pieces: () => [Buffer.alloc(4 * shape[0] * shape[1])],
    })),
  );
  const file = join(folder, `${architecture}.gguf`);
  await writeGgufFile(file, { metadata, tensors }, never);
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  return {
    ...{ file, markers: preflexorMarkers, chatTemplate: 'embedded' },
    identity: { id: architecture, file: `${architecture}.gguf`, sha256 },
  };
}

export interface StoredTensor {
  readonly dtype: 'F32' | 'F16' | 'BF16' | 'I8';
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

/** Numbers that all three float types hold exactly. */
export function numbers(count: number, start = 0): number[] {
  return Array.from({ length: count }, (_, index) => ((start + index) % 64) / 8 - 4);
}

export function tensor(
  shape: readonly number[],
  values: readonly number[],
  dtype: StoredTensor['dtype'] = 'F32',
): StoredTensor {
  return { dtype, shape, bytes: Buffer.concat(values.map((value) => encoded(value, dtype))) };
}

function encoded(value: number, dtype: StoredTensor['dtype']): Buffer {
  const float = Buffer.alloc(4);
  float.writeFloatLE(value);
  if (dtype === 'F32') return float;
  if (dtype === 'BF16') return float.subarray(2);
  if (dtype === 'I8') return Buffer.of(0);
  const bits = float.readUInt32LE();
  const exponent = (bits >>> 23) & 0xff;
  const half =
    value === 0 ? 0 : ((bits >>> 16) & 0x8000) | ((exponent - 112) << 10) | ((bits >>> 13) & 0x3ff);
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(half);
  return bytes;
}

/** Writes a PEFT folder of these tensors. */
export async function writePeft(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  tensors: Readonly<Record<string, StoredTensor>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config));
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const content = [length, text, ...Object.values(tensors).map(({ bytes }) => bytes)];
  await writeFile(join(folder, 'adapter_model.safetensors'), Buffer.concat(content));
}

/** A and B of one linear map of the base, of rank 2. */
export function module(
  name: string,
  input: number,
  output: number,
  dtype: StoredTensor['dtype'] = 'F32',
  rank = 2,
) {
  return {
    [`${name}.lora_A.weight`]: tensor([rank, input], numbers(rank * input), dtype),
    [`${name}.lora_B.weight`]: tensor([output, rank], numbers(rank * output, 7), dtype),
  };
}

export const peftName = (layer: number, path: string): string =>
  `base_model.model.model.layers.${layer}.${path}`;

/** A plain adapter: queries of both layers and one part of the MLP. */
export const plainConfig = { peft_type: 'LORA', r: 2, lora_alpha: 4 };
export const plainTensors = {
  ...module(peftName(0, 'self_attn.q_proj'), 8, 8),
  ...module(peftName(0, 'mlp.down_proj'), 16, 8),
  ...module(peftName(1, 'self_attn.k_proj'), 8, 4),
};
