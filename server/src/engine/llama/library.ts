// The one place that imports node-llama-cpp: opens a backend, and turns its failures into errors with a remedy.
// Runs in the engine host only.
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Llama, LlamaGpuType } from 'node-llama-cpp';
import { PreflexorError } from '../../errors.ts';
import { backendNames, type Backend } from './backends.ts';

export type Library = typeof import('node-llama-cpp');

export interface OpenLibrary {
  readonly library: Library;
  readonly llama: Llama;
  /** What the native library said at level warning and worse, newest last. */
  readonly complaints: readonly string[];
}

const keptComplaints = 50;

/**
 * Loads the model library for one backend.
 * @throws PreflexorError `no-gpu` when the backend cannot be had on this machine
 */
export async function openLibrary(backend: Backend, log: (text: string) => void): Promise<OpenLibrary> {
  const library = await importLibrary();
  const complaints: string[] = [];
  const gpu: LlamaGpuType = backend === 'cpu' ? false : backend;
  let llama: Llama;
  try {
    llama = await library.getLlama({
      gpu,
      build: 'never',
      progressLogs: false,
      maxThreads: availableParallelism(),
      logLevel: library.LlamaLogLevel.warn,
      logger: (level, message) => {
        complaints.push(message.trim());
        if (complaints.length > keptComplaints) complaints.shift();
        log(`${level}: ${message.trim()}`);
      },
    });
  } catch (error) {
    if (backend !== 'cpu') throw noGpu(backend, error);
    throw new PreflexorError('engine-failed', 'The model library does not run on this machine.', {
      remedy: 'Reinstall PRefLexOR; on Linux it needs glibc, so Alpine and other musl systems cannot run it.',
      cause: error,
    });
  }
  // A backend whose library loads but finds no device comes back as the processor.
  if (llama.gpu !== gpu) {
    await llama.dispose();
    throw noGpu(backend, null);
  }
  return { library, llama, complaints };
}

/** Whether a GPU backend is worth the third of a second that trying it costs. May be wrong in both directions. */
export async function mayHaveBackend(backend: Exclude<Backend, 'cpu'>): Promise<boolean> {
  if (backend === 'metal') return process.platform === 'darwin';
  const library = await importLibrary();
  const supported: readonly LlamaGpuType[] = await library.getLlamaGpuTypes('supported').catch(() => []);
  if (supported.includes(backend)) return true;
  // The library looks for files at the usual places; a device that is there is worth a try all the same.
  if (process.platform !== 'linux') return false;
  const devices: readonly string[] = await readdir('/dev').catch(() => []);
  if (devices.includes('dxg')) return true;
  return backend === 'cuda' ? devices.includes('nvidia0') : devices.includes('dri');
}

async function importLibrary(): Promise<Library> {
  try {
    return await import('node-llama-cpp');
  } catch (error) {
    throw new PreflexorError('engine-failed', 'The model library node-llama-cpp cannot be loaded.', {
      remedy: 'Install PRefLexOR again, so that its node_modules folder is complete.',
      cause: error,
    });
  }
}

function noGpu(backend: Backend, cause: unknown): PreflexorError {
  return new PreflexorError('no-gpu', `No ${backendNames[backend]} was found on this machine.`, {
    remedy: 'Set preflexor.engine.gpu to auto or cpu, or install the driver of the GPU.',
    cause,
  });
}
