// Every paragraph of a note, for tests that try them all.
import type { Paragraph } from '../index.ts';
import { lineAt, textStart } from '../lines.ts';
import { describe } from '../paragraphs.ts';
import { ParsedNote } from '../parsedNote.ts';

/** The paragraphs of a note, in order, from one parse of the whole. */
export function allParagraphs(note: string): Paragraph[] {
  const parsed = new ParsedNote(note, { whole: true });
  const window = parsed.windowAt(note.length);
  return window ? parsed.proseOf(window).map((prose) => describe(parsed, prose)) : [];
}

/** Where the lines of a note start. */
export function lineStarts(note: string): number[] {
  const starts = [textStart(note)];
  for (let line = lineAt(note, textStart(note)); line.next > line.end; line = lineAt(note, line.next)) {
    starts.push(line.next);
  }
  return starts;
}
