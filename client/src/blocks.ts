// Which annotation a command means when it is not told. Pure.
import type { AnnotationBlock } from '../../server/src/protocol/index.ts';

/**
 * The block that a cursor on `line` means: the one that it is in, else the one that follows the cursor's own
 * paragraph, else the only one there is. undefined: several could be meant.
 * @param isBlank whether a line holds nothing but white space
 */
export function blockMeant(
  blocks: readonly AnnotationBlock[],
  line: number,
  isBlank: (line: number) => boolean,
): AnnotationBlock | undefined {
  const holding = blocks.find(({ range }) => line >= range.start.line && line <= lastLine(range));
  if (holding) return holding;
  const next = blocks.find(({ range }) => range.start.line > line);
  if (next && !isBlank(line)) {
    let end = line;
    while (end < next.range.start.line && !isBlank(end)) end += 1;
    while (end < next.range.start.line && isBlank(end)) end += 1;
    if (end >= next.range.start.line) return next;
  }
  return blocks.length === 1 ? blocks[0] : undefined;
}

/** A range that ends at the start of a line does not hold that line. */
function lastLine({ start, end }: AnnotationBlock['range']): number {
  return end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
}

/** One line that tells a block from the others in a list. */
export function blockLabel(block: AnnotationBlock): string {
  const answer = block.sections.find(({ kind }) => kind === 'answer') ?? block.sections[0];
  const line = answer?.text.trim().split('\n', 1)[0] ?? '';
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

/** The header lines of the sections that are folded on insert: all but the answer. */
export function linesToFold(block: AnnotationBlock): number[] {
  return block.sections
    .filter(({ kind, range }) => kind !== 'answer' && range.end.line > range.start.line)
    .map(({ range }) => range.start.line);
}
