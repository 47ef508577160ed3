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
  const changes = diffArrays(unitsOf(paragraph), unitsOf(answer), { maxEditLength: mostDifferences });
  if (changes === undefined) return [{ start: 0, end: paragraph.length, text: answer }];
  const hunks: TextEdit[] = [];
  let at = 0;
  for (const { added, removed, value } of changes) {
    const text = value.join('');
    const last = hunks.at(-1);
    if (!added && !removed) {
      at += text.length;
      continue;
    }
    const between = paragraph.slice(last?.end ?? 0, at);
    if (last && between.trim() === '') {
      hunks.pop();
      hunks.push({
        start: last.start,
        end: at + (removed ? text.length : 0),
        text: last.text + between + (added ? text : ''),
      });
    } else {
      hunks.push({ start: at, end: at + (removed ? text.length : 0), text: added ? text : '' });
    }
    if (removed) at += text.length;
  }
  return hunks;
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

function unitsOf(text: string): string[] {
  return text.match(units) ?? [];
}
