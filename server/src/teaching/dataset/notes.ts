// Which notes are held out: the same rule as for the writer's own pairs, by the hash of a note's path, so that a note
// is on one side whatever is made from it. Where chance puts all notes on one side, the nearest one is moved. Pure.
import { createHash } from 'node:crypto';
import { wordsOf } from '../../words.ts';
import type { CorpusChunk } from './ports.ts';

/** Shorter stretches (a heading, a list of keys) are nothing to ask from. */
const fewestWords = 25;

/** The chunks that can be asked from, each text once: a file that lies there twice is one. */
export function usableChunks(chunks: readonly CorpusChunk[]): CorpusChunk[] {
  const seen = new Set<string>();
  return [...chunks]
    .sort((a, b) => compare(a.document, b.document) || compare(a.source, b.source) || a.start - b.start)
    .filter(({ textHash, readable }) => {
      if (seen.has(textHash) || wordsOf(readable).length < fewestWords) return false;
      seen.add(textHash);
      return true;
    });
}

/** The notes that are held out; none where there is only one, or no share is wanted. */
export function heldoutNotes(notes: readonly string[], share: number): Set<string> {
  const ranked = [...new Set(notes)].map((note) => ({ note, at: placeOf(note) })).sort((a, b) => a.at - b.at);
  if (share === 0 || ranked.length < 2) return new Set();
  const count = ranked.filter(({ at }) => at < share).length;
  const held = Math.min(ranked.length - 1, Math.max(1, count));
  return new Set(ranked.slice(0, held).map(({ note }) => note));
}

/** As preferences/pairs/split.ts has it. */
function placeOf(note: string): number {
  return createHash('sha256').update(`split:${note}`).digest().readUInt32BE(0) / 2 ** 32;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
