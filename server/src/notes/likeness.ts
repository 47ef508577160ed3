// How much two texts share, in any script: enough to tell an edited paragraph from another one.
import { wordsOf } from '../words.ts';

/** Share of different words that two texts have in common (Dice's coefficient), 0 to 1. */
export function likeness(one: string, other: string): number {
  const [a, b] = [new Set(wordsOf(one)), new Set(wordsOf(other))];
  if (a.size + b.size === 0) return 0;
  let common = 0;
  for (const word of a) if (b.has(word)) common += 1;
  return (2 * common) / (a.size + b.size);
}
