// The engine as the rest of the program sees it: one model in a process of its own, that is started when it is
// needed, started again after a crash, and ended when nobody needs it. Knows no library and no editor.
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import type {
  ChatTokens,
  EngineStatus,
  GenerateEvent,
  GenerateRequest,
  Gpu,
  TokenizeChatRequest,
} from '../../protocol/index.ts';
import type { ChatTokenizer, Engine, LoadedModel } from '../languageModel.ts';
import type { FoundModel } from '../models/index.ts';
import { BackendLoader } from './backendLoader.ts';
import { backendsFor } from './backends.ts';
import { CrashPause } from './crashPause.ts';
import { EventChannel } from './eventChannel.ts';
import { HostProcess, realTimers, type HostEnding, type Timers } from './hostProcess.ts';
import { reportOf } from './reports.ts';
import { SharedTask, type OnWait } from './sharedTask.ts';
import { Speedometer } from './speedometer.ts';
import { nothingLoaded, StatusBoard } from './statusBoard.ts';
import { Turns } from './turns.ts';

/** Gives the GGUF LoRA adapter to load on top of a model, and the name by which its texts are remembered. */
export type ChooseAdapter = (
  model: FoundModel,
  signal: AbortSignal,
) => Promise<{ readonly file: string; readonly name: string } | null>;

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
  /** Hears each line that the host prints, and what goes wrong with the host itself. */
  readonly onLog: (line: string) => void;
  readonly platform?: NodeJS.Platform;
  readonly timers?: Timers;
}

/** Says that somebody is at work with the engine: the idle time starts when the last lease is released. */
export interface EngineLease {
  release(): void;
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
  readonly #loading: SharedTask<LoadedModel>;
  readonly #backends: BackendLoader;
  readonly #crashes: CrashPause;
  #host: HostProcess | null = null;
  #loaded: LoadedModel | null = null;
  #leases = 0;
  #cancelIdle: () => void = () => undefined;
  #disposed = false;

