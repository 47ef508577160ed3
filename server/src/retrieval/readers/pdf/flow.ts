// The text of a document out of the paragraphs of its pages: floats out of the way of sentences, sentences put together
// over columns and pages, hyphenation mended. It makes the text that blocks point into.
import { ReadableBuilder } from '../readableBuilder.ts';
import type { Line } from './lines.ts';
import type { Paragraph } from './paragraphs.ts';

/** A paragraph with the place of each line in the document's text. */
export interface PlacedParagraph {
  readonly kind: Paragraph['kind'];
  readonly level: Paragraph['level'];
  readonly page: number;
  readonly lines: readonly { readonly start: number; readonly end: number; readonly y: number }[];
}

export interface Flow {
  /** The pages' text joined by form feeds; lines end with LF, paragraphs with two. */
  readonly text: string;
  readonly paragraphs: readonly PlacedParagraph[];
}

const endsSentence = /[.!?:;][)\]”’"'\d]*$/;
const word = /\p{L}{3}|\p{Script=Han}{2}|[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]{2}/u;

/** @param pages the paragraphs of each page in reading order, first page first */
export function flowOf(pages: readonly (readonly Paragraph[])[]): Flow {
  const paragraphs: {
    kind: Paragraph['kind'];
    level: Paragraph['level'];
    page: number;
    lines: PlacedParagraph['lines'][number][];
  }[] = [];
  const parts: string[] = [];
  let length = 0;
  let open: Paragraph | null = null;
  const write = (text: string): void => {
    parts.push(text);
    length += text.length;
  };
  for (const [index, page] of pages.entries()) {
    if (index > 0) write('\f');
    let isFirst = true;
    const { paragraphs: inOrder, rejoined } = outOfTheWay(page);
    for (const paragraph of inOrder) {
      const continued = open !== null && (rejoined.has(paragraph) || continues(open, paragraph));
      const target = paragraphs.at(-1);
      if (!isFirst) write(continued ? '\n' : '\n\n');
      isFirst = false;
      const lines = paragraph.lines.map((line, number) => {
        if (number > 0) write('\n');
        const start = length;
        write(line.text);
        return { start, end: length, y: line.y };
      });
      if (continued && target) target.lines.push(...lines);
      else paragraphs.push({ kind: paragraph.kind, level: paragraph.level, page: index + 1, lines });
      open = paragraph;
    }
  }
  return { text: parts.join(''), paragraphs };
}

interface PageOrder {
  readonly paragraphs: readonly Paragraph[];
  /** Paragraphs that go on with the one before them, now that a figure is out of the way. */
  readonly rejoined: ReadonlySet<Paragraph>;
}

/** The paragraphs that say something, notes, captions and figures put where they part no sentence. */
function outOfTheWay(paragraphs: readonly Paragraph[]): PageOrder {
  const telling = paragraphs.filter(({ lines }) => word.test(lines.map(({ text }) => text).join(' ')));
  const rejoined = new Set<Paragraph>();
  const labels = new Set(telling.flatMap((_, index) => labelsBehind(telling, index, rejoined)));
  const isFloat = (paragraph: Paragraph): boolean => paragraph.kind === 'float' || labels.has(paragraph);
  const floats = telling.filter(isFloat);
  const body = telling.filter((paragraph) => !isFloat(paragraph));
  const last = body.at(-1);
  // The last sentence of a page goes on overleaf, so nothing may come behind it.
  const keepsLast = last?.kind === 'paragraph' && isUnfinished(last) && !rejoined.has(last);
  if (!keepsLast) return { paragraphs: [...body, ...floats], rejoined };
  return { paragraphs: [...body.slice(0, -1), ...floats, last], rejoined };
}

/** A figure has no more labels than this, and none has more words. */
const mostLabels = 40;
const mostWords = 8;

/** What stands between an unfinished sentence and its other half, if that is a figure with its caption. */
function labelsBehind(
  paragraphs: readonly Paragraph[],
  index: number,
  rejoined: Set<Paragraph>,
): Paragraph[] {
  const above = paragraphs[index];
  if (above?.kind !== 'paragraph' || !isUnfinished(above)) return [];
  const between: Paragraph[] = [];
  for (const paragraph of paragraphs.slice(index + 1, index + 1 + mostLabels)) {
    const isLabel = paragraph.lines.every(({ text }) => text.split(' ').length <= mostWords);
    const goesOn = paragraph.kind === 'paragraph' && /^\p{Ll}/u.test(paragraph.lines[0]?.text ?? '');
    if (goesOn && between.some(({ kind }) => kind === 'float') && isSameSize(above, paragraph)) {
      rejoined.add(paragraph);
      return between;
    }
    if (paragraph.kind !== 'float' && (!isLabel || paragraph.kind === 'heading')) return [];
    between.push(paragraph);
  }
  return [];
}

