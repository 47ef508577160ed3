// Key phrases: the concepts that a text is about, taken from its own words.
export { keyPhrasesOf, type KeyPhrase, type KeyPhrases } from './keyPhrases.ts';
export { mentionsIn, type FoundPhrase } from './mentions.ts';
export type { Mention } from './candidates.ts';
