// The engine as the rest of the program sees it: a language model in a process of its own, its state, and its
// completions one after the other. Knows no library and no editor; the process's life is hostedModel.ts.
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import type {
  ChatTokens,
  EngineStatus,
  GenerateEvent,
  GenerateRequest,
  Gpu,
  ModelDescription,
  TokenizeChatRequest,
} from '../../protocol/index.ts';
import type { ComputeBudget } from '../compute/index.ts';
import type { ChatTokenizer, Engine, LoadedModel } from '../languageModel.ts';
import type { FoundModel } from '../models/index.ts';
import { realTimers, type Timers } from '../timers.ts';
import type { Backend } from './backends.ts';
import { EventChannel } from './eventChannel.ts';
import { HostedModel, type EngineLease, type HostedState } from './hostedModel.ts';
import type { HostAnswer, HostProcess, HostQuestion } from './hostProcess.ts';
import { reportOf } from './reports.ts';
import type { OnWait } from './sharedTask.ts';
import { Speedometer } from './speedometer.ts';
import { nothingLoaded, StatusBoard } from './statusBoard.ts';
import { Turns } from './turns.ts';

/** A GGUF LoRA adapter's file, and the name by which texts that it wrote remember it. */
export interface NamedAdapter {
  readonly file: string;
  readonly name: string;
}

/** Gives the adapter to load on top of a model. */
export type ChooseAdapter = (model: FoundModel, signal: AbortSignal) => Promise<NamedAdapter | null>;

export interface LlamaEngineOptions {
  /** The model's name for people, as the settings give it. */
  readonly modelName: string;
  /** Finds the model's file; asked before each load. @throws PreflexorError `no-model` and the like */
  readonly resolveModel: (signal: AbortSignal) => Promise<FoundModel>;
  readonly gpu: Gpu;
  /** 0: as much as memory allows. */
  readonly contextTokens: number;
  /** 0: measured once for this machine and model. */
  readonly threads: number;
  /** Time without work after which the model leaves memory; 0: it stays. */
  readonly idleUnloadMs: number;
  /** A GGUF LoRA adapter's file, none, or what is chosen at each load for the model that was found. */
  readonly adapter: string | null | ChooseAdapter;
  /** dist/engineHost.js, or the host's source where the sources run as they are. */
  readonly hostModule: string;
  /** Where measured thread counts are kept. */
  readonly measurementsFile: string;
  /** Hears of each completion, so that embedding and training make room for it. */
  readonly compute?: ComputeBudget;
  /** Hears each line that the host prints, and what goes wrong with the host itself. */
  readonly onLog: (line: string) => void;
  readonly platform?: NodeJS.Platform;
  readonly timers?: Timers;
}

/** An engine that can be kept in memory over several requests. */
export interface LlamaEngine extends Engine, ChatTokenizer {
  acquire(): EngineLease;
  /** The host's process id while there is one: for measuring, and for tests that end it. */
  readonly hostPid: number | null;
}

/** The engine for one model and one set of settings. Starts nothing before it is first needed. */
export function createLlamaEngine(options: LlamaEngineOptions): LlamaEngine {
  return new HostedEngine(options);
}

class HostedEngine implements LlamaEngine {
  readonly #options: LlamaEngineOptions;
  readonly #timers: Timers;
  readonly #status: StatusBoard;
  readonly #turns = new Turns();
  readonly #model: HostedModel<ModelDescription, LoadedModel>;

