// The engine behind an OpenAI-compatible server: llama-server, vLLM, SGLang, LM Studio, Ollama. Text leaves this
// process, and with another host in the address this machine; the status says so.
import { throwIfCancelled } from '../../errors.ts';
import type {
  EngineStatus,
  GenerateEvent,
  GenerateRequest,
  MarkerProfile,
  TokenCounts,
} from '../../protocol/index.ts';
import type { Engine, LoadedModel } from '../languageModel.ts';
import { nothingLoaded, reportOf, StatusBoard, StopReader, Turns } from '../llama/index.ts';
import { completionChunks } from './events.ts';
import { ask, baseOf, usualPausesMs, usualTimeoutMs, type ServerAccess } from './http.ts';
import {
  completionBody,
  ModelList,
  ServerProperties,
  Tokenized,
  type CompletionChunk,
  type RemoteAdapter,
} from './wire.ts';

export interface RemoteEngineOptions {
  /** As the setting has it. */
  readonly address: string;
  /** Sent as a bearer token. */
  readonly key: string | null;
  /** The model's name on the server; empty: the first one that it names. */
  readonly model: string;
  readonly adapter: RemoteAdapter | null;
  /** 0: what the server says, else a careful guess. */
  readonly contextTokens: number;
  readonly markers: MarkerProfile;
  readonly onLog: (line: string) => void;
  readonly fetch?: typeof fetch;
  readonly timeoutMs?: number;
  readonly pausesMs?: readonly number[];
}

/** What a server that says nothing about it is taken to hold. */
const guessedContextTokens = 8192;

/** Characters of a token, where the server has no tokenizer to ask: an average over European languages. */
const charactersPerToken = 4;

/** @throws PreflexorError `bad-input` for an address that is none. Contacts nobody before it is asked for something. */
export function createRemoteEngine(options: RemoteEngineOptions): Engine {
  return new RemoteEngine(options);
}

class RemoteEngine implements Engine {
  readonly #options: RemoteEngineOptions;
  readonly #access: ServerAccess;
  readonly #status: StatusBoard;
  readonly #turns = new Turns();
  #loaded: LoadedModel | null = null;
  #model = '';
  #isLlamaServer = false;
  /** Whether the server can be asked for tokens; not known before it was. */
  #tokenizes: boolean | null = null;

