// What became of a run in its note: the annotation block, the decision on it, the review.
import { z } from 'zod';
import { DecisionKind, LedgerRecord, Rating } from '../ledger.ts';
import { BlockId } from '../reasoning.ts';
import { Review, ReviewEnd, ReviewParams } from '../review.ts';
import { OffsetRange, Range, TextDocument } from '../text.ts';
import { notification, request } from './kinds.ts';

/** An annotation block as it stands in a note now. */
export const AnnotationBlock = z.object({
  id: BlockId,
  range: Range,
  offsets: OffsetRange,
  sections: z.array(
    z.object({
      kind: z.enum(['thinking', 'reflection', 'answer']),
      title: z.string(),
      text: z.string(),
      range: Range,
    }),
  ),
  /** `edited`: the answer's text is no longer what the model wrote (null: the run is not known here). */
  edited: z.boolean().nullable(),
});
export type AnnotationBlock = z.infer<typeof AnnotationBlock>;

const ofBlock = { textDocument: TextDocument, block: BlockId };

export const DecideParams = z.discriminatedUnion('as', [
  z.object({
    ...ofBlock,
    as: DecisionKind.extract(['accept', 'accept-edited', 'reject']),
    reason: z.string().optional(),
    /** Not on a suggestion that only the history still has: a lens may stand where its block has just gone. */
    onlyInNote: z.boolean().optional(),
  }),
  /** Use this one: the block shows this iteration from now on. */
  z.object({ ...ofBlock, as: z.literal('pick'), iteration: z.int().nonnegative() }),
  z.object({ ...ofBlock, as: z.literal('rate'), iteration: z.int().nonnegative(), rating: Rating }),
]);
export type DecideParams = z.infer<typeof DecideParams>;

export const DecideResult = z.object({
  entry: LedgerRecord,
  /** Set when the ledger of this folder could not be written and the entry waits elsewhere. */
  warning: z.string().nullable(),
});
export type DecideResult = z.infer<typeof DecideResult>;

export const decideRequest = request('preflexor/decide', DecideParams, DecideResult);

/** Reviews a suggestion change by change. Nothing of the note changes before `apply`, which is one edit. */
export const reviewRequest = request(
  'preflexor/review',
  ReviewParams,
  z.object({
    /** As it is now; null: it is over. */
    review: Review.nullable(),
    /** Of `apply`: the last line that the ledger got, as of `preflexor/decide`. */
    decision: DecideResult.nullable(),
  }),
);

export const annotationsRequest = request(
  'preflexor/annotations',
  z.object({ textDocument: TextDocument }),
  z.object({ blocks: z.array(AnnotationBlock), problems: z.array(z.string()) }),
);

export const stripRequest = request(
  'preflexor/strip',
  z.object({ textDocument: TextDocument }),
  z.object({ removed: z.int().nonnegative() }),
);

export const compareRequest = request(
  'preflexor/compare',
  z.object({ textDocument: TextDocument, block: BlockId }),
  z.object({ title: z.string(), paragraph: z.string(), answer: z.string() }),
);

export const reviewNotification = notification(
  'preflexor/didChangeReview',
  z.object({
    uri: z.string(),
    /** null: it is over. */
    review: Review.nullable(),
    /** How it ended; null while it goes on. */
    ended: ReviewEnd.nullable(),
  }),
);
