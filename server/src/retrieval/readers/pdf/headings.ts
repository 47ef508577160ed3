// Which paragraphs are headings, and of which level. By size, font, number and the document's outline.
import { isHeadingLine, levelOf } from '../plainText.ts';
import type { Line } from './lines.ts';
import type { Paragraph } from './paragraphs.ts';
import { plainTitle, rounded } from './typography.ts';
import type { Typography } from './typography.ts';

/** What may be a heading. */
interface Candidate {
  readonly lines: readonly Line[];
  /** Its lines put together. */
  readonly text: string;
  /** There is more space above it than between lines. */
  readonly standsFree: boolean;
  /** The line below it. */
  readonly below: Line | undefined;
}

type Heading = Pick<Paragraph, 'level' | 'isGuessed'>;

const longestHeading = 160;
const numbered = /^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|[A-Z]\.|[IVX]+\.)\s+\p{Lu}/u;
const sure = (level: number): Heading => ({ level, isGuessed: false });
const guessed = (level: number): Heading => ({ level, isGuessed: true });

/** The level of a heading; null for what is none. */
export function readHeading(candidate: Candidate, typography: Typography): Heading | null {
  const { lines, text } = candidate;
  const [first] = lines;
  if (!first || lines.length > 3 || text.length > longestHeading) return null;
  if (!/\p{L}{2}/u.test(text) || /[,;]$/.test(text)) return null;
  const size = rounded(first.size);
  const isTitle = first.page === 1 && size > typography.size && typography.title.startsWith(text);
  if (isTitle) return sure(1);
  const known = text.length > 3 ? typography.outline.get(plainTitle(text)) : undefined;
  if (known !== undefined) return sure(known + 1);
  if (size >= typography.size * 1.12 && !/[.:]$/.test(text)) {
    if (/^\d+(?:\.\d+)*\.?\s/.test(text)) return sure(levelOf(text) + 1);
    return guessed(Math.min(5, typography.headingSizes.indexOf(size) + 2));
  }
  return readSmallHeading(candidate, typography);
}

/** A heading in letters as large as the text's. */
function readSmallHeading(
  { lines, text, standsFree, below }: Candidate,
  typography: Typography,
): Heading | null {
  const [first] = lines;
  if (!first || lines.length > 2 || first.size < 0.95 * typography.size || !standsFree) return null;
  if (isHeadingLine(text) && lines.length === 1)
    return /^[\dIVX]/.test(text) ? sure(levelOf(text) + 1) : guessed(2);
  const isSet = lines.every(({ font }) => font === first.font && font !== typography.font);
  const isNumbered = numbered.test(text);
  const isPlain =
    text.length < 100 && /^[\p{Lu}\d]/u.test(text) && !/[.:!?]$|[=<>]|[.:!?]\s+\p{Lu}.*\s/u.test(text);
  if (!isSet || !below || (!isPlain && !isNumbered)) return null;
  if (isNumbered) return sure(levelOf(text) + 1);
  // What stands below a heading is text; below a figure's label it is another label.
  const isText = below.font !== first.font && below.right - below.x > 0.5 * typography.lineWidth;
  return isText ? guessed(3) : null;
}

/** So many headings in a row, without a number, are no headings: labels of a figure are set large, too. */
const longestRun = 3;

/** Gives headings that only look like headings the level of those that they look like, and makes labels text again. */
export function levelHeadings(pages: readonly (readonly Paragraph[])[]): Paragraph[][] {
  const labels = labelsIn(pages.flat());
  const looks = ({ lines: [line] }: Paragraph): string => `${line?.font} ${rounded(line?.size ?? 0)}`;
  const levelsBy = (isGuessed: boolean): Map<string, number> => {
    const levels = new Map<string, number>();
    for (const paragraph of pages.flat()) {
      if (paragraph.kind !== 'heading' || paragraph.isGuessed !== isGuessed || labels.has(paragraph))
        continue;
      levels.set(looks(paragraph), Math.min(paragraph.level, levels.get(looks(paragraph)) ?? Infinity));
    }
    return levels;
  };
  const known = levelsBy(false);
  const likely = levelsBy(true);
  const settle = (paragraph: Paragraph): Paragraph => {
    if (labels.has(paragraph)) return { ...paragraph, kind: 'float' };
    if (!paragraph.isGuessed) return paragraph;
    const level = known.get(looks(paragraph)) ?? likely.get(looks(paragraph)) ?? paragraph.level;
    return { ...paragraph, level };
  };
  return pages.map((page) => page.map(settle));
}

function labelsIn(paragraphs: readonly Paragraph[]): Set<Paragraph> {
  const labels = new Set<Paragraph>();
  let run: Paragraph[] = [];
  for (const paragraph of [...paragraphs, null]) {
    if (paragraph?.kind === 'heading') {
      run.push(paragraph);
      continue;
    }
    // Numbers along an axis.
    if (paragraph && !paragraph.lines.some(({ text }) => /\p{L}{3}/u.test(text))) continue;
    const isNumbered = run.some(
      ({ lines: [line], level }) => level === 1 || /^[\dIVX]+\.?\s/.test(line?.text ?? ''),
    );
    if (run.length > longestRun && !isNumbered) for (const label of run) labels.add(label);
    run = [];
  }
  return labels;
}
