// New annotation blocks: their form (docs: design decision 1) and the edit that puts one into a note.
import type { SegmentKind, TextEdit } from '../protocol/index.ts';
import { PreflexorError } from '../errors.ts';
import { BlockId } from '../protocol/index.ts';
import { blockComment } from './blocks.ts';
import { escapeModelText, normaliseModelText } from './escape.ts';
import { isLineStart, lineEndAround } from './lines.ts';

/** What a block shows. Texts are the model's; an empty thinking or reflection has no callout. */
export interface BlockContent {
  readonly id: string;
  readonly thinking?: string;
  readonly reflection?: string;
  readonly answer: string;
  /** The iteration that is shown, 0 (the draft) to `of`. */
  readonly iteration: number;
  readonly of: number;
  readonly model: string;
  /** First and last iteration that the answer integrates, where it is an integrated one. */
  readonly integrates?: { readonly from: number; readonly to: number };
}

/**
 * The edit that inserts a block at `insertAt`, in the note's own line ends: a line start (`Paragraph.insertAt`), or
 * the end of a note without a final line end, which then stays without one.
 * @throws PreflexorError `bad-input` for an id that is no block id
 * @throws RangeError when `insertAt` lies within a line
 */
export function insertBlock(note: string, insertAt: number, content: BlockContent): TextEdit {
  if (!BlockId.safeParse(content.id).success) {
    throw new PreflexorError('bad-input', `“${content.id}” is not an annotation's id.`);
  }
  const atLineStart = isLineStart(note, insertAt);
  if (!atLineStart && insertAt !== note.length) {
    throw new RangeError(`An annotation can't begin within a line, at ${insertAt}.`);
  }
  const lineEnd = lineEndAround(note, insertAt);
  const block = blockLines(content).join(lineEnd);
  const text = atLineStart ? lineEnd + block + lineEnd : lineEnd + lineEnd + block;
  return { start: insertAt, end: insertAt, text };
}

function blockLines(content: BlockContent): string[] {
  const { iteration, of, integrates } = content;
  const step = of === 0 ? 'draft' : `iteration ${iteration} of ${of}`;
  const answerStep = integrates ? `integrates ${integrates.from} to ${integrates.to}` : step;
  const thinking = callout('thinking', '-', `Thinking · ${step} · ${content.model}`, content.thinking);
  const reflection = callout('reflection', '-', `Reflection · ${step}`, content.reflection);
  const answer = callout('answer', '+', `Suggestion · ${answerStep}`, content.answer) ?? [];
  return [
    blockComment(content.id, 'begin'),
    ...(thinking ? [...thinking, ''] : []),
    ...(reflection ? [...reflection, ''] : []),
    ...answer,
    blockComment(content.id, 'end'),
  ];
}

function callout(
  kind: SegmentKind,
  fold: '-' | '+',
  title: string,
  text: string | undefined,
): string[] | null {
  const normalised = normaliseModelText(text ?? '');
  if (kind !== 'answer' && normalised.trim() === '') return null;
  const line = escapeModelText(normaliseModelText(title).replace(/\s+/g, ' ').trim());
  const lines = normalised === '' ? [] : escapeModelText(normalised).split('\n');
  return [`> [!${kind}]${fold} ${line}`, ...lines.map((content) => (content === '' ? '>' : `> ${content}`))];
}

/** A fresh block id: 8 of [0-9a-z]. @param random gives numbers from 0 to below 1 */
export function newBlockId(random: () => number): string {
  return Array.from({ length: 8 }, () => Math.floor(random() * 36).toString(36)).join('');
}
