// The words by which two texts differ. Pure; bounded in time, since a long thinking can be rewritten as a whole.
import { diffWordsWithSpace } from 'diff';

export interface Piece {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
}

/** Milliseconds after which two texts are simply told to be different. */
const patience = 500;

/** The pieces in order: `same` and `removed` are together `before`, `same` and `added` are `after`. */
export function wordDiff(before: string, after: string, timeout = patience): Piece[] {
  const changes = diffWordsWithSpace(before, after, { timeout });
  if (!changes) {
    const whole: Piece[] = [
      { kind: 'removed', text: before },
      { kind: 'added', text: after },
    ];
    return whole.filter(({ text }) => text !== '');
  }
  return changes.map(({ added, removed, value }) => {
    return { kind: added ? 'added' : removed ? 'removed' : 'same', text: value };
  });
}

/** "12 words added, 3 removed", "The same words." */
export function diffWords(pieces: readonly Piece[]): string {
  const count = (wanted: Piece['kind']): number =>
    pieces
      .filter(({ kind }) => kind === wanted)
      .reduce((sum, { text }) => sum + (text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0), 0);
  const [added, removed] = [count('added'), count('removed')];
  if (pieces.every(({ kind }) => kind === 'same')) return 'The same words.';
  return `${added} ${added === 1 ? 'word' : 'words'} added, ${removed} removed`;
}
