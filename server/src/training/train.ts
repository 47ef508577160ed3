// A training run from pairs to adapter: prepare, train, register. Everything that touches the machine is a port.
import { describeGguf, type FoundModel } from '../engine/index.ts';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import type { HeldoutResult, TrainerLine, TrainerTrainConfig, TrainingRunRecord } from '../protocol/index.ts';
import type { ChosenAdapter } from './adapters/shelf.ts';
import { prepareRun, speed, type PreparedRun, type TrainPorts, type TrainRequest } from './prepare.ts';
import { RunFolder, type BegunRun } from './runFolder.ts';
import type { TrainerTask } from './trainer.ts';

type Passed = 'started' | 'step' | 'eval' | 'checkpoint' | 'paused' | 'resumed' | 'warning';

/** What happens in a run, in order. */
export type TrainEvent =
  | ({ readonly event: 'prepared' } & Pick<TrainingRunRecord, 'pairs' | 'heldout' | 'anchor'>)
  | Extract<TrainerLine, { event: Passed }>
  | {
      readonly event: 'done';
      /** The id in the registry. */
      readonly adapter: string;
      readonly gguf: string;
      readonly peft: string;
      readonly step: number;
      readonly stopped: boolean;
      readonly heldout: HeldoutResult | null;
    };

/**
 * Trains an adapter.
 * @throws PreflexorError `bad-input` (nothing to train on, a folder in use), `trainer-failed`, `locked`,
 * `cancelled`; what was done up to the last checkpoint is kept
 */
export async function* train(
  request: TrainRequest,
  ports: TrainPorts,
  signal: AbortSignal,
): AsyncGenerator<TrainEvent> {
  const folder = new RunFolder(request.out);
  const begun = await folder.begun();
  if (begun && !request.resume) {
    throw new PreflexorError('bad-input', `${request.out} holds a run already.`, {
      remedy: 'Go on with it by --resume, or choose another folder.',
    });
  }
  if (begun) requireSameModel(begun, request.model);
  const { record, task } = begun ? resumed(begun, request) : await begin(request, ports, folder, signal);
  throwIfCancelled(signal);
  yield { event: 'prepared', pairs: record.pairs, heldout: record.heldout, anchor: record.anchor };
  yield* follow({ folder, record, task }, request, ports, signal);
}

type ReadyRun = Pick<PreparedRun, 'record' | 'task'>;

function requireSameModel({ record }: BegunRun, model: FoundModel): void {
  if (record.model.sha256 === model.identity.sha256) return;
  throw new PreflexorError(
    'bad-input',
    `That run trains ${record.model.id} (${record.model.file}), and this is ${model.identity.id}.`,
    { remedy: `Add --model ${record.model.id}.` },
  );
}

/** The very ids and settings of the run as it was begun; only its length and its speed may be others. */
function resumed({ record, config }: BegunRun, request: TrainRequest): ReadyRun {
  const { libraries: _elsewhere, ...task } = config;
  const steps = request.wishes.steps ?? config.steps;
  return {
    record: { ...record, parameters: { ...record.parameters, steps } },
    task: { ...task, ...speed(request), model: request.model.file, steps, out: request.out, resume: true },
  };
}

async function begin(
  request: TrainRequest,
  ports: TrainPorts,
  folder: RunFolder,
  signal: AbortSignal,
): Promise<ReadyRun> {
  const { record, task, reference } = await prepareRun(request, ports, signal);
  await folder.begin(record);
  const adapters = await keepAdapters(request.adapter, reference, folder, signal);
  return { record, task: { ...task, ...adapters } };
}

/** Copies in the run's folder: what an adapter was converted into may be gone when the run is gone on with. */
async function keepAdapters(
  start: ChosenAdapter | null,
  reference: ChosenAdapter | null,
  folder: RunFolder,
  signal: AbortSignal,
): Promise<Pick<TrainerTrainConfig, 'adapter' | 'reference'>> {
  const adapter = start && (await folder.keep('start', await start.peft(signal)));
  if (!reference) return adapter === null ? {} : { adapter };
  const frozen = reference === start ? adapter : await folder.keep('reference', await reference.peft(signal));
  return { ...(adapter !== null && { adapter }), reference: frozen };
}

async function* follow(
  { folder, record, task }: ReadyRun & { readonly folder: RunFolder },
  request: TrainRequest,
  ports: TrainPorts,
  signal: AbortSignal,
): AsyncGenerator<TrainEvent> {
  const run = ports.trainer.run(task satisfies TrainerTask, folder.path, signal);
  let heldout: HeldoutResult | null = null;
  try {
    for await (const line of run) {
      await folder.log(line);
      if (line.event === 'eval') heldout = heldoutOf(line);
      if (isPassedOn(line)) yield line;
      // A run that was asked to stop is to be gone on with: it is no adapter yet.
      if (line.event !== 'done' || signal.aborted) continue;
      const event = await finished(line, { folder, record }, heldout, request.model, ports, signal);
      await folder.finish(event);
      yield event;
    }
  } finally {
    await folder.close();
  }
}

function isPassedOn(line: TrainerLine): line is Extract<TrainerLine, { event: Passed }> {
  const passed: readonly string[] = ['started', 'step', 'eval', 'checkpoint', 'paused', 'resumed', 'warning'];
  return passed.includes(line.event);
}

function heldoutOf(line: Extract<TrainerLine, { event: 'eval' }>): HeldoutResult {
  const { step, records, loss } = line;
  return { step, records, loss, accuracy: line['rewards/accuracies'], margin: line['rewards/margins'] };
}

async function finished(
  { gguf, peft, step = 0, stopped = false }: Extract<TrainerLine, { event: 'done' }>,
  { record }: { readonly folder: RunFolder; readonly record: TrainingRunRecord },
  heldout: HeldoutResult | null,
  model: FoundModel,
  { registry }: TrainPorts,
  signal: AbortSignal,
): Promise<Extract<TrainEvent, { event: 'done' }>> {
  if (gguf === undefined || peft === undefined) {
    throw new PreflexorError('trainer-failed', 'The trainer ended without an adapter.');
  }
  const stored = await registry.add(
    {
      files: { gguf, peft },
      base: model.identity,
      architecture: await architectureOf(model, signal),
      rank: record.parameters.rank,
      origin: { kind: 'trained', run: record, steps: step, stopped, heldout },
    },
    signal,
  );
  return { event: 'done', adapter: stored.record.id, gguf, peft, step, stopped, heldout };
}

async function architectureOf({ file }: FoundModel, signal: AbortSignal): Promise<string> {
  return (await describeGguf(file, signal)).architecture;
}
