// The local engine: a GGUF model in a process of its own, through node-llama-cpp.
export { createLlamaEngine } from './client.ts';
export type { ChooseAdapter, EngineLease, LlamaEngine, LlamaEngineOptions } from './client.ts';
export type { Timers } from './hostProcess.ts';
export { probeBackends } from './probe.ts';
export type { ProbedBackends, ProbeOptions } from './probe.ts';
