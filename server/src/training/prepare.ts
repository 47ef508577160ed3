// From a request to what the trainer is to compute: plan, token ids, the anchor's texts. Writes nothing.
import type { ChatTokenizer, FoundModel } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import type { TrainerTrainConfig, TrainingParameters, TrainingRunRecord } from '../protocol/index.ts';
import type { Clock } from '../state/index.ts';
import type { AdapterRegistry } from './adapters/registry.ts';
import type { ChosenAdapter } from './adapters/shelf.ts';
import { prepareAnchor, type AnchorWishes, type PreparedAnchor } from './anchor.ts';
import { readPairsFile } from './pairsFile.ts';
import { beginningToken } from './perplexity.ts';
import { needsReference, planTraining, usualSteps, type PlanWishes } from './plan.ts';
import { prepareRecords, type PreparedRecords } from './records.ts';
import type { Trainer } from './trainer.ts';

/** What decides nothing but speed and how often something is written. */
export interface RunSettings {
  readonly threads?: number;
  readonly precision?: 'auto' | 'f32' | 'bf16';
  /** Steps between looks at the held-out pairs, and between checkpoints. */
  readonly evaluateEvery?: number;
  readonly checkpointEvery?: number;
  /** What the run may take; one that needs more is refused. */
  readonly memoryBudgetBytes?: number;
  /** A folder that keeps what the frozen model makes of records, for all runs. */
  readonly referenceCache?: string;
}

export interface TrainRequest extends RunSettings {
  /** The pairs file; may be null only when a run is gone on with. */
  readonly pairs: string | null;
  readonly heldout: string | null;
  /** The run's folder. */
  readonly out: string;
  readonly wishes: PlanWishes;
  /** What the model shall not forget; null or absent: it is held to nothing. */
  readonly anchor?: AnchorWishes | null;
  readonly model: FoundModel;
  /** The model's size and longest context, for the plan. */
  readonly shape: { readonly parameters: number; readonly trainedContext: number };
  /** The adapter to start from, and the frozen one to compare with (default: the one to start from). */
  readonly adapter: ChosenAdapter | null;
  readonly reference: ChosenAdapter | null;
  /** Go on with the run in `out` where there is one. */
  readonly resume: boolean;
}

export interface TrainPorts {
  readonly trainer: Trainer;
  /** Lends a tokenizer of the request's model and takes its memory back before training begins. */
  readonly withTokenizer: <T>(work: (tokenizer: ChatTokenizer) => Promise<T>) => Promise<T>;
  readonly registry: AdapterRegistry;
  readonly now: Clock;
  readonly version: string;
}

/** A run that is ready to be begun; its adapters are not yet in the task. */
export interface PreparedRun {
  readonly record: TrainingRunRecord;
  readonly task: Omit<TrainerTrainConfig, 'libraries'>;
  /** The frozen adapter to compare with; null: the base model, or a loss without reference. */
  readonly reference: ChosenAdapter | null;
}

/** @throws PreflexorError `bad-input`: nothing to train on, or no text to be held to; `cancelled` */
export async function prepareRun(
  request: TrainRequest,
  ports: TrainPorts,
  signal: AbortSignal,
): Promise<PreparedRun> {
  if (request.pairs === null) {
    throw new PreflexorError('bad-input', 'It is not said which pairs to train on.', {
      remedy: 'Add --pairs FILE.',
    });
  }
  const plan = planTraining(request.wishes, request.shape);
  const files = [
    await readPairsFile(request.pairs, signal),
    request.heldout === null ? null : await readPairsFile(request.heldout, signal),
  ] as const;
  const wishes = request.anchor ?? null;
  const beginning = wishes && (await beginningToken(request.model.file, signal));
  const { pairs, heldout, parameters, anchor } = await ports.withTokenizer(async (tokenizer) => {
    const pairs = await prepareRecords(files[0], tokenizer, plan, signal);
    const heldout = files[1] && (await prepareRecords(files[1], tokenizer, plan, signal));
    const parameters = { ...plan, steps: plan.steps ?? usualSteps(pairs.records.length, plan) };
    const run = { ...parameters, beginning };
    const anchor = wishes && (await prepareAnchor(wishes, run, tokenizer, signal));
    return { pairs, heldout, parameters, anchor };
  });
  const reference = needsReference(plan.loss) ? (request.reference ?? request.adapter) : null;
  const record: TrainingRunRecord = {
    schema: 1,
    time: new Date(ports.now()).toISOString(),
    version: ports.version,
    model: request.model.identity,
    pairs: pairs.counts,
    heldout: heldout?.counts ?? null,
    parameters,
    anchor: anchor?.record ?? null,
    adapter: request.adapter?.name ?? null,
    reference: reference?.name ?? null,
  };
  return { record, reference, task: taskOf(request, parameters, { pairs, heldout, anchor }) };
}

function taskOf(
  request: TrainRequest,
  parameters: TrainingParameters,
  {
    pairs,
    heldout,
    anchor,
  }: {
    readonly pairs: PreparedRecords;
    readonly heldout: PreparedRecords | null;
    readonly anchor: PreparedAnchor | null;
  },
): PreparedRun['task'] {
  const { learningRate, schedule, warmup, clip, weightDecay } = parameters;
  const { loss, beta, epsilon, gamma, steps, batch, accumulation, seed } = parameters;
  return {
    task: 'train',
    model: request.model.file,
    out: request.out,
    loss,
    losses: { beta, epsilon, gamma },
    records: [...pairs.records],
    ...(heldout && { heldout: [...heldout.records] }),
    ...(anchor && { anchor: anchor.config }),
    ...loraOf(parameters, request.adapter !== null),
    optimizer: { learningRate, schedule, warmup, clip, weightDecay },
    ...{ steps, batch, accumulation, seed },
    ...speed(request),
    // A checkpoint of another run in the folder is refused by the trainer.
    resume: request.resume,
  };
}

/** A given adapter keeps its shape. */
function loraOf(
  { rank, alpha, dropout }: TrainingParameters,
  isGiven: boolean,
): Pick<TrainerTrainConfig, 'lora'> {
  const lora = { ...(!isGiven && { rank, alpha }), ...(dropout > 0 && { dropout }) };
  return Object.keys(lora).length === 0 ? {} : { lora };
}

/** What may be another when a run is gone on with. */
export function speed(settings: RunSettings) {
  const { threads, precision, evaluateEvery, checkpointEvery, memoryBudgetBytes, referenceCache } = settings;
  return {
    ...(threads !== undefined && { threads }),
    ...(precision !== undefined && { precision }),
    ...(evaluateEvery !== undefined && { evaluateEvery }),
    ...(checkpointEvery !== undefined && { checkpointEvery }),
    ...(memoryBudgetBytes !== undefined && { memoryBudgetBytes }),
    ...(referenceCache !== undefined && { referenceCache }),
  };
}