  constructor(options: LlamaEngineOptions) {
    this.#options = options;
    this.#timers = options.timers ?? realTimers;
    this.#status = new StatusBoard(options.modelName, this.#timers.now, (error) => {
      options.onLog(`A listener of the engine's status failed: ${String(error)}`);
    });
    this.#model = new HostedModel({
      plan: (signal) => this.#plan(signal),
      onState: (state) => {
        this.#show(state);
      },
      onMemory: (memoryBytes) => {
        this.#status.setNumbers({ memoryBytes });
      },
      ...{ gpu: options.gpu, platform: options.platform ?? process.platform, background: false },
      ...{ idleUnloadMs: options.idleUnloadMs, hostModule: options.hostModule, onLog: options.onLog },
      timers: this.#timers,
    });
  }

  get hostPid(): number | null {
    return this.#model.hostPid;
  }

  status(): EngineStatus {
    return this.#status.get();
  }

  onStatus(listener: (status: EngineStatus) => void): () => void {
    return this.#status.listen(listener);
  }

  acquire(): EngineLease {
    return this.#model.acquire();
  }

  load(signal: AbortSignal, onWait?: OnWait): Promise<LoadedModel> {
    return this.#model.load(signal, onWait);
  }

  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.#model.requireAlive();
    const lease = this.#model.acquire();
    let endTurn: () => void = () => undefined;
    try {
      endTurn = await this.#turns.take(signal);
      const { host, model } = await this.#model.ready(signal);
      yield* this.#generateOn(host, model, request, signal);
    } finally {
      endTurn();
      lease.release();
    }
  }

  async tokenize(text: string, signal: AbortSignal): Promise<number[]> {
    this.#model.requireAlive();
    const lease = this.#model.acquire();
    try {
      const { host } = await this.#model.ready(signal);
      return await host.ask({ do: 'tokenize', text }, signal, (answer) =>
        answer.is === 'tokenized' ? { value: answer.tokens } : undefined,
      );
    } finally {
      lease.release();
    }
  }

  async tokenizeChat(chat: TokenizeChatRequest, signal: AbortSignal): Promise<ChatTokens> {
    this.#model.requireAlive();
    const lease = this.#model.acquire();
    try {
      const { host } = await this.#model.ready(signal);
      return await host.ask({ do: 'tokenize-chat', chat }, signal, (answer) =>
        answer.is === 'chat-tokenized' ? { value: answer.chat } : undefined,
      );
    } finally {
      lease.release();
    }
  }

  unload(): Promise<void> {
    return this.#model.unload();
  }

  dispose(): Promise<void> {
    return this.#model.dispose();
  }

  async *#generateOn(
    host: HostProcess,
    { threads }: LoadedModel,
    request: GenerateRequest,
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    const channel = new EventChannel<GenerateEvent>();
    // Stops the host also when the consumer just leaves its loop.
    const leaving = new AbortController();
    const speed = new Speedometer(this.#timers.now);
    const endWork = this.#options.compute?.foreground(Math.max(threads.prompt, threads.generation));
    this.#status.set({ state: 'generating', error: null, tokensPerSecond: null });
    const either = AbortSignal.any([signal, leaving.signal]);
    const asked = host.ask({ do: 'generate', generate: request }, either, (answer) => {
      if (answer.is !== 'generated') return undefined;
      this.#status.setNumbers({ tokensPerSecond: speed.after(answer.events) });
      if (!signal.aborted) channel.push(answer.events);
      return answer.events.some(({ event }) => event === 'end') ? { value: undefined } : undefined;
    });
    asked.then(
      () => {
        this.#model.succeeded();
        channel.end();
      },
      (error: unknown) => {
        channel.fail(error);
      },
    );
    try {
      for await (const event of channel) {
        throwIfCancelled(signal);
        yield event;
      }
    } finally {
      leaving.abort();
      await asked.catch(() => undefined);
      endWork?.();
      if (this.#status.get().state === 'generating') this.#status.set({ state: 'ready' });
    }
  }

  async #plan(signal: AbortSignal) {
    const { contextTokens, threads, measurementsFile, resolveModel } = this.#options;
    const found = await resolveModel(signal);
    throwIfCancelled(signal);
    const adapter = await this.#adapterFor(found, signal);
    const { file, chatTemplate, identity, markers } = found;
    const load = { file, chatTemplate, measurementsFile, adapter: adapter?.file ?? null };
    return {
      file,
      question: (gpu: Backend): HostQuestion => ({
        do: 'load',
        load: { ...load, contextTokens, threads, gpu },
      }),
      loaded: (answer: HostAnswer) => (answer.is === 'loaded' ? { value: answer.model } : undefined),
      done: (description: ModelDescription): LoadedModel => ({
        ...{ ...description, identity, adapter: adapter?.name ?? null, markers },
      }),
    };
  }

  async #adapterFor(found: FoundModel, signal: AbortSignal): Promise<NamedAdapter | null> {
    const { adapter } = this.#options;
    if (typeof adapter === 'function') return await adapter(found, signal);
    return adapter === null ? null : { file: adapter, name: adapter };
  }

  #show(state: HostedState<LoadedModel>): void {
    switch (state.is) {
      case 'loading':
        this.#status.set({ ...nothingLoaded, state: 'loading', error: null });
        return;
      case 'progress':
        this.#status.set({ state: state.phase, fraction: state.fraction });
        return;
      case 'loaded': {
        const { identity, backend, fallback, contextTokens, threads, memoryBytes } = state.model;
        const shown = { backend, fallback, contextTokens, threads, memoryBytes };
        this.#status.set({ ...nothingLoaded, ...shown, state: 'ready', model: identity.id });
        return;
      }
      case 'unloaded':
        this.#status.set({ ...nothingLoaded, state: 'unloaded', error: null });
        return;
      case 'failed': {
        const missing = PreflexorError.is(state.error, 'no-model');
        const error = reportOf(state.error);
        this.#status.set({ ...nothingLoaded, state: missing ? 'no-model' : 'failed', error });
      }
    }
  }
}
