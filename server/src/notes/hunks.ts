// The places where an answer differs from its paragraph, word by word, each to be taken over or left by itself.
// Citations, formulas, code and links count as one word: half of one is never taken over.
import { diffArrays } from 'diff';
import type { TextEdit } from '../protocol/index.ts';
import { applyEdits } from './edits.ts';

/** What is never cut, in the order in which it is looked for; then words, spaces, and single characters. */
const units = new RegExp(
  [
    String.raw`\$\$[^]+?\$\$`,
    String.raw`\$(?![\s$])(?:\\.|[^$\\\n])+\$`,
    '(?<!`)(`+)(?!`)[^]+?(?<!`)\\1(?!`)',
    // A link, an image, a citation in brackets, with one level of brackets inside.
    String.raw`!?\[(?:\\.|[^[\]\\]|\[[^[\]]*\])*\](?:\((?:\\.|[^()\\]|\([^()]*\))*\)|\[[^[\]]*\])?`,
    String.raw`<[^<>\s][^<>\n]*>`,
    String.raw`-?@(?:\{[^{}\s]*\}|[\p{L}\p{N}_](?:[\p{L}\p{N}_:.#$%&\-+?<>~/]*[\p{L}\p{N}_/])?)`,
    String.raw`[\p{L}\p{N}\p{M}]+(?:['’.\-][\p{L}\p{N}\p{M}]+)*`,
    String.raw`\s+`,
    '[^]',
  ].join('|'),
  'gu',
);

/** More units than this that differ: what is compared has nothing in common, and comparing it would take seconds. */
const mostDifferences = 1500;

/**
 * The edits of `paragraph` that make `answer` of it when all of them are made, in order and without overlap; any
 * of them can be left out. Changes with nothing but space between them are one; long texts with nothing in common are
 * one as a whole.
 */
export function hunksOf(paragraph: string, answer: string): TextEdit[] {
  const [old, wanted] = [unitsOf(paragraph), unitsOf(answer)];
  const changes = diffArrays(old, wanted, {
    comparator: (one, other) => one.word === other.word,
    maxEditLength: mostDifferences,
  });
  if (changes === undefined) return [{ start: 0, end: paragraph.length, text: answer }];
  const hunks: TextEdit[] = [];
  const add = (start: number, end: number, text: string): void => {
    const last = hunks.at(-1);
    const between = paragraph.slice(last?.end ?? 0, start);
    if (!last || between.trim() !== '') hunks.push({ start, end, text });
    else hunks[hunks.length - 1] = { start: last.start, end, text: last.text + between + text };
  };
  let [at, from, to] = [0, 0, 0];
  for (const { added, removed, count } of changes) {
    const before = added ? [] : old.slice(from, from + count);
    const after = removed ? [] : wanted.slice(to, to + count);
    if (added || removed) {
      const { length } = textOf(before);
      add(at, at + length, textOf(after));
      at += length;
    } else {
      for (const [index, { word, space }] of before.entries()) {
        at += word.length;
        const other = after[index]?.space ?? '';
        if (other !== space) add(at, at + space.length, other);
        at += space.length;
      }
    }
    from += before.length;
    to += after.length;
  }
  return hunks.map((hunk) => withoutCommonSpace(paragraph, hunk));
}

/** Space that stays is no part of a change. */
function withoutCommonSpace(paragraph: string, { start, end, text }: TextEdit): TextEdit {
  const before = paragraph.slice(start, end);
  const space = /\s*$/.exec(before)?.[0] ?? '';
  const common = [...space].findIndex((_, index) => text.endsWith(space.slice(index)));
  const kept = common < 0 ? 0 : space.length - common;
  return { start, end: end - kept, text: text.slice(0, text.length - kept) };
}

/** The paragraph with some of its hunks taken over. @param accepted by their place in `hunks`, from 0 */
export function withHunks(
  paragraph: string,
  hunks: readonly TextEdit[],
  accepted: (index: number) => boolean,
): string {
  return applyEdits(
    paragraph,
    hunks.filter((_, index) => accepted(index)),
  );
}

/** What is never cut, with the space behind it: that alone makes two units no more alike. */
interface Unit {
  readonly word: string;
  readonly space: string;
}

function unitsOf(text: string): Unit[] {
  const found: Unit[] = [];
  for (const [part] of text.matchAll(units)) {
    const last = found.at(-1);
    if (part.trim() !== '') found.push({ word: part, space: '' });
    else if (last) found[found.length - 1] = { ...last, space: last.space + part };
    else found.push({ word: '', space: part });
  }
  return found;
}

function textOf(all: readonly Unit[]): string {
  return all.map(({ word, space }) => word + space).join('');
}
