// Passages of the notes and papers, and the index they come from.
import { z } from 'zod';
import { BlockId, Passage, RunId, SectionSources } from '../reasoning.ts';
import { IndexStatus, IndexedAnswer, SearchFilter } from '../retrieval.ts';
import { Position, ProgressToken, Range, TextDocument } from '../text.ts';
import { notification, ofFolder, request } from './kinds.ts';

/** A passage with the address of its file; null where its source does not lie in the folder. */
export const LocatedPassage = Passage.extend({ uri: z.string().nullable() });
export type LocatedPassage = z.infer<typeof LocatedPassage>;

/** Passages that were found, the best first. Empty with `nothingRelevant` when no passage is good enough. */
export const FoundPassages = z.object({
  passages: z.array(LocatedPassage),
  nothingRelevant: z.boolean(),
  /** The best cosine similarity that was seen, and the threshold that it was held against. */
  best: z.number().nullable(),
  threshold: z.number(),
});
export type FoundPassages = z.infer<typeof FoundPassages>;

const mostPassages = z.int().min(1).max(100);

export const searchRequest = request(
  'preflexor/search',
  z.object({
    ...ofFolder,
    query: z.string().trim().min(1).max(10_000),
    k: mostPassages.optional(),
    filter: SearchFilter.optional(),
  }),
  FoundPassages,
);

/** What the notes and papers say about the paragraph at a position; the note itself is left out. */
export const relatedRequest = request(
  'preflexor/related',
  z.object({ textDocument: TextDocument, position: Position, k: mostPassages.optional() }),
  FoundPassages.extend({
    /** The paragraph; null: there is none at this position, and no passages. */
    paragraph: Range.nullable(),
  }),
);

/** The passages of a run, by its id or by its block, and which section of which iteration each supports. */
export const sourcesRequest = request(
  'preflexor/sources',
  z
    .object({ textDocument: TextDocument, run: RunId.optional(), block: BlockId.optional() })
    .refine(({ run, block }) => (run === undefined) !== (block === undefined), {
      error: 'either run or block names what is asked for',
    }),
  z.object({
    run: RunId,
    block: BlockId,
    passages: z.array(LocatedPassage),
    sections: z.array(SectionSources),
    unknownCitations: z.array(z.string()),
  }),
);

export const IndexAction = z.enum(['start', 'pause', 'resume', 'rebuild']);
export type IndexAction = z.infer<typeof IndexAction>;

export const indexRequest = request(
  'preflexor/index',
  z.object({ ...ofFolder, action: IndexAction, workDoneToken: ProgressToken.optional() }),
  z.object({ folders: z.array(IndexStatus) }),
);

export const indexStatusRequest = request(
  'preflexor/indexStatus',
  z.object(ofFolder),
  z.object({ folders: z.array(IndexStatus) }),
);

export const whyNotIndexedRequest = request(
  'preflexor/whyNotIndexed',
  z.object({ uri: z.string().min(1) }),
  IndexedAnswer,
);

export const indexNotification = notification('preflexor/didChangeIndex', IndexStatus);
