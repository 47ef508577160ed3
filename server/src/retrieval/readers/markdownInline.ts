// The inline syntax of markdown, as a person reads it: marks left out, escapes undone, citations and math kept.
import type { Nodes } from 'mdast';
import { copyHtmlText } from './entities.ts';
import type { ReadableBuilder } from './readableBuilder.ts';

/** A stretch of a note and the tree of it; the tree's offsets count from the stretch's start. */
export interface Stretch {
  readonly note: string;
  readonly start: number;
  readonly end: number;
}

/** Deeper than this, a node's source is taken as it stands. */
const deepest = 80;

/** What is not read as it stands in running text. In order of the groups: escape, reference, line end, wiki link. */
const special =
  /\\([!-/:-@[-`{-~])|&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,31});|(\r\n|\n|\r)(?:[ \t>]*)(?::{3,}[^\r\n]*)?|(!?)\[\[([^[\]\n|]+)(?:\|([^[\]\n|]*))?\]\]|==(?=\S)|(?<=\S)==|\\label\{[^{}\n]*\}/g;

const attributes = /^\{[^{}\n]{1,200}\}/;

/** Where a node stands in the note. */
export function placeOf(node: Nodes, stretch: Stretch): { readonly start: number; readonly end: number } {
  return {
    start: Math.min(stretch.end, stretch.start + (node.position?.start.offset ?? 0)),
    end: Math.min(stretch.end, stretch.start + (node.position?.end.offset ?? 0)),
  };
}

/** Adds what a person reads of a node to `builder`. Total: any tree, however deep, gives some text. */
export function readInline(builder: ReadableBuilder, node: Nodes, stretch: Stretch, depth = 0): void {
  const { start, end } = placeOf(node, stretch);
  if (depth > deepest) {
    builder.copy(stretch.note, start, end);
    return;
  }
  switch (node.type) {
    case 'text':
      readText(builder, stretch.note, start, end);
      return;
    case 'inlineCode':
      copyInside(builder, stretch.note, start, end, node.value);
      return;
    case 'inlineMath':
      builder.copy(stretch.note, start, end);
      return;
    case 'break':
      builder.space(start, end);
      return;
    case 'image':
    case 'imageReference':
      readAlternative(builder, stretch.note, start, end);
      return;
    case 'html':
      if (/^<\/?(?:br|p|div|li|td|tr)\b/i.test(node.value)) builder.space(start, end);
      return;
    default:
      if ('children' in node) readChildren(builder, node, stretch, depth);
  }
}

function readChildren(
  builder: ReadableBuilder,
  node: Extract<Nodes, { children: unknown }>,
  stretch: Stretch,
  depth: number,
): void {
  let afterMarkup = false;
  for (const child of node.children) {
    if (child.type === 'text') {
      const { start, end } = placeOf(child, stretch);
      const skipped = afterMarkup ? (attributes.exec(stretch.note.slice(start, end))?.[0].length ?? 0) : 0;
      readText(builder, stretch.note, start + skipped, end);
    } else {
      readInline(builder, child, stretch, depth + 1);
    }
    afterMarkup = child.type === 'image' || child.type === 'link' || child.type === 'inlineCode';
  }
}

/** Running text `note[start, end)`. */
export function readText(builder: ReadableBuilder, note: string, start: number, end: number): void {
  const text = note.slice(start, end);
  let from = 0;
  for (const match of text.matchAll(special)) {
    const at = match.index;
    const to = at + match[0].length;
    builder.copy(note, start + from, start + at);
    if (match[1] !== undefined) builder.put(match[1], start + at, start + to);
    else if (match[0].startsWith('&')) copyHtmlText(builder, note, start + at, start + to);
    else if (match[2] !== undefined) builder.space(start + at, start + to);
    else if (match[4] !== undefined && match[3] !== '!')
      builder.put(match[5]?.trim() || match[4], start + at, start + to);
    from = to;
  }
  builder.copy(note, start + from, end);
}

const emphasisOrMath = /\$[^$\n]+\$|[*`]+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu;

/** The text that stands for an image: its caption. */
function readAlternative(builder: ReadableBuilder, note: string, start: number, end: number): void {
  const source = note.slice(start, end);
  const close = source.lastIndexOf('](') >= 0 ? source.lastIndexOf('](') : source.indexOf(']');
  if (!source.startsWith('![') || close < 2) return;
  let from = start + 2;
  for (const match of source.slice(2, close).matchAll(emphasisOrMath)) {
    const at = start + 2 + match.index;
    readText(builder, note, from, at);
    from = at + match[0].length;
    if (match[0].startsWith('$')) builder.copy(note, at, from);
  }
  readText(builder, note, from, start + close);
}

/** Code without its backticks. */
function copyInside(builder: ReadableBuilder, note: string, start: number, end: number, value: string): void {
  const inside = note.slice(start, end).indexOf(value);
  if (inside >= 0) builder.copy(note, start + inside, start + inside + value.length);
  else builder.put(value.replace(/\s+/g, ' '), start, end);
}
