// The engine on an OpenAI-compatible server, at an address that the writer has set.
export { createRemoteEngine } from './engine.ts';
export type { RemoteEngineOptions } from './engine.ts';
export type { RemoteAdapter } from './wire.ts';
