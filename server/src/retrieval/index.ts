// Retrieval: what the writer's notes and papers say about a paragraph, and how that is kept up to date.
export type * from './ports.ts';
export * from './indexing/index.ts';
export { chunkDocument, chunkerVersion, chunkId, embeddedText, type ChunkOptions } from './chunking.ts';
export { cosine } from './fusion.ts';
export { search, type SearchOptions, type SearchParts } from './search.ts';
export { sentencesOf } from './sentences.ts';
export { sourcesOf } from './sources.ts';
