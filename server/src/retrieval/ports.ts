// The ports of retrieval: what it needs from outside, and the shapes that its parts hand each other.
// Knows no library: engine/llama implements the embedder and the reranker, store/ the index, doors wire them.
import type { DocumentKind, FailedFile, RefusalCode, SearchFilter } from '../protocol/index.ts';

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * How a stretch of a block's readable text came from its source: from `at` up to the next run's `at` it stands for
 * `[start, end)` of the file. Where both are equally long they correspond unit by unit. Runs are in order in both.
 */
export interface TextRun {
  /** UTF-16 offset into `readable`. */
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/**
 * A block of a document: the smallest stretch that is never split but at sentences.
 * `[start, end)` are UTF-16 offsets into the text of the file `source` (see SourceDocument.texts).
 */
export interface Block {
  /** Relative to the workspace, forward slashes: the document's own path, or that of a file it takes in. */
  readonly source: string;
  readonly start: number;
  readonly end: number;
  /**
   * What a person reads there: without markup, tags and commands; this is what is embedded and searched. Citations
   * stand in it in pandoc's syntax, inline math between dollars.
   */
  readonly readable: string;
  /** Where each stretch of `readable` stands in the file, so that a block can be cut at its sentences. */
  readonly runs: readonly TextRun[];
  /**
   * Something that must not be read (a model's annotation, a script, a menu) stands between this block and the one
   * before it: no chunk holds both.
   */
  readonly apart: boolean;
  readonly kind: 'heading' | 'paragraph' | 'list' | 'code' | 'table' | 'math' | 'quote' | 'entry';
  /** Headings above it, outermost first. */
  readonly heading: readonly string[];
  /** Page of a PDF that it begins on, from 1. A block that goes on overleaf has a form feed in its text. */
  readonly page: number | null;
  /** Citation keys in it, each once. */
  readonly citations: readonly string[];
}

/** One file, read. */
export interface SourceDocument {
  /** Relative to the workspace, forward slashes. */
  readonly path: string;
  readonly kind: DocumentKind;
  readonly title: string;
  readonly tags: readonly string[];
  readonly blocks: readonly Block[];
  /**
   * The text of each file that blocks point into, by source: `texts[block.source].slice(start, end)` is the
   * block's very text. For a PDF it is the pages' text joined by form feeds.
   */
  readonly texts: Readonly<Record<string, string>>;
  /** Other files it took in (`\input`): it is read again when one of them changes, and they stand under it. */
  readonly dependencies: readonly string[];
  /** Citation keys that the document defines (BibTeX), else empty. */
  readonly defines: readonly string[];
}

export interface Refusal {
  readonly code: RefusalCode;
  /** A sentence for the writer. */
  readonly reason: string;
}

/** What reading one file came to. */
export type ReadResult = { readonly document: SourceDocument } | { readonly refusal: Refusal };

/** Gives the bytes of another file of the workspace (for `\input`), or null where it is not there or not allowed. */
export type ReadOther = (path: string) => Promise<Uint8Array | null>;

// ── Chunks ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What is embedded, stored and found. */
export interface Chunk {
  /** sha256 of document, source, place and texts, 32 hex digits (`chunkId`): the same chunk has the same id in every run. */
  readonly id: string;
  /** The document that it belongs to. */
  readonly document: string;
  /** The file that `[start, end)` points into: the document, or a file that it takes in. */
  readonly source: string;
  readonly kind: DocumentKind;
  readonly heading: readonly string[];
  readonly page: number | null;
  readonly start: number;
  readonly end: number;
  /** The file's very text at `[start, end)`. */
  readonly text: string;
  /** `text` as a person reads it. */
  readonly readable: string;
  readonly tags: readonly string[];
  readonly citations: readonly string[];
  /** Milliseconds since the epoch: the document's modification time. */
  readonly modified: number;
  /** sha256 of what is embedded (heading path and readable text), 32 hex digits: equal hashes share a vector. */
  readonly textHash: string;
}

export interface StoredChunk extends Chunk {
  /** `[dimensions]`, of length 1. */
  readonly vector: Float32Array;
}

// ── Models ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What makes vectors comparable: another identity means another index. */
export interface EmbedderIdentity {
  readonly id: string;
  readonly sha256: string;
  readonly dimensions: number;
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
}

/** Turns texts into vectors of length 1. Loads its model when it is first needed. */
export interface Embedder {
  identity(signal: AbortSignal): Promise<EmbedderIdentity>;
  /**
   * Vectors `[texts.length][dimensions]`, of length 1, in the order of the texts. Prefixes that the model was
   * trained with are put before by this method. A text that is too long is cut at the model's limit.
   * @throws PreflexorError `cancelled`, `no-model`, `engine-crashed`
   */
  embed(
    texts: readonly string[],
    as: 'query' | 'passage',
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]>;
  /** Tokens of each text, without special tokens and prefix. */
  countTokens(texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
}

/** Scores how well texts answer a query, 0 to 1, in the order of the texts. */
export interface Reranker {
  rank(query: string, texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
}

// ── Index ───────────────────────────────────────────────────────────────────────────────────────────────────

/** What the index knows of one file, so that an unchanged one costs nothing. */
export interface DocumentRecord {
  readonly path: string;
  readonly kind: DocumentKind;
  readonly title: string;
  /** Size in bytes and modification time in milliseconds: when both are the same the file is not read. */
  readonly bytes: number;
  readonly modified: number;
  /** sha256 of the file's bytes. */
  readonly hash: string;
  readonly tags: readonly string[];
  readonly dependencies: readonly { readonly path: string; readonly hash: string }[];
  readonly defines: readonly string[];
  readonly chunks: number;
  /** Set when the file could not be read; then there are no chunks. */
  readonly refusal: Refusal | null;
}

/** One document's new state. */
export interface DocumentChange {
  readonly record: DocumentRecord;
  readonly chunks: readonly StoredChunk[];
}

export interface ScoredChunk {
  readonly chunk: StoredChunk;
  /** Cosine similarity, or the full-text score. */
  readonly score: number;
}

/** A chunk that was found, before it is read. */
export interface Hit {
  readonly id: string;
  readonly document: string;
  /** Cosine similarity, or the full-text score. */
  readonly score: number;
  /** Where the store found it: for the store alone, which need not look its id up. */
  readonly row?: bigint;
}

/**
 * Searching in two steps, for a search that chooses among many and reads few: whole rows with their vectors
 * cost more to read than to find. Hits come best first.
 */
export interface PassageFinder {
  vectorHits(
    vector: Float32Array,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly Hit[]>;
  /** Any text is a valid query; each of its words may match. */
  textHits(query: string, k: number, filter: SearchFilter, signal: AbortSignal): Promise<readonly Hit[]>;
  /** The chunks of these hits, in their order, without those that are no longer there. */
  chunks(hits: readonly Pick<Hit, 'id' | 'row'>[], signal: AbortSignal): Promise<readonly StoredChunk[]>;
}

/** The index of one workspace for one embedder. Safe to kill at any moment; a batch is there wholly or is done again. */
export interface IndexStore {
  documents(): Promise<readonly DocumentRecord[]>;
  /** Stored vectors by text hash, as far as there are any. */
  vectorsOf(textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;
  /** Replaces all that is stored of these documents. Chunks first, records after them. */
  apply(changes: readonly DocumentChange[]): Promise<void>;
  remove(paths: readonly string[]): Promise<void>;
  /** Gives documents new paths (and their chunks new ids) without touching vectors. */
  rename(renames: readonly { readonly from: string; readonly to: DocumentRecord }[]): Promise<void>;
  vectorSearch(
    vector: Float32Array,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly ScoredChunk[]>;
  textSearch(
    query: string,
    k: number,
    filter: SearchFilter,
    signal: AbortSignal,
  ): Promise<readonly ScoredChunk[]>;
  chunksOf(document: string): Promise<readonly StoredChunk[]>;
  counts(): Promise<{ readonly documents: number; readonly chunks: number }>;
  failed(): Promise<readonly FailedFile[]>;
  /** Builds or updates the indexes that fit the size, and compacts. Cheap when nothing changed. */
  optimise(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
