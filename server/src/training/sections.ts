// Where the thinking and reflection sections of a completion lie, by offset, as the tolerant reader sees them.
import type { MarkerProfile, OffsetRange, SegmentKind } from '../protocol/index.ts';
import { SegmentReader } from '../reasoning/index.ts';

export interface Section {
  readonly kind: Exclude<SegmentKind, 'answer'>;
  /** UTF-16 offsets of the text between the markers, and with them. */
  readonly content: OffsetRange;
  readonly whole: OffsetRange;
}

/** The sections of a text, in order. Total: any text gives a list. */
export function readSections(text: string, profile: MarkerProfile): readonly Section[] {
  const reader = new SegmentReader(profile);
  // One code unit, one token: the reader's token ranges are then offsets.
  for (let offset = 0; offset < text.length; offset += 1) reader.push(text.charAt(offset), 1);
  reader.end();
  return reader
    .segments()
    .flatMap(({ kind, tokens, withMarkers }) =>
      kind === 'answer' ? [] : [{ kind, content: tokens, whole: withMarkers }],
    );
}
