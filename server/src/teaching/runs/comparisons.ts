// What the model answered to the same questions before phase I and after it: the rejected answers of phase I are the
// untrained model's own, and phase II asks its questions again. Pure.
import type { SampleComparison } from '../../protocol/index.ts';
import type { Leg } from './leg.ts';

const mostComparisons = 5;
const longestText = 4000;

export function comparisonsOf(legs: readonly Leg[]): SampleComparison[] {
  const first = legs.find(({ phase }) => phase === 1)?.samples?.lines ?? [];
  const second = legs.find(({ phase }) => phase === 2)?.samples?.lines ?? [];
  return second
    .flatMap((after) => {
      const before = first.find(({ question, kept }) => kept && question === after.question);
      if (!before || after.chosen.trim() === '') return [];
      const { question, note } = before;
      return [{ question, note: note.path, before: cut(before.rejected), after: cut(after.chosen) }];
    })
    .slice(0, mostComparisons);
}

function cut(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}…`;
}
