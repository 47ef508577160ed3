// LoRA adapters as GGUF files, as libllama loads them: written from, and read back into, PEFT's form. The rows of
// llama's queries and keys change their order on the way. Source: llama.cpp, convert_lora_to_gguf.py and llama-adapter.cpp.
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { readGgufHeader, type GgufTensor } from '../../engine/models/index.ts';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { fromFloat32, toFloat32, type FloatType } from './floats.ts';
import {
  ggufRows,
  requireFit,
  targetNames,
  targets,
  type BaseLayout,
  type LoraAdapter,
  type LoraModule,
} from './lora.ts';
import { mostCommon } from './peftFolder.ts';

const alignment = 32;

/**
 * The bytes of a GGUF LoRA. The format has one alpha for all; where a module's differs, B takes the difference, so
 * that the product stays the same.
 * @throws PreflexorError `bad-input`: the adapter does not fit the model
 */
export function writeGgufAdapter(adapter: LoraAdapter, base: BaseLayout): Buffer {
  requireFit(adapter, base);
  const { modules } = adapter;
  const alpha = mostCommon(modules.map((module) => module.alpha));
  const tensors = modules.flatMap((module) => {
    const name = `blk.${module.layer}.${targets[module.target].gguf}.weight`;
    const { rank, a, b } = module;
    const outputs = b.length / rank;
    const values = reordered(b, rank, base.permutedHeads(module.target), 'to GGUF');
    const fold = module.alpha / alpha;
    return [
      { name: `${name}.lora_a`, shape: [a.length / rank, rank], values: a },
      { name: `${name}.lora_b`, shape: [rank, outputs], values: fold === 1 ? values : scaled(values, fold) },
    ];
  });
  return ggufFile(
    [
      text('general.type', 'adapter'),
      text('general.architecture', base.architecture),
      text('adapter.type', 'lora'),
      float('adapter.lora.alpha', alpha),
    ],
    tensors,
  );
}

/** B's rows, each of `rank` values, in the other order. */
function reordered(
  b: Float32Array,
  rank: number,
  heads: number,
  direction: 'to GGUF' | 'from GGUF',
): Float32Array {
  if (heads === 0) return b;
  const result = new Float32Array(b.length);
  for (const [row, other] of ggufRows(b.length / rank, heads).entries()) {
    const [from, to] = direction === 'to GGUF' ? [row, other] : [other, row];
    result.set(b.subarray(from * rank, (from + 1) * rank), to * rank);
  }
  return result;
}

function scaled(values: Float32Array, by: number): Float32Array {
  return values.map((value) => value * by);
}

interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A GGUF file of version 3. Source: docs/gguf.md of ggml. */
function ggufFile(entries: readonly Buffer[], tensors: readonly NamedTensor[]): Buffer {
  const parts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length), ...entries];
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    parts.push(string(name), u32(shape.length), ...shape.map(u64), u32(0), u64(offset));
    offset += Math.ceil((4 * values.length) / alignment) * alignment;
  }
  const header = padded(Buffer.concat(parts));
  return Buffer.concat([header, ...tensors.map(({ values }) => padded(fromFloat32(values)))]);
}

function text(key: string, value: string): Buffer {
  return Buffer.concat([string(key), u32(8), string(value)]);
}

function float(key: string, value: number): Buffer {
  return Buffer.concat([string(key), u32(6), fromFloat32(Float32Array.of(value))]);
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);
}

const ggufName = /^blk\.(\d{1,4})\.(\w+)\.weight\.lora_([ab])$/;

/**
 * Reads a GGUF LoRA into PEFT's form.
 * @throws PreflexorError `bad-model` for a broken file; `bad-input` for an adapter that cannot be used or belongs
 * to another architecture
 */
export async function readGgufAdapter(
  path: string,
  base: BaseLayout,
  signal: AbortSignal,
): Promise<LoraAdapter> {
  const header = await readGgufHeader(path, signal);
  const { metadata } = header;
  if (metadata.get('adapter.type') !== 'lora') throw unusable(path, 'it is no LoRA adapter');
  if (header.missingBytes > 0) throw unusable(path, 'it is cut off');
  const architecture = metadata.get('general.architecture');
  if (architecture !== base.architecture) {
    const theirs = typeof architecture === 'string' ? architecture : 'nameless';
    throw unusable(path, `it belongs to a ${theirs} model, and this is ${base.architecture}`);
  }
  const alpha = metadata.get('adapter.lora.alpha');
  if (typeof alpha !== 'number' || !(alpha > 0)) throw unusable(path, 'it names no alpha');
  const values = await readTensors(path, header.tensors, signal);
  const modules: LoraModule[] = [];
  for (const name of values.keys()) {
    const [, layer, gguf, side] = ggufName.exec(name) ?? [];
    const target = targetNames.find((one) => targets[one].gguf === gguf);
    if (layer === undefined || target === undefined) {
      throw unusable(path, `it changes ${name}, which is no linear map that is supported`);
    }
    if (side === 'b') continue;
    const a = values.get(name);
    const b = values.get(name.replace(/a$/, 'b'));
    const rank = a?.shape[1] ?? 0;
    if (!a || !b || rank < 1 || b.shape[0] !== rank) throw unusable(path, `${name} has no fitting B`);
    modules.push({ layer: Number(layer), target, rank, alpha, a: a.values, b: b.values });
  }
  if (modules.length === 0) throw unusable(path, 'it holds no LoRA matrices');
  // Before rows are moved: their number must be the model's.
  requireFit({ modules, baseName: null }, base);
  return {
    modules: modules.map((module) => ({
      ...module,
      b: reordered(module.b, module.rank, base.permutedHeads(module.target), 'from GGUF'),
    })),
    baseName: null,
  };
}

const readable: readonly string[] = ['f32', 'f16', 'bf16'];

async function readTensors(
  path: string,
  tensors: readonly GgufTensor[],
  signal: AbortSignal,
): Promise<Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }>> {
  const file = await open(path, 'r');
  try {
    const result = new Map<string, { shape: readonly number[]; values: Float32Array }>();
    for (const { name, shape, type, offset, bytes } of tensors) {
      throwIfCancelled(signal);
      if (!readable.includes(type)) throw unusable(path, `${name} is stored as ${type}`);
      const data = Buffer.alloc(bytes);
      const { bytesRead } = await file.read(data, 0, bytes, offset);
      if (bytesRead !== bytes) throw unusable(path, 'it is cut off');
      result.set(name, { shape, values: toFloat32(data, type as FloatType) });
      await setImmediate();
    }
    return result;
  } finally {
    await file.close();
  }
}

function unusable(path: string, why: string): PreflexorError {
  return new PreflexorError('bad-input', `The adapter ${path} cannot be used: ${why}.`, {
    remedy: 'Choose another adapter, or import the folder that it was made from.',
  });
}
