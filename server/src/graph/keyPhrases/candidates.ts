// Every phrase of up to four words that could be a concept, with where it stands and how often. Counts only: which
// of them are concepts is selection.ts's business.
import { acronymOf, definitionsIn, type Definition } from './acronyms.ts';
import { canEnd, isGeneric, isParted, isStopWord, normalWord, type Language } from './languages.ts';
import type { Word } from './words.ts';

/** Longest phrase, in words as they are read; a hyphenated word is one. Expansions of acronyms may be longer. */
export const longestPhrase = 4;
/** Longer words are data. */
const longestWord = 60;
/** Phrases are counted up to this length: what only ever stands in a longer one is no concept by itself. */
const longestCounted = 6;

/** Where a phrase stands: `[start, end)` in the file's text, in UTF-16 code units. */
export interface Mention {
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

export interface Candidate {
  /** Normal forms of the words, joined by blanks. */
  readonly key: string;
  /** Number of words as they are read. */
  readonly words: number;
  readonly mentions: Mention[];
  /** How it is written, with how often within a sentence. */
  readonly surfaces: Map<string, number>;
  /** The longer candidates that it stands in. */
  readonly within: Set<string>;
  /** Mentions as a whole run of content words: nothing longer is there. */
  whole: number;
  /** In a heading, the title or a tag. */
  heading: boolean;
  /** Written with a capital, or capitals inside, where a plain word would have none. */
  proper: number;
  /** It ends as a phrase can. */
  readonly ends: boolean;
  /** All of its words are concepts only together with others. */
  readonly generic: boolean;
  /** The acronym that the text gives it. */
  acronym: string | null;
}

/** The words of one block. */
export interface WordBlock {
  readonly source: string;
  readonly heading: boolean;
  readonly words: readonly Word[];
}

export class Candidates {
  readonly #language: Language;
  readonly #found = new Map<string, Candidate>();
  /** Key of the expansion by acronym. */
  readonly #expansions = new Map<string, string>();

  constructor(language: Language) {
    this.#language = language;
  }

  get found(): ReadonlyMap<string, Candidate> {
    return this.#found;
  }

  /** Learns which acronyms a block explains. All blocks first: an acronym may be used before it is explained. */
  learn({ words }: WordBlock): void {
    for (const { acronym, expansion } of definitionsIn(words)) this.#define({ acronym, expansion });
  }

  /** Counts the phrases of a block. */
  count(block: WordBlock): void {
    for (const run of this.#runs(block.words)) {
      for (let first = 0; first < run.length; first += 1) {
        for (let last = first; last < Math.min(run.length, first + longestCounted); last += 1)
          this.#phrase(run, first, last, block);
      }
    }
    for (const { acronym, expansion } of definitionsIn(block.words))
      this.#longExpansion(acronym, expansion, block);
  }

  /** Marks the candidates that stand in the words of a title or tag; those have no place in the text. */
  promote(words: readonly Word[]): void {
    for (const run of this.#runs(words)) {
      for (let first = 0; first < run.length; first += 1) {
        for (let end = first + 1; end <= Math.min(run.length, first + longestPhrase); end += 1) {
          const candidate = this.#found.get(this.#key(run.slice(first, end)));
          if (candidate) candidate.heading = true;
        }
      }
    }
  }

  #define({ acronym, expansion }: Definition): void {
    if (!this.#expansions.has(acronym)) this.#expansions.set(acronym, this.#key(expansion));
  }

