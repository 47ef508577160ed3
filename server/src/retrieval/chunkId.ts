// The identity of a chunk, for rooms that make no chunks.
export { chunkId } from './chunking.ts';
