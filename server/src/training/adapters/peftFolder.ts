// Reads adapters as PEFT stores them (also through TRL, Unsloth, Axolotl), and writes them in one plain form that the
// trainer reads.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders, writeDurably } from '../../state/index.ts';
import type { LoraTarget } from '../../protocol/index.ts';
import { targetNames, targets, type LoraAdapter, type LoraModule } from './lora.ts';
import { readPeftConfig, unusable, type PeftSettings } from './peftConfig.ts';
import { readSafetensors, writeSafetensors, type Tensor } from './safetensors.ts';

export const peftConfigName = 'adapter_config.json';
export const peftTensorsName = 'adapter_model.safetensors';

/**
 * Reads a PEFT folder.
 * @throws PreflexorError `bad-input` with what cannot be used, `cancelled`
 */
export async function readPeftFolder(folder: string, signal: AbortSignal): Promise<LoraAdapter> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(join(folder, peftConfigName), 'utf8'));
  } catch (error) {
    throw unusable(folder, `its ${peftConfigName} cannot be read`, error);
  }
  const settings = readPeftConfig(folder, json);
  const tensors = await readSafetensors(join(folder, peftTensorsName), signal);
  const modules = [...pairUp(folder, tensors).values()].map((pair) => moduleOf(folder, settings, pair));
  if (modules.length === 0) throw unusable(folder, 'it holds no LoRA matrices');
  modules.sort(
    (one, other) =>
      one.layer - other.layer || targetNames.indexOf(one.target) - targetNames.indexOf(other.target),
  );
  return { modules, baseName: settings.baseName };
}

interface TensorPair {
  readonly layer: number;
  readonly target: LoraTarget;
  a?: Tensor;
  b?: Tensor;
}

/** With or without `base_model.model.`, behind any name of the language model in a larger one. */
const loraName = /^(?:[\w.]*\.)?layers\.(\d{1,4})\.(\w+\.\w+)\.lora_([AB])(?:\.default)?(?:\.weight)?$/;

/** Names that say what kind of adapter it is, when it is one that cannot be used. */
const foreignNames: readonly (readonly [RegExp, string])[] = [
  [/lora_magnitude_vector/, 'it uses DoRA, whose magnitudes the engine cannot load'],
  [/lora_embedding_|embed_tokens/, 'it changes the embeddings, which the trainer leaves alone'],
  [/lm_head/, "it changes the model's head, which the trainer leaves alone"],
  [/vision|visual|audio/, 'it changes the part of the model that sees or hears'],
  [/\.bias$/, 'it trains biases'],
  [/experts/, 'it changes the experts of a mixture, which is not supported'],
];

function pairUp(folder: string, tensors: ReadonlyMap<string, Tensor>): Map<string, TensorPair> {
  const pairs = new Map<string, TensorPair>();
  for (const [name, tensor] of tensors) {
    const foreign = foreignNames.find(([pattern]) => pattern.test(name));
    if (foreign) throw unusable(folder, foreign[1]);
    const [, layer, path, side] = loraName.exec(name) ?? [];
    const target = targetNames.find((one) => targets[one].peft === path);
    if (layer === undefined || target === undefined) {
      throw unusable(folder, `it changes ${name.slice(0, 120)}, which is no linear map that is supported`);
    }
    const key = `${layer}.${target}`;
    const pair: TensorPair = pairs.get(key) ?? { layer: Number(layer), target };
    const place = side === 'A' ? 'a' : 'b';
    if (pair[place] !== undefined) throw unusable(folder, `it has two matrices ${place} for ${key}`);
    pair[place] = tensor;
    pairs.set(key, pair);
  }
  return pairs;
}

function moduleOf(folder: string, settings: PeftSettings, { layer, target, a, b }: TensorPair): LoraModule {
  const name = `model.layers.${layer}.${targets[target].peft}`;
  if (!a || !b) throw unusable(folder, `${name} lacks ${a ? 'B' : 'A'}`);
  const rank = a.shape[0] ?? 0;
  if (a.shape.length !== 2 || b.shape.length !== 2 || rank < 1 || rank !== b.shape[1]) {
    throw unusable(folder, `the matrices of ${name} do not fit together`);
  }
  if (settings.rank(name) !== rank) {
    throw unusable(folder, `${name} has rank ${rank}, and ${peftConfigName} says ${settings.rank(name)}`);
  }
  return { layer, target, rank, alpha: settings.alpha(name, rank), a: a.values, b: b.values };
}

/** Writes `adapter_config.json` and `adapter_model.safetensors`, each as a whole. */
export async function writePeftFolder(folder: string, adapter: LoraAdapter): Promise<void> {
  await makeFolders(folder);
  const tensors = new Map<string, Tensor>();
  for (const { layer, target, rank, a, b } of adapter.modules) {
    const name = `base_model.model.model.layers.${layer}.${targets[target].peft}`;
    tensors.set(`${name}.lora_A.weight`, { shape: [rank, a.length / rank], values: a });
    tensors.set(`${name}.lora_B.weight`, { shape: [b.length / rank, rank], values: b });
  }
  await writeDurably(join(folder, peftTensorsName), writeSafetensors(tensors));
  await writeDurably(join(folder, peftConfigName), `${JSON.stringify(configOf(adapter), null, 2)}\n`);
}

function configOf({ modules, baseName }: LoraAdapter): Record<string, unknown> {
  const rank = mostCommon(modules.map((module) => module.rank));
  const alpha = mostCommon(modules.map((module) => module.alpha));
  const differing = (of: 'rank' | 'alpha', usual: number): Record<string, number> =>
    Object.fromEntries(
      modules
        .filter((module) => module[of] !== usual)
        .map((module) => [`layers.${module.layer}.${targets[module.target].peft}`, module[of]]),
    );
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseName,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    target_modules: targetNames.filter((name) => modules.some(({ target }) => target === name)),
    rank_pattern: differing('rank', rank),
    alpha_pattern: differing('alpha', alpha),
    fan_in_fan_out: false,
    use_rslora: false,
    use_dora: false,
    inference_mode: true,
    modules_to_save: null,
  };
}

/** The value that most modules have. */
export function mostCommon(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1])[0]?.[0] ?? 1;
}
