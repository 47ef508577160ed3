// The port through which the core reaches a language model. engine/llama implements it with a local GGUF;
// tests implement it with a small scripted model.
import type { EngineStatus, GenerateEvent, GenerateRequest, ModelDescription } from '../protocol/index.ts';
import type { MarkerProfile, ModelIdentity } from '../protocol/index.ts';

/** What a language model says of itself once it is loaded. */
export interface LoadedModel extends ModelDescription {
  readonly identity: ModelIdentity;
  readonly adapter: string | null;
  readonly markers: MarkerProfile;
}

/** A model that completes chats. Every method may be called at any time; the model loads when it is needed. */
export interface LanguageModel {
  /** Loads the model if need be. `onWait` hears what is waited for and how far it is (0 to 1). */
  load(signal: AbortSignal, onWait?: (reason: string, fraction: number | null) => void): Promise<LoadedModel>;
  /**
   * Streams one completion. Requests run one after the other in the order of their arrival.
   * Aborting `signal` stops the computation within a second and makes the iteration throw `cancelled`.
   */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent>;
  /** Token ids of plain text: special tokens in it are read as ordinary text. */
  tokenize(text: string, signal: AbortSignal): Promise<number[]>;
}

/** A model with a life of its own: the engine host behind a lease. */
export interface Engine extends LanguageModel {
  status(): EngineStatus;
  onStatus(listener: (status: EngineStatus) => void): () => void;
  /** Gives all of the model's memory back; the next call loads again. */
  unload(): Promise<void>;
  dispose(): Promise<void>;
}
