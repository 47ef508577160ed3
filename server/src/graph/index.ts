// The dynamic knowledge graph: documents, headings, chunks, works, concepts, questions and answers, each edge with
// the places where it can be read. Grows with documents, reasoning runs and decisions; knows no store and no editor.
export { exportFormats, exportGraph, type ExportFormat } from './exporting.ts';
export { graphOfDecision } from './graphOfDecision.ts';
export { graphOfDocument } from './graphOfDocument.ts';
export { graphOfRun } from './graphOfRun.ts';
export { graphOfSample } from './graphOfSample.ts';
export {
  answerId,
  chunkId,
  citationId,
  conceptId,
  documentId,
  headingId,
  questionId,
} from './identifiers.ts';
export {
  keyPhrasesOf,
  mentionsIn,
  type FoundPhrase,
  type KeyPhrase,
  type KeyPhrases,
} from './keyPhrases/index.ts';
export { movedPart } from './movedPart.ts';
export {
  replacePart,
  type GraphPart,
  type GraphRows,
  type GraphStore,
  type Owner,
  type ReadableGraph,
  type StoredEdge,
  type StoredNode,
} from './ports.ts';
export { openGraph, type GraphReading } from './reading.ts';
export { GraphIndex, type NoteStretch } from './selection.ts';
