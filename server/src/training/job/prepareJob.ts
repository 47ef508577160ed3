// A run that another machine is to do: the same plan, token ids and masks as a run here, and what this machine makes of
// the first records, by which the other one can tell that it has the same model. Writes nothing.
import { PreflexorError } from '../../errors.ts';
import type {
  JobExpectation,
  TrainerLoss,
  TrainerRecord,
  TrainingJob,
  TrainingParameters,
} from '../../protocol/index.ts';
import type { ChosenAdapter } from '../adapters/shelf.ts';
import { noMask } from '../masks.ts';
import { readPairsFile, type Pair } from '../pairsFile.ts';
import { prepareRun, type TrainPorts, type TrainRequest } from '../prepare.ts';
import { scoreRecords } from '../scoring.ts';

/** Losses that TRL has under the same definition, checked against it in test/peer. */
export const jobLosses: readonly TrainerLoss[] = ['orpo', 'orpo_completion_nll', 'exo_pair', 'dpo', 'ipo'];

/** All linear maps of a layer: what a new adapter of the trainer adapts too. */
const targets: TrainingJob['targets'] = [
  ...(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const),
];

export interface JobRequest extends Pick<
  TrainRequest,
  'heldout' | 'wishes' | 'model' | 'shape' | 'adapter' | 'reference' | 'threads'
> {
  readonly pairs: string;
  /** Where the model's very file can be had by others; null: it is to be brought along. */
  readonly base: TrainingJob['base'];
  /** So many of the first records are scored here; 0: none, and no trainer is needed. */
  readonly checks: number;
}

export interface PreparedJob {
  readonly job: TrainingJob;
  readonly records: readonly TrainerRecord[];
  readonly heldout: readonly TrainerRecord[];
  /** The same pairs as text, for tools that tokenise by themselves. */
  readonly texts: { readonly train: readonly Pair[]; readonly heldout: readonly Pair[] };
  /** PEFT folders to be copied. */
  readonly start: string | null;
  readonly reference: string | null;
}

/**
 * @param folder for the trainer's configuration
 * @throws PreflexorError `bad-input` (a loss that TRL does not have, nothing to train on), what scoring throws,
 * `cancelled`
 */
export async function prepareJob(
  request: JobRequest,
  ports: Pick<TrainPorts, 'trainer' | 'withTokenizer' | 'registry' | 'now' | 'version'>,
  folder: string,
  signal: AbortSignal,
): Promise<PreparedJob> {
  const { record, task, reference } = await prepareRun(
    { ...request, out: folder, resume: false },
    ports,
    signal,
  );
  const { parameters, pairs, heldout, time, version, model } = record;
  requireKnown(parameters);
  const start = request.adapter && (await request.adapter.peft(signal));
  const frozen = reference && (await reference.peft(signal));
  const scored = task.records.slice(0, request.checks);
  return {
    records: task.records,
    heldout: task.heldout ?? [],
    texts: {
      train: await usedOf(request.pairs, pairs, signal),
      heldout: request.heldout && heldout ? await usedOf(request.heldout, heldout, signal) : [],
    },
    start,
    reference: frozen === start ? null : frozen,
    job: {
      ...{ schema: 1, time, version, model, parameters, targets, pairs, heldout },
      base: request.base,
      start: start === null ? null : 'start',
      reference: referenceName(reference, request.adapter),
      expected: await expectationsOf(scored, { request, parameters, start, frozen }, ports, folder, signal),
    },
  };
}

function requireKnown({ loss, mask }: TrainingParameters): void {
  if (!jobLosses.includes(loss)) {
    throw new PreflexorError('bad-input', `A job for TRL can't have the loss ${loss}.`, {
      remedy: `Take one of ${jobLosses.join(', ')}, or train here.`,
    });
  }
  if (mask.kind === noMask.kind || mask.thinkAfterToken === 0) return;
  throw new PreflexorError('bad-input', 'Thinking after every token excludes the other masks.');
}

function referenceName(
  reference: ChosenAdapter | null,
  adapter: ChosenAdapter | null,
): TrainingJob['reference'] {
  if (reference === null) return null;
  return reference === adapter ? 'start' : 'reference';
}

/** The pairs of a file that are trained on. */
async function usedOf(file: string, { refused }: TrainingJob['pairs'], signal: AbortSignal): Promise<Pair[]> {
  const left = new Set(refused.map(({ line }) => line));
  return (await readPairsFile(file, signal)).pairs.filter(({ line }) => !left.has(line));
}

interface Scoring {
  readonly request: JobRequest;
  readonly parameters: TrainingParameters;
  readonly start: string | null;
  readonly frozen: string | null;
}

async function expectationsOf(
  records: readonly TrainerRecord[],
  { request, parameters, start, frozen }: Scoring,
  { trainer }: Pick<TrainPorts, 'trainer'>,
  folder: string,
  signal: AbortSignal,
): Promise<JobExpectation[]> {
  if (records.length === 0) return [];
  const { model, threads } = request;
  const { beta, epsilon, gamma, loss } = parameters;
  const expected: JobExpectation[] = [];
  const task = {
    ...{ model: model.file, adapter: start, reference: frozen, records, losses: { beta, epsilon, gamma } },
    ...(threads !== undefined && { threads }),
  };
  for await (const { chosen, rejected, losses } of scoreRecords(trainer, task, folder, signal)) {
    const [one, other, value] = [chosen?.mean ?? null, rejected?.mean ?? null, losses[loss] ?? null];
    if (one !== null && other !== null && value !== null)
      expected.push({ record: expected.length, chosen: one, rejected: other, loss: value });
  }
  return expected;
}
