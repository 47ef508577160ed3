// The curation board: which pairs are asked for, what is shown of them, and what is done with them. Shared by the
// server's methods and the board's own messages.
import { z } from 'zod';
import { CurationAction } from './ledger.ts';
import {
  EntryId,
  PairCuration,
  PairId,
  PairMeta,
  PairProblem,
  PairProblemCode,
  PairSignal,
  PairSplit,
  PreferencePair,
} from './pairs.ts';
import { Range } from './text.ts';

/** Which pairs are meant by what the writer did with them. */
export const PairStateFilter = z.enum([
  /** Those that are trained on. */
  'kept',
  /** Those in which a check found something, and that the writer has not looked at since. */
  'waiting',
  'excluded',
  /** Those that the writer curated in any way. */
  'curated',
  'all',
]);
export type PairStateFilter = z.infer<typeof PairStateFilter>;

/** A pair has to fit all that is said. */
export const PairFilter = z.object({
  state: PairStateFilter.optional(),
  /** All of these words, wherever they stand in it: in prompt, texts, reasons, tags or the note's path. */
  text: z.string().max(1000).optional(),
  /** Pairs about passages of the notes that mean something like this, by the note index. */
  meaning: z.string().trim().min(1).max(1000).optional(),
  signals: z.array(PairSignal).optional(),
  findings: z.array(PairProblemCode).optional(),
  split: PairSplit.optional(),
  /** By its path in the workspace. */
  note: z.string().optional(),
  tag: z.string().optional(),
});
export type PairFilter = z.infer<typeof PairFilter>;

export const PairOrder = z.enum(['newest', 'oldest', 'weakest', 'strongest', 'note', 'longest']);
export type PairOrder = z.infer<typeof PairOrder>;

/** What a list shows of a pair. */
export const PairRow = PairMeta.pick({
  time: true,
  signal: true,
  strength: true,
  about: true,
  split: true,
  consent: true,
}).extend({
  /** The pair as it was derived: by this id it is known on the board, whatever the writer makes of it. */
  pair: PairId,
  /** The note's path; null: it came in with a file that does not say. */
  note: z.string().nullable(),
  /** The first words of the two answers; null: it has one side. */
  chosen: z.string().nullable(),
  rejected: z.string().nullable(),
  findings: z.array(PairProblemCode),
  curation: PairCuration.nullable(),
});
export type PairRow = z.infer<typeof PairRow>;

/** How many pairs of the folder have each. */
export const PairCounts = z.object({
  all: z.int().nonnegative(),
  kept: z.int().nonnegative(),
  waiting: z.int().nonnegative(),
  excluded: z.int().nonnegative(),
  curated: z.int().nonnegative(),
  signals: z.array(z.object({ name: PairSignal, count: z.int().nonnegative() })),
  findings: z.array(z.object({ name: PairProblemCode, count: z.int().nonnegative() })),
  splits: z.array(z.object({ name: PairSplit, count: z.int().nonnegative() })),
  notes: z.array(z.object({ name: z.string(), count: z.int().nonnegative() })),
  tags: z.array(z.object({ name: z.string(), count: z.int().nonnegative() })),
});
export type PairCounts = z.infer<typeof PairCounts>;

export const PairPage = z.object({
  /** Name of the folder whose pairs these are. */
  folder: z.string(),
  /** How many pairs fit, and which of them these rows are. */
  matching: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  rows: z.array(PairRow),
  counts: PairCounts,
  /** What is true of the set as a whole, each in a sentence. */
  remarks: z.array(z.string()),
  /** The checks are still at work: findings may come. */
  checking: z.boolean(),
  /** Lines of the ledger and of imported files that could not be used. */
  setAside: z.int().nonnegative(),
  /** Why a search by meaning found what it found; null: it was none, or it went as it should. */
  searchProblem: z.string().nullable(),
});
export type PairPage = z.infer<typeof PairPage>;

/** A state that a pair was in. */
export const PairHistoryState = z.object({
  /** The ledger's line that made it so; null: as it was derived. */
  entry: EntryId.nullable(),
  time: z.iso.datetime(),
  /** What the writer did; null: nothing yet. */
  action: CurationAction.nullable(),
  chosen: z.string().nullable(),
  rejected: z.string().nullable(),
});
export type PairHistoryState = z.infer<typeof PairHistoryState>;

export const PairDetail = z.object({
  row: PairRow,
  pair: PreferencePair,
  findings: z.array(PairProblem),
  /** The first one as it was derived, the last one as it is. */
  history: z.array(PairHistoryState),
  /** Where in the notes it came from; null: not known, or gone. */
  place: z.object({ uri: z.string(), range: Range }).nullable(),
});
export type PairDetail = z.infer<typeof PairDetail>;

/** Pairs by name, or all that fit. */
export const PairChoice = z.union([z.array(PairId).min(1).max(50_000), PairFilter]);
export type PairChoice = z.infer<typeof PairChoice>;

export const CurationResult = z.object({
  /** Pairs that were changed. */
  changed: z.array(PairId),
  /** Pairs that stayed as they were, and why. */
  refused: z.array(z.object({ pair: PairId, reason: z.string() })),
  /** Set when the ledger of this folder could not be written and the entries wait elsewhere. */
  warning: z.string().nullable(),
});
export type CurationResult = z.infer<typeof CurationResult>;
