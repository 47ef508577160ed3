// The model files: which there are, where they are, how they are got and checked, and what they need.
export { catalogue, defaultModelId, thinkTagMarkers } from './catalogue.ts';
export type { CatalogueModel } from './catalogue.ts';
export { describeGguf, describeHeader, requireLanguageModel } from './describe.ts';
export type { GgufDescription, GgufKind, ModelShape } from './describe.ts';
export { usualPolicy } from './download.ts';
export type { DownloadPolicy } from './download.ts';
export { hashFile } from './files.ts';
export { availableMemory, estimateMemory, fits } from './fit.ts';
export type { MemoryEstimate } from './fit.ts';
export { badModel, readGgufHeader } from './gguf.ts';
export type { GgufArray, GgufHeader, GgufTensor, GgufValue } from './gguf.ts';
export type { OnProgress } from './progress.ts';
export { ModelStore } from './store.ts';
export type { FoundModel, ModelStoreOptions, WorkOptions } from './store.ts';
