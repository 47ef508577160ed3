// The words of a block with their places in the file: the readable text says which words there are, the file's
// own text says where. Knows no language and no phrase.
import type { Block } from '../../retrieval/index.ts';
import { maskOf, type Mask } from './mask.ts';

/** One word as a person reads it. `[start, end)` are UTF-16 offsets into the file's text. */
export interface Word {
  readonly surface: string;
  readonly start: number;
  readonly end: number;
  /** Nothing but blanks and markup stands between it and the word before: the two can be one phrase. */
  readonly joined: boolean;
  /** What the reader sees between the word before and this one. */
  readonly gap: string;
  /** First of its sentence or block: a capital letter says nothing here. */
  readonly opens: boolean;
}

interface Token {
  readonly surface: string;
  readonly start: number;
  readonly end: number;
}

/** Letters and digits, and what may stand inside a word: hyphens, an apostrophe, the dot of a file or product name. */
const wordPattern =
  /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:(?:['’.]|-{1,2}|[‐‑–])[\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*/gu;
/** Scripts that put no blanks between words. */
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const segmenter = new Intl.Segmenter('und', { granularity: 'word' });

/** How many words of the file may lie between two readable ones: a long link or command, not another paragraph. */
const reach = 200;
/** Words of the file that may be skipped without a second look. */
const nearby = 2;
/** Longest stretch of the file between two words of one phrase: markup, never a figure. */
const longestGap = 80;

/**
 * The words of `block.readable`, each where it stands in `text` (the text of the file `block.source`). Words that
 * don't stand there as they are read (entities, mended hyphens) and words of code, math and citations are left
 * out, and part the words around them. Total: any block and text give words.
 */
export function wordsOf(block: Block, text: string): Word[] {
  const raw = text.slice(block.start, block.end);
  const mask = maskOf(raw);
  const places = tokensOf(raw).filter((token) => !mask.covers(token.start, token.end));
  const words: Word[] = [];
  let next = 0;
  let before: Token | null = null;
  let lost = false;
  const read = tokensOf(block.readable);
  read.forEach((token, index) => {
    const found = placeOf(read, index, places, next);
    const place = found === null ? undefined : places[found];
    if (found === null || !place) {
      lost = true;
      return;
    }
    const previous = words.at(-1);
    const gap = block.readable.slice(before?.end ?? 0, token.start);
    const between = previous ? raw.slice(previous.end - block.start, place.start) : '';
    words.push({
      surface: token.surface,
      start: block.start + place.start,
      end: block.start + place.end,
      joined: !lost && before !== null && joins(gap, between, mask, place.start - between.length),
      gap,
      opens: before === null || /[.!?:]["'”’)\]]*\s/u.test(gap),
    });
    next = found + 1;
    before = token;
    lost = false;
  });
  return words;
}

/** The words of a text that is read as it stands: a title, a tag, a model's answer. */
export function wordsOfText(text: string): Word[] {
  const block = {
    source: '',
    start: 0,
    end: text.length,
    readable: text,
    heading: [],
    page: null,
    citations: [],
    runs: [],
    apart: false,
  };
  return wordsOf({ ...block, kind: 'paragraph' }, text);
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const { 0: surface, index } of text.matchAll(wordPattern)) {
    if (!unspaced.test(surface)) tokens.push({ surface, start: index, end: index + surface.length });
    else
      for (const part of segmenter.segment(surface)) {
        if (part.isWordLike !== true) continue;
        const start = index + part.index;
        tokens.push({ surface: part.segment, start, end: start + part.segment.length });
      }
  }
  return tokens;
}

/** Where the readable word stands among the file's words from `from` on, or null where it can't be told. */
function placeOf(
  read: readonly Token[],
  index: number,
  places: readonly Token[],
  from: number,
): number | null {
  const surface = read[index]?.surface;
  const near = indexOf(places, surface, from, from + nearby + 1);
  if (near !== null) return near;
  // The words after it go on right here: it is this one that the file spells otherwise.
  for (const following of read.slice(index + 1, index + 3))
    if (indexOf(places, following.surface, from, from + 2 * nearby) !== null) return null;
  // Farther on the same word may be another one: the next word has to be there too.
  const next = read[index + 1]?.surface;
  for (let place = from; place < from + reach; place += 1) {
    const found = indexOf(places, surface, place, from + reach);
    if (found === null) return null;
    if (next === undefined || indexOf(places, next, found + 1, found + 2 + nearby) !== null) return found;
    place = found;
  }
  return null;
}

/** Index of the first token with that surface in `[from, end)`, or null. */
function indexOf(
  tokens: readonly Token[],
  surface: string | undefined,
  from: number,
  end: number,
): number | null {
  for (let index = from; index < Math.min(end, tokens.length); index += 1)
    if (tokens[index]?.surface === surface) return index;
  return null;
}

/** Whether two words can belong together, by what the reader sees between them and by what the file holds there. */
function joins(gap: string, between: string, mask: Mask, start: number): boolean {
  if (!/^[^\S\t\f\v]*$/u.test(gap) || /\n\s*\n/.test(gap)) return false;
  if (between.length > longestGap || between.includes('|') || /\n\s*(?:[-*+]|\d+[.)])\s/.test(between))
    return false;
  return !mask.touches(start, start + between.length);
}
