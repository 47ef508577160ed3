// Where known key phrases stand in another text.
import { acronymOf } from './acronyms.ts';
import { keyOf } from './candidates.ts';
import type { KeyPhrase, KeyPhrases } from './keyPhrases.ts';
import { wordsOfText } from './words.ts';

export interface FoundPhrase {
  readonly phrase: KeyPhrase;
  /** `[start, end)` in the text, in its order. */
  readonly places: readonly { readonly start: number; readonly end: number }[];
}

/** An expansion of an acronym may have so many words. */
const longest = 8;

/** The phrases that stand in `text`, with every place. Code, math and citations are passed over. Total. */
export function mentionsIn(text: string, { language, phrases }: KeyPhrases): FoundPhrase[] {
  const byKey = new Map(phrases.map((phrase) => [phrase.key, phrase]));
  const byAcronym = new Map(phrases.map((phrase) => [phrase.acronymKey, phrase]));
  const found = new Map<KeyPhrase, { start: number; end: number }[]>();
  const words = wordsOfText(text);
  words.forEach((first, index) => {
    for (let end = index + 1; end <= Math.min(words.length, index + longest); end += 1) {
      const last = words[end - 1];
      if (!last || (end > index + 1 && !last.joined)) break;
      const key = keyOf(
        words.slice(index, end).map(({ surface }) => surface),
        language,
      );
      const acronym = end === index + 1 && acronymOf(first.surface) !== null;
      const phrase = byKey.get(key) ?? (acronym ? byAcronym.get(key) : undefined);
      if (!phrase) continue;
      const places = found.get(phrase) ?? [];
      found.set(phrase, [...places, { start: first.start, end: last.end }]);
    }
  });
  return [...found].map(([phrase, places]) => ({ phrase, places }));
}
