// The decisions ledger: one JSON line per decision of the writer, never changed afterwards.
// Preference pairs are derived from these lines, so a line holds all that a later derivation may ask for.
import { z } from 'zod';
import { EntryId, PairId, PairMeta } from './pairs.ts';
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
  'compare',
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

export const PairSide = z.enum(['chosen', 'rejected']);
export type PairSide = z.infer<typeof PairSide>;

export const PairTag = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .regex(/^[^,\p{Cc}]+$/u, 'a tag has no comma and no line end');

/** What the writer does to a pair. Each works on the pair as the entries before left it. */
export const CurationAction = z.discriminatedUnion('do', [
  /** Says it otherwise. A lone pair gets its other side in this way. */
  z.object({ do: z.literal('edit'), side: PairSide, text: z.string().trim().min(1).max(1_000_000) }),
  /** What was chosen is the rejected text, and the other way round. */
  z.object({ do: z.literal('flip') }),
  z.object({ do: z.literal('exclude'), reason: z.string().trim().max(1000) }),
  z.object({ do: z.literal('include') }),
  z.object({ do: z.literal('tag'), tag: PairTag, on: z.boolean() }),
  z.object({ do: z.literal('rate'), strength: z.number().min(0).max(1) }),
  /** Looked at, and right as it is. */
  z.object({ do: z.literal('review') }),
  /**
   * Each thing in which its texts differ becomes a pair of its own: each section, or, where only the answers differ,
   * each place of the answer. The pair itself rests.
   */
  z.object({ do: z.literal('split') }),
  /**
   * Takes the other side from another pair with the same prompt: its chosen text is held against the other's rejected
   * one, where both have both. The other one rests. With a part of the same pair: what was split is whole again.
   */
  z.object({
    ...{ do: z.literal('merge'), with: PairId },
    /** The decisions of the other one, by which it is known again; the server puts them in. */
    entries: z.array(EntryId).optional(),
  }),
  /** As it was after this entry; null: as it was derived. */
  z.object({ do: z.literal('revert'), to: EntryId.nullable() }),
]);
export type CurationAction = z.infer<typeof CurationAction>;

/** One pair, changed by the writer. The pair itself is derived: this is what is laid over it. */
export const Curation = z.object({
  /** The pair as it is derived, or was imported. */
  pair: PairId,
  /** By these it is known again when what it is derived from gives another text: a paragraph that was rewritten. */
  entries: z.array(EntryId),
  about: PairMeta.shape.about,
  action: CurationAction,
  /** Shared by all entries of one change, which are undone together. */
  change: EntryId,
  /** The change that this one takes back. */
  undoes: EntryId.optional(),
});
export type Curation = z.infer<typeof Curation>;

/**
 * Two answers to the same question, of which the writer preferred one without knowing whose it is. The preferred one
 * is the record's own; here is the other.
 */
export const ComparedAnswer = z.object({
  thinking: z.string(),
  reflection: z.string(),
  answer: z.string(),
  adapter: z.string().nullable(),
});
export type ComparedAnswer = z.infer<typeof ComparedAnswer>;

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
  /** The writer had recording switched off: that they decided is kept, and no text of it; nothing is learnt from it. */
  recording: z.literal('off').optional(),
  /** `compare` only. */
  compared: ComparedAnswer.optional(),
  /** `curate` only. */
  curation: Curation.optional(),
});
export type LedgerRecord = z.infer<typeof LedgerRecord>;
