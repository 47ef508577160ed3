// Files in, blocks with exact places out. This is the sub-room's face; it knows no index, no model and no editor.
export { readBibliography } from './bibtex.ts';
export type { BibliographyEntry } from './bibtex.ts';
export { documentKindOf, readDocument, readerVersion } from './readDocument.ts';
export type { ReadOptions } from './readDocument.ts';
export { ReaderThread } from './readerThread.ts';
export type { ReaderThreadOptions } from './readerThread.ts';
