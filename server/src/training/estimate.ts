// What a run would take, by the trainer's own plan and one rehearsed layer. Trains nothing, and leaves the run's
// folder as it is.
import { PreflexorError } from '../errors.ts';
import type { TrainingEstimate } from '../protocol/index.ts';
import { prepareRun, type TrainPorts, type TrainRequest } from './prepare.ts';

/**
 * Estimates memory and time of a run as it would be begun.
 * @param folder for the trainer's configuration
 * @throws PreflexorError `bad-input`, `locked`, `cancelled`; `trainer-failed` with the numbers when it cannot fit
 */
export async function estimateTraining(
  request: Omit<TrainRequest, 'out' | 'resume'>,
  ports: TrainPorts,
  folder: string,
  signal: AbortSignal,
): Promise<TrainingEstimate> {
  const { record, task, reference } = await prepareRun(
    { ...request, out: folder, resume: false },
    ports,
    signal,
  );
  const config = {
    ...task,
    task: 'estimate' as const,
    ...(request.adapter && { adapter: await request.adapter.peft(signal) }),
    ...(reference && { reference: await reference.peft(signal) }),
  };
  for await (const line of ports.trainer.run(config, folder, signal)) {
    if (line.event !== 'estimate') continue;
    const { seq: _seq, nonFinite: _nonFinite, ...figures } = line;
    const { pairs, heldout, anchor, parameters } = record;
    return { ...figures, ...{ steps: parameters.steps, pairs, heldout, anchor } };
  }
  throw new PreflexorError('trainer-failed', 'The trainer ended without an estimate.');
}
