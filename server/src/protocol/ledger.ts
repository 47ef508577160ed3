// The decisions ledger: one JSON line per decision of the writer, never changed afterwards.
// Preference pairs are derived from these lines, so a line holds all that a later derivation may ask for.
import { z } from 'zod';
import { BlockId, NotePlace, Provenance, RunId, SegmentKind } from './reasoning.ts';

export const DecisionKind = z.enum([
  'offer',
  'accept',
  'accept-edited',
  'reject',
  'regenerate',
  'pick',
  'hunk',
  'rate',
  'curate',
  'forget',
]);
export type DecisionKind = z.infer<typeof DecisionKind>;

/**
 * The texts a decision was about. `paragraph` is the writer's own before the decision, `offered` the
 * model's answer as written, `result` what stands in the note afterwards (null: nothing of it).
 */
export const DecisionTexts = z.object({
  question: z.string(),
  paragraph: z.string(),
  thinking: z.string(),
  reflection: z.string(),
  offered: z.string(),
  result: z.string().nullable(),
  reason: z.string().nullable(),
});
export type DecisionTexts = z.infer<typeof DecisionTexts>;

/** What the writer thinks of one section of an iteration. */
export const Rating = z.object({ segment: SegmentKind, value: z.enum(['up', 'down']) });
export type Rating = z.infer<typeof Rating>;

/** One place of an accepted answer that the writer took over or left as it was. */
export const HunkDecision = z.object({
  /** Which of the answer's hunks, from 0, and how many there were. */
  index: z.int().nonnegative(),
  of: z.int().positive(),
  accepted: z.boolean(),
  /** The paragraph's words and the answer's. */
  before: z.string(),
  after: z.string(),
});
export type HunkDecision = z.infer<typeof HunkDecision>;

/** One line of `.preflexor/ledger/<device>.jsonl`. */
export const LedgerRecord = z.object({
  schema: z.literal(1),
  id: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'not a ULID'),
  time: z.iso.datetime(),
  device: z.string().regex(/^[0-9a-z]{8,32}$/, 'not a device id'),
  block: BlockId,
  /** null: the block's run is not known here (the note came from elsewhere). */
  run: RunId.nullable(),
  kind: DecisionKind,
  iteration: z.int().nonnegative(),
  texts: DecisionTexts,
  note: NotePlace,
  provenance: Provenance.nullable(),
  /** `rate` only. */
  rating: Rating.optional(),
  /** `pick` only: the iteration that was shown before, and that the writer passed over. */
  over: z.int().nonnegative().optional(),
  /** `hunk` only. */
  hunk: HunkDecision.optional(),
});
export type LedgerRecord = z.infer<typeof LedgerRecord>;
