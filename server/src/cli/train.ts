// preflexor train: a run from pairs to adapter, as a stream of events.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { shippedText } from '../composition.ts';
import type { AnchorKind, AnchorRecord, TrainerLoss, TrainingEstimate } from '../protocol/index.ts';
import { homePlaces, workspaceOf, workspacePlaces } from '../state/index.ts';
import {
  estimateTraining,
  train,
  type AnchorWishes,
  type PlanWishes,
  type TrainEvent,
} from '../training/index.ts';
import { programVersion } from '../version.ts';
import { anchorTexts } from '../workflow/index.ts';
import type { Context } from './context.ts';
import { bytesText, durationText, type Output } from './output.ts';
import {
  maskOf,
  sayCounts,
  withTrainingTools,
  type DeviceOptions,
  type LossOptions,
  type PairsOptions,
} from './training.ts';

/** What a run is to compute, here or elsewhere. */
export interface PlanOptions extends PairsOptions, LossOptions {
  readonly phase?: '1' | '2';
  readonly loss?: TrainerLoss;
  readonly heldout?: string;
  readonly reference?: string;
  readonly steps?: number;
  readonly lr?: number;
  readonly schedule?: 'constant' | 'linear' | 'cosine';
  readonly warmup?: number;
  readonly clip?: number;
  readonly weightDecay?: number;
  readonly rank?: number;
  readonly alpha?: number;
  readonly dropout?: number;
  readonly batch?: number;
  readonly accumulation?: number;
}

export interface TrainOptions extends PlanOptions, DeviceOptions {
  readonly pairs?: string;
  /** Not needed for an estimate. */
  readonly out?: string;
  readonly evaluateEvery?: number;
  readonly checkpointEvery?: number;
  readonly precision?: 'auto' | 'f32' | 'bf16';
  /** Mebibytes. */
  readonly memory?: number;
  readonly resume?: boolean;
  /** Paths; true: the workspace's own texts. */
  readonly anchor?: readonly string[] | true;
  readonly anchorKind?: AnchorKind;
  readonly anchorWeight?: number;
  readonly estimate?: boolean;
}

export async function trainCommand(options: TrainOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await withTrainingTools(
    context,
    async (tools) => {
      const { pairs = null, heldout = null, out, resume = false, memory } = options;
      const request = {
        ...{ pairs, heldout },
        wishes: wishesOf(options, context),
        anchor: await anchorOf(options, context),
        model: tools.model,
        shape: tools.shape,
        adapter: await tools.choose(context.options.adapter),
        reference: await tools.choose(options.reference),
        threads: tools.threads,
        referenceCache: join(homePlaces(context.home).cache, 'references'),
        ...pick(options, ['precision', 'evaluateEvery', 'checkpointEvery']),
        ...(memory !== undefined && { memoryBudgetBytes: memory * 2 ** 20 }),
      };
      const ports = {
        trainer: tools.politeTrainer,
        withTokenizer: tools.withTokenizer,
        registry: tools.shelf.registry,
        now: Date.now,
        version: programVersion,
      };
      if (options.estimate || out === undefined) {
        tellEstimate(await estimateTraining(request, ports, tools.scratch, signal), output, context);
        return;
      }
      const events = train({ ...request, out: resolve(out), resume }, ports, signal);
      for await (const event of events) tell(event, output, context);
    },
    options.on,
  );
}

/** What was named, else the notes of the workspace (where the current folder is in one) and the text that ships. */
async function anchorOf(
  { anchor, anchorKind, anchorWeight, pairs }: TrainOptions,
  { home, options, signal }: Context,
): Promise<AnchorWishes | null> {
  // A run that is gone on with has its texts already.
  if (anchor === undefined || pairs === undefined) return null;
  const { workspace } = options;
  const place = await workspaceOf({ home, ...(workspace !== undefined && { workspace }) });
  const isWorkspace = workspace !== undefined || existsSync(workspacePlaces(place).folder);
  const root = isWorkspace ? place : null;
  const named = anchor === true ? null : anchor;
  const texts = await anchorTexts({ named, root, shipped: shippedText() }, signal);
  return {
    ...texts,
    ...(anchorKind !== undefined && { kind: anchorKind }),
    ...(anchorWeight !== undefined && { weight: anchorWeight }),
  };
}

