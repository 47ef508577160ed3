// What is usual in a document, so that what is unusual can be told: sizes, fonts, its outline.
import type { Line } from './lines.ts';
import type { OutlineEntry, Page } from './pages.ts';

/** What is usual in a document, so that what is unusual can be told. */
export interface Typography {
  /** Size and font of most letters. */
  readonly size: number;
  readonly font: string;
  /** Three quarters of the lines in that size are no wider, in points. */
  readonly lineWidth: number;
  /** Fonts whose letters are all equally wide. */
  readonly monospaced: ReadonlySet<string>;
  /** Sizes of headings, the largest first. */
  readonly headingSizes: readonly number[];
  readonly outline: ReadonlyMap<string, number>;
  /** The largest text of the first page, if that is what the document is called. */
  readonly title: string;
}

export function typographyOf(
  pages: readonly Page[],
  lines: readonly Line[],
  outline: readonly OutlineEntry[],
): Typography {
  const sizes = new Map<number, number>();
  const fonts = new Map<string, number>();
  for (const { size, font, text } of lines) {
    sizes.set(rounded(size), (sizes.get(rounded(size)) ?? 0) + text.length);
    fonts.set(font, (fonts.get(font) ?? 0) + text.length);
  }
  const size = mostFrequent(sizes) ?? 10;
  const larger = [...sizes.keys()].filter((other) => other >= size * 1.12).sort((a, b) => b - a);
  return {
    size,
    font: mostFrequent(fonts) ?? '',
    lineWidth: widthOf(lines.filter((line) => rounded(line.size) === size)),
    monospaced: monospacedFonts(pages),
    headingSizes: larger,
    outline: new Map(outline.map(({ title, level }) => [plainTitle(title), level])),
    title: largestText(lines, larger[0]),
  };
}

function widthOf(lines: readonly Line[]): number {
  const widths = lines.map(({ x, right }) => right - x).sort((a, b) => a - b);
  return widths[Math.floor(widths.length * 0.75)] ?? 0;
}

/** Sizes that look the same are the same. */
export function rounded(size: number): number {
  return Math.round(size * 2) / 2;
}

/** The key with the highest count. */
export function mostFrequent<Key>(counts: ReadonlyMap<Key, number>): Key | undefined {
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** A title without its number, so that the outline's and the page's forms agree. */
export function plainTitle(text: string): string {
  return text
    .toLowerCase()
    .replace(/^[\divx]+(?:\.\d+)*\.?\s+/, '')
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

function largestText(lines: readonly Line[], size: number | undefined): string {
  const first = lines.filter((line) => line.page === 1 && rounded(line.size) === size).slice(0, 5);
  return first.map(({ text }) => text).join(' ');
}

/** Fonts in which text is as long as it has letters, whatever the letters. */
function monospacedFonts(pages: readonly Page[]): Set<string> {
  const widths = new Map<string, { least: number; most: number; letters: number }>();
  for (const { pieces } of pages) {
    for (const { font, text, width, size } of pieces) {
      if (text.length < 4) continue;
      const letter = width / text.length / size;
      const known = widths.get(font) ?? { least: letter, most: letter, letters: 0 };
      known.least = Math.min(known.least, letter);
      known.most = Math.max(known.most, letter);
      known.letters += text.length;
      widths.set(font, known);
    }
  }
  const isEven = ({ least, most, letters }: { least: number; most: number; letters: number }): boolean =>
    letters > 60 && most < 1.03 * least;
  return new Set([...widths].filter(([, width]) => isEven(width)).map(([font]) => font));
}
