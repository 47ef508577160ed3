// The local engine: a GGUF model in a process of its own, through node-llama-cpp.
export { createLlamaEngine } from './client.ts';
export type { ChooseAdapter, LlamaEngine, LlamaEngineOptions, NamedAdapter } from './client.ts';
export type { EngineLease } from './hostedModel.ts';
export { probeBackends } from './probe.ts';
export type { ProbedBackends, ProbeOptions } from './probe.ts';
export { createLlamaEmbedder, createLlamaReranker } from './encoder.ts';
export type {
  EncoderOptions,
  LlamaEmbedder,
  LlamaEmbedderOptions,
  LlamaReranker,
  LlamaRerankerOptions,
} from './encoder.ts';
// What every engine is made with, whatever it reaches.
export { StopReader } from './completionText.ts';
export { reportOf } from './reports.ts';
export { nothingLoaded, StatusBoard } from './statusBoard.ts';
export { Turns } from './turns.ts';
