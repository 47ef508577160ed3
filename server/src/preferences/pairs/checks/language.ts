// Guesses the language of a text from its script and its function words. Rough on purpose: it is to notice an answer
// in another language than its question, not to name every language. null where a text says too little.
import { wordsOf } from '../../../words.ts';

/** Frequent words that few of the other languages here have. */
const functionWords: Readonly<Record<string, string>> = {
  English: 'the and of is that with for are this was which be have from not by as it its has were their',
  German: 'der die das und ist nicht mit von für auf ein eine den dem des sich auch wird werden dass sind',
  French: 'le la les et est une des dans que qui pour pas sur avec par sont cette du au aux ce',
  Spanish: 'el los las y es una que en por con para del se su como más pero sus este está',
  Italian: 'il gli della che è una per con non sono dei nel alla anche più questo del di delle come',
  Portuguese: 'os as é uma que em por com para não dos se mais como ao da do das são pela',
  Dutch: 'het een van en is dat niet met voor zijn op te aan door ook wordt naar bij de deze',
  Polish: 'jest nie się na że do jak oraz dla przez są który tego także być tym od po ich jego',
  Swedish: 'och är att det som en av för med inte på den till har ett om var från kan vid',
};
const words = new Map(Object.entries(functionWords).map(([name, list]) => [name, new Set(list.split(' '))]));
const scripts: readonly (readonly [string, RegExp])[] = [
  ['Chinese or Japanese', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['Korean', /\p{Script=Hangul}/gu],
  ['a language in Cyrillic script', /\p{Script=Cyrillic}/gu],
  ['a language in Greek script', /\p{Script=Greek}/gu],
  ['a language in Arabic script', /\p{Script=Arabic}/gu],
  ['a language in Hebrew script', /\p{Script=Hebrew}/gu],
  ['a language in Devanagari script', /\p{Script=Devanagari}/gu],
  ['a language in Thai script', /\p{Script=Thai}/gu],
];
const longestLooked = 5000;
const fewestWords = 12;
/** A language's own words are at least this share of a text in it, and clearly more than the next one's. */
const leastShare = 0.12;
const clearly = 1.5;

export function languageOf(text: string): string | null {
  const looked = text.slice(0, longestLooked);
  const letters = (looked.match(/\p{L}/gu) ?? []).length;
  for (const [name, script] of scripts) {
    const own = (looked.match(script) ?? []).length;
    if (own >= 20 && own > letters / 2) return name;
  }
  const all = wordsOf(looked);
  if (all.length < fewestWords) return null;
  const ranked = [...words]
    .map(([name, own]) => ({ name, share: all.filter((word) => own.has(word)).length / all.length }))
    .sort((a, b) => b.share - a.share);
  const [best, next] = ranked;
  if (!best || best.share < leastShare || best.share < clearly * (next?.share ?? 0)) return null;
  return best.name;
}
