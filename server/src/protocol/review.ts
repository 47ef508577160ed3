// The review of a suggestion change by change, as the server tells it. Nothing of the note changes before it is applied.
import { z } from 'zod';
import { BlockId } from './reasoning.ts';
import { Position, Range, TextDocument } from './text.ts';

/** `open`: the writer has not decided on it yet. */
export const HunkState = z.enum(['open', 'taken', 'left']);
export type HunkState = z.infer<typeof HunkState>;

/** One place where the suggestion differs from the paragraph. */
export const ReviewedHunk = z.object({
  /** The paragraph's words in the note; empty where there are only new ones. */
  range: Range,
  /** The paragraph's words and the suggestion's. */
  before: z.string(),
  after: z.string(),
  state: HunkState,
});
export type ReviewedHunk = z.infer<typeof ReviewedHunk>;

export const Review = z.object({
  block: BlockId,
  paragraph: Range,
  hunks: z.array(ReviewedHunk).min(1),
  /** The hunk that is decided on next, from 0. */
  current: z.int().nonnegative(),
});
export type Review = z.infer<typeof Review>;

/** How a review ended: carried out, given up, or overtaken by a change of its paragraph or its suggestion. */
export const ReviewEnd = z.enum(['applied', 'given-up', 'overtaken']);
export type ReviewEnd = z.infer<typeof ReviewEnd>;

const here = { textDocument: TextDocument };
/** The cursor: a hunk that it stands in is meant, else the current one. */
const cursor = { position: Position.optional() };

export const ReviewParams = z.discriminatedUnion('action', [
  z.object({ ...here, action: z.literal('begin'), block: BlockId }),
  z.object({ ...here, ...cursor, action: z.literal('take') }),
  z.object({ ...here, ...cursor, action: z.literal('leave') }),
  /** All that are still open. */
  z.object({ ...here, action: z.literal('take-rest') }),
  z.object({ ...here, action: z.literal('leave-rest') }),
  z.object({ ...here, ...cursor, action: z.literal('next') }),
  z.object({ ...here, ...cursor, action: z.literal('previous') }),
  z.object({ ...here, action: z.literal('apply') }),
  z.object({ ...here, action: z.literal('give-up') }),
]);
export type ReviewParams = z.infer<typeof ReviewParams>;

/** What can be done once it has begun. */
export const ReviewStep = z.enum([
  'take',
  'leave',
  'take-rest',
  'leave-rest',
  'next',
  'previous',
  'apply',
  'give-up',
] as const satisfies readonly ReviewParams['action'][]);
export type ReviewStep = z.infer<typeof ReviewStep>;
