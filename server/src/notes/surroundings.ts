// The prose around a paragraph, cut to some whole sentences: context for a model.

/** How much of the prose on each side is given, in UTF-16 code units. */
export const proseBefore = 1200;
export const proseAfter = 600;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

/** The last sentences of these paragraphs that fit into `budget`; at least the end of the last one. */
export function lastSentences(paragraphs: readonly string[], budget: number): string {
  const text = paragraphs.join('\n\n');
  if (text.length <= budget) return text;
  // One sentence more than fits would do; twice the budget bounds the work.
  const tail = text.slice(-2 * budget);
  let start = tail.length;
  for (const { index } of [...sentences.segment(tail)].reverse()) {
    if (tail.length - index > budget) break;
    start = index;
  }
  return (start < tail.length ? tail.slice(start) : wordsAtEnd(tail, budget)).trim();
}

/** The first sentences of these paragraphs that fit into `budget`; at least the beginning of the first one. */
export function firstSentences(paragraphs: readonly string[], budget: number): string {
  const text = paragraphs.join('\n\n');
  if (text.length <= budget) return text;
  const head = text.slice(0, 2 * budget);
  let end = 0;
  for (const { index, segment } of sentences.segment(head)) {
    if (index + segment.length > budget) break;
    end = index + segment.length;
  }
  return (end > 0 ? head.slice(0, end) : wordsAtStart(head, budget)).trim();
}

function wordsAtEnd(text: string, budget: number): string {
  const cut = text.slice(-budget);
  const space = cut.search(/\s/);
  return wellFormed(space < 0 ? cut : cut.slice(space));
}

function wordsAtStart(text: string, budget: number): string {
  const cut = text.slice(0, budget);
  const space = cut.search(/\s\S*$/);
  return wellFormed(space < 0 ? cut : cut.slice(0, space));
}

/** Without the halves of characters that a cut may have left. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '');
}
