// The engine: its state as the editor shows it, and the messages between server and engine host.
// The host is a child process, so every message is decoded on both sides.
import { z } from 'zod';
import { TokenCounts } from './reasoning.ts';

export const Gpu = z.enum(['auto', 'cpu', 'cuda', 'vulkan', 'metal']);
export type Gpu = z.infer<typeof Gpu>;

export const ErrorReport = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string().nullable(),
});
export type ErrorReport = z.infer<typeof ErrorReport>;

/** A whole snapshot: whoever missed the one before is right again with the next. */
export const EngineStatus = z.object({
  state: z.enum(['no-model', 'unloaded', 'loading', 'measuring', 'ready', 'generating', 'failed']),
  model: z.string().nullable(),
  /** Share of the load that is done, 0 to 1. */
  fraction: z.number().min(0).max(1).nullable(),
  backend: z.string().nullable(),
  /** Why the backend is not the one that was wished for. */
  fallback: z.string().nullable(),
  contextTokens: z.int().positive().nullable(),
  threads: z.object({ prompt: z.int().positive(), generation: z.int().positive() }).nullable(),
  tokensPerSecond: z.number().nonnegative().nullable(),
  memoryBytes: z.int().nonnegative().nullable(),
  error: ErrorReport.nullable(),
});
export type EngineStatus = z.infer<typeof EngineStatus>;

/** What is loaded, once it is loaded. */
export const ModelDescription = z.object({
  file: z.string(),
  architecture: z.string(),
  parameters: z.int().nonnegative(),
  backend: z.string(),
  fallback: z.string().nullable(),
  contextTokens: z.int().positive(),
  trainedContextTokens: z.int().positive(),
  threads: z.object({ prompt: z.int().positive(), generation: z.int().positive() }),
  memoryBytes: z.int().nonnegative(),
});
export type ModelDescription = z.infer<typeof ModelDescription>;

export const ChatMessage = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  text: z.string(),
});
export type ChatMessage = z.infer<typeof ChatMessage>;

/**
 * One completion. `prefix` is how the assistant's answer is begun (not part of what comes back).
 * Generation ends at the first of: an end-of-turn token, one of `stop` (left out of the text), `maxTokens`.
 */
export const GenerateRequest = z.object({
  messages: z.array(ChatMessage).min(1),
  prefix: z.string(),
  stop: z.array(z.string().min(1)),
  maxTokens: z.int().positive(),
  temperature: z.number().nonnegative(),
  seed: z.int().nonnegative(),
  /** Penalises phrases that this very completion has used before; the prompt may be quoted freely. */
  avoidLoops: z.boolean().optional(),
  /** Only JSON that fits this schema is written (the subset of JSON Schema that llama.cpp's grammars know). */
  jsonSchema: z.record(z.string(), z.json()).optional(),
});
export type GenerateRequest = z.infer<typeof GenerateRequest>;

/** A chat and ways in which its next turn may go, to be turned into token ids. */
export const TokenizeChatRequest = z.object({
  messages: z.array(ChatMessage).min(1),
  completions: z.array(z.string()),
});
export type TokenizeChatRequest = z.infer<typeof TokenizeChatRequest>;

const TokenId = z.int().nonnegative();

/**
 * `texts[i]` is what token i completes: empty for a token that ends inside a character, whose text comes with the
 * token that ends it. The token that ends the turn is not among them.
 */
export const CompletionTokens = z.object({ tokens: z.array(TokenId), texts: z.array(z.string()) });
export type CompletionTokens = z.infer<typeof CompletionTokens>;

export const ChatTokens = z.object({
  /** The chat up to where the model's turn begins. */
  prompt: z.array(TokenId),
  completions: z.array(CompletionTokens),
  endOfTurn: TokenId,
});
export type ChatTokens = z.infer<typeof ChatTokens>;

export const GenerateEvent = z.discriminatedUnion('event', [
  /** The prompt has been evaluated; text comes next. */
  z.object({ event: z.literal('prompt'), tokens: z.int().nonnegative(), reused: z.int().nonnegative() }),
  /** Whole characters only; `tokens` are the ids they were decoded from. */
  z.object({ event: z.literal('text'), text: z.string(), tokens: z.array(z.int()) }),
  z.object({
    event: z.literal('end'),
    reason: z.enum(['end-of-turn', 'stop', 'length']),
    /** Which of `stop` ended it. */
    stop: z.string().nullable(),
    tokens: TokenCounts,
    seconds: z.number().nonnegative(),
  }),
]);
export type GenerateEvent = z.infer<typeof GenerateEvent>;

export const LoadRequest = z.object({
  file: z.string(),
  gpu: Gpu,
  /** 0: as much as memory allows, up to what the model was trained with. */
  contextTokens: z.int().nonnegative(),
  /** 0: measured once per machine and model. */
  threads: z.int().nonnegative(),
  /** Adapter file (GGUF LoRA) or null. */
  adapter: z.string().nullable(),
  /** `embedded` or the name of a built-in chat wrapper. */
  chatTemplate: z.string(),
  /** Where measured thread counts are kept. */
  measurementsFile: z.string(),
});
export type LoadRequest = z.infer<typeof LoadRequest>;