  /** Runs of joined content words. */
  #runs(words: readonly Word[]): Word[][] {
    const runs: Word[][] = [];
    let run: Word[] = [];
    for (const word of words) {
      const stop = word.surface.length > longestWord || isStopWord(plain(word.surface), this.#language);
      const before = run.at(-1)?.surface;
      if (stop || !word.joined || (before !== undefined && isParted(before, word.surface, this.#language))) {
        if (run.length > 0) runs.push(run);
        run = [];
      }
      if (!stop) run.push(word);
    }
    if (run.length > 0) runs.push(run);
    return runs;
  }

  #phrase(run: readonly Word[], first: number, last: number, block: WordBlock): void {
    const words = run.slice(first, last + 1);
    const candidate = this.#candidate(words);
    if (!candidate) return;
    this.#mention(candidate, words, block);
    if (words.length === run.length) candidate.whole += 1;
    if (words.length === 1 && isProper(words[0], this.#language)) candidate.proper += 1;
    // Longer by one word at either end is enough: those are within longer ones in turn.
    for (const [from, to] of [
      [first - 1, last],
      [first, last + 1],
    ] as const) {
      if (from >= 0 && to < run.length && to - from < longestCounted)
        candidate.within.add(this.#key(run.slice(from, to + 1)));
    }
  }

  /** An expansion with stop words in it, or a long one, is no run of content words: it is counted by itself. */
  #longExpansion(acronym: string, expansion: readonly Word[], block: WordBlock): void {
    const key = this.#key(expansion);
    if (this.#expansions.get(acronym) !== key) return;
    const plainRun =
      expansion.length <= longestPhrase &&
      expansion.every(({ surface }) => !isStopWord(plain(surface), this.#language));
    const candidate = this.#found.get(key) ?? this.#create(key, expansion, false);
    candidate.acronym = acronym;
    if (!plainRun) this.#mention(candidate, expansion, block);
  }

  #mention(candidate: Candidate, words: readonly Word[], { source, heading }: WordBlock): void {
    const first = words[0];
    const last = words.at(-1);
    if (!first || !last) return;
    candidate.mentions.push({ source, start: first.start, end: last.end });
    candidate.heading ||= heading;
    const acronym = words.length === 1 ? acronymOf(first.surface) : null;
    // An acronym's mention says nothing of how its expansion is written.
    if (acronym !== null && this.#expansions.has(acronym)) return;
    const surface = words.map((word) => word.surface).join(' ');
    // A capital at the start of a sentence or in a heading is no spelling of the phrase's own.
    const tells = heading || first.opens ? 0 : 1;
    candidate.surfaces.set(surface, (candidate.surfaces.get(surface) ?? 0) + tells);
  }

  #candidate(words: readonly Word[]): Candidate | null {
    const key = this.#key(words);
    const known = this.#found.get(key);
    if (known) return known;
    const generic = key.split(' ').every((word) => isGeneric(word, this.#language));
    return this.#create(key, words, generic);
  }

  #create(key: string, words: readonly Word[], generic: boolean): Candidate {
    const single = words.length === 1 ? acronymOf(words[0]?.surface ?? '') : null;
    const candidate: Candidate = {
      key,
      // A mention by acronym of what has more words: its expansion counts.
      words: single !== null && this.#expansions.has(single) ? key.split(' ').length : words.length,
      mentions: [],
      surfaces: new Map(),
      within: new Set(),
      whole: 0,
      heading: false,
      proper: 0,
      ends: canEnd(words.at(-1)?.surface ?? '', this.#language),
      generic,
      acronym: null,
    };
    this.#found.set(key, candidate);
    return candidate;
  }

  #key(words: readonly Word[]): string {
    const [only] = words;
    const acronym = words.length === 1 && only ? acronymOf(only.surface) : null;
    const expansion = acronym === null ? undefined : this.#expansions.get(acronym);
    return (
      expansion ??
      keyOf(
        words.map(({ surface }) => surface),
        this.#language,
      )
    );
  }
}

/** The normal form of a phrase: hyphenated words count as their parts. */
export function keyOf(surfaces: readonly string[], language: Language): string {
  return surfaces
    .flatMap((surface) => surface.split(/[-‐‑–]+/u))
    .map((part) => normalWord(part, language))
    .filter((part) => part !== '')
    .join(' ');
}

function plain(surface: string): string {
  return surface.toLowerCase().replaceAll('’', "'");
}

/** Capitals inside a word, or one that no sentence begins with; in German every noun has one. */
function isProper(word: Word | undefined, language: Language): boolean {
  if (!word) return false;
  if (
    /^\P{Lu}*\p{L}.*\p{Lu}/u.test(word.surface) &&
    /\p{Ll}/u.test(word.surface) &&
    !word.surface.includes('-')
  )
    return true;
  if (acronymOf(word.surface) !== null) return true;
  return language !== 'deu' && !word.opens && /^\p{Lu}/u.test(word.surface);
}
