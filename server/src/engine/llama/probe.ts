// Which GPUs the engine could use here: for `doctor`. Each backend is tried in a process of its own with a time
// limit, because drivers may crash or hang.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { realTimers, type Timers } from '../timers.ts';
import { backendNames, gpuBackends, type Backend } from './backends.ts';
import { HostProcess } from './hostProcess.ts';

export interface ProbedBackends {
  /** Names of the GPUs that can be used. */
  readonly gpus: readonly string[];
  /** What a model would run on; null: the model library does not even start. */
  readonly backend: Backend | null;
  /** Why each of the other backends is not used, as sentences. */
  readonly reasons: readonly string[];
}

export interface ProbeOptions {
  readonly hostModule?: string;
  readonly platform?: NodeJS.Platform;
  readonly timeoutMs?: number;
  readonly timers?: Timers;
}

const defaultTimeoutMs = 20_000;

/** Tries every backend of this platform. @throws PreflexorError `cancelled`; failures become reasons */
export async function probeBackends(
  signal: AbortSignal,
  options: ProbeOptions = {},
): Promise<ProbedBackends> {
  const backends: Backend[] = [...gpuBackends(options.platform ?? process.platform), 'cpu'];
  const probed = await Promise.all(backends.map((backend) => probeOne(backend, signal, options)));
  throwIfCancelled(signal);
  return {
    gpus: [...new Set(probed.flatMap(({ devices }) => devices))],
    backend: probed.find(({ reason }) => reason === null)?.backend ?? null,
    reasons: probed.flatMap(({ reason }) => reason ?? []),
  };
}

interface Probed {
  readonly backend: Backend;
  readonly devices: readonly string[];
  readonly reason: string | null;
}

async function probeOne(backend: Backend, signal: AbortSignal, options: ProbeOptions): Promise<Probed> {
  const timers = options.timers ?? realTimers;
  const host = new HostProcess({
    module: options.hostModule ?? hostModuleHere(),
    timers,
    onLog: () => undefined,
    onMemory: () => undefined,
    onEnd: () => undefined,
  });
  const cancelTimer = timers.after(options.timeoutMs ?? defaultTimeoutMs, () => {
    const error = new PreflexorError('engine-failed', 'It did not answer in time.');
    host.kill({ why: 'unresponsive', error });
  });
  try {
    await host.up(signal);
    const devices = await host.ask({ do: 'probe', gpu: backend }, signal, (answer) =>
      answer.is === 'probed' ? { value: answer.devices } : undefined,
    );
    return { backend, devices, reason: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { backend, devices: [], reason: `${backendNames[backend]}: ${reason}` };
  } finally {
    cancelTimer();
    await host.stop();
  }
}

/** The engine host beside the bundle that this is part of, or its source beside this file. */
function hostModuleHere(): string {
  const bundled = fileURLToPath(new URL('./engineHost.js', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('./host.ts', import.meta.url));
}