function isSameSize(above: Paragraph, below: Paragraph): boolean {
  return Math.abs((above.lines[0]?.size ?? 0) - (below.lines[0]?.size ?? 0)) < 0.5;
}

function isUnfinished({ lines }: Paragraph): boolean {
  return !endsSentence.test(lines.at(-1)?.text ?? '');
}

/** Whether a paragraph goes on with the one before it, over a gap between columns or pages. */
function continues(above: Paragraph, paragraph: Paragraph): boolean {
  const last = above.lines.at(-1);
  const first = paragraph.lines[0];
  if (!last || !first || above.kind !== 'paragraph' || paragraph.kind !== 'paragraph') return false;
  if (last.page === first.page && first.y > last.y) return false;
  if (Math.abs(last.size - first.size) > 0.1 * last.size || !isUnfinished(above)) return false;
  return /^[\p{Ll}\d([“"]/u.test(first.text) || last.text.endsWith('-') || isFull(above, last);
}

/** Whether a paragraph's last line is as long as its others, so that it breaks off there. */
function isFull({ lines }: Paragraph, last: Line): boolean {
  return lines.length > 1 && last.right > Math.max(...lines.map(({ right }) => right)) - 1.5 * last.size;
}

/** So many letters behind a hyphen tell a word. */
const stemLength = 4;

/** Words that are hyphenated or joined somewhere within a line: they tell which hyphens at line ends are the words' own. */
export class Vocabulary {
  readonly #words = new Set<string>();

  constructor(lines: Iterable<string>) {
    for (const line of lines) {
      // The halves of a word that is broken are no words.
      const whole = line.replace(/^[\p{L}-]+|[\p{L}-]+-$/gu, ' ');
      for (const [found] of whole.matchAll(/\p{L}+(?:-\p{L}+)*/gu)) this.#add(found.toLowerCase());
    }
  }

  #add(word: string): void {
    this.#words.add(word);
    const hyphen = word.lastIndexOf('-');
    // `cross-bridge` tells of `cross-bridges`.
    if (hyphen > 0) this.#words.add(word.slice(0, hyphen + 1 + stemLength));
  }

  /** Whether a hyphen at a line's end is there for the line's sake only. */
  isLineHyphen(before: string, after: string): boolean {
    const head = /[\p{L}]+(?:-[\p{L}]+)*$/u.exec(before.slice(0, -1))?.[0].toLowerCase();
    const tail = /^[\p{L}]+(?:-[\p{L}]+)*/u.exec(after)?.[0].toLowerCase();
    if (!head || !tail || !/^\p{Ll}/u.test(after)) return false;
    if (this.#words.has(`${head}-${tail.slice(0, stemLength)}`)) return false;
    if (this.#words.has(head + tail)) return true;
    // `statically-typed` in place of `statically typed`: two words of the document's own.
    return !head.includes('-') && !(this.#words.has(head) && this.#words.has(tail));
  }
}

/** What a person reads of a paragraph. */
export function readableParagraph(
  paragraph: PlacedParagraph,
  text: string,
  vocabulary: Vocabulary,
): ReadableBuilder {
  const builder = new ReadableBuilder();
  let previous: PlacedParagraph['lines'][number] | null = null;
  for (const [index, line] of paragraph.lines.entries()) {
    const next = paragraph.lines[index + 1];
    if (paragraph.kind === 'code') builder.lineBreak();
    if (paragraph.kind === 'table') {
      const isSameRow = previous !== null && Math.abs(previous.y - line.y) < 3;
      if (isSameRow) builder.put(' | ', line.start, line.start);
      else builder.lineBreak();
    }
    const own = text.slice(line.start, line.end);
    const breaks = paragraph.kind !== 'code' && /[\p{L}\p{N}]-$/u.test(own) && next !== undefined;
    const following = next ? text.slice(next.start, next.end) : '';
    const mended = breaks && vocabulary.isLineHyphen(own, following);
    builder.copy(text, line.start, mended ? line.end - 1 : line.end);
    // A hyphen of the word's own keeps both halves together.
    if (!breaks || (!mended && !/^\p{L}/u.test(following))) builder.space(line.end, line.end + 1);
    previous = line;
  }
  return builder;
}
