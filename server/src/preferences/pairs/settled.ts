// What became of an accepted text: whether it stands in the note as it was accepted, was rewritten, or is gone.
// Pure: the note's present text comes in.
import { stripBlocks } from '../../notes/index.ts';
import { wordsOf } from '../../words.ts';

/** A note as it is now. */
export interface PresentNote {
  readonly text: string;
  /** Milliseconds since the epoch: when it was last changed. */
  readonly modified: number;
  /** Whether the writer lets decisions on it be recorded, as of now. */
  readonly recording: boolean;
}

export type Settled =
  { readonly state: 'kept' | 'gone' | 'unknown' } | { readonly state: 'rewritten'; readonly text: string };

/** Share of words in common from which a passage counts as the rewritten text, by Dice's coefficient. */
const leastCommon = 0.4;

/**
 * Looks for an accepted text in its note.
 * @param others texts that are no rewriting of it although they may look like one: the paragraph that stood there
 * before, and what was accepted or offered elsewhere
 */
export function settledText(note: PresentNote, accepted: string, others: () => readonly string[]): Settled {
  const stretches = stripBlocks(note.text).text.split(/\r?\n(?:[ \t]*\r?\n)+/);
  const wanted = normal(accepted);
  const whole = stretches.map(normal);
  if (wanted === '' || ` ${whole.join(' ')} `.includes(` ${wanted} `)) return { state: 'kept' };
  const different = others();
  const known = new Set(different.map(normal));
  const length = Math.max(1, accepted.trim().split(/\r?\n(?:[ \t]*\r?\n)+/).length);
  let best: { share: number; text: string } | null = null;
  for (const size of new Set([length, Math.max(1, length - 1), length + 1])) {
    for (let at = 0; at + size <= stretches.length; at += 1) {
      const text = stretches
        .slice(at, at + size)
        .join('\n\n')
        .trim();
      const share = known.has(normal(text)) ? 0 : commonWords(text, accepted);
      if (share > (best?.share ?? 0)) best = { share, text };
    }
  }
  if (!best || best.share < leastCommon) return { state: 'gone' };
  // Closer to something else that was there: then it is that, edited.
  const { share, text } = best;
  if (different.some((other) => commonWords(text, other) > share)) return { state: 'gone' };
  return { state: 'rewritten', text };
}

/** Dice's coefficient of the words of two texts, each as often as it occurs: 0 to 1. */
export function commonWords(one: string, other: string): number {
  const [first, second] = [wordsOf(one), wordsOf(other)];
  if (first.length + second.length === 0) return one.trim() === other.trim() ? 1 : 0;
  const counts = new Map<string, number>();
  for (const word of first) counts.set(word, (counts.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of second) {
    const left = counts.get(word) ?? 0;
    if (left === 0) continue;
    counts.set(word, left - 1);
    common += 1;
  }
  return (2 * common) / (first.length + second.length);
}

function normal(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