  constructor(options: RemoteEngineOptions) {
    this.#options = options;
    this.#access = {
      base: baseOf(options.address),
      key: options.key,
      fetch: options.fetch ?? fetch,
      timeoutMs: options.timeoutMs ?? usualTimeoutMs,
      pausesMs: options.pausesMs ?? usualPausesMs,
    };
    this.#status = new StatusBoard(options.model || this.#access.base.host, Date.now, (error) => {
      options.onLog(`A listener of the engine's status failed: ${String(error)}`);
    });
  }

  status(): EngineStatus {
    return this.#status.get();
  }

  onStatus(listener: (status: EngineStatus) => void): () => void {
    return this.#status.listen(listener);
  }

  async load(
    signal: AbortSignal,
    onWait: (reason: string, fraction: number | null) => void = () => undefined,
  ): Promise<LoadedModel> {
    throwIfCancelled(signal);
    if (this.#loaded) return this.#loaded;
    const { host } = this.#access.base;
    onWait(`Asking the model server at ${host}`, null);
    this.#status.set({ ...nothingLoaded, state: 'loading', error: null });
    try {
      this.#loaded = await this.#describe(signal);
    } catch (error) {
      this.#status.set({ ...nothingLoaded, state: 'failed', error: reportOf(error) });
      throw error;
    }
    const { backend, contextTokens } = this.#loaded;
    this.#status.set({
      ...nothingLoaded,
      state: 'ready',
      model: this.#loaded.identity.id,
      backend,
      contextTokens,
    });
    return this.#loaded;
  }

  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    await this.load(signal);
    const endTurn = await this.#turns.take(signal);
    // Stops the server also when the consumer just leaves its loop.
    const leaving = new AbortController();
    const either = AbortSignal.any([signal, leaving.signal]);
    this.#status.set({ state: 'generating', error: null, tokensPerSecond: null });
    try {
      const body = completionBody(this.#model, request, this.#options.adapter, this.#isLlamaServer);
      const response = await ask(this.#access, 'chat/completions', body, either);
      yield* this.#read(response, request, signal);
    } catch (error) {
      throwIfCancelled(signal);
      this.#status.set({ state: 'ready', error: reportOf(error) });
      throw error;
    } finally {
      leaving.abort();
      endTurn();
      if (this.#status.get().state === 'generating') this.#status.set({ state: 'ready' });
    }
  }

  /** Token ids where the server has a tokenizer to ask; else as many zeros as there may be tokens. */
  async tokenize(text: string, signal: AbortSignal): Promise<number[]> {
    if (text === '') return [];
    if (this.#tokenizes !== false) {
      try {
        // llama-server reads `content`, vLLM `prompt` and `model`.
        const body = { content: text, prompt: text, model: this.#model };
        const response = await ask({ ...this.#access, pausesMs: [] }, '/tokenize', body, signal);
        const decoded = Tokenized.safeParse(await response.json());
        this.#tokenizes = decoded.success;
        if (decoded.success) return decoded.data.tokens;
      } catch {
        throwIfCancelled(signal);
        this.#tokenizes = false;
      }
    }
    return new Array<number>(Math.ceil(text.length / charactersPerToken)).fill(0);
  }

  unload(): Promise<void> {
    this.#loaded = null;
    this.#status.set({ ...nothingLoaded, state: 'unloaded', error: null });
    return Promise.resolve();
  }

  async dispose(): Promise<void> {
    await this.unload();
  }

  async #describe(signal: AbortSignal): Promise<LoadedModel> {
    const { base } = this.#access;
    const response = await ask(this.#access, 'models', undefined, signal);
    const list = ModelList.safeParse(await response.json().catch(() => null));
    const models = list.success ? list.data.data : [];
    const wished = this.#options.model;
    const found = models.find(({ id }) => id === wished) ?? (wished === '' ? models[0] : undefined);
    this.#model = found?.id ?? wished;
    this.#isLlamaServer = found?.owned_by === 'llamacpp';
    const said = found?.meta?.n_ctx ?? found?.max_model_len ?? (await this.#contextOfServer(signal));
    const contextTokens = this.#options.contextTokens || said || guessedContextTokens;
    const trained = found?.meta?.n_ctx_train ?? contextTokens;
    const { adapter } = this.#options;
    return {
      file: this.#model,
      architecture: 'remote',
      parameters: 0,
      backend: `server ${base.host}`,
      fallback: null,
      contextTokens,
      trainedContextTokens: trained,
      threads: { prompt: 1, generation: 1 },
      memoryBytes: 0,
      // A server does not say which file it has: runs of it can be told apart by address and name alone.
      identity: { id: this.#model, file: base.href, sha256: '' },
      adapter: adapterName(adapter),
      markers: this.#options.markers,
    };
  }

  async #contextOfServer(signal: AbortSignal): Promise<number | null> {
    try {
      const response = await ask({ ...this.#access, pausesMs: [] }, '/props', undefined, signal);
      const decoded = ServerProperties.safeParse(await response.json());
      return decoded.success ? (decoded.data.default_generation_settings?.n_ctx ?? null) : null;
    } catch {
      throwIfCancelled(signal);
      return null;
    }
  }

  async *#read(
    response: Response,
    { stop, maxTokens }: GenerateRequest,
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    const started = performance.now();
    const reader = new StopReader(stop);
    const heard: Heard = { tokens: { prompt: 0, reused: 0, generated: 0 }, pieces: 0, finish: null };
    let stopped: string | null = null;
    yield { event: 'prompt', tokens: 0, reused: 0 };
    for await (const chunk of completionChunks(response.body ?? empty())) {
      throwIfCancelled(signal);
      const text = hear(heard, chunk);
      if (text === '' || stopped !== null) continue;
      // A server streams a token at a time, and does not say its number.
      const piece = reader.push(text, [0]);
      if (piece.text !== '' || piece.tokens.length > 0)
        yield { event: 'text', text: piece.text, tokens: [...piece.tokens] };
      stopped = piece.stop;
      // The numbers come at the end; a server that stopped by itself is about to send them.
      if (stopped !== null && heard.finish === null) break;
    }
    const last = stopped === null ? reader.end('', []) : null;
    if (last && last.text !== '') yield { event: 'text', text: last.text, tokens: [...last.tokens] };
    const length = heard.finish === 'length' || heard.pieces >= maxTokens;
    const seconds = (performance.now() - started) / 1000;
    this.#status.setNumbers({ tokensPerSecond: heard.pieces / Math.max(seconds, 1e-3) });
    const generated = heard.tokens.generated || heard.pieces;
    yield {
      event: 'end',
      reason: stopped !== null ? 'stop' : length ? 'length' : 'end-of-turn',
      stop: stopped,
      tokens: { ...heard.tokens, generated },
      seconds,
    };
  }
}

/** null: none is applied. */
function adapterName(adapter: RemoteAdapter | null): string | null {
  if (adapter === null) return null;
  if ('model' in adapter) return adapter.model;
  return adapter.scale === 0 ? null : `lora ${adapter.lora}`;
}

/** What the chunks have said so far. */
interface Heard {
  tokens: TokenCounts;
  pieces: number;
  finish: string | null;
}

/** Takes a chunk in, and gives its text: thinking that the server has taken apart is text of the section as well. */
function hear(heard: Heard, { choices, usage, timings }: CompletionChunk): string {
  if (timings) {
    const { cache_n: reused, prompt_n: evaluated, predicted_n: generated } = timings;
    heard.tokens = { prompt: reused + evaluated, reused, generated };
  }
  if (usage) {
    const reused = usage.prompt_tokens_details?.cached_tokens ?? 0;
    heard.tokens = { prompt: usage.prompt_tokens, reused, generated: usage.completion_tokens };
  }
  const [choice] = choices;
  heard.finish = choice?.finish_reason ?? heard.finish;
  const text = `${choice?.delta?.reasoning_content ?? ''}${choice?.delta?.content ?? ''}`;
  if (text !== '') heard.pieces += 1;
  return text;
}

async function* empty(): AsyncGenerator<Uint8Array> {
  // A response without a body.
}
