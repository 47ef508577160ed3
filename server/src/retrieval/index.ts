// Retrieval: what the writer's notes and papers say about a paragraph, and how that is kept up to date.
export * from './indexing/index.ts';
