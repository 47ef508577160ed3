// The engine's public face: the port to a language model, the local engine behind it, and the model files.
export type { ChatTokenizer, Engine, LanguageModel, LoadedModel } from './languageModel.ts';
export { criticBeside } from './critic.ts';
export * from './compute/index.ts';
export * from './llama/index.ts';
export * from './models/index.ts';
export * from './openai/index.ts';
export { realTimers } from './timers.ts';
export type { Timers } from './timers.ts';
