// The hunks of a suggestion in its note: where each of them stands, and the edits that some of them make.
import type { OffsetRange, TextEdit } from '../protocol/index.ts';
import { PreflexorError } from '../errors.ts';
import { acceptedText, placeText } from './accept.ts';
import { readBlocks } from './blocks.ts';
import { paragraphGone, paragraphOfBlock, placeOf, unknownBlock, type DecidedEdits } from './decide.ts';
import { joinEdits } from './edits.ts';
import { hunksOf, withHunks } from './hunks.ts';
import { findProse, type Paragraph, type ParagraphMark } from './paragraphs.ts';
import { ParsedNote, type Prose } from './parsedNote.ts';
import { checkNote } from './refusals.ts';
import { removals } from './strip.ts';

/** One place where the suggestion differs from the paragraph. */
export interface NoteHunk {
  /** The paragraph's words in the note; empty where there are only new ones. */
  readonly range: OffsetRange;
  /** The paragraph's words and the suggestion's, without prefixes of containers. */
  readonly before: string;
  readonly after: string;
}

export interface NoteHunks {
  readonly hunks: readonly NoteHunk[];
  /** The paragraph's text as it stands. */
  readonly paragraph: string;
  /** The suggestion as it stands. */
  readonly present: string;
  /** Where the paragraph stands. */
  readonly place: Pick<Paragraph, 'start' | 'end' | 'continuationPrefix'>;
  /** What takes the block out of the note; empty where it is not in it. */
  readonly removal: readonly TextEdit[];
  /** The hunks as edits of `paragraph`. */
  readonly changes: readonly TextEdit[];
}

/** The suggestion whose hunks are wanted. */
export interface HunkSubject {
  readonly block: string;
  /** The paragraph that the model was asked about, as it was. */
  readonly paragraph?: ParagraphMark;
  /** The suggestion where its block is not in the note. */
  readonly answer?: string;
}

/**
 * The hunks of the suggestion as it stands in the block now.
 * @throws PreflexorError `unknown-block`, `note-changed` (the paragraph can't be told), `bad-input` (no text, or
 * nothing that differs), `note-too-large`, `not-text`
 */
export function noteHunks(note: string, { block: id, paragraph: mark, answer }: HunkSubject): NoteHunks {
  const block = readBlocks(note).blocks.find((candidate) => candidate.id === id);
  if (!block && answer === undefined) throw unknownBlock(id);
  const { parsed, prose } = block ? paragraphOfBlock(note, block, mark) : paragraphOfMark(note, mark);
  const present = block?.sections.find(({ kind }) => kind === 'answer')?.text ?? answer ?? '';
  const text = parsed.textOf(prose);
  const changes = hunksOf(text, acceptedText(present));
  if (changes.length === 0) {
    throw new PreflexorError('bad-input', 'The suggestion is the paragraph as it stands.', {
      remedy: 'There is nothing to decide word by word: accept or reject it.',
    });
  }
  const inNote = offsetsIn(parsed, prose);
  return {
    hunks: changes.map(({ start, end, text: after }) => {
      return { range: { start: inNote(start), end: inNote(end) }, before: text.slice(start, end), after };
    }),
    paragraph: text,
    present,
    place: placeOf(prose),
    removal: block ? removals(note, [block]) : [],
    changes,
  };
}

/**
 * The edits that take over some hunks and remove the block. None taken: the paragraph stays byte for byte.
 * @param taken by their place in `hunks`, from 0
 */
export function hunkEdits(note: string, found: NoteHunks, taken: (index: number) => boolean): DecidedEdits {
  const { paragraph, place, removal, changes } = found;
  if (!changes.some((_, index) => taken(index))) return { edits: [...removal], paragraph, result: null };
  const { edit, result } = placeText(note, place, withHunks(paragraph, changes, taken), 'replace');
  return { edits: joinEdits([edit, ...removal]), paragraph, result };
}

/** The paragraph of a suggestion that is not in the note. @throws PreflexorError `note-changed` */
function paragraphOfMark(
  note: string,
  mark: ParagraphMark | undefined,
): { readonly parsed: ParsedNote; readonly prose: Prose } {
  checkNote(note);
  const parsed = new ParsedNote(note);
  const prose = mark && findProse(parsed, mark);
  if (!prose) throw paragraphGone();
  return { parsed, prose };
}

/** From offsets of a paragraph's text to those of the note: lines there begin with prefixes. */
function offsetsIn(parsed: ParsedNote, prose: Prose): (offset: number) => number {
  const lines = parsed.linesOf(prose);
  return (offset) => {
    let rest = offset;
    for (const { start, end } of lines) {
      if (rest <= end - start) return start + rest;
      rest -= end - start + 1;
    }
    return prose.end;
  };
}
