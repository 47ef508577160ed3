// Retrieval: what is indexed, what a search gives, and what the editor shows of both.
// A passage itself is in reasoning.ts, because runs store it.
import { z } from 'zod';
import { Passage } from './reasoning.ts';

export const DocumentKind = z.enum(['markdown', 'latex', 'pdf', 'html', 'text', 'bibtex']);
export type DocumentKind = z.infer<typeof DocumentKind>;

/** Why a file is not in the index. The reason is also told in a sentence. */
export const RefusalCode = z.enum([
  'excluded',
  'too-large',
  'encrypted',
  'no-text',
  'damaged',
  'not-text',
  'unreadable',
  'unknown-kind',
  'empty',
]);
export type RefusalCode = z.infer<typeof RefusalCode>;

/** Narrows a search. What is left out does not narrow. */
export const SearchFilter = z.object({
  /** Folders relative to the workspace, with forward slashes; any of them holds the source. */
  folders: z.array(z.string()).optional(),
  /** Any of these tags (front matter or `#tag`), without `#`, compared without case. */
  tags: z.array(z.string()).optional(),
  kinds: z.array(DocumentKind).optional(),
  /** Modified at or after, and before, this time. */
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  /** Sources to be left out, relative to the workspace: the note in hand. */
  notSources: z.array(z.string()).optional(),
});
export type SearchFilter = z.infer<typeof SearchFilter>;

/** What a search gives. `passages` is empty when nothing is relevant, and `nothingRelevant` says so. */
export const SearchResult = z.object({
  passages: z.array(Passage),
  nothingRelevant: z.boolean(),
  /** The best closeness that was seen (cosine similarity, and what shared words add), and the calibrated threshold. */
  best: z.number().nullable(),
  threshold: z.number(),
});
export type SearchResult = z.infer<typeof SearchResult>;

export const FailedFile = z.object({ path: z.string(), code: RefusalCode, reason: z.string() });
export type FailedFile = z.infer<typeof FailedFile>;

/** What `preflexor index --json` prints. */
export const IndexReport = z.object({
  files: z.object({
    added: z.int().nonnegative(),
    changed: z.int().nonnegative(),
    removed: z.int().nonnegative(),
    renamed: z.int().nonnegative(),
    unchanged: z.int().nonnegative(),
    failed: z.array(FailedFile),
  }),
  chunks: z.int().nonnegative(),
  embedded: z.int().nonnegative(),
  seconds: z.number().nonnegative(),
});
export type IndexReport = z.infer<typeof IndexReport>;

/** The index of one workspace folder, as a whole snapshot. */
export const IndexStatus = z.object({
  /** The workspace folder. */
  root: z.string(),
  state: z.enum(['off', 'idle', 'scanning', 'indexing', 'paused', 'failed']),
  /** Files known to the index, and chunks in it. */
  files: z.int().nonnegative(),
  chunks: z.int().nonnegative(),
  /** Of the run that is going on: files done, of so many. */
  done: z.int().nonnegative(),
  total: z.int().nonnegative(),
  failed: z.array(FailedFile),
  embedder: z.string().nullable(),
  /** What went wrong, or what is being done about it (`rebuilding`), in a sentence. */
  message: z.string().nullable(),
});
export type IndexStatus = z.infer<typeof IndexStatus>;

/** The answer to "why is this file not indexed?". */
export const IndexedAnswer = z.object({
  path: z.string(),
  indexed: z.boolean(),
  chunks: z.int().nonnegative(),
  code: RefusalCode.nullable(),
  /** A sentence that names the rule and where it stands: `notes/.gitignore, line 3: drafts/`. */
  reason: z.string(),
});
export type IndexedAnswer = z.infer<typeof IndexedAnswer>;

/** A node or edge of the dynamic knowledge graph (method, section 3). */
export const GraphNode = z.object({
  id: z.string(),
  kind: z.enum(['document', 'heading', 'chunk', 'citation', 'concept', 'question', 'answer']),
  label: z.string(),
  /** Of a concept or a citation: how many documents have it. A concept of nearly all says little of any. */
  documents: z.int().nonnegative().optional(),
});
export type GraphNode = z.infer<typeof GraphNode>;

/**
 * Where a claim of the graph can be read. Offsets as in a passage; with the source `run:<id>`, which is no file,
 * they are of that run's `final` text, and with `sample:<key>` of the `chosen` text of a sample of self-teaching.
 */
export const Evidence = z.object({
  source: z.string(),
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
});
export type Evidence = z.infer<typeof Evidence>;

export const GraphEdge = z.object({
  from: z.string(),
  to: z.string(),
  kind: z.enum([
    'contains',
    'mentions',
    'cites',
    'asked-from',
    'retrieved-for',
    'answers',
    'supports',
    'accepted',
  ]),
  /** The first places where it can be read, few of many. */
  evidence: z.array(Evidence),
  /** How many places there are. */
  count: z.int().positive(),
});
export type GraphEdge = z.infer<typeof GraphEdge>;

export const Graph = z.object({ nodes: z.array(GraphNode), edges: z.array(GraphEdge) });
export type Graph = z.infer<typeof Graph>;