  constructor(options: LlamaEngineOptions) {
    this.#options = options;
    this.#timers = options.timers ?? realTimers;
    this.#status = new StatusBoard(options.modelName, this.#timers.now, (error) => {
      options.onLog(`A listener of the engine's status failed: ${String(error)}`);
    });
    this.#crashes = new CrashPause(this.#timers);
    this.#backends = new BackendLoader({
      backends: backendsFor(options.gpu, options.platform ?? process.platform),
      onLog: options.onLog,
      startHost: (signal, report) => this.#startHost(signal, report),
      dropHost: () => this.#dropHost(),
    });
    this.#loading = new SharedTask((signal, report) => this.#load(signal, report));
  }

  get hostPid(): number | null {
    return this.#host?.pid ?? null;
  }

  status(): EngineStatus {
    return this.#status.get();
  }

  onStatus(listener: (status: EngineStatus) => void): () => void {
    return this.#status.listen(listener);
  }

  acquire(): EngineLease {
    this.#leases += 1;
    this.#cancelIdle();
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        this.#leases -= 1;
        if (this.#leases === 0) this.#startIdle();
      },
    };
  }

  async load(signal: AbortSignal, onWait: OnWait = () => undefined): Promise<LoadedModel> {
    this.#requireAlive();
    throwIfCancelled(signal);
    if (this.#loaded) return this.#loaded;
    const lease = this.acquire();
    try {
      return await this.#loading.join(signal, onWait);
    } finally {
      lease.release();
    }
  }

  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.#requireAlive();
    const lease = this.acquire();
    let endTurn: () => void = () => undefined;
    try {
      endTurn = await this.#turns.take(signal);
      const host = await this.#readyHost(signal);
      yield* this.#generateOn(host, request, signal);
    } finally {
      endTurn();
      lease.release();
    }
  }

  async tokenize(text: string, signal: AbortSignal): Promise<number[]> {
    this.#requireAlive();
    const lease = this.acquire();
    try {
      const host = await this.#readyHost(signal);
      return await host.ask({ do: 'tokenize', text }, signal, (answer) =>
        answer.is === 'tokenized' ? { value: answer.tokens } : undefined,
      );
    } finally {
      lease.release();
    }
  }

  async tokenizeChat(chat: TokenizeChatRequest, signal: AbortSignal): Promise<ChatTokens> {
    this.#requireAlive();
    const lease = this.acquire();
    try {
      const host = await this.#readyHost(signal);
      return await host.ask({ do: 'tokenize-chat', chat }, signal, (answer) =>
        answer.is === 'chat-tokenized' ? { value: answer.chat } : undefined,
      );
    } finally {
      lease.release();
    }
  }

  /** Requests that are running end as `cancelled`. */
  async unload(): Promise<void> {
    this.#cancelIdle();
    const host = this.#host;
    this.#host = null;
    this.#loaded = null;
    if (!host) return;
    await host.stop();
    // Unless it was asked for again in the meantime.
    if (this.hostPid === null) this.#status.set({ ...nothingLoaded, state: 'unloaded', error: null });
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.unload();
  }

  #requireAlive(): void {
    if (!this.#disposed) return;
    throw new PreflexorError('engine-failed', 'This engine has been shut down.', { remedy: 'Try again.' });
  }

  // Generating.

  async #readyHost(signal: AbortSignal): Promise<HostProcess> {
    await this.load(signal);
    // Between the load and here nothing can end the host but a crash.
    if (this.#host?.alive) return this.#host;
    throw new PreflexorError('engine-crashed', 'The model process ended as soon as it was loaded.', {
      remedy: 'Try again.',
    });
  }

  async *#generateOn(
    host: HostProcess,
    request: GenerateRequest,
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    const channel = new EventChannel<GenerateEvent>();
    // Stops the host also when the consumer just leaves its loop.
    const leaving = new AbortController();
    const speed = new Speedometer(this.#timers.now);
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
        this.#crashes.succeeded();
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
      if (this.#status.get().state === 'generating') this.#status.set({ state: 'ready' });
    }
  }

  // Loading.

  async #load(signal: AbortSignal, report: OnWait): Promise<LoadedModel> {
    this.#status.set({ ...nothingLoaded, state: 'loading', error: null });
    try {
      report('Looking for the model', null);
      const found = await this.#options.resolveModel(signal);
      throwIfCancelled(signal);
      const adapter = await this.#adapterFor(found, signal);
      throwIfCancelled(signal);
      await this.#crashes.wait(signal, report);
      const { contextTokens: wished, threads: count, measurementsFile } = this.#options;
      const { host, description } = await this.#backends.load(
        {
          ...{ file: found.file, chatTemplate: found.chatTemplate, measurementsFile },
          ...{ contextTokens: wished, threads: count, adapter: adapter?.file ?? null },
        },
        signal,
        report,
        (phase, fraction) => {
          this.#status.set({ state: phase, fraction });
        },
      );
      // `unload` or `dispose` came in between.
      if (this.#host !== host) throw cancelled();
      const { identity, markers } = found;
      this.#loaded = { ...description, identity, adapter: adapter?.name ?? null, markers };
      const { backend, fallback, contextTokens, threads, memoryBytes } = description;
      this.#status.set({
        ...nothingLoaded,
        ...{
          state: 'ready',
          model: found.identity.id,
          backend,
          fallback,
          contextTokens,
          threads,
          memoryBytes,
        },
      });
      return this.#loaded;
    } catch (error) {
      const state = PreflexorError.is(error, 'no-model')
        ? 'no-model'
        : PreflexorError.is(error, 'cancelled')
          ? 'unloaded'
          : 'failed';
      const shown = state === 'unloaded' ? null : reportOf(error);
      this.#status.set({ ...nothingLoaded, state, error: shown });
      throw error;
    }
  }

  async #adapterFor(
    found: FoundModel,
    signal: AbortSignal,
  ): Promise<{ readonly file: string; readonly name: string } | null> {
    const { adapter } = this.#options;
    if (typeof adapter === 'function') return await adapter(found, signal);
    return adapter === null ? null : { file: adapter, name: adapter };
  }

  // The host's life.

  async #startHost(signal: AbortSignal, report: OnWait): Promise<HostProcess> {
    this.#requireAlive();
    if (this.#host?.alive) return this.#host;
    report('Starting the model process', null);
    const { hostModule, onLog } = this.#options;
    const host = new HostProcess({
      module: hostModule,
      timers: this.#timers,
      onLog,
      onMemory: (memoryBytes) => {
        if (this.#host === host) this.#status.setNumbers({ memoryBytes });
      },
      onEnd: (ending) => {
        this.#hostEnded(host, ending);
      },
    });
    this.#host = host;
    await host.up(signal);
    return host;
  }

  async #dropHost(): Promise<void> {
    const host = this.#host;
    this.#host = null;
    await host?.stop();
  }

  #hostEnded(host: HostProcess, { why, error }: HostEnding): void {
    if (why === 'crashed' || why === 'garbage') {
      this.#crashes.crashed();
      this.#options.onLog(error.message);
    }
    if (this.#host !== host) return;
    this.#host = null;
    // While it was loading, the load says what became of it.
    if (!this.#loaded) return;
    this.#loaded = null;
    const failed = why === 'crashed' || why === 'garbage';
    this.#status.set({
      ...nothingLoaded,
      ...(failed ? { state: 'failed', error: reportOf(error) } : { state: 'unloaded', error: null }),
    });
  }

  #startIdle(): void {
    this.#cancelIdle();
    if (this.#options.idleUnloadMs === 0 || !this.#host) return;
    this.#cancelIdle = this.#timers.after(this.#options.idleUnloadMs, () => {
      if (this.#leases === 0) void this.unload();
    });
  }
}
