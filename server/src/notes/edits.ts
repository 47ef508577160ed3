// Edits of a note by offset. Nothing but what an edit names is ever touched.
import type { TextEdit } from '../protocol/index.ts';

/**
 * Applies edits that are all given in offsets of `text`.
 * @throws RangeError when two overlap or one lies outside the text
 */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const edit of sorted(edits)) {
    if (edit.start < done || edit.end < edit.start || edit.end > text.length) {
      throw new RangeError(
        `The edit at ${edit.start} to ${edit.end} overlaps another or lies outside the text.`,
      );
    }
    parts.push(text.slice(done, edit.start), edit.text);
    done = edit.end;
  }
  parts.push(text.slice(done));
  return parts.join('');
}

/** Sorts edits and makes one of those that touch, so that no editor has to know which of the two comes first. */
export function joinEdits(edits: readonly TextEdit[]): TextEdit[] {
  const joined: TextEdit[] = [];
  for (const edit of sorted(edits)) {
    const last = joined.at(-1);
    if (last?.end === edit.start) {
      joined[joined.length - 1] = { start: last.start, end: edit.end, text: last.text + edit.text };
    } else {
      joined.push(edit);
    }
  }
  return joined;
}

function sorted(edits: readonly TextEdit[]): TextEdit[] {
  return [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
}
