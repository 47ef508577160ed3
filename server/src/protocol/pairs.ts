// Preference pairs as they are derived, checked, listed, imported and exported. A pair is never stored by itself:
// it follows from the ledger and the runs, or came in with a file.
import { z } from 'zod';
import { NotePlace, Provenance, RunId, SegmentKind } from './reasoning.ts';
import { OffsetRange } from './text.ts';
import { PairMessage } from './training.ts';

/** What of the writer's doing says which text is better. */
export const PairSignal = z.enum([
  /** The suggestion was accepted with changes: what was left standing against what the model wrote. */
  'edit',
  /** The same, but the accepted text was rewritten later on. */
  'settled',
  /** One suggestion was rejected, and a later one for the same question and paragraph accepted. */
  'regenerate',
  /** One iteration was picked over another. */
  'pick',
  /** Some of the suggestion's changes were taken, and others were not. */
  'hunk',
  /** Accepted with nothing to compare with; the rejected text is to be drawn from the current model. */
  'accept',
  'reject',
  /** Sections of two iterations were rated, one up and one down; or a section was, with nothing to compare with. */
  'rate',
  /** Two answers were compared blindly. */
  'compare',
  /** Made by the on-the-fly dataset (method, section 3). */
  'generated',
  /** Came in with a file that does not say. */
  'imported',
]);
export type PairSignal = z.infer<typeof PairSignal>;

/** What a person reads of it, in every view. */
export const pairSignalNames: Record<PairSignal, string> = {
  edit: 'Edited, then accepted',
  settled: 'Rewritten after accepting',
  regenerate: 'Rejected, then accepted anew',
  pick: 'Picked over another',
  hunk: 'Some changes taken',
  accept: 'Accepted as it was',
  reject: 'Rejected',
  rate: 'Rated',
  compare: 'Preferred in a blind comparison',
  generated: 'Generated',
  imported: 'Imported',
};

/** A section of a completion; offsets are UTF-16 units of its text. */
export const PairSpan = z.object({
  kind: SegmentKind,
  /** The text between the markers, and with them. An answer has no markers. */
  content: OffsetRange,
  whole: OffsetRange,
});
export type PairSpan = z.infer<typeof PairSpan>;

/** A passage that the prompt shows. Its text is in the prompt. */
export const PairPassage = z.object({
  id: z.string(),
  source: z.string(),
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
});
export type PairPassage = z.infer<typeof PairPassage>;

export const PairSplit = z.enum(['train', 'held-out']);
export type PairSplit = z.infer<typeof PairSplit>;

/** The id of a ledger's line. */
export const EntryId = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'not a ULID');
export const PairId = z.string().regex(/^[0-9a-f]{32}$/, 'not the id of a pair (32 hex digits)');

/** What the writer made of a pair afterwards. The pair's own fields are as they left it. */
export const PairCuration = z.object({
  /** The id of the pair as it was derived or imported; its own id is that of its present texts. */
  origin: PairId,
  /** Why it is not to be trained on; null: it is. */
  excluded: z.string().nullable(),
  tags: z.array(z.string()),
  /** Sides that the writer wrote anew. */
  edited: z.array(z.enum(['chosen', 'rejected'])),
  flipped: z.boolean(),
  /** The writer looked at it. */
  reviewed: z.boolean(),
  /** The pair that it is a part of, where that was split. */
  partOf: PairId.optional(),
  /** Pairs that were merged into it. */
  merged: z.array(PairId).optional(),
  /** The ledger's lines that say so. */
  entries: z.array(EntryId),
});
export type PairCuration = z.infer<typeof PairCuration>;

/** All of a pair but its prompt and its texts: `meta` in the canonical export. */
export const PairMeta = z.object({
  schema: z.literal(1),
  /** sha256 of prompt, texts and `about`, 32 hex digits: the same content is the same pair, wherever derived. */
  id: PairId,
  /** When the writer decided. */
  time: z.iso.datetime(),
  signal: PairSignal,
  /** How much the signal is to be trusted, 0 to 1. */
  strength: z.number().min(0).max(1),
  /** What the two texts differ by: ratings are about one section, all else about the whole completion. */
  about: z.union([z.literal('whole'), SegmentKind]),
  /** `rejected`: a lone accept, whose counterpart is drawn from the current model when a training set is built. */
  wants: z.literal('rejected').nullable(),
  spans: z.object({ chosen: z.array(PairSpan), rejected: z.array(PairSpan) }),
  passages: z.array(PairPassage),
  /** null: the pair came in with a file that does not say. */
  note: NotePlace.nullable(),
  /** The ledger's lines that the pair follows from. */
  entries: z.array(EntryId),
  runs: z.object({ chosen: RunId.nullable(), rejected: RunId.nullable() }),
  iterations: z.object({
    chosen: z.int().nonnegative().nullable(),
    rejected: z.int().nonnegative().nullable(),
  }),
  /** How the accepted text stands in the note now. */
  settled: z.enum(['kept', 'rewritten', 'gone', 'unknown']),
  /** The writer's own words on why. */
  reason: z.string().nullable(),
  /** Of the text that the model wrote. Its prompt is left out: it is the pair's prompt. */
  provenance: Provenance.omit({ prompt: true }).nullable(),
  split: PairSplit,
  /** `withdrawn`: the note has recording switched off by now; such a pair is not exported. */
  consent: z.enum(['given', 'withdrawn']),
  /** Left out: nobody has touched it. */
  curation: PairCuration.optional(),
});
export type PairMeta = z.infer<typeof PairMeta>;

/** A prompt and one or two ways to answer it. */
export const PreferencePair = PairMeta.extend({
  prompt: z.array(PairMessage).min(1).max(64),
  chosen: z.string().nullable(),
  rejected: z.string().nullable(),
}).refine(({ chosen, rejected }) => chosen !== null || rejected !== null, 'neither chosen nor rejected');
export type PreferencePair = z.infer<typeof PreferencePair>;

/** What the quality checks find. */
export const PairProblemCode = z.enum([
  'too-close',
  'too-far',
  'length-bias',
  'contradiction',
  'duplicate',
  'near-duplicate',
  'leakage',
  'truncated',
  'personal-data',
  'language',
  'no-held-out',
]);
export type PairProblemCode = z.infer<typeof PairProblemCode>;

/** A finding about some pairs, or (`pairs` empty) about the whole set. */
export const PairProblem = z.object({
  code: PairProblemCode,
  pairs: z.array(PairId),
  /** What was found, in a sentence. */
  message: z.string(),
});
export type PairProblem = z.infer<typeof PairProblem>;

export const PairFormat = z.enum(['trl', 'trl-standard', 'kto', 'llamafactory', 'axolotl', 'hf', 'csv']);
export type PairFormat = z.infer<typeof PairFormat>;
