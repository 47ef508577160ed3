// preflexor train: a run from pairs to adapter, as a stream of events.
import { resolve } from 'node:path';
import { createComputeBudget } from '../composition.ts';
import { PreflexorError } from '../errors.ts';
import type { TrainerLoss } from '../protocol/index.ts';
import { train, type PlanWishes, type TrainEvent } from '../training/index.ts';
import { programVersion } from '../version.ts';
import type { Context } from './context.ts';
import type { Output } from './output.ts';
import { maskOf, sayCounts, withTrainingTools, type LossOptions, type PairsOptions } from './training.ts';

export interface TrainOptions extends PairsOptions, LossOptions {
  readonly phase?: '1' | '2';
  readonly loss?: TrainerLoss;
  readonly pairs?: string;
  readonly heldout?: string;
  readonly out: string;
  readonly reference?: string;
  readonly steps?: number;
  readonly lr?: number;
  readonly schedule?: 'constant' | 'linear' | 'cosine';
  readonly warmup?: number;
  readonly clip?: number;
  readonly weightDecay?: number;
  readonly rank?: number;
  readonly alpha?: number;
  readonly batch?: number;
  readonly accumulation?: number;
  readonly evaluateEvery?: number;
  readonly checkpointEvery?: number;
  readonly precision?: 'auto' | 'f32' | 'bf16';
  readonly resume?: boolean;
  readonly anchor?: readonly string[];
  readonly estimate?: boolean;
}

export async function trainCommand(options: TrainOptions, context: Context): Promise<void> {
  refuseWhatIsMissing(options);
  const { output, signal } = context;
  await withTrainingTools(context, async (tools) => {
    const { pairs = null, heldout = null, out, resume = false } = options;
    const request = {
      ...{ pairs, heldout, resume, out: resolve(out) },
      wishes: wishesOf(options, context),
      model: tools.model,
      shape: tools.shape,
      adapter: await tools.choose(context.options.adapter),
      reference: await tools.choose(options.reference),
      threads: tools.threads,
      ...pick(options, ['precision', 'evaluateEvery', 'checkpointEvery']),
    };
    const ports = {
      trainer: tools.trainer,
      withTokenizer: tools.withTokenizer,
      registry: tools.shelf.registry,
      budget: createComputeBudget(context.home),
      now: Date.now,
      version: programVersion,
    };
    for await (const event of train(request, ports, signal)) tell(event, output, context);
  });
}

/** The trainer's protocol has neither yet. */
function refuseWhatIsMissing({ anchor, estimate }: TrainOptions): void {
  const missing = anchor !== undefined ? '--anchor' : estimate ? '--estimate' : null;
  if (missing === null) return;
  throw new PreflexorError('bad-input', `The trainer of this version does not know ${missing}.`, {
    remedy: `Leave ${missing} out.`,
  });
}

function wishesOf(options: TrainOptions, { options: { seed } }: Context): PlanWishes {
  return {
    ...pick(options, ['loss', 'steps', 'schedule', 'warmup', 'clip', 'weightDecay', 'rank', 'alpha']),
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

function tell(event: TrainEvent, output: Output, context: Context): void {
  if (event.event === 'prepared') {
    for (const counts of [event.pairs, event.heldout]) if (counts) sayCounts(counts, context);
  }
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
      return `${event.pairs.records} pairs, ${event.pairs.tokens} tokens`;
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
