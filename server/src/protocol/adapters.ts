// Adapters in the editor: which there are, which is in use, and the blind comparison of two of them.
// Must not import anything that runs.
import { z } from 'zod';
import { ModelIdentity } from './reasoning.ts';
import { AdapterId, HeldoutResult } from './training.ts';

/** An adapter as lists show it. */
export const AdapterListing = z.object({
  id: AdapterId,
  created: z.iso.datetime(),
  base: ModelIdentity,
  /** Whether it belongs to the model that the settings name, by the hash of its file. */
  fits: z.boolean(),
  active: z.boolean(),
  /** What it comes from, in a few words. */
  origin: z.string(),
  heldout: HeldoutResult.nullable(),
  /** What the gate said; null: it was not asked. */
  verdict: z.object({ offered: z.boolean(), why: z.string() }).nullable(),
  /** Something that it was trained on was forgotten. */
  forgotten: z.boolean(),
});
export type AdapterListing = z.infer<typeof AdapterListing>;

export const AdaptersState = z.object({
  /** The model that the settings name. */
  model: ModelIdentity,
  /** In use on it; null: none. */
  active: AdapterId.nullable(),
  /** What Roll Back puts into use: an adapter, null for the model without one; left out, there is nothing before. */
  before: AdapterId.nullable().optional(),
  /** Why an adapter that was in use is not any more, and what to do; null: nothing is wrong. */
  problem: z.string().nullable(),
  adapters: z.array(AdapterListing),
});
export type AdaptersState = z.infer<typeof AdaptersState>;

/** Two answers to one question, without a word of which is whose. */
export const BlindComparison = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/, 'not the id of a comparison'),
  question: z.string(),
  first: z.string(),
  second: z.string(),
});
export type BlindComparison = z.infer<typeof BlindComparison>;

/** Which adapter wrote which answer; null: the model without one. */
export const RevealedComparison = z.object({
  first: AdapterId.nullable(),
  second: AdapterId.nullable(),
  /** Whether a preference pair was made of it. */
  recorded: z.boolean(),
  /** What the writer is to know of the recording; null: nothing. */
  warning: z.string().nullable(),
});
export type RevealedComparison = z.infer<typeof RevealedComparison>;
