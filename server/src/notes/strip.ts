// Takes annotation blocks out of a note, and nothing else.
import type { TextEdit } from '../protocol/index.ts';
import { blankLineAbove, readBlocks } from './blocks.ts';
import type { Block } from './blocks.ts';
import { applyEdits } from './edits.ts';
import { lineEndBefore } from './lines.ts';

export interface Stripped {
  /** The note without the blocks; every other unit is as it was. */
  readonly text: string;
  readonly edits: TextEdit[];
  readonly removed: number;
}

/** Removes all blocks, or those with the given ids. */
export function stripBlocks(note: string, ids?: readonly string[]): Stripped {
  const wanted = ids && new Set(ids);
  const blocks = readBlocks(note).blocks.filter(({ id }) => !wanted || wanted.has(id));
  const edits = removals(note, blocks);
  return { text: applyEdits(note, edits), edits, removed: blocks.length };
}

/** The edits that remove these blocks, given in the order of the note. */
export function removals(note: string, blocks: readonly Block[]): TextEdit[] {
  const edits: TextEdit[] = [];
  for (const block of blocks) {
    const start = blankLineAbove(note, block.comments.start);
    const last = edits.at(-1);
    // At the end of a note without a final line end, a block gives up the line end above its blank line. Where
    // another block ends with that line end, it is the one above the two.
    const owesLineEnd = block.start < start;
    if (last?.end === start) {
      edits.pop();
      edits.push({ start: owed(note, last.start, owesLineEnd), end: block.end, text: '' });
    } else {
      edits.push({ start: owed(note, start, owesLineEnd), end: block.end, text: '' });
    }
  }
  return edits;
}

function owed(note: string, start: number, owesLineEnd: boolean): number {
  return owesLineEnd ? start - lineEndBefore(note, start).length : start;
}
