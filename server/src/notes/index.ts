// Markdown in and out: paragraphs, annotation blocks, and edits by offset. This is the room's face.
// It never re-serialises a note, and knows neither an editor nor a protocol for one.
export { readBlocks } from './blocks.ts';
export type { Block, Section } from './blocks.ts';
export { citationsOf } from './citations.ts';
export { frontMatterEnd } from './closers.ts';
export { parseMarkdown } from './markdown.ts';
export { stretchesOf } from './stretches.ts';
export { acceptIntoNote } from './accept.ts';
export type { Acceptance, Placement } from './accept.ts';
export {
  bibliographiesOf,
  citationAt,
  citationPlaces,
  definedKeys,
  isCrossReference,
  keysOfNote,
  openCitation,
} from './citations.ts';
export type { CitationPlace, OpenCitation } from './citations.ts';
export { decideEdits, paragraphGone, unknownBlock } from './decide.ts';
export type { DecideOptions, DecidedEdits } from './decide.ts';
export { applyEdits, joinEdits } from './edits.ts';
export { escapeModelText, normaliseModelText, unescapeModelText } from './escape.ts';
export { hunksOf, withHunks } from './hunks.ts';
export { hunkEdits, noteHunks } from './noteHunks.ts';
export type { HunkSubject, NoteHunk, NoteHunks } from './noteHunks.ts';
export { insertBlock, newBlockId } from './insert.ts';
export type { BlockContent } from './insert.ts';
export { paragraphAt, relocate } from './paragraphs.ts';
export type { Paragraph, ParagraphMark } from './paragraphs.ts';
export { readRawMarkers } from './rawMarkers.ts';
export type { RawMarker } from './rawMarkers.ts';
export { paragraphsIn } from './section.ts';
export type { SectionParagraph } from './section.ts';
export { stripBlocks } from './strip.ts';
export type { Stripped } from './strip.ts';
export { markCitations, markUnknownCitations } from './unknownCitations.ts';
export type { MarkedText } from './unknownCitations.ts';
