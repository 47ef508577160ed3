// The same pairs for LLaMA-Factory and Axolotl. They tokenise the text by themselves, read no GGUF file, and know no
// masks and no EXO: what they can't do as the job says is said in their files. Pure.
import { stringify } from 'yaml';
import { llamaFactoryInfo, pairRow } from '../../preferences/index.ts';
import type { TrainerLoss, TrainingJob } from '../../protocol/index.ts';
import type { Pair } from '../pairsFile.ts';
import type { PreparedJob } from './prepareJob.ts';

/** The nearest loss of each tool; EXO has none, and DPO is what it is an improvement of. */
const llamaFactoryLoss: Partial<Record<TrainerLoss, string>> = { orpo: 'orpo', ipo: 'ipo' };
const axolotlLoss: Partial<Record<TrainerLoss, string>> = { orpo: 'orpo', ipo: 'ipo' };
const nearest = { llamaFactory: 'sigmoid', axolotl: 'dpo' } as const;

/** What a tool does in another way than this job, in sentences. */
export function deviations({ parameters }: TrainingJob): string[] {
  const { loss, mask } = parameters;
  return [
    'The text is tokenised anew, with the chat template of the base model: token ids can differ from train.jsonl.',
    ...(mask.kind === 'none' && mask.thinkAfterToken === 0
      ? []
      : ['Every token of an answer counts: the masks of this job can not be said here.']),
    ...(loss === 'exo_pair' ? ['The loss is DPO: there is no EXO.'] : []),
    ...(loss === 'orpo_completion_nll' ? ['The likelihood in ORPO is the tool’s own.'] : []),
  ];
}

export function llamaFactoryFiles({ job, texts }: PreparedJob): [string, string][] {
  const { parameters, targets, start } = job;
  const hasHeldout = texts.heldout.length > 0;
  const config = {
    model_name_or_path: 'BASE_MODEL',
    ...(start !== null && { adapter_name_or_path: start }),
    stage: 'dpo',
    do_train: true,
    finetuning_type: 'lora',
    lora_rank: parameters.rank,
    lora_alpha: parameters.alpha,
    lora_dropout: parameters.dropout,
    lora_target: targets.join(','),
    pref_beta: parameters.beta,
    pref_loss: llamaFactoryLoss[parameters.loss] ?? nearest.llamaFactory,
    dataset_dir: 'llamafactory',
    dataset: 'preflexor',
    ...(hasHeldout && { eval_dataset: 'preflexor_heldout', eval_strategy: 'steps', eval_steps: 10 }),
    template: templateOf(job.model.id),
    cutoff_len: parameters.maxLength,
    output_dir: 'adapter-llamafactory',
    per_device_train_batch_size: parameters.batch,
    gradient_accumulation_steps: parameters.accumulation,
    learning_rate: parameters.learningRate,
    lr_scheduler_type: schedulerOf(parameters),
    warmup_steps: parameters.warmup,
    max_grad_norm: parameters.clip,
    max_steps: parameters.steps,
    seed: parameters.seed,
    logging_steps: 1,
    bf16: true,
  };
  return [
    ['llamafactory/train.yaml', commented(job, config)],
    ['llamafactory/dataset_info.json', llamaFactoryInfo(hasHeldout)],
    ['llamafactory/preflexor_train.jsonl', rows(texts.train, 'llamafactory')],
    ...(hasHeldout
      ? [['llamafactory/preflexor_heldout.jsonl', rows(texts.heldout, 'llamafactory')] as [string, string]]
      : []),
  ];
}

export function axolotlFiles({ job, texts }: PreparedJob): [string, string][] {
  const { parameters, targets, start } = job;
  const rl = axolotlLoss[parameters.loss] ?? nearest.axolotl;
  const type = rl === 'orpo' ? 'chat_template.argilla' : 'chat_template.argilla_chat';
  const data = (file: string) => [{ path: file, ds_type: 'json', split: 'train', type }];
  const hasHeldout = texts.heldout.length > 0;
  const config = {
    base_model: 'BASE_MODEL',
    ...(start !== null && { lora_model_dir: start }),
    rl,
    ...(rl === 'orpo' ? { orpo_alpha: parameters.beta } : { rl_beta: parameters.beta }),
    chat_template: 'tokenizer_default',
    datasets: data('axolotl/train.jsonl'),
    ...(hasHeldout && { test_datasets: data('axolotl/heldout.jsonl') }),
    adapter: 'lora',
    lora_r: parameters.rank,
    lora_alpha: parameters.alpha,
    lora_dropout: parameters.dropout,
    lora_target_modules: [...targets],
    sequence_len: parameters.maxLength,
    output_dir: 'adapter-axolotl',
    micro_batch_size: parameters.batch,
    gradient_accumulation_steps: parameters.accumulation,
    learning_rate: parameters.learningRate,
    lr_scheduler: schedulerOf(parameters),
    warmup_steps: parameters.warmup,
    max_grad_norm: parameters.clip,
    weight_decay: parameters.weightDecay,
    max_steps: parameters.steps,
    optimizer: 'adamw_torch',
    seed: parameters.seed,
    logging_steps: 1,
    bf16: 'auto',
    gradient_checkpointing: true,
    remove_unused_columns: false,
  };
  return [
    ['axolotl/config.yaml', commented(job, config)],
    ['axolotl/train.jsonl', rows(texts.train, 'axolotl')],
    ...(hasHeldout ? [['axolotl/heldout.jsonl', rows(texts.heldout, 'axolotl')] as [string, string]] : []),
  ];
}

/** The name that transformers has for a schedule. */
function schedulerOf({ schedule, warmup }: TrainingJob['parameters']): string {
  return schedule === 'constant' && warmup > 0 ? 'constant_with_warmup' : schedule;
}

/** LLaMA-Factory's chat templates, by the beginning of a model's name. */
const templates: readonly (readonly [beginning: RegExp, template: string])[] = [
  [/^llama-3/i, 'llama3'],
  [/^qwen3/i, 'qwen3'],
  [/^qwen/i, 'qwen'],
  [/^gemma-?3/i, 'gemma3'],
  [/^smollm2?/i, 'smollm2'],
];

function templateOf(model: string): string {
  return templates.find(([beginning]) => beginning.test(model))?.[1] ?? 'TEMPLATE';
}

function commented(job: TrainingJob, config: Record<string, unknown>): string {
  const words = deviations(job).map((sentence) => `# ${sentence}\n`);
  return `${words.join('')}${stringify(config)}`;
}

function rows(pairs: readonly Pair[], format: 'llamafactory' | 'axolotl'): string {
  return pairs
    .flatMap(({ prompt, chosen, rejected }) => {
      if (chosen === null || rejected === null) return [];
      const messages = prompt.map(({ role, text }) => ({ role, content: text }));
      return [`${JSON.stringify(pairRow({ prompt: messages, chosen, rejected }, format))}\n`];
    })
    .join('');
}
