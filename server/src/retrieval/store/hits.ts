// What a search of LanceDB gives, as hits and scored chunks. Scores: cosine similarity, or BM25.
import type { Hit, ScoredChunk } from '../ports.ts';
import { chunkOf } from './rows.ts';

export const hitColumns = ['id', 'document'] as const;

/** A row as LanceDB gives it. */
export interface FoundRow {
  readonly id: string;
  readonly document: string;
  readonly _rowid: bigint;
  readonly _distance?: number;
  readonly _score?: number;
}

export function hitOf({ id, document, _rowid: row, _distance, _score }: FoundRow): Hit {
  return { id, document, row, score: _distance === undefined ? (_score ?? 0) : 1 - _distance };
}

export function scored(rows: readonly FoundRow[]): readonly ScoredChunk[] {
  return rows
    .map((row) => ({ chunk: chunkOf({ ...row }), score: hitOf(row).score }))
    .sort((a, b) => b.score - a.score || (a.chunk.id < b.chunk.id ? -1 : 1));
}

/** Best first; of equals the smaller id, so that the same index always gives the same order. */
export function byScore(hits: readonly Hit[]): readonly Hit[] {
  return [...hits].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
