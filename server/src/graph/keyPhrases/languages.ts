// Which language a text is in, and what a word comes to in it: stop word or not, and its normal form.
// Knows no phrase and no document.
import * as lists from 'stopword';
import { genericEnglish, isEnglishAdverb, isEnglishParticiple, stopEnglish } from './englishWords.ts';

const languages = [
  'eng',
  'deu',
  'fra',
  'spa',
  'ita',
  'por',
  'nld',
  'swe',
  'dan',
  'nob',
  'fin',
  'pol',
  'ces',
  'ron',
  'hun',
  'tur',
  'rus',
  'ukr',
  'zho',
  'jpn',
  'kor',
] as const;
/** ISO 639-3; `und`: it could not be told. */
export type Language = (typeof languages)[number] | 'und';

const stopWords = new Map<Language, ReadonlySet<string>>(
  languages.map((language) => [language, new Set(lists[language].map((word) => word.toLowerCase()))]),
);
/** Where the language is not known, only words that few languages use for anything else. */
const shortStopWords: ReadonlySet<string> = new Set(
  [...stopWords.values()].flatMap((words) => [...words].filter((word) => word.length <= 3)),
);

/** So many words of a text are looked at. */
const sampled = 2000;
/** Running text has a stop word in every third to fifth word; below this share there is none of that language. */
const leastShare = 0.08;

/** The language whose stop words are most frequent in the words of a text. */
export function languageOf(words: readonly string[]): Language {
  const sample = words.slice(0, sampled).map((word) => word.toLowerCase());
  let best: { language: Language; share: number } = { language: 'und', share: leastShare };
  for (const language of languages) {
    const known = stopWords.get(language);
    const share = sample.filter((word) => known?.has(word) === true).length / sample.length;
    if (share > best.share) best = { language, share };
  }
  return best.language;
}

/** Whether a word carries no meaning of its own; `word` in lower case. */
export function isStopWord(word: string, language: Language): boolean {
  if (!/\p{L}/u.test(word)) return true;
  if (/^\p{Script=Latin}$/u.test(word)) return true;
  if (language === 'und') return shortStopWords.has(word) || stopEnglish.has(word);
  if (stopWords.get(language)?.has(word)) return true;
  return language === 'eng' && (stopEnglish.has(word) || isEnglishAdverb(word));
}

/**
 * Whether a phrase can end with a word: an English participle says what was done to what comes after it, and a German
 * noun has a capital.
 */
export function canEnd(surface: string, language: Language): boolean {
  if (language === 'deu') return /^\P{L}*\p{Lu}/u.test(surface);
  return language !== 'eng' || !isEnglishParticiple(surface.toLowerCase());
}

/** Whether a phrase ends before a word: in German after a noun, where no noun follows. */
export function isParted(before: string, surface: string, language: Language): boolean {
  return language === 'deu' && canEnd(before, language) && !canEnd(surface, language);
}

/** Whether a word, by its normal form, is a concept only together with another word. */
export function isGeneric(normalWord: string, language: Language): boolean {
  return (language === 'eng' || language === 'und') && genericEnglish.has(normalWord);
}

/**
 * What the inflections and spellings of a word have in common: lower case, no possessive, plurals as singulars as
 * far as endings tell. A key to compare by, not a word to show.
 */
export function normalWord(surface: string, language: Language): string {
  const word = surface
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]s?$/u, '')
    .replace(/['’]s(?=-)/gu, '');
  const singular = singulars[language] ?? ((plain: string) => plain);
  return word.length < 4 ? word : singular(word);
}

const irregularEnglish: Readonly<Record<string, string>> = {
  matrices: 'matrix',
  indices: 'index',
  vertices: 'vertex',
  axes: 'axis',
  criteria: 'criterion',
  phenomena: 'phenomenon',
  spectra: 'spectrum',
  media: 'medium',
  bacteria: 'bacterium',
  nuclei: 'nucleus',
  data: 'data',
  lens: 'lens',
  series: 'series',
  species: 'species',
  physics: 'physics',
  mechanics: 'mechanics',
  dynamics: 'dynamics',
  statistics: 'statistics',
  mathematics: 'mathematics',
  analytics: 'analytics',
  bias: 'bias',
  gas: 'gas',
  atlas: 'atlas',
};

function singularEnglish(word: string): string {
  const known = irregularEnglish[word];
  if (known) return known;
  if (/(?:ics|ss|us|is)$/.test(word)) return spelling(word);
  if (word.endsWith('yses')) return spelling(`${word.slice(0, -2)}is`);
  if (word.length > 4 && word.endsWith('ies')) return spelling(`${word.slice(0, -3)}y`);
  if (/(?:sses|xes|zes|ches|shes)$/.test(word)) return spelling(word.slice(0, -2));
  if (word.endsWith('s')) return spelling(word.slice(0, -1));
  return spelling(word);
}

/** British and American spellings as one, where an ending tells them apart. */
function spelling(word: string): string {
  return word
    .replace(/(?<=\p{L}{3})our$/u, 'or')
    .replace(/isation$/, 'ization')
    .replace(/(?<=model|label|travel|signal|channel|tunnel|fuel)l(?=ing$|ed$|er$)/, '');
}

const singulars: Partial<Record<Language, (word: string) => string>> = {
  eng: singularEnglish,
  und: singularEnglish,
  deu: (word) => (word.length > 5 ? word.replace(/(?:en|er|es|em|e|n|s)$/, '') : word),
  fra: (word) => word.replace(/aux$/, 'au').replace(/[sx]$/, ''),
  spa: (word) => word.replace(/ces$/, 'z').replace(/(?<=[^aeiouáéíóú])es$|s$/, ''),
  por: (word) => word.replace(/ões$/, 'ão').replace(/s$/, ''),
  ita: (word) => word.replace(/[aeio]$/, ''),
  nld: (word) => word.replace(/(?:en|s)$/, ''),
};
