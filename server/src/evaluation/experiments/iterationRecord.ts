// What experiments keep of an iteration: its texts, its marks, its signals, its cost.
import { z } from 'zod';
import { Signal, type Iteration } from '../../protocol/index.ts';
import { spreadOf } from '../../reasoning/index.ts';

export const IterationRecord = z.object({
  index: z.int().nonnegative(),
  thinking: z.string(),
  reflection: z.string(),
  answer: z.string(),
  /** The critic's, 0 to 1; null without one. */
  score: z.number().nullable(),
  /** How far the critic's two readings lie apart. */
  spread: z.number(),
  signals: z.array(Signal),
  generated: z.int().nonnegative(),
  /** Whether it set out from the reflection before it. */
  mendsReflection: z.boolean(),
});
export type IterationRecord = z.infer<typeof IterationRecord>;

export function iterationRecord(iteration: Iteration): IterationRecord {
  const { index, thinking, reflection, answer, score, signals, tokens, rubrics, feedback } = iteration;
  return {
    ...{ index, thinking, reflection, answer, score, signals },
    spread: spreadOf(rubrics ?? []),
    generated: tokens.generated,
    mendsReflection: feedback?.from === 'reflection',
  };
}

/** How an iteration is called in tables and charts. */
export function iterationName(index: number): string {
  return index === 0 ? '0 (draft)' : String(index);
}
