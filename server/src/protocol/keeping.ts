// Taking preference pairs out of a folder and into it, and taking back what is known of its notes: what both doors say
// of what they did.
import { z } from 'zod';
import { PairId } from './pairs.ts';

const Count = z.int().nonnegative();

export const PairsExport = z.object({
  /** Absolute paths of the files that were written. */
  files: z.array(z.string()),
  exported: Count,
  /** Pairs that are in none of them, and why. */
  leftOut: z.array(z.object({ id: PairId, reason: z.string() })),
});
export type PairsExport = z.infer<typeof PairsExport>;

export const PairsImport = z.object({
  imported: Count,
  /** Pairs that were here. */
  known: Count,
  refused: z.array(z.object({ file: z.string(), line: Count, reason: z.string() })),
});
export type PairsImport = z.infer<typeof PairsImport>;

export const Forgotten = z.object({
  /** The note's path in the workspace; null: everything. */
  note: z.string().nullable(),
  removed: z.object({
    ledger: Count,
    damagedLines: Count,
    runs: Count,
    unfinished: Count,
    imported: Count,
    documents: Count,
    graph: Count,
    /** Runs of self-teaching, and experiments, that something of it was in. */
    teaching: Count,
    /** Folders and files that were caches. */
    caches: Count,
  }),
  /** Adapters that were trained on it, by what is known of exported files. */
  adapters: z.object({ marked: z.array(z.string()), unknown: z.array(z.string()) }),
  /** What could not be removed, each in a sentence. */
  remaining: z.array(z.string()),
});
export type Forgotten = z.infer<typeof Forgotten>;
