// The port through which the core reaches a language model. engine/llama implements it with a local GGUF;
// tests implement it with a small scripted model.
import type {
  ChatTokens,
  EngineStatus,
  GenerateEvent,
  GenerateRequest,
  MarkerProfile,
  ModelDescription,
  ModelIdentity,
  TokenizeChatRequest,
} from '../protocol/index.ts';

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

/** Turns texts into token ids as one model does, for training and measuring. Remote models cannot. */
export interface ChatTokenizer extends Pick<LanguageModel, 'load' | 'tokenize'> {
  /**
   * A chat and completions of it as token ids, exactly as `generate` would evaluate the one and write the others.
   * Errors: `engine-failed` when the template cannot write the chat, or writes it so that a completion changes it.
   */
  tokenizeChat(request: TokenizeChatRequest, signal: AbortSignal): Promise<ChatTokens>;
}

/** A model with a life of its own: the engine host behind a lease. */
export interface Engine extends LanguageModel {
  status(): EngineStatus;
  onStatus(listener: (status: EngineStatus) => void): () => void;
  /** Gives all of the model's memory back; the next call loads again. */
  unload(): Promise<void>;
  dispose(): Promise<void>;
}
