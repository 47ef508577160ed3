// What a run computes when nothing else is said: the method's table for its two phases. Pure.
import { PreflexorError } from '../errors.ts';
import type { TrainerLoss, TrainingParameters } from '../protocol/index.ts';
import { noMask } from './masks.ts';

/** What the writer may say; the rest comes from the phase. */
export type PlanWishes = Partial<
  Omit<TrainingParameters, 'steps' | 'alpha' | 'mask' | 'phase' | 'loss'> & {
    readonly phase: 1 | 2;
    readonly loss: TrainerLoss;
    readonly steps: number;
    readonly alpha: number;
    readonly mask: Partial<TrainingParameters['mask']>;
  }
>;

/** The method's table (section 4). */
const phases = {
  1: { loss: 'orpo', clip: 1, maxLength: 2048 },
  2: { loss: 'exo_pair', clip: 0.3, maxLength: 2000 },
} as const;

/**
 * What a model of this size wants. From 2 billion parameters on it is the method's own table (section 4), which is
 * for 3 billion. Under half a billion, rate and alpha of phase I are those that taught the form and kept the rest of
 * the language (bench/results/forgetting.json; less does not reach the gate: docs/decisions/0018), without dropout.
 * All else is a judgement between the two, and no measurement.
 */
const sizes = [
  { below: 0.5e9, learningRates: { 1: 5e-4, 2: 2e-5 }, rank: 16, alpha: 32, dropout: 0 },
  { below: 2e9, learningRates: { 1: 1e-4, 2: 5e-6 }, rank: 32, alpha: 32, dropout: 0.1 },
  { below: Infinity, learningRates: { 1: 5e-5, 2: 1e-6 }, rank: 64, alpha: 64, dropout: 0.1 },
] as const;

/** Passes over the pairs when no number of steps is given (the paper trains three epochs on each set). */
const epochs = 3;

const withReference: readonly TrainerLoss[] = ['dpo', 'exo_pair', 'ipo', 'kto'];

/** Whether a loss compares with the model that training started from. */
export function needsReference(loss: TrainerLoss): boolean {
  return withReference.includes(loss);
}

/**
 * The parameters of a run. A loss alone stands in the phase that it belongs to: those with a reference in phase II.
 * @param model its parameters (a count) and the longest context that it was trained with, in tokens
 * @throws PreflexorError `bad-input` when neither a phase nor a loss is named
 */
export function planTraining(
  wishes: PlanWishes,
  model: { readonly parameters: number; readonly trainedContext: number },
): Omit<TrainingParameters, 'steps'> & { readonly steps: number | null } {
  if (wishes.phase === undefined && wishes.loss === undefined) {
    throw new PreflexorError('bad-input', 'It is not said what to train.', {
      remedy: 'Add --phase 1 (ORPO), --phase 2 (EXO), or --loss.',
    });
  }
  const column = wishes.phase ?? (wishes.loss !== undefined && needsReference(wishes.loss) ? 2 : 1);
  const table = phases[column];
  const size = sizes.find(({ below }) => model.parameters < below) ?? sizes[2];
  const maxLength = Math.min(wishes.maxLength ?? table.maxLength, model.trainedContext);
  const rank = wishes.rank ?? size.rank;
  return {
    phase: wishes.phase ?? null,
    loss: wishes.loss ?? table.loss,
    learningRate: wishes.learningRate ?? size.learningRates[column],
    schedule: wishes.schedule ?? 'constant',
    warmup: wishes.warmup ?? 0,
    clip: wishes.clip ?? table.clip,
    weightDecay: wishes.weightDecay ?? 0,
    rank,
    // As far as the size's own alpha is above its rank.
    alpha: wishes.alpha ?? (rank * size.alpha) / size.rank,
    dropout: wishes.dropout ?? size.dropout,
    beta: wishes.beta ?? 0.1,
    epsilon: wishes.epsilon ?? 0.005,
    gamma: wishes.gamma ?? 1,
    maxLength,
    maxPromptLength: Math.min(wishes.maxPromptLength ?? 512, Math.floor(maxLength / 2)),
    batch: wishes.batch ?? 1,
    accumulation: wishes.accumulation ?? 2,
    steps: wishes.steps ?? null,
    seed: wishes.seed ?? 0,
    mask: { ...noMask, ...wishes.mask },
  };
}

/** Three passes over so many records. */
export function usualSteps(
  records: number,
  { batch, accumulation }: { batch: number; accumulation: number },
): number {
  return Math.max(1, Math.ceil((epochs * records) / (batch * accumulation)));
}
