// The sections of a pair's two texts beside each other, with the words by which they differ. Pure.
import type { PairSide, PreferencePair, SegmentKind } from '../../../server/src/protocol/index.ts';
import { wordDiff, type Piece } from '../shared/wordDiff.ts';

export interface SectionPair {
  readonly kind: SegmentKind;
  readonly chosen: string;
  readonly rejected: string;
  /** From the rejected text to the chosen one. */
  readonly pieces: readonly Piece[];
}

const kinds = ['thinking', 'reflection', 'answer'] as const satisfies readonly SegmentKind[];

/** Section by section; a text that the reader finds no sections in is an answer as a whole. */
export function sectionsOf(pair: PreferencePair): SectionPair[] {
  return kinds.flatMap((kind) => {
    const [chosen, rejected] = [textOf(pair, 'chosen', kind), textOf(pair, 'rejected', kind)];
    if (chosen === '' && rejected === '') return [];
    return [{ kind, chosen, rejected, pieces: wordDiff(rejected, chosen) }];
  });
}

function textOf(pair: PreferencePair, side: PairSide, kind: SegmentKind): string {
  const text = pair[side] ?? '';
  const spans = pair.spans[side];
  if (spans.length === 0) return kind === 'answer' ? text.trim() : '';
  return spans
    .filter((span) => span.kind === kind)
    .map(({ content }) => text.slice(content.start, content.end).trim())
    .join('\n\n');
}
