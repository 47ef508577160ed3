// What a LoRA adapter is: low-rank changes A and B of linear maps, and the model that they belong to, by its GGUF
// header. The rows of B are in transformers' order; GGUF orders those of llama's queries and keys otherwise.
import { readGgufHeader, type GgufHeader } from '../../engine/models/index.ts';
import { PreflexorError } from '../../errors.ts';
import type { LoraTarget } from '../../protocol/index.ts';

/** The change of one linear map: alpha / rank · B A. */
export interface LoraModule {
  readonly layer: number;
  readonly target: LoraTarget;
  readonly rank: number;
  readonly alpha: number;
  /** [rank, input], the last axis contiguous. */
  readonly a: Float32Array;
  /** [output, rank], rows in transformers' order. */
  readonly b: Float32Array;
}

export interface LoraAdapter {
  /** In the order of layers, then of `targets`. */
  readonly modules: readonly LoraModule[];
  /** What the adapter's own files call its base model. */
  readonly baseName: string | null;
}

/** PEFT's path and GGUF's name of each linear map. */
export const targets: Readonly<Record<LoraTarget, { readonly peft: string; readonly gguf: string }>> = {
  q_proj: { peft: 'self_attn.q_proj', gguf: 'attn_q' },
  k_proj: { peft: 'self_attn.k_proj', gguf: 'attn_k' },
  v_proj: { peft: 'self_attn.v_proj', gguf: 'attn_v' },
  o_proj: { peft: 'self_attn.o_proj', gguf: 'attn_output' },
  gate_proj: { peft: 'mlp.gate_proj', gguf: 'ffn_gate' },
  up_proj: { peft: 'mlp.up_proj', gguf: 'ffn_up' },
  down_proj: { peft: 'mlp.down_proj', gguf: 'ffn_down' },
};

export const targetNames = Object.keys(targets) as LoraTarget[];

/** The base model as far as adapters need it. */
export interface BaseLayout {
  readonly architecture: string;
  readonly layers: number;
  /** Lengths of a linear map's input and output; null where the model has no such map. */
  width(layer: number, target: LoraTarget): { readonly input: number; readonly output: number } | null;
  /** Attention heads whose rows GGUF stores in another order than transformers; 0: the same order. */
  permutedHeads(target: LoraTarget): number;
}

/** Architectures whose conversion to GGUF is known, and whether it permutes queries and keys (llama.cpp does). */
const architectures: Readonly<Record<string, { readonly permutes: boolean }>> = {
  llama: { permutes: true },
  qwen2: { permutes: false },
  qwen3: { permutes: false },
  gemma2: { permutes: false },
  gemma3: { permutes: false },
};

/**
 * Reads the layout of a base model.
 * @throws PreflexorError `bad-model`, `no-model`; `bad-input` for an architecture whose row order is not known
 */
export async function baseLayoutOf(path: string, signal: AbortSignal): Promise<BaseLayout> {
  return baseLayout(await readGgufHeader(path, { signal }));
}

export function baseLayout({ metadata, tensors }: GgufHeader): BaseLayout {
  const named = metadata.get('general.architecture');
  const architecture = typeof named === 'string' ? named : 'nameless';
  const known = architectures[architecture];
  if (!known) {
    throw new PreflexorError('bad-input', `Adapters of ${architecture} models cannot be converted yet.`, {
      remedy: `Use a model of one of these architectures: ${Object.keys(architectures).join(', ')}.`,
    });
  }
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const count = (key: string): number => {
    const value = metadata.get(`${architecture}.${key}`);
    return typeof value === 'number' ? value : 0;
  };
  const heads = count('attention.head_count');
  const keyHeads = count('attention.head_count_kv') || heads;
  return {
    architecture,
    layers: count('block_count'),
    width(layer, target) {
      const [input, output] = shapes.get(`blk.${layer}.${targets[target].gguf}.weight`) ?? [];
      return input === undefined || output === undefined ? null : { input, output };
    },
    permutedHeads(target) {
      if (!known.permutes) return 0;
      return target === 'q_proj' ? heads : target === 'k_proj' ? keyHeads : 0;
    },
  };
}

/**
 * Checks every module against the base model.
 * @throws PreflexorError `bad-input`: the adapter belongs to another model, with both widths
 */
export function requireFit(adapter: LoraAdapter, base: BaseLayout): void {
  for (const { layer, target, rank, a, b } of adapter.modules) {
    const name = `layer ${layer}, ${target}`;
    const width = base.width(layer, target);
    if (!width) throw mismatch(`it changes ${name}, which the model (${base.layers} layers) does not have`);
    const [input, output] = [a.length / rank, b.length / rank];
    if (input !== width.input || output !== width.output) {
      throw mismatch(
        `${name} is ${input} → ${output} wide in the adapter and ${width.input} → ${width.output} in the model`,
      );
    }
  }
}

function mismatch(why: string): PreflexorError {
  return new PreflexorError('bad-input', `The adapter does not belong to this model: ${why}.`, {
    remedy: 'Name the model that it was trained on with --model.',
  });
}

/** GGUF's row for each of transformers' rows: in each head, the two halves of the rotation become neighbours. */
export function ggufRows(outputs: number, heads: number): Int32Array {
  const rows = Int32Array.from({ length: outputs }, (_, row) => row);
  if (heads === 0) return rows;
  const width = outputs / heads;
  return rows.map((row) => {
    const head = Math.floor(row / width);
    const half = Math.floor((row % width) / (width / 2));
    return head * width + 2 * (row % (width / 2)) + half;
  });
}
