// What an OpenAI-compatible server is sent and sends, as zod schemas: what comes is decoded before it is used, and
// fields that only some servers send are optional. Knows no network.
import { z } from 'zod';
import type { ChatMessage, GenerateRequest } from '../../protocol/index.ts';

/** `GET /v1/models`. llama-server says the context's size in `meta`, vLLM in `max_model_len`. */
export const ModelList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      owned_by: z.string().nullish(),
      max_model_len: z.int().positive().nullish(),
      meta: z
        .object({ n_ctx: z.int().positive().nullish(), n_ctx_train: z.int().positive().nullish() })
        .nullish(),
    }),
  ),
});
export type ModelList = z.infer<typeof ModelList>;

/** `GET /props` of llama-server. */
export const ServerProperties = z.object({
  default_generation_settings: z.object({ n_ctx: z.int().positive() }).nullish(),
});

/** `POST /tokenize` of llama-server (`content`) and vLLM (`prompt`). */
export const Tokenized = z.object({ tokens: z.array(z.int()) });

/** One event of a streamed chat completion. */
export const CompletionChunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish(), reasoning_content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
  usage: z
    .object({
      prompt_tokens: z.int().nonnegative(),
      completion_tokens: z.int().nonnegative(),
      prompt_tokens_details: z.object({ cached_tokens: z.int().nonnegative().nullish() }).nullish(),
    })
    .nullish(),
  /** llama-server's count so far, where it was asked for: also of a text that is not read to its end. */
  timings: z
    .object({
      cache_n: z.int().nonnegative().default(0),
      prompt_n: z.int().nonnegative(),
      predicted_n: z.int().nonnegative(),
    })
    .nullish()
    .catch(null),
  error: z.object({ message: z.string() }).nullish(),
});
export type CompletionChunk = z.infer<typeof CompletionChunk>;

/** What servers say when they refuse. */
export const Failure = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/** OpenAI's own limit; the texts after these are looked for here. */
const mostStops = 4;

/**
 * An adapter that the server has loaded: by its number (llama-server), or as a model's name (vLLM). Scale 0 switches
 * it off: a request that says nothing of adapters gets those that llama-server was started with.
 */
export type RemoteAdapter = { readonly lora: number; readonly scale: number } | { readonly model: string };

/**
 * The body of `POST /v1/chat/completions`. The answer's beginning goes as an assistant's message that is to be
 * continued: llama-server does so by itself, vLLM and SGLang with the two flags.
 */
export function completionBody(
  model: string,
  request: GenerateRequest,
  adapter: RemoteAdapter | null,
  isLlamaServer = false,
): Record<string, unknown> {
  const { prefix, stop, maxTokens, temperature, seed, jsonSchema } = request;
  const messages = request.messages.map(wireMessage);
  const lora =
    adapter !== null && 'lora' in adapter ? { lora: [{ id: adapter.lora, scale: adapter.scale }] } : {};
  return {
    model: adapter !== null && 'model' in adapter ? adapter.model : model,
    messages: prefix === '' ? messages : [...messages, { role: 'assistant', content: prefix }],
    ...(prefix !== '' && { continue_final_message: true, add_generation_prompt: false }),
    ...(stop.length > 0 && { stop: stop.slice(0, mostStops) }),
    ...{ max_tokens: maxTokens, temperature, seed, top_p: 0.95 },
    ...{ stream: true, stream_options: { include_usage: true } },
    ...(jsonSchema && {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', strict: true, schema: strictSchema(jsonSchema) },
      },
    }),
    // Others may refuse what they do not know.
    ...(isLlamaServer && { timings_per_token: true }),
    ...lora,
  };
}

type JsonSchema = NonNullable<GenerateRequest['jsonSchema']>;

/**
 * The schema as servers take it: the local engine writes every property of an object and no other, and they must be
 * told so (llama-server leaves out what is not required; OpenAI's strict mode refuses the schema).
 */
export function strictSchema(schema: JsonSchema): JsonSchema {
  const made = Object.entries(schema).map(([name, value]): [string, JsonSchema[string]] => {
    if (name === 'properties' && isObject(value)) {
      const properties = Object.entries(value).map(([key, one]) => [
        key,
        isObject(one) ? strictSchema(one) : one,
      ]);
      return [name, Object.fromEntries(properties) as JsonSchema];
    }
    return [name, isObject(value) ? strictSchema(value) : value];
  });
  const { properties } = schema;
  const closed = isObject(properties)
    ? { required: Object.keys(properties), additionalProperties: false }
    : {};
  return { ...closed, ...Object.fromEntries(made) };
}

function isObject(value: JsonSchema[string] | undefined): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wireMessage({ role, text }: ChatMessage): { role: string; content: string } {
  return { role, content: text };
}
