// Acronyms that a text itself explains: "finite element method (FEM)" and "FEM (finite element method)".
// Source of the method: A. S. Schwartz and M. A. Hearst, A simple algorithm for identifying abbreviation definitions
// in biomedical text, Pacific Symposium on Biocomputing 8 (2003) 451-462.
import type { Word } from './words.ts';

export interface Definition {
  /** As it stands, without a plural's s. */
  readonly acronym: string;
  /** The words that it is short for, in order; stop words may be among them. */
  readonly expansion: readonly Word[];
}

/** Two to ten characters, two capitals at least, as the paper asks, with a plural's s. */
const shortForm = /^(?=(?:.*\p{Lu}){2})[\p{Lu}\p{N}][\p{L}\p{N}-]{0,8}[\p{Lu}\p{N}]$/u;

/** More words than an acronym of ten characters can be short for. */
const longestExpansion = 16;

/** The acronym in a word, or null: `ECMs` gives `ECM`. */
export function acronymOf(surface: string): string | null {
  const bare = surface.replace(/(?:['’]s|s)$/u, '');
  return shortForm.test(bare) ? bare : null;
}

/** The definitions in the words of one block. */
export function definitionsIn(words: readonly Word[]): Definition[] {
  const definitions: Definition[] = [];
  words.forEach((word, index) => {
    if (!/\s\(\s*$/.test(word.gap)) return;
    const inside = insideParenthesis(words, index);
    const acronym = acronymOf(word.surface);
    const before = words[index - 1];
    if (acronym !== null && inside.length === 1) {
      const expansion = longForm(acronym, joinedBefore(words, index));
      if (expansion) definitions.push({ acronym, expansion });
    } else if (before) {
      const outer = acronymOf(before.surface);
      const expansion = outer === null || !joinedThrough(inside) ? null : longForm(outer, inside);
      if (outer !== null && expansion?.length === inside.length)
        definitions.push({ acronym: outer, expansion });
    }
  });
  return definitions;
}

/** The words from the one after `(` to the one before `)`; only the first where it is not closed soon. */
function insideParenthesis(words: readonly Word[], index: number): readonly Word[] {
  const following = words.slice(index + 1, index + longestExpansion + 1);
  const length = following.findIndex(({ gap }) => gap.trimStart().startsWith(')'));
  return words.slice(index, index + 1 + Math.max(0, length));
}

/** The words before `index` that nothing parts, in order. */
function joinedBefore(words: readonly Word[], index: number): readonly Word[] {
  let first = index - 1;
  while (first > index - longestExpansion && words[first]?.joined === true) first -= 1;
  return words.slice(Math.max(0, first), index);
}

function joinedThrough(words: readonly Word[]): boolean {
  return words.slice(1).every(({ joined }) => joined);
}

/**
 * The shortest run of words at the end of `words` that spells the acronym: read from the end, each of its
 * characters is found in order, and the first one begins a word. At most min(|A| + 5, 2 |A|) words.
 */
function longForm(acronym: string, words: readonly Word[]): Word[] | null {
  const letters = Array.from(acronym.toLowerCase()).filter((letter) => /[\p{L}\p{N}]/u.test(letter));
  const limit = Math.min(letters.length + 5, letters.length * 2);
  const candidates = words.slice(-limit);
  const text = candidates.map(({ surface }) => surface.toLowerCase()).join(' ');
  let place = text.length;
  for (let letter = letters.length - 1; letter >= 0; letter -= 1) {
    do place -= 1;
    while (place >= 0 && (text[place] !== letters[letter] || (letter === 0 && !beginsWord(text, place))));
    if (place < 0) return null;
  }
  const skipped = text.slice(0, place).split(' ').length - 1;
  const expansion = candidates.slice(skipped);
  // A word is no expansion of itself, and one that holds the acronym explains nothing.
  if (expansion.some(({ surface }) => acronymOf(surface) === acronym)) return null;
  return expansion.length >= 2 || (expansion[0]?.surface.length ?? 0) > acronym.length * 2 ? expansion : null;
}

function beginsWord(text: string, place: number): boolean {
  return place === 0 || /[\s\-‐‑–]/u.test(text[place - 1] ?? '');
}
