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

/**
 * The editor does not wrap what is drawn into a line, and the writer's own words go out of sight at its end. So only
 * the current change shows all its words; they are read in full where the pointer rests, and in the suggestion below.
 */
const longestInserted = 160;
const longestTaken = 32;
const hereIsMore = '+';

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
      inserted: state === 'left' ? '' : insertedWords(after, state, current),
      words: [
        `Change ${index + 1} of ${hunks.length}: ${stateWords[state]}`,
        `Yours: ${before.trim() === '' ? '(nothing)' : before}`,
        `Suggested: ${after.trim() === '' ? '(nothing)' : after}`,
      ].join('\n'),
    };
  });
}

function insertedWords(after: string, state: HunkState, current: boolean): string {
  if (current) return drawn(after, longestInserted);
  if (state === 'taken') return drawn(after, longestTaken);
  return after === '' ? '' : hereIsMore;
}

/** On one line, with a sign where a line ends. */
function drawn(text: string, longest: number): string {
  const line = text.replace(/\s*\n\s*/g, ' ⏎ ');
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
