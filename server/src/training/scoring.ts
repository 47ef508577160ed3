// What a model makes of given texts: log-probabilities and losses of pairs, by the trainer's scorer.
import { PreflexorError } from '../errors.ts';
import type { TrainerLine, TrainerLoss, TrainerRecord, TrainerScoreConfig } from '../protocol/index.ts';
import type { Trainer } from './trainer.ts';

export interface ScoreTask {
  /** GGUF file. */
  readonly model: string;
  /** PEFT folders; null: the base model. */
  readonly adapter: string | null;
  readonly reference: string | null;
  readonly records: readonly TrainerRecord[];
  readonly losses?: TrainerScoreConfig['losses'];
  /** Where to write the adapter's gradient of the mean loss. */
  readonly gradient?: { readonly loss: TrainerLoss; readonly file: string };
  readonly threads?: number;
}

type ScoreLine = Extract<TrainerLine, { event: 'score' }>;
type Sum = NonNullable<ScoreLine['chosen']>;

/** Sums over what the mask leaves. */
export interface SideScores {
  readonly chosen: Sum | null;
  readonly rejected: Sum | null;
}

export interface PairScore extends SideScores {
  readonly reference: SideScores;
  /** Null where the pair lacks a completion that the loss needs. */
  readonly losses: Readonly<Partial<Record<TrainerLoss, number | null>>>;
}

/**
 * Scores records one by one, in their order.
 * @param folder for the trainer's configuration
 * @throws PreflexorError `trainer-failed`, `locked`, `cancelled`
 */
export async function* scoreRecords(
  trainer: Trainer,
  task: ScoreTask,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<PairScore> {
  const { model, adapter, reference, records, losses, gradient, threads } = task;
  const run = trainer.run(
    {
      ...{ task: 'score', model, adapter, reference, records: [...records] },
      ...(losses && { losses }),
      ...(gradient && { gradient }),
      ...(threads !== undefined && { threads }),
    },
    folder,
    signal,
  );
  let next = 0;
  for await (const line of run) {
    if (line.event !== 'score') continue;
    if (line.index !== next) throw outOfOrder();
    next += 1;
    yield scoreOf(line);
  }
  if (next !== records.length) throw outOfOrder();
}

function scoreOf({ chosen, rejected, reference, losses }: ScoreLine): PairScore {
  return {
    chosen,
    rejected,
    reference: { chosen: reference.chosen, rejected: reference.rejected },
    losses: Object.fromEntries(Object.entries(losses).map(([name, value]) => [name, value?.loss ?? null])),
  };
}

function outOfOrder(): PreflexorError {
  return new PreflexorError('trainer-failed', 'The trainer did not score every text.');
}
