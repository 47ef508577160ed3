// The local engine: a GGUF model in a process of its own, through node-llama-cpp.
export { createLlamaEngine } from './client.ts';
export type { ChooseAdapter, LlamaEngine, LlamaEngineOptions, NamedAdapter } from './client.ts';
export type { EngineLease } from './hostedModel.ts';
export { probeBackends } from './probe.ts';
export type { ProbedBackends, ProbeOptions } from './probe.ts';
