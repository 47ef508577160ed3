// What a decision on an annotation changes in the note: the suggestion goes in or not, the block goes.
import type { OffsetRange, TextEdit } from '../protocol/index.ts';
import { PreflexorError } from '../errors.ts';
import { acceptIntoNote } from './accept.ts';
import type { Placement } from './accept.ts';
import { readBlocks } from './blocks.ts';
import type { Block } from './blocks.ts';
import { continuationPrefix } from './containers.ts';
import { joinEdits } from './edits.ts';
import { lineAt } from './lines.ts';
import { findProse } from './paragraphs.ts';
import type { Paragraph, ParagraphMark } from './paragraphs.ts';
import { ParsedNote } from './parsedNote.ts';
import type { Prose } from './parsedNote.ts';
import { checkNote } from './refusals.ts';
import { likeness } from './likeness.ts';
import { removals } from './strip.ts';

export interface DecideOptions {
  /** The answer as the model wrote it; for `accept`, in place of the text that the block shows. */
  readonly answer?: string;
  readonly placement: Placement;
  /** The paragraph that the model was asked about, as it was: needed where the block follows a list or a quote. */
  readonly paragraph?: ParagraphMark;
}

export interface DecidedEdits {
  /** One undo step: sorted, and none touches another. */
  readonly edits: TextEdit[];
  /** The text of the paragraph that the block belongs to, as it stands now (a reject may not know: as it was). */
  readonly paragraph: string;
  /** The text that stands in the note afterwards, or null. */
  readonly result: string | null;
}

/** A paragraph that shares less than this with the one that was asked about is taken for another one. */
const leastLikeness = 0.4;

/**
 * The edits that carry out a decision. The paragraph is the one above the block (other blocks between are skipped);
 * where it no longer resembles the one that was asked about, that one is looked for. Text is never written over a
 * paragraph that may be another one.
 * @param id the block's id
 * @throws PreflexorError `unknown-block`, `note-changed` (the paragraph can't be told), `bad-input` (no text),
 * `note-too-large`, `not-text`
 */
export function decideEdits(
  note: string,
  id: string,
  as: 'accept' | 'accept-edited' | 'reject',
  options: DecideOptions,
): DecidedEdits {
  const block = readBlocks(note).blocks.find((candidate) => candidate.id === id);
  if (!block) throw unknownBlock(id);
  const removal = removals(note, [block]);
  if (as === 'reject') {
    return { edits: removal, paragraph: paragraphText(note, block, options.paragraph), result: null };
  }
  const { parsed, prose } = paragraphOfBlock(note, block, options.paragraph);
  const present = block.sections.find(({ kind }) => kind === 'answer')?.text ?? '';
  const answer = as === 'accept' ? (options.answer ?? present) : present;
  const { edit, result } = acceptIntoNote(note, placeOf(prose), answer, options.placement);
  return { edits: joinEdits([edit, ...removal]), paragraph: parsed.textOf(prose), result };
}

/** What is said when a block is asked for that is not there. */
export function unknownBlock(id: string): PreflexorError {
  return new PreflexorError('unknown-block', `This note has no annotation ${id}.`, {
    remedy: 'It may have been removed already; undo brings it back.',
  });
}

/** What is said when the paragraph of a suggestion that is not in the note is looked for in vain. */
export function paragraphGone(): PreflexorError {
  return new PreflexorError(
    'note-changed',
    'The paragraph of this suggestion is no longer in the note as it was.',
    { remedy: 'Copy what you need from the Iterations view, or reason about the paragraph again.' },
  );
}

/** The paragraph that a block is about. @throws PreflexorError `note-changed`, `note-too-large`, `not-text` */
export function paragraphOfBlock(
  note: string,
  block: Block,
  mark: ParagraphMark | undefined,
): { readonly parsed: ParsedNote; readonly prose: Prose } {
  checkNote(note);
  const parsed = new ParsedNote(note);
  return { parsed, prose: proseOf(parsed, block, mark) };
}

/** Where a text goes that takes the place of this prose. */
export function placeOf({
  start,
  end,
  containers,
}: Prose): Pick<Paragraph, 'start' | 'end' | 'continuationPrefix'> {
  return { start, end, continuationPrefix: continuationPrefix(containers) };
}

/** For a reject the paragraph is only of interest: what can't be told is taken from what was asked about. */
function paragraphText(note: string, block: Block, mark: ParagraphMark | undefined): string {
  try {
    const { parsed, prose } = paragraphOfBlock(note, block, mark);
    return parsed.textOf(prose);
  } catch (error) {
    if (PreflexorError.is(error)) return mark?.text ?? '';
    throw error;
  }
}

function proseOf(parsed: ParsedNote, block: Block, mark: ParagraphMark | undefined): Prose {
  const above = blockAbove(parsed, block);
  const exact = above && mark && findProse(parsed, mark, above);
  if (exact) return exact;
  const candidates = above ? parsed.proseIn(above) : [];
  if (!mark) {
    const [only, ...others] = candidates;
    if (only && others.length === 0) return only;
    throw untold(only ? 'It can’t be told which paragraph above this suggestion belongs to it.' : gone);
  }
  const found = mostAlike(parsed, candidates, mark.text) ?? findProse(parsed, mark);
  if (!found) throw untold(gone);
  return found;
}

const gone = 'The paragraph of this suggestion is no longer above it.';

function untold(message: string): PreflexorError {
  return new PreflexorError('note-changed', message, {
    remedy:
      'Copy the text that you want to keep and reject the suggestion, or undo your change of the paragraph.',
  });
}

/** The top-level block of the note's own above a block of ours; other blocks of ours and empty lines are skipped. */
function blockAbove(parsed: ParsedNote, block: Block): OffsetRange | null {
  const { note } = parsed;
  let place = block.start;
  while (place > 0) {
    const line = lineAt(note, place - 1);
    const other = parsed.blockAt(line.start);
    if (!other && note.slice(line.start, line.end).trim() !== '') return parsed.topLevelAt(line.start);
    place = other ? Math.min(other.start, line.start) : line.start;
  }
  return null;
}

/** The candidate that is like the text, and more so than any other. */
function mostAlike(parsed: ParsedNote, candidates: readonly Prose[], text: string): Prose | undefined {
  const rated = candidates
    .map((prose) => ({ prose, share: likeness(parsed.textOf(prose), text) }))
    .filter(({ share }) => share >= leastLikeness)
    .sort((a, b) => b.share - a.share);
  const [best, second] = rated;
  return best && best.share > (second?.share ?? 0) ? best.prose : undefined;
}
