// Adapters: which is in use, and which of two answers better.
import { z } from 'zod';
import { AdaptersState, BlindComparison, RevealedComparison } from '../adapters.ts';
import { Position, ProgressToken, TextDocument } from '../text.ts';
import { AdapterId } from '../training.ts';
import { request } from './kinds.ts';

export const adaptersRequest = request('preflexor/adapters', z.object({}), AdaptersState);

/** Puts an adapter into use on its model, from the next run on; null: the model is to run without. */
export const useAdapterRequest = request(
  'preflexor/useAdapter',
  z.object({ adapter: AdapterId.nullable() }),
  AdaptersState,
);

/** Puts what was in use before into use again. */
export const rollBackAdapterRequest = request('preflexor/rollBackAdapter', z.object({}), AdaptersState);

/** Has the paragraph at a position answered with an adapter and with what is in use, in an order that chance gives. */
export const compareAdaptersRequest = request(
  'preflexor/compareAdapters',
  z.object({
    textDocument: TextDocument,
    position: Position,
    adapter: AdapterId.nullable(),
    seed: z.int().nonnegative().optional(),
    workDoneToken: ProgressToken.optional(),
  }),
  BlindComparison,
);

/** What the writer thinks of a comparison: it becomes a preference pair, and is revealed. */
export const judgeComparisonRequest = request(
  'preflexor/judgeComparison',
  z.object({
    comparison: BlindComparison.shape.id,
    better: z.enum(['first', 'second', 'neither']),
  }),
  RevealedComparison,
);
