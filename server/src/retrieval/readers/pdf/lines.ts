// Puts a page's pieces together to lines. Geometry only; a line never reaches over the gap between two columns.
import type { Page, Piece } from './pages.ts';

export interface Line {
  readonly text: string;
  readonly page: number;
  readonly x: number;
  readonly right: number;
  /** Baseline, downwards from the page's top. */
  readonly y: number;
  /** Size and font of most of its letters. */
  readonly size: number;
  readonly font: string;
  /** How many of its letters are in each font. */
  readonly fonts: ReadonlyMap<string, number>;
}

/** Widths in font sizes: a gap that is a space, and gaps that end a line as it is drawn and as it is pieced together. */
const spaceGap = 0.15;
const drawnGap = 2.2;
const piecedGap = 0.8;

interface OpenLine {
  readonly pieces: Piece[];
  readonly x: number;
  right: number;
  readonly y: number;
  readonly size: number;
}

/** The lines of a page, from top to bottom, then from left to right. */
export function linesOf(page: Page): Line[] {
  const drawn: OpenLine[] = [];
  for (const piece of page.pieces) {
    const last = drawn.at(-1);
    if (last && continues(last, piece, drawnGap)) append(last, piece);
    else
      drawn.push({ pieces: [piece], x: piece.x, right: piece.x + piece.width, y: piece.y, size: piece.size });
  }
  return joinNeighbours(drawn)
    .map((line) => finish(line, page.number))
    .sort((a, b) => a.y - b.y || a.x - b.x);
}

/** Whether a piece goes on where a line ends; raised and lowered letters do. */
function continues(line: OpenLine, piece: Pick<Piece, 'x' | 'y' | 'size'>, gap: number): boolean {
  const size = Math.max(line.size, piece.size);
  const distance = piece.x - line.right;
  const isNear = distance > -0.5 * size && distance < gap * size;
  return (
    isNear &&
    Math.abs(piece.y - line.y) < 0.45 * size &&
    (piece.size < 1.8 * line.size || line.pieces.length === 1)
  );
}

function append(line: OpenLine, piece: Piece): void {
  line.pieces.push(piece);
  line.right = Math.max(line.right, piece.x + piece.width);
}

/** Some programs draw a line in several goes: what stands side by side on one baseline is put together. */
function joinNeighbours(lines: readonly OpenLine[]): OpenLine[] {
  const joined: OpenLine[] = [];
  const inOrder = lines.toSorted((a, b) => Math.round(a.y) - Math.round(b.y) || a.x - b.x);
  for (const line of inOrder) {
    const last = joined.at(-1);
    const isSameRow = last && Math.abs(last.y - line.y) < 0.25 * Math.min(last.size, line.size);
    if (last && isSameRow && continues(last, line, piecedGap)) {
      for (const piece of line.pieces) append(last, piece);
    } else {
      joined.push({ ...line, pieces: [...line.pieces] });
    }
  }
  return joined;
}

function finish(line: OpenLine, page: number): Line {
  let text = '';
  let right = line.x;
  const fonts = new Map<string, { letters: number; size: number; font: string }>();
  for (const piece of line.pieces) {
    const gap = piece.x - right;
    const isApart = gap > spaceGap * piece.size && text !== '';
    text += (isApart && !text.endsWith(' ') && !piece.text.startsWith(' ') ? ' ' : '') + piece.text;
    right = Math.max(right, piece.x + piece.width);
    const key = `${piece.font} ${Math.round(piece.size * 4)}`;
    const known = fonts.get(key) ?? { letters: 0, size: piece.size, font: piece.font };
    known.letters += piece.text.length;
    fonts.set(key, known);
  }
  const [main] = [...fonts.values()].sort((a, b) => b.letters - a.letters);
  const letters = new Map<string, number>();
  for (const piece of line.pieces)
    letters.set(piece.font, (letters.get(piece.font) ?? 0) + piece.text.length);
  return {
    text: text.replace(/\s+/g, ' ').trim(),
    page,
    x: line.x,
    right,
    y: line.y,
    size: main?.size ?? line.size,
    font: main?.font ?? '',
    fonts: letters,
  };
}
