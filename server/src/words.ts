// Words of a text in any script, as Unicode cuts them: one answer for every part that compares texts.

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
/** Letters of scripts that write spaces between words, and digits. */
const spaced = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{M}\p{N}'’]+$/u;

/** Words in lower case, in their order: also where no spaces stand between them. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const { segment, isWordLike } of segmenter.segment(text))
    if (isWordLike) words.push(segment.toLowerCase());
  return words;
}

/**
 * Each word of a text that says what it is about, once. Function words are short in most languages that write spaces
 * (up to three letters, numbers apart); where words are one or two characters, all count.
 */
export function contentWords(text: string): Set<string> {
  return new Set(
    wordsOf(text).filter((word) => word.length > 3 || /\p{N}/u.test(word) || !spaced.test(word)),
  );
}
