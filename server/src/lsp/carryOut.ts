// How a decision is carried out: the note is changed first and the ledger written then; when the ledger can be
// written nowhere, the change is taken back, so that a decision is never half there.
import { PreflexorError } from '../errors.ts';
import type { Appended } from '../preferences/index.ts';
import type { DecideResult, TextEdit } from '../protocol/index.ts';
import type { Note } from '../workflow/index.ts';
import type { Notes } from './documents.ts';

/**
 * Changes an open note as planned, as one undoable edit, and records it.
 * @param plan called again when the note changed meanwhile: the ledger must say what really happened
 * @throws PreflexorError what `plan` and `record` throw, `read-only`, `note-missing`
 */
export async function carryOut<P extends { readonly edits: TextEdit[] }>(
  notes: Notes,
  uri: string,
  label: string,
  plan: (note: Note) => P | Promise<P>,
  record: (planned: P) => Promise<Appended>,
): Promise<DecideResult> {
  const note = await notes.note(uri);
  let planned = await plan(note);
  if (planned.edits.length === 0) return answerOf(await record(planned));
  let plannedText = note.text;
  const applied = await notes.apply(uri, label, async (text) => {
    if (text !== plannedText) planned = await plan({ ...note, text });
    plannedText = text;
    return planned.edits;
  });
  if (applied === null) throw new PreflexorError('note-changed', 'There was nothing to change in the note.');
  try {
    return answerOf(await record(planned));
  } catch (error) {
    await notes.apply(uri, 'Take back', () => Promise.resolve(inverse(plannedText, planned.edits)));
    throw error;
  }
}

export function answerOf({ record, warning }: Appended): DecideResult {
  return { entry: record, warning };
}

/** The edits that turn the changed text back into `before`. Edits are sorted and don't overlap. */
export function inverse(before: string, edits: readonly TextEdit[]): TextEdit[] {
  let shift = 0;
  return edits.map(({ start, end, text }) => {
    const back = { start: start + shift, end: start + shift + text.length, text: before.slice(start, end) };
    shift += text.length - (end - start);
    return back;
  });
}
