// Which stretches of a page's text belong to a passage. Pure. A passage's text was put together by another reader:
// hyphens mended, ligatures taken apart, columns in reading order. So only letters and digits are compared.

/** A stretch of one piece of text of the page. */
export interface Mark {
  readonly piece: number;
  readonly start: number;
  readonly end: number;
}

/** A piece this short is marked only between marked neighbours: many a passage holds such words. */
const tellingLength = 8;

/** @param pieces the page's text, piece by piece, as the PDF holds it */
export function marksOf(pieces: readonly string[], passage: string): Mark[] {
  const wanted = spell(passage).text;
  if (wanted === '') return [];
  const spelled = pieces.map(spell);
  return inOneStretch(spelled, wanted) ?? byPieces(spelled, wanted);
}

interface Spelling {
  /** Letters and digits only, without case, accents and ligatures. */
  readonly text: string;
  /** Where each unit of it stands in the piece, and one more for the end. */
  readonly places: readonly number[];
}

function spell(piece: string): Spelling {
  let text = '';
  const places: number[] = [];
  for (const match of piece.matchAll(/./gsu)) {
    const letters = match[0]
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]/gu, '');
    text += letters;
    places.push(...new Array<number>(letters.length).fill(match.index));
  }
  return { text, places: [...places, piece.length] };
}

/** The passage as it stands in the page, if the page holds it in one piece. */
function inOneStretch(spelled: readonly Spelling[], wanted: string): Mark[] | null {
  const whole = spelled.map(({ text }) => text).join('');
  const begin = whole.indexOf(wanted);
  if (begin < 0) return null;
  const marks: Mark[] = [];
  let offset = 0;
  for (const [piece, spelling] of spelled.entries()) {
    const from = Math.max(begin - offset, 0);
    const to = Math.min(begin + wanted.length - offset, spelling.text.length);
    if (from < to) marks.push(markOf(piece, spelling, from, to));
    offset += spelling.text.length;
  }
  return marks;
}

/** Each piece for itself: whole ones in the passage, and those at its two ends that hold only a part of it. */
function byPieces(spelled: readonly Spelling[], wanted: string): Mark[] {
  const marks = spelled.map((spelling, piece): Mark | null => {
    const { text } = spelling;
    if (text.length < tellingLength) return null;
    if (wanted.includes(text)) return markOf(piece, spelling, 0, text.length);
    for (let length = Math.min(text.length, wanted.length); length >= tellingLength; length -= 1) {
      if (wanted.startsWith(text.slice(-length)))
        return markOf(piece, spelling, text.length - length, text.length);
      if (wanted.endsWith(text.slice(0, length))) return markOf(piece, spelling, 0, length);
    }
    return null;
  });
  return spelled.flatMap((spelling, piece) => {
    const mark = marks[piece];
    if (mark) return [mark];
    const { text } = spelling;
    const isBetween = Boolean(marks[piece - 1]) && Boolean(marks[piece + 1]);
    return isBetween && text !== '' && wanted.includes(text) ? [markOf(piece, spelling, 0, text.length)] : [];
  });
}

function markOf(piece: number, { places }: Spelling, from: number, to: number): Mark {
  // Up to the next letter: a full stop or a hyphen behind the last one belongs to it.
  return { piece, start: from === 0 ? 0 : (places[from] ?? 0), end: places[to] ?? 0 };
}
