// LoRA adapters as GGUF files, as libllama loads them: written from, and read back into, PEFT's form. The rows of
// llama's queries and keys change their order on the way. Source: llama.cpp, convert_lora_to_gguf.py and llama-adapter.cpp.
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import {
  readGgufHeader,
  writeGgufFile,
  type GgufMetadata,
  type GgufTensor,
  type GgufTensorData,
} from '../../engine/models/index.ts';
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

/**
 * Writes a GGUF LoRA as a whole. The format has one alpha for all; where a module's differs, B takes the difference,
 * so that the product stays the same.
 * @throws PreflexorError `bad-input`: the adapter does not fit the model; `disk-full`, `read-only`, `cancelled`
 */
export async function writeGgufAdapter(
  path: string,
  adapter: LoraAdapter,
  base: BaseLayout,
  signal: AbortSignal,
): Promise<void> {
  requireFit(adapter, base);
  const alpha = mostCommon(adapter.modules.map((module) => module.alpha));
  const metadata = new Map<string, GgufMetadata>([
    ['general.type', { type: 'string', value: 'adapter' }],
    ['general.architecture', { type: 'string', value: base.architecture }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ['adapter.lora.alpha', { type: 'float32', value: alpha }],
  ]);
  const tensors = adapter.modules.flatMap((module) => {
    const name = `blk.${module.layer}.${targets[module.target].gguf}.weight`;
    const { rank, a, b } = module;
    const rows = () =>
      scaled(reordered(b, rank, base.permutedHeads(module.target), 'to GGUF'), module.alpha / alpha);
    return [
      floats(`${name}.lora_a`, [a.length / rank, rank], () => a),
      floats(`${name}.lora_b`, [rank, b.length / rank], rows),
    ];
  });
  await writeGgufFile(path, { metadata, tensors }, signal);
}

function floats(name: string, shape: readonly number[], values: () => Float32Array): GgufTensorData {
  return { name, shape, type: 'f32', pieces: () => [fromFloat32(values())] };
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
  return by === 1 ? values : values.map((value) => value * by);
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
  const header = await readGgufHeader(path, { signal });
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
