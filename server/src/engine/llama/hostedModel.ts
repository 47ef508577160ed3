// One model in a process of its own, that is started when it is needed, started again after a crash, and ended when
// nobody needs it. What is asked of the model, and how its state is shown, is its owner's business.
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import type { Gpu } from '../../protocol/index.ts';
import type { Timers } from '../timers.ts';
import { BackendLoader, type LoadPlan, type OnLoading } from './backendLoader.ts';
import { backendsFor } from './backends.ts';
import { CrashPause } from './crashPause.ts';
import { HostProcess, type HostEnding } from './hostProcess.ts';
import { SharedTask, type OnWait } from './sharedTask.ts';

/** Says that somebody is at work with a model: the idle time starts when the last lease is released. */
export interface EngineLease {
  release(): void;
}

/** What becomes of the model, as it happens. */
export type HostedState<M> =
  | { readonly is: 'loading' }
  | { readonly is: 'progress'; readonly phase: Parameters<OnLoading>[0]; readonly fraction: number }
  | { readonly is: 'loaded'; readonly model: M }
  | { readonly is: 'unloaded' }
  | { readonly is: 'failed'; readonly error: unknown };

/** How the owner's kind of model is found and loaded. `D` is what the host says of it, `M` what the owner keeps. */
export interface HostedModelParts<D extends { readonly fallback: string | null }, M> {
  /** Finds the model's file; asked before each load. @throws PreflexorError `no-model` and the like */
  readonly plan: (signal: AbortSignal) => Promise<LoadPlan<D> & { readonly done: (description: D) => M }>;
  readonly onState: (state: HostedState<M>) => void;
  /** Bytes of the host's resident memory, each time it tells. */
  readonly onMemory: (bytes: number) => void;
  readonly gpu: Gpu;
  readonly platform: NodeJS.Platform;
  /** Time without work after which the model leaves memory; 0: it stays. */
  readonly idleUnloadMs: number;
  /** dist/engineHost.js, or the host's source where the sources run as they are. */
  readonly hostModule: string;
  /** Whether everything else on the machine comes first. */
  readonly background: boolean;
  readonly onLog: (line: string) => void;
  readonly timers: Timers;
}

/** A loaded model and the process that it is in. */
export interface ReadyHost<M> {
  readonly host: HostProcess;
  readonly model: M;
}

export class HostedModel<D extends { readonly fallback: string | null }, M> {
  readonly #parts: HostedModelParts<D, M>;
  readonly #loading: SharedTask<M>;
  readonly #backends: BackendLoader;
  readonly #crashes: CrashPause;
  #host: HostProcess | null = null;
  #loaded: M | null = null;
  #leases = 0;
  #cancelIdle: () => void = () => undefined;
  #disposed = false;

  constructor(parts: HostedModelParts<D, M>) {
    this.#parts = parts;
    this.#crashes = new CrashPause(parts.timers);
    this.#backends = new BackendLoader({
      backends: backendsFor(parts.gpu, parts.platform),
      onLog: parts.onLog,
      startHost: (signal, report) => this.#startHost(signal, report),
      dropHost: () => this.#dropHost(),
    });
    this.#loading = new SharedTask((signal, report) => this.#load(signal, report));
  }

  get hostPid(): number | null {
    return this.#host?.pid ?? null;
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

  async load(signal: AbortSignal, onWait: OnWait = () => undefined): Promise<M> {
    this.requireAlive();
    throwIfCancelled(signal);
    if (this.#loaded) return this.#loaded;
    const lease = this.acquire();
    try {
      return await this.#loading.join(signal, onWait);
    } finally {
      lease.release();
    }
  }

  /** The model, loaded. Hold a lease while it is used. */
  async ready(signal: AbortSignal): Promise<ReadyHost<M>> {
    const model = await this.load(signal);
    // Between the load and here nothing can end the host but a crash.
    if (this.#host?.alive) return { host: this.#host, model };
    throw new PreflexorError('engine-crashed', 'The model process ended as soon as it was loaded.', {
      remedy: 'Try again.',
    });
  }

  /** Something worked: crashes before it are forgotten. */
  succeeded(): void {
    this.#crashes.succeeded();
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
    if (this.hostPid === null) this.#parts.onState({ is: 'unloaded' });
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.unload();
  }

  /** @throws PreflexorError `engine-failed` once it was disposed of */
  requireAlive(): void {
    if (!this.#disposed) return;
    throw new PreflexorError('engine-failed', 'This engine has been shut down.', { remedy: 'Try again.' });
  }

  async #load(signal: AbortSignal, report: OnWait): Promise<M> {
    const { plan: makePlan, onState } = this.#parts;
    onState({ is: 'loading' });
    try {
      report('Looking for the model', null);
      const plan = await makePlan(signal);
      throwIfCancelled(signal);
      await this.#crashes.wait(signal, report);
      const { host, description } = await this.#backends.load(plan, signal, report, (phase, fraction) => {
        onState({ is: 'progress', phase, fraction });
      });
      // `unload` or `dispose` came in between.
      if (this.#host !== host) throw cancelled();
      const model = plan.done(description);
      this.#loaded = model;
      onState({ is: 'loaded', model });
      return model;
    } catch (error) {
      onState(PreflexorError.is(error, 'cancelled') ? { is: 'unloaded' } : { is: 'failed', error });
      throw error;
    }
  }

  async #startHost(signal: AbortSignal, report: OnWait): Promise<HostProcess> {
    this.requireAlive();
    if (this.#host?.alive) return this.#host;
    report('Starting the model process', null);
    const { hostModule, onLog, onMemory, background, timers } = this.#parts;
    const host = new HostProcess({
      ...{ module: hostModule, timers, onLog, background },
      onMemory: (bytes) => {
        if (this.#host === host) onMemory(bytes);
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
    const failed = why === 'crashed' || why === 'garbage';
    if (failed) {
      this.#crashes.crashed();
      this.#parts.onLog(error.message);
    }
    if (this.#host !== host) return;
    this.#host = null;
    // While it was loading, the load says what became of it.
    if (!this.#loaded) return;
    this.#loaded = null;
    this.#parts.onState(failed ? { is: 'failed', error } : { is: 'unloaded' });
  }

  #startIdle(): void {
    this.#cancelIdle();
    const { idleUnloadMs, timers } = this.#parts;
    if (idleUnloadMs === 0 || !this.#host) return;
    this.#cancelIdle = timers.after(idleUnloadMs, () => {
      if (this.#leases === 0) void this.unload();
    });
  }
}
