// The gate that a trained adapter has to pass before it is offered. Must not import anything that runs.
import { z } from 'zod';
import { Estimate } from './evaluation.ts';

/** One thing that the gate looks at. */
export const GateCheck = z.object({
  name: z.enum(['marker-adoption', 'answer-margin', 'heldout-accuracy', 'perplexity']),
  /** `improve`: it has to get better; `keep`: it must not get worse. */
  must: z.enum(['improve', 'keep']),
  passed: z.boolean(),
  /** Means without the adapter (of phase II: with the one of phase I), and with it. */
  before: z.number().nullable(),
  after: z.number().nullable(),
  /** Mean change with its 95 % interval: over held-out pairs, or over texts. */
  change: Estimate,
  /** In a sentence, with the numbers. */
  says: z.string(),
});
export type GateCheck = z.infer<typeof GateCheck>;

export const GateVerdict = z.object({
  schema: z.literal(1),
  time: z.iso.datetime(),
  phase: z.union([z.literal(1), z.literal(2)]),
  /** Whether the adapter is offered; otherwise it is kept, and `why` says why. */
  offered: z.boolean(),
  why: z.string(),
  /** Held-out pairs that it was judged by. */
  pairs: z.int().nonnegative(),
  checks: z.array(GateCheck),
});
export type GateVerdict = z.infer<typeof GateVerdict>;
