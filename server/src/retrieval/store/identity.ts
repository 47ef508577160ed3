// What makes the rows of an index comparable, and which version of our own tables they are kept in.
import { z } from 'zod';
import type { EmbedderIdentity } from '../ports.ts';

/**
 * Version of the tables' columns, counted up with each change; `migrations.ts` leads from one to the next.
 * 1: tags as written. 2: `tag_keys`, so that tags are compared without case by an index.
 */
export const schemaVersion = 2;

export const IndexIdentity = z.object({
  embedder: z.object({
    id: z.string().min(1),
    sha256: z.string().min(1),
    dimensions: z.int().positive(),
    maxTokens: z.int().positive(),
  }),
  /** Versions of what makes documents out of files and chunks out of documents. */
  reader: z.string(),
  chunker: z.string(),
});
/** Another identity means another generation of tables, built beside the one that serves. */
export interface IndexIdentity {
  readonly embedder: EmbedderIdentity;
  readonly reader: string;
  readonly chunker: string;
}

/** Whether vectors of one index can be held against vectors of the other. */
export function sameEmbedder(one: IndexIdentity, other: IndexIdentity): boolean {
  return (
    one.embedder.sha256 === other.embedder.sha256 &&
    one.embedder.id === other.embedder.id &&
    one.embedder.dimensions === other.embedder.dimensions &&
    one.embedder.maxTokens === other.embedder.maxTokens
  );
}

export function sameIdentity(one: IndexIdentity, other: IndexIdentity): boolean {
  return sameEmbedder(one, other) && one.reader === other.reader && one.chunker === other.chunker;
}
