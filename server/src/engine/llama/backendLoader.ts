// Loads a model on the best backend that works: tries them in order, and remembers which are of no use here.
// A driver may kill the process that tries it, so each failure costs a process and nothing more.
import { PreflexorError } from '../../errors.ts';
import { badModel } from '../models/index.ts';
import { backendNames, fallbackSentence, type Backend, type PassedOver } from './backends.ts';
import type { AnswerReader, HostProcess, HostQuestion } from './hostProcess.ts';
import type { OnWait } from './sharedTask.ts';

export interface BackendLoaderParts {
  /** In the order in which they are tried; a single one is forced. */
  readonly backends: readonly Backend[];
  readonly onLog: (line: string) => void;
  /** The host that runs, or a new one. */
  readonly startHost: (signal: AbortSignal, report: OnWait) => Promise<HostProcess>;
  readonly dropHost: () => Promise<void>;
}

/** How one kind of model is loaded. */
export interface LoadPlan<D> {
  /** The model's file. */
  readonly file: string;
  readonly question: (gpu: Backend) => HostQuestion;
  /** Reads the answer that says that it is loaded. */
  readonly loaded: AnswerReader<D>;
}

export interface LoadedHost<D> {
  readonly host: HostProcess;
  readonly description: D;
}

export type OnLoading = (phase: 'loading' | 'measuring', fraction: number) => void;

/** Signals by which native code ends a process when a check fails or memory is misused. */
const nativeFailures: ReadonlySet<string> = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL']);

/** Failures for which no other backend helps. */
const backendIndependent = ['cancelled', 'no-model', 'bad-model', 'bad-input'] as const;

export class BackendLoader {
  readonly #parts: BackendLoaderParts;
  /** Backends that are not there or that crashed: not tried again. */
  readonly #passedOver = new Map<Backend, PassedOver>();

  constructor(parts: BackendLoaderParts) {
    this.#parts = parts;
  }

  /** @throws PreflexorError as the host does; for a forced backend with what to do instead */
  async load<D extends { readonly fallback: string | null }>(
    plan: LoadPlan<D>,
    signal: AbortSignal,
    report: OnWait,
    onProgress: OnLoading,
  ): Promise<LoadedHost<D>> {
    const { backends, startHost } = this.#parts;
    const passed: PassedOver[] = [];
    for (const backend of backends) {
      const known = this.#passedOver.get(backend);
      if (known) {
        passed.push(known);
        continue;
      }
      try {
        const host = await startHost(signal, report);
        if (backends.length > 1 && backend !== 'cpu') await probe(host, backend, signal);
        const description = await loadOn(host, plan, backend, signal, (phase, fraction) => {
          onProgress(phase, fraction);
          report(phase === 'loading' ? 'Loading the model' : 'Measuring how many threads are best', fraction);
        });
        return { host, description: { ...description, fallback: fallbackSentence(passed, backend) } };
      } catch (error) {
        passed.push(await this.#passOver(backend, error));
      }
    }
    throw new PreflexorError('engine-failed', 'There is nothing to run the model on.');
  }

  /** Notes why a backend is not used; throws the error when there is nothing else to try, or no sense in it. */
  async #passOver(backend: Backend, error: unknown): Promise<PassedOver> {
    const { backends, dropHost, onLog } = this.#parts;
    const missing = PreflexorError.is(error, 'no-gpu');
    const last = backend === backends.at(-1);
    // After any failure but this one, a fresh process is the only one whose state is known.
    if (!missing || last) await dropHost();
    if (backendIndependent.some((code) => PreflexorError.is(error, code))) throw error;
    if (last) throw backend === 'cpu' ? error : forcedBackendFailed(backend, error);
    const passed = { backend, failure: missing ? null : reasonOf(error) };
    // A GPU whose memory is full today may have some tomorrow.
    if (!PreflexorError.is(error, 'out-of-memory')) this.#passedOver.set(backend, passed);
    onLog(`Not using the ${backendNames[backend]}: ${reasonOf(error)}`);
    return passed;
  }
}

async function probe(host: HostProcess, gpu: Exclude<Backend, 'cpu'>, signal: AbortSignal): Promise<void> {
  await host.ask({ do: 'probe', gpu }, signal, ({ is }) =>
    is === 'probed' ? { value: undefined } : undefined,
  );
}

async function loadOn<D>(
  host: HostProcess,
  plan: LoadPlan<D>,
  backend: Backend,
  signal: AbortSignal,
  onProgress: OnLoading,
): Promise<D> {
  try {
    return await host.ask(plan.question(backend), signal, (answer) => {
      if (answer.is === 'loading') onProgress(answer.phase, answer.fraction);
      return plan.loaded(answer);
    });
  } catch (error) {
    // On the processor it is the file that the library's own checks stumble over, not a driver.
    const stumbled = backend === 'cpu' && nativeFailures.has(host.ending?.signal ?? '');
    throw stumbled ? badModel(plan.file, 'the model library breaks off while it loads it', error) : error;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}

function forcedBackendFailed(backend: Backend, error: unknown): unknown {
  if (!PreflexorError.is(error, 'engine-crashed') && !PreflexorError.is(error, 'engine-failed')) return error;
  return new PreflexorError(
    error.code,
    `The model cannot be loaded on the ${backendNames[backend]}: ${error.message}`,
    { remedy: 'Set preflexor.engine.gpu to auto or cpu.', cause: error },
  );
}
