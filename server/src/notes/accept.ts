// Puts a suggestion into the note as the writer's own text.
import type { TextEdit } from '../protocol/index.ts';
import { PreflexorError } from '../errors.ts';
import { commentAt } from './blocks.ts';
import { normaliseModelText } from './escape.ts';
import { lineAt, lineEndAround } from './lines.ts';
import type { Paragraph } from './paragraphs.ts';
import { StructureScanner } from './structure.ts';

/** Whether the suggestion takes the paragraph's place or follows it as a paragraph of its own. */
export type Placement = 'replace' | 'after';

export interface Acceptance {
  readonly edit: TextEdit;
  /** The text that stands in the note then, lines joined with LF, without container prefixes. */
  readonly result: string;
}

/**
 * The edit that puts `answer` in the place of a paragraph or behind it: in the note's line ends, each line with the
 * prefix of the paragraph's containers. The text is the answer as written, but for three things: white space around
 * it goes, an annotation's comments and callouts get a backslash (they must not make an annotation), and a code
 * fence, math block or HTML block that the answer leaves open is closed (it must not swallow the rest of the note).
 * @throws PreflexorError `bad-input` when there is no text in the answer
 */
export function acceptIntoNote(
  note: string,
  place: Pick<Paragraph, 'start' | 'end' | 'continuationPrefix'>,
  answer: string,
  placement: Placement,
): Acceptance {
  return placeText(note, place, acceptedText(answer), placement);
}

/** The same for a text that is partly the writer's own: it goes in as it is, but for what it leaves open. */
export function placeText(
  note: string,
  place: Pick<Paragraph, 'start' | 'end' | 'continuationPrefix'>,
  text: string,
  placement: Placement,
): Acceptance {
  const result = closed(text);
  const lineEnd = lineEndAround(note, place.start);
  const prefix = place.continuationPrefix;
  const source = result
    .split('\n')
    .map((line, index) => (index === 0 ? line : line.trim() === '' ? prefix.trimEnd() : prefix + line))
    .join(lineEnd);
  if (placement === 'replace') return { edit: { start: place.start, end: place.end, text: source }, result };
  const at = lineAt(note, place.end).end;
  const gap = lineEnd + prefix.trimEnd() + lineEnd + prefix;
  return { edit: { start: at, end: at, text: gap + source }, result };
}

/**
 * What of an answer goes into a note.
 * @throws PreflexorError `bad-input` when there is no text in it
 */
export function acceptedText(answer: string): string {
  const lines = normaliseModelText(answer).trim().split('\n');
  const text = lines.map(withoutOurSyntax).join('\n');
  if (text === '') {
    throw new PreflexorError('bad-input', 'There is no text in this suggestion.', {
      remedy: 'Reject it, or regenerate it.',
    });
  }
  return closed(text);
}

/** A line of the answer that can't be taken for a part of an annotation. */
function withoutOurSyntax(line: string): string {
  if (commentAt(line, 0)) return `\\${line}`;
  return line.replace(/^([\s>]*)(?=\[!(?:thinking|reflection|answer)\])/i, '$1\\');
}

/** The text with a code fence, math block or HTML block that it leaves open closed. */
function closed(text: string): string {
  // Behind an empty line nothing is front matter.
  const scanner = new StructureScanner(`\n${text}`, { unclosed: 'runs-on' });
  while (scanner.nextLine());
  const closer = scanner.openCloser();
  return closer === '' ? text : `${text}\n${closer}`;
}
