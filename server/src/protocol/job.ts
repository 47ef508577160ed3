// A training job for another machine: what `job.json` of its folder says. The records lie beside it as token ids with
// explicit masks, since other tokenisers cut the same text otherwise. Must not import anything that runs.
import { z } from 'zod';
import { ModelIdentity } from './reasoning.ts';
import { LoraTarget } from './trainer.ts';
import { PreparedCounts, TrainingParameters } from './training.ts';

/** A line of the job's data: token ids, and for each token of a completion whether it counts (1) or not (0). */
export const JobRecord = z.object({
  prompt: z.array(z.int().nonnegative()).min(1),
  chosen: z.array(z.int().nonnegative()).min(1),
  rejected: z.array(z.int().nonnegative()).min(1),
  chosen_mask: z.array(z.union([z.literal(0), z.literal(1)])).min(1),
  rejected_mask: z.array(z.union([z.literal(0), z.literal(1)])).min(1),
});
export type JobRecord = z.infer<typeof JobRecord>;

/** What this machine makes of a record before the first step; means over the tokens that count, in nats. */
export const JobExpectation = z.object({
  /** Of the record in the data, counted from 0. */
  record: z.int().nonnegative(),
  chosen: z.number(),
  rejected: z.number(),
  loss: z.number(),
});
export type JobExpectation = z.infer<typeof JobExpectation>;

export const TrainingJob = z.object({
  schema: z.literal(1),
  time: z.iso.datetime(),
  /** Of the program. */
  version: z.string(),
  model: ModelIdentity,
  /** Where the model's very file can be had by its repository; null: it is to be brought along. */
  base: z.object({ repository: z.string(), revision: z.string(), file: z.string() }).nullable(),
  parameters: TrainingParameters,
  targets: z.array(LoraTarget),
  pairs: PreparedCounts,
  heldout: PreparedCounts.nullable(),
  /** Folders of this job: the adapter to start from, and the frozen one to compare with; null: the base model. */
  start: z.literal('start').nullable(),
  reference: z.enum(['start', 'reference']).nullable(),
  expected: z.array(JobExpectation),
});
export type TrainingJob = z.infer<typeof TrainingJob>;
