// A note cut into stretches that can be parsed one by one, so that reading a long note can pause between them.
// Line scanner only; no markdown is parsed here.
import type { OffsetRange } from '../protocol/index.ts';
import { frontMatterEnd } from './closers.ts';
import { textStart } from './lines.ts';
import { StructureScanner } from './structure.ts';

/**
 * The note's body (without front matter) in stretches of whole blocks at top level, in order and without gaps. Each
 * parses by itself as it does in the note, but for link definitions and footnotes that stand in another one.
 * @param least UTF-16 units that a stretch has at least, but for the last; a longer one is a single block
 */
export function* stretchesOf(note: string, least: number): Generator<OffsetRange> {
  let start = frontMatterEnd(note) || textStart(note);
  const scanner = new StructureScanner(note, { unclosed: 'runs-on' });
  while (scanner.nextLine()) {
    const cut = scanner.boundary || scanner.itemBoundary;
    if (cut && scanner.start - start >= least) {
      yield { start, end: scanner.start };
      start = scanner.start;
    }
  }
  if (start < note.length) yield { start, end: note.length };
}
