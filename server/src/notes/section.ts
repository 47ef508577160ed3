// The paragraphs of a section or of a whole note that a writer may want to have reasoned about.
import { lineAt } from './lines.ts';
import type { ParagraphMark } from './paragraphs.ts';
import { ParsedNote, type Prose } from './parsedNote.ts';
import { checkNote } from './refusals.ts';

/** A paragraph of a section, in the order of the note. */
export interface SectionParagraph extends ParagraphMark {
  /** A suggestion stands below it already. */
  readonly annotated: boolean;
}

/** Shorter ones are captions, dates, single links: what can be said about them is not worth a run. */
const leastWords = 5;

/**
 * The paragraphs at the top level of a note, or of the section that an offset is in: what stands between the heading
 * above it and the next one of the same rank or a higher one. Items of lists, quotes and footnotes are left out, as
 * an annotation can't stand right below each of them.
 * @param offset left out: the whole note
 * @throws PreflexorError `note-too-large`, `not-text`
 */
export function paragraphsIn(note: string, offset?: number): SectionParagraph[] {
  checkNote(note);
  const parsed = new ParsedNote(note);
  const { start, end } = offset === undefined ? { start: 0, end: note.length } : sectionAt(parsed, offset);
  const found: SectionParagraph[] = [];
  for (const window of parsed.windows()) {
    if (window.end <= start || window.start >= end) continue;
    for (const prose of parsed.proseOf(window)) {
      if (prose.start < start || prose.start >= end || prose.ancestors.length > 0) continue;
      const text = parsed.textOf(prose);
      if (wordCount(text) >= leastWords)
        found.push({ text, start: prose.start, annotated: isAnnotated(parsed, prose) });
    }
  }
  return found;
}

function sectionAt(
  { note, headings }: ParsedNote,
  offset: number,
): { readonly start: number; readonly end: number } {
  // A cursor in front of a heading's text is in its line, and in its section.
  const { end } = lineAt(note, offset);
  const at = headings.findLastIndex(({ start }) => start <= end);
  const heading = headings[at];
  const next = headings.slice(at + 1).find(({ level }) => !heading || level <= heading.level);
  return { start: heading?.start ?? 0, end: next?.start ?? note.length };
}

/** Whether nothing but empty lines stands between the paragraph and a block of ours. */
function isAnnotated({ note, blocks }: ParsedNote, { outerEnd }: Prose): boolean {
  const next = blocks.find(({ start }) => start >= outerEnd);
  return next !== undefined && note.slice(outerEnd, next.start).trim() === '';
}

function wordCount(text: string): number {
  return text.match(/\p{L}[\p{L}\p{N}\p{M}'’-]*/gu)?.length ?? 0;
}
