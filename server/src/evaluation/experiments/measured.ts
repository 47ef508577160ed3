// What an adapter does on held-out pairs, before and after its training, as the gate measures it; and the figures that
// experiments with masks have in common.
import { z } from 'zod';
import type { Figure } from '../../protocol/index.ts';
import type { Reading } from '../experiment.ts';
import { figure } from '../figures.ts';

const Means = z.object({ chosen: z.number(), rejected: z.number() });
const Pair = z.object({ before: Means, after: Means });
const Value = z.object({ before: z.number(), after: z.number() });

/** In nats a token, by held-out pair; probabilities by prompt; perplexity by text. */
export const Measured = z.object({
  /** Without their sections. */
  answers: z.array(Pair),
  wholes: z.array(Pair),
  /** The probability that the model begins with its thinking. */
  adoption: z.array(Value),
  perplexity: z.array(Value),
});
export interface Measured {
  readonly answers: readonly z.infer<typeof Pair>[];
  readonly wholes: readonly z.infer<typeof Pair>[];
  readonly adoption: readonly z.infer<typeof Value>[];
  readonly perplexity: readonly z.infer<typeof Value>[];
}

export interface TrainedResult {
  readonly steps: number;
  /** Of the held-out pairs at the end. */
  readonly loss: number | null;
  readonly measured: Measured;
}
export const TrainedResult: z.ZodType<TrainedResult> = z.object({
  steps: z.int().nonnegative(),
  loss: z.number().nullable(),
  measured: Measured,
});

function margin({ chosen, rejected }: z.infer<typeof Means>): number {
  return chosen - rejected;
}

/** By how much training widened the margin of each held-out pair. */
export function gains(pairs: Measured['answers']): number[] {
  return pairs.map(({ before, after }) => margin(after) - margin(before));
}

/** Gain of the answers' margins, and of the whole texts'. */
export function gainFigures(of: string, { answers, wholes }: Measured, { estimate }: Reading): Figure[] {
  return [
    figure(of, 'answers alone', estimate(gains(answers))),
    figure(of, 'whole texts', estimate(gains(wholes))),
  ];
}

/** Share of held-out pairs whose chosen text is the likelier one. */
export function accuracyFigure(of: string, { wholes }: Measured, { share }: Reading): Figure {
  return figure(of, 'right', share(wholes.map(({ after }) => margin(after) > 0)));
}

/** What the form came to, and what it cost: perplexity as a ratio to the model without adapter. */
export function costFigures(of: string, { adoption, perplexity }: Measured, { estimate }: Reading): Figure[] {
  return [
    figure(of, 'begins with its thinking', estimate(adoption.map(({ after }) => after))),
    figure(of, 'perplexity ratio', estimate(perplexity.map(({ before, after }) => after / before))),
  ];
}
