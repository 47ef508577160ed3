// Where a passage stands in a document as it is now. Pure.
import type { Passage } from '../../server/src/protocol/index.ts';

/** A stretch of the document's text, and whether it is where the index says. */
export interface PassagePlace {
  readonly start: number;
  readonly end: number;
  /** It was found again: the document has changed, or the editor holds it with other line ends. */
  readonly moved: boolean;
}

/**
 * The passage's place: where the index says, else where its text stands nearest to that, whatever the white space.
 * @returns null when its text is no longer there
 */
export function placeOf(text: string, { start, end, text: wanted }: Passage): PassagePlace | null {
  if (wanted !== '' && text.slice(start, end) === wanted) return { start, end, moved: false };
  const exact = nearest(occurrences(text, wanted), start);
  if (exact !== null) return { start: exact, end: exact + wanted.length, moved: true };
  return looselyPlaced(text, wanted, start);
}

function occurrences(text: string, wanted: string): number[] {
  const found: number[] = [];
  if (wanted === '') return found;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) found.push(at);
  return found;
}

/** The same characters apart from white space: line ends differ where an editor has changed them. */
function looselyPlaced(text: string, wanted: string, start: number): PassagePlace | null {
  const sought = wanted.replace(/\s+/g, '');
  const places: number[] = [];
  let squeezed = '';
  for (const match of text.matchAll(/\S+/g)) {
    squeezed += match[0];
    for (let offset = 0; offset < match[0].length; offset += 1) places.push(match.index + offset);
  }
  const begins = occurrences(squeezed, sought);
  const at = nearest(
    begins.map((begin) => places[begin] ?? 0),
    start,
  );
  const begin = begins.find((one) => places[one] === at);
  if (at === null || begin === undefined) return null;
  return { start: at, end: (places[begin + sought.length - 1] ?? at) + 1, moved: true };
}

function nearest(places: readonly number[], to: number): number | null {
  const [first] = [...places].sort((a, b) => Math.abs(a - to) - Math.abs(b - to));
  return first ?? null;
}