/** An encoder: it embeds, or it ranks. It keeps nothing from one input to the next. */
export const EncoderLoadRequest = z.object({
  file: z.string(),
  kind: z.enum(['embedder', 'reranker']),
  gpu: Gpu,
  /** The longest input in tokens, special tokens included; a longer one is cut. */
  maxTokens: z.int().positive(),
});
export type EncoderLoadRequest = z.infer<typeof EncoderLoadRequest>;

/** What is said of an encoder, once it is loaded. */
export const EncoderDescription = z.object({
  file: z.string(),
  architecture: z.string(),
  backend: z.string(),
  fallback: z.string().nullable(),
  /** Numbers in a vector. */
  dimensions: z.int().positive(),
  maxTokens: z.int().positive(),
  /** Processor threads that there are. */
  cores: z.int().positive(),
  memoryBytes: z.int().nonnegative(),
});
export type EncoderDescription = z.infer<typeof EncoderDescription>;

/** Texts with their prefixes. `threads` at most compute. */
export const EmbedRequest = z.object({ texts: z.array(z.string()).min(1), threads: z.int().positive() });
export type EmbedRequest = z.infer<typeof EmbedRequest>;

export const RankRequest = z.object({
  query: z.string(),
  texts: z.array(z.string()).min(1),
  threads: z.int().positive(),
});
export type RankRequest = z.infer<typeof RankRequest>;

/** Server → engine host. `request` numbers tie answers to questions. */
export const HostRequest = z.discriminatedUnion('do', [
  z.object({ do: z.literal('load'), request: z.int(), load: LoadRequest }),
  z.object({ do: z.literal('generate'), request: z.int(), generate: GenerateRequest }),
  z.object({ do: z.literal('tokenize'), request: z.int(), text: z.string() }),
  z.object({ do: z.literal('load-encoder'), request: z.int(), load: EncoderLoadRequest }),
  z.object({ do: z.literal('embed'), request: z.int(), embed: EmbedRequest }),
  z.object({ do: z.literal('rank'), request: z.int(), rank: RankRequest }),
  /** Tokens of each text, without special tokens. */
  z.object({ do: z.literal('count'), request: z.int(), texts: z.array(z.string()) }),
  z.object({ do: z.literal('tokenize-chat'), request: z.int(), chat: TokenizeChatRequest }),
  /** Opens a backend without a model, to see whether it is there. */
  z.object({ do: z.literal('probe'), request: z.int(), gpu: Gpu.exclude(['auto']) }),
  z.object({ do: z.literal('cancel'), request: z.int() }),
  z.object({ do: z.literal('quit'), request: z.int() }),
]);
export type HostRequest = z.infer<typeof HostRequest>;

/** Engine host → server. */
export const HostMessage = z.discriminatedUnion('is', [
  z.object({ is: z.literal('up'), protocol: z.literal(1) }),
  z.object({
    is: z.literal('loading'),
    request: z.int(),
    phase: z.enum(['loading', 'measuring']),
    fraction: z.number().min(0).max(1),
  }),
  z.object({ is: z.literal('loaded'), request: z.int(), model: ModelDescription }),
  z.object({ is: z.literal('generated'), request: z.int(), events: z.array(GenerateEvent) }),
  z.object({ is: z.literal('tokenized'), request: z.int(), tokens: z.array(z.int()) }),
  z.object({ is: z.literal('encoder-loaded'), request: z.int(), encoder: EncoderDescription }),
  /** `vectors` one after the other, each of length 1; `tokens` were read, special ones included. */
  z.object({
    is: z.literal('embedded'),
    request: z.int(),
    vectors: z.instanceof(Float32Array),
    tokens: z.int().nonnegative(),
    seconds: z.number().nonnegative(),
  }),
  /** 0 to 1, in the order of the texts. */
  z.object({ is: z.literal('ranked'), request: z.int(), scores: z.array(z.number().min(0).max(1)) }),
  z.object({ is: z.literal('counted'), request: z.int(), counts: z.array(z.int().nonnegative()) }),
  z.object({ is: z.literal('chat-tokenized'), request: z.int(), chat: ChatTokens }),
  /** The backend is there; `devices` are the names of its GPUs. */
  z.object({ is: z.literal('probed'), request: z.int(), devices: z.array(z.string()) }),
  /** Resident memory of the host process, said after each completion. */
  z.object({ is: z.literal('memory'), bytes: z.int().nonnegative() }),
  z.object({ is: z.literal('cancelled'), request: z.int() }),
  z.object({ is: z.literal('failed'), request: z.int(), error: ErrorReport }),
]);
export type HostMessage = z.infer<typeof HostMessage>;
