// The writer's library: index, search, sources, bibliographies and graph of the workspaces in use, as doors ask for
// them. Joins retrieval and graph; the store's functions and the models come in.
export { chunkerFor, Library, type IndexedFolder, type LibraryParts } from './library.ts';
export { knownCitations, type Bibliography, type BibliographySource } from './bibliographies.ts';
export { WorkspaceIndex, type EmbedderOf, type StoreFunctions } from './workspaceIndex.ts';