export function wishesOf(options: PlanOptions, { options: { seed } }: Context): PlanWishes {
  return {
    ...pick(options, [
      'loss',
      'steps',
      'schedule',
      'warmup',
      'clip',
      'weightDecay',
      'rank',
      'alpha',
      'dropout',
    ]),
    ...pick(options, ['batch', 'accumulation', 'beta', 'epsilon', 'gamma', 'maxLength', 'maxPromptLength']),
    ...(options.phase !== undefined && { phase: options.phase === '1' ? 1 : 2 }),
    ...(options.lr !== undefined && { learningRate: options.lr }),
    ...(seed !== undefined && { seed }),
    mask: maskOf(options),
  };
}

/** The properties that are there, without those that are undefined. */
function pick<T extends object, K extends keyof T>(
  from: T,
  keys: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  const picked: { [P in K]?: Exclude<T[P], undefined> } = {};
  for (const key of keys) {
    const value = from[key];
    if (value !== undefined) picked[key] = value as Exclude<T[K], undefined>;
  }
  return picked;
}

function tellEstimate(estimate: TrainingEstimate, output: Output, context: Context): void {
  tellCounts(estimate, context);
  if (output.json) output.line(estimate);
  else output.result(estimate, readableEstimate(estimate));
}

function tellCounts({ pairs, heldout }: Pick<TrainingEstimate, 'pairs' | 'heldout'>, context: Context): void {
  for (const counts of [pairs, heldout]) if (counts) sayCounts(counts, context);
}

function readableEstimate(estimate: TrainingEstimate): string {
  const { bytes, least_bytes, available_bytes, steps, seconds, seconds_per_step, pairs, anchor } = estimate;
  const free = available_bytes > 0 ? `; ${bytesText(available_bytes)} are free` : '';
  return [
    preparedText(pairs, anchor),
    `Memory: ${bytesText(bytes)} (at least ${bytesText(least_bytes)})${free}`,
    `Time: about ${durationText(seconds)} for ${steps} steps, ${seconds_per_step.toFixed(1)} s each`,
  ].join('\n');
}

function preparedText({ records, tokens }: TrainingEstimate['pairs'], anchor: AnchorRecord | null): string {
  const names = anchor?.texts.map(({ from, file }) => (from === 'shipped' ? 'the text that ships' : file));
  const held = anchor && names ? `, held to ${anchor.tokens} tokens of ${names.join(', ')}` : '';
  return `${records} pairs, ${tokens} tokens${held}`;
}

function tell(event: TrainEvent, output: Output, context: Context): void {
  if (event.event === 'prepared') tellCounts(event, context);
  if (output.json) output.line(event);
  else {
    const text = readable(event);
    if (event.event === 'step') output.progress(text);
    else output.result(event, text);
  }
}

function readable(event: TrainEvent): string {
  const figure = (value: number | null) => value?.toFixed(4) ?? '–';
  switch (event.event) {
    case 'prepared':
      return preparedText(event.pairs, event.anchor);
    case 'started':
      return `${event.resumed ? 'Going on' : 'Training'}: step ${event.step} of ${event.steps}`;
    case 'step':
      return (
        `Step ${event.step}: loss ${figure(event.loss)}, margin ${figure(event['rewards/margins'])}, ` +
        `${event.tokens_per_second.toFixed(0)} tokens/s, ${Math.ceil(event.seconds_remaining)} s left`
      );
    case 'eval':
      return (
        `Held out after step ${event.step}: loss ${figure(event.loss)}, ` +
        `accuracy ${figure(event['rewards/accuracies'])}, margin ${figure(event['rewards/margins'])}`
      );
    case 'checkpoint':
      return `Checkpoint after step ${event.step}`;
    case 'paused':
      return 'Paused';
    case 'resumed':
      return 'Going on';
    case 'warning':
      return event.message;
    case 'done':
      return `${event.adapter}: use it with --adapter ${event.adapter}, or "preflexor adapters use ${event.adapter}".`;
  }
}
