// What the indexer needs from outside. The founder of the parts is the composition root; tests hand in small ones.
import type { DocumentKind } from '../../protocol/index.ts';
import type { Chunk, Embedder, IndexStore, ReadOther, ReadResult, SourceDocument } from '../ports.ts';
import type { WorkspaceWalker } from './workspaceWalker.ts';
import type { Gate, GiveTurn } from './yielding.ts';

export interface DocumentReader {
  /** The kind that a file's name says, or null. LaTeX is read twice: first to know what it takes in. */
  kindOf(path: string): DocumentKind | null;
  /** Reads a file's bytes. A file that cannot be read is a refusal, not an error. */
  read(path: string, bytes: Uint8Array, readOther: ReadOther, signal: AbortSignal): Promise<ReadResult>;
}

export interface DocumentChunker {
  /** Errors: those of the embedder, whose tokens it counts. */
  chunk(document: SourceDocument, modified: number, signal: AbortSignal): Promise<readonly Chunk[]>;
  /** What is embedded: the text that `textHash` is the hash of. */
  embeddedText(chunk: Chunk): string;
}

/**
 * Vectors by text hash beside the index, for texts that are not (or not yet) in it: those of files that went away
 * and may come back, and those of a long document that is not whole yet. A cache: it may forget.
 */
export interface VectorCache {
  find(textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;
  /** What was kept survives a kill of this process. Never fails for what the disk says: then it knows less. */
  keep(vectors: ReadonlyMap<string, Float32Array>): Promise<void>;
}

/** Sizes that bound memory, and what a kill can lose. */
export interface IndexLimits {
  /** Texts whose embedding a kill at any moment can lose. A store step has half as many chunks. */
  readonly batchChunks: number;
  /** Texts per call of the embedder: pausing and stopping wait for one call at most. */
  readonly textsPerCall: number;
  /** Files that are read and cut into chunks at a time, and how many bytes together. */
  readonly filesAhead: number;
  readonly bytesAhead: number;
}

export const defaultLimits: IndexLimits = {
  batchChunks: 256,
  textsPerCall: 16,
  filesAhead: 4,
  bytesAhead: 32_000_000,
};

export interface IndexProgress {
  readonly state: 'scanning' | 'indexing';
  /** Files done, of so many. */
  readonly done: number;
  readonly total: number;
  /** Documents and chunks in the index by now. */
  readonly files: number;
  readonly chunks: number;
}

export interface IndexParts {
  readonly walker: WorkspaceWalker;
  readonly reader: DocumentReader;
  readonly chunker: DocumentChunker;
  readonly embedder: Embedder;
  readonly store: IndexStore;
  readonly cache: VectorCache;
  readonly gate: Gate;
  readonly limits: IndexLimits;
  /** Milliseconds, for the report's `seconds`. */
  readonly now: () => number;
  readonly onProgress: (progress: IndexProgress) => void;
  readonly giveTurn: GiveTurn;
}

export interface IndexRequest {
  /** Files and folders relative to the workspace; null: all of it. */
  readonly paths: readonly string[] | null;
  /** Files that are said to have changed: size and time are not believed. */
  readonly changed: ReadonlySet<string>;
  /** The files that go before all others, the first one first: those that are open. Asked before each file. */
  readonly urgent: () => readonly string[];
}

export const everything: IndexRequest = { paths: null, changed: new Set(), urgent: () => [] };
