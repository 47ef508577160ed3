// The identity of a chunk: the same text at the same place has the same id in every run and on every machine.
import { createHash } from 'node:crypto';
import type { Chunk } from './ports.ts';

/** sha256 of source, place and text, 32 hex digits. */
export function chunkId(chunk: Pick<Chunk, 'source' | 'start' | 'end' | 'text'>): string {
  return createHash('sha256')
    .update(`${chunk.source}\0${chunk.start}\0${chunk.end}\0${chunk.text}`)
    .digest('hex')
    .slice(0, 32);
}
