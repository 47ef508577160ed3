// The model files: which there are, where they are, how they are got and checked, and what they need.
export { catalogue, defaultEmbedderId, defaultModelId, thinkTagMarkers } from './catalogue.ts';
export type { CatalogueModel } from './catalogue.ts';
export { describeGguf, describeHeader, requireLanguageModel, requireModel } from './describe.ts';
export type { GgufDescription, GgufKind, ModelShape } from './describe.ts';
export { usualPolicy } from './download.ts';
export type { DownloadPolicy } from './download.ts';
export { hashFile, sameStamp, type FileStamp } from './files.ts';
export { availableMemory, estimateEncoder, estimateMemory, fits } from './fit.ts';
export type { MemoryEstimate } from './fit.ts';
export { badModel, readGgufHeader } from './gguf.ts';
export type { GgufArray, GgufHeader, GgufReading, GgufTensor, GgufValue } from './gguf.ts';
export { writeGgufFile } from './ggufWriter.ts';
export type { GgufContent, GgufMetadata, GgufTensorData } from './ggufWriter.ts';
export type { OnProgress } from './progress.ts';
export { SafetensorsFile } from './safetensors.ts';
export type { SafetensorsTensor, SafetensorsType } from './safetensors.ts';
export { ModelStore } from './store.ts';
export type { FoundEmbedder, FoundModel, FoundReranker, ModelStoreOptions, WorkOptions } from './store.ts';
