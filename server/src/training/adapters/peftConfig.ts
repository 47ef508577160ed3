// PEFT's adapter_config.json: which kinds of adapters can be used, and the alpha of each linear map. Others are
// refused with a sentence. Source: peft, LoraConfig and get_pattern_key.
import { z } from 'zod';
import { PreflexorError } from '../../errors.ts';

const Amount = z.number().positive();

const PeftConfigFile = z.looseObject({
  peft_type: z.string().default('LORA'),
  base_model_name_or_path: z.string().nullish(),
  r: z.int().positive().default(8),
  lora_alpha: Amount.default(8),
  rank_pattern: z.record(z.string(), z.int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), Amount).nullish(),
  use_rslora: z.boolean().nullish(),
  bias: z.string().nullish(),
});

/** Settings that change what an adapter computes in ways that neither libllama nor the trainer knows. */
const refusals: readonly (readonly [key: string, why: string])[] = [
  ['use_dora', 'it uses DoRA, whose magnitudes the engine cannot load'],
  ['modules_to_save', 'it carries whole trained modules (modules_to_save), not only LoRA matrices'],
  ['lora_bias', 'it trains biases'],
  ['use_qalora', 'it uses QALoRA'],
  ['use_bdlora', 'it uses BD-LoRA'],
  ['layer_replication', 'it replicates layers'],
  ['target_parameters', 'it adapts single parameters'],
  ['trainable_token_indices', 'it trains token embeddings'],
  ['alora_invocation_tokens', 'it is switched on by tokens (aLoRA)'],
];

export interface PeftSettings {
  readonly baseName: string | null;
  /** The rank that the configuration gives a module, by its full name. */
  rank(module: string): number;
  /** The alpha whose division by the rank gives the scale. */
  alpha(module: string, rank: number): number;
}

/**
 * Decodes adapter_config.json. `fan_in_fan_out` is no obstacle: it is about the base model's weights; A and B are
 * stored the same way with it.
 * @throws PreflexorError `bad-input` with what cannot be used
 */
export function readPeftConfig(folder: string, json: unknown): PeftSettings {
  const decoded = PeftConfigFile.safeParse(json);
  if (!decoded.success) {
    const [issue] = decoded.error.issues;
    throw unusable(folder, `adapter_config.json is wrong at ${issue?.path.join('.') ?? 'its start'}`);
  }
  const config = decoded.data;
  if (config.peft_type !== 'LORA') throw unusable(folder, `it is a ${config.peft_type} adapter and no LoRA`);
  for (const [key, why] of refusals) if (isSet(config[key])) throw unusable(folder, why);
  if (config.bias !== null && config.bias !== undefined && config.bias !== 'none') {
    throw unusable(folder, 'it trains biases');
  }
  const ranks = patterns(folder, config.rank_pattern ?? {});
  const alphas = patterns(folder, config.alpha_pattern ?? {});
  const valueFor = (list: readonly Pattern[], module: string, otherwise: number): number =>
    list.find(({ expression }) => expression.test(module))?.value ?? otherwise;
  return {
    baseName: config.base_model_name_or_path ?? null,
    rank: (module) => valueFor(ranks, module, config.r),
    alpha: (module, rank) =>
      valueFor(alphas, module, config.lora_alpha) * (config.use_rslora === true ? Math.sqrt(rank) : 1),
  };
}

function isSet(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

interface Pattern {
  readonly expression: RegExp;
  readonly value: number;
}

/** What a pattern may hold: names, with dots, digits, choices; nothing that can make matching slow. */
const harmless = /^[\w.\\^$|()[\]+*-]{1,200}$/;
const slow = /\)[+*]|\(\?|\\[1-9]|([+*].*){4}/;

/** PEFT takes the keys as expressions that match a module's name, or its end after a dot. */
function patterns(folder: string, given: Readonly<Record<string, number>>): Pattern[] {
  return Object.entries(given).map(([key, value]) => {
    const refused = unusable(folder, `the pattern "${key.slice(0, 80)}" is not understood`);
    if (!harmless.test(key) || slow.test(key)) throw refused;
    try {
      return { expression: new RegExp(`^(?:.*\\.)?(?:${key})$`), value };
    } catch {
      throw refused;
    }
  });
}

/** The `bad-input` of every adapter that cannot be read. */
export function unusable(folder: string, why: string, cause?: unknown): PreflexorError {
  return new PreflexorError('bad-input', `The adapter in ${folder} cannot be used: ${why}.`, {
    remedy: 'Export a plain LoRA adapter, for example by merging the rest into the base model.',
    cause,
  });
}
