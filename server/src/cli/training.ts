// What the commands around training share: the model's file, the trainer, adapters by name, options of pairs.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createShelf, createTrainer, withTokenizer } from '../composition.ts';
import { describeGguf, ModelStore, type ChatTokenizer, type FoundModel } from '../engine/index.ts';
import type { MaskKind, MaskOptions, PreparedCounts, TrainerLoss } from '../protocol/index.ts';
import {
  makingWay,
  noAdapter,
  noMask,
  prepareRecords,
  readPairsFile,
  type AdapterShelf,
  type ChosenAdapter,
  type PreparedRecords,
  type Trainer,
  type TrainerBackend,
} from '../training/index.ts';
import { logged, settingsOf, type Context } from './context.ts';

/** How pairs become masked token ids; the same options for each command that reads pairs. */
export interface PairsOptions {
  readonly mask?: MaskKind;
  /** Percent. */
  readonly maskPercent?: number;
  /** The markers of a masked section count all the same. */
  readonly keepMarkers?: boolean;
  readonly thinkAfterToken?: number;
  readonly thinkInRejected?: boolean;
  readonly maxLength?: number;
  readonly maxPromptLength?: number;
}

/** What the trainer computes on. */
export interface DeviceOptions {
  readonly on?: TrainerBackend;
}

export interface LossOptions {
  readonly beta?: number;
  readonly epsilon?: number;
  readonly gamma?: number;
}

export interface TrainingTools {
  readonly model: FoundModel;
  /** Parameters of the model, and its longest context in tokens. */
  readonly shape: { readonly parameters: number; readonly trainedContext: number };
  readonly shelf: AdapterShelf;
  readonly trainer: Trainer;
  /** The same for work that nobody waits for: it makes way while text is generated. */
  readonly politeTrainer: Trainer;
  readonly threads: number;
  /** A folder that is gone when the command ends. */
  readonly scratch: string;
  /** The adapter that was named; null for none and for `base`. */
  choose(spec: string | undefined): Promise<ChosenAdapter | null>;
  readonly withTokenizer: <T>(work: (tokenizer: ChatTokenizer) => Promise<T>) => Promise<T>;
}

/** Runs `work` with everything that training needs, and removes what that left behind. */
export async function withTrainingTools<T>(
  context: Context,
  work: (tools: TrainingTools) => Promise<T>,
  backend?: TrainerBackend,
): Promise<T> {
  const { home, signal, options, compute } = context;
  const settings = settingsOf(options);
  const model = await findModel(context);
  const shelf = createShelf(home);
  const scratch = await mkdtemp(join(tmpdir(), 'preflexor-training-'));
  const onLog = (text: string) => logged(context, text);
  const trainer = createTrainer(home, onLog, backend);
  try {
    return await work({
      model,
      shape: await describeGguf(model.file, signal),
      shelf,
      trainer,
      politeTrainer: makingWay(trainer, compute),
      threads: options.threads ?? Math.max(1, Math.floor(availableParallelism() / 2)),
      scratch,
      choose: async (spec) =>
        spec === undefined || spec === noAdapter ? null : await shelf.choose(spec, model),
      withTokenizer: async (use) => {
        context.output.progress('Reading the vocabulary');
        return await withTokenizer(settings, home, onLog, use);
      },
    });
  } finally {
    await shelf.dispose();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The file of the model that the options name. */
export async function findModel({ home, signal, options, output }: Context): Promise<FoundModel> {
  return await new ModelStore({ home }).findModel(settingsOf(options).model, {
    signal,
    onProgress: ({ event }) => {
      if (event === 'verifying') output.progress('Checking the model');
    },
  });
}

/** The mask that the options ask for, without what they leave open. */
export function maskOf(options: PairsOptions): Partial<MaskOptions> {
  return {
    ...(options.mask !== undefined && { kind: options.mask }),
    ...(options.maskPercent !== undefined && { share: options.maskPercent / 100 }),
    ...(options.keepMarkers && { markers: false }),
    ...(options.thinkAfterToken !== undefined && { thinkAfterToken: options.thinkAfterToken }),
    ...(options.thinkInRejected && { thinkInRejected: true }),
  };
}

/** The pairs of a file for scoring: as long as the model can read, unless the options say less. */
export async function pairsToScore(
  path: string,
  options: PairsOptions,
  loss: TrainerLoss | null,
  tools: TrainingTools,
  context: Context,
): Promise<PreparedRecords> {
  const file = await readPairsFile(path, context.signal);
  const maxLength = Math.min(options.maxLength ?? Infinity, tools.shape.trainedContext);
  const maxPromptLength = options.maxPromptLength ?? Math.floor(maxLength / 2);
  const mask = { ...noMask, ...maskOf(options) };
  const seed = context.options.seed ?? 0;
  const prepared = await tools.withTokenizer((tokenizer) =>
    prepareRecords(file, tokenizer, { maxLength, maxPromptLength, mask, seed, loss }, context.signal),
  );
  sayCounts(prepared.counts, context);
  return prepared;
}

/** What of a file is not used as it stands, on stderr. */
export function sayCounts(
  { file, refused, truncatedPrompts, truncatedCompletions }: PreparedCounts,
  { output }: Context,
): void {
  for (const { line, reason } of refused) output.say(`${file}, line ${line}: refused, ${reason}.`);
  if (truncatedPrompts + truncatedCompletions > 0) {
    output.say(`${file}: ${truncatedPrompts} prompts and ${truncatedCompletions} completions were cut.`);
  }
}
