// How a review looks in the editor: which changes are drawn in which way, and with what words. Pure.
import type { HunkState, Review } from '../../server/src/protocol/index.ts';

export interface DrawnHunk {
  readonly range: Review['hunks'][number]['range'];
  readonly state: HunkState;
  /** It is decided on next. */
  readonly current: boolean;
  /** The new words as they are drawn behind the old ones; empty: none are. */
  readonly inserted: string;
  /** What is said of it when the pointer rests on it. Plain text. */
  readonly words: string;
}

/** The editor does not wrap what is drawn into a line: long insertions are read in full where the pointer rests. */
const longestInserted = 160;
const longestAside = 32;

const stateWords: Record<HunkState, string> = {
  open: 'not decided yet',
  taken: 'taken',
  left: 'left as it is',
};

/** All changes of a review. What was left is no change any more, and not drawn as one. */
export function drawnHunks({ hunks, current: at }: Review): DrawnHunk[] {
  return hunks.map(({ range, before, after, state }, index) => {
    const current = index === at;
    return {
      ...{ range, state, current },
      inserted: state === 'left' ? '' : drawn(after, current ? longestInserted : longestAside),
      words: [
        `Change ${index + 1} of ${hunks.length}: ${stateWords[state]}`,
        `Yours: ${before.trim() === '' ? '(nothing)' : before}`,
        `Suggested: ${after.trim() === '' ? '(nothing)' : after}`,
      ].join('\n'),
    };
  });
}

/** On one line, with a sign where a line ends. */
function drawn(text: string, longest: number): string {
  const line = text.replace(/\s*\n\s*/g, ' ⏎ ');
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
