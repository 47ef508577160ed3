// Bringing a model's weights into memory, with every refusal that a file, a backend or the memory of this machine can
// make necessary. The same for language models and encoders; what is done with the weights is not known here.
import type { Llama, LlamaModel } from 'node-llama-cpp';
import { cancelled, type PreflexorError } from '../../errors.ts';
import { availableMemory, badModel } from '../models/index.ts';
import type { Backend } from './backends.ts';
import type { OpenLibrary } from './library.ts';

export interface LoadPorts {
  readonly signal: AbortSignal;
  readonly onProgress: (phase: 'loading' | 'measuring', fraction: number) => void;
  readonly log: (text: string) => void;
  /** Opens the library for a backend, or gives it as it was opened before. */
  readonly open: (backend: Backend) => Promise<OpenLibrary>;
}

/** Bytes that a model may take on this machine, on the GPU or beside it. */
export async function memoryFor({ llama }: OpenLibrary): Promise<number> {
  return (await availableMemory()) + (await freeVideoMemory(llama));
}

/** Bytes of the GPU's own memory; where it shares the machine's, that has been counted. */
async function freeVideoMemory(llama: Llama): Promise<number> {
  if (llama.gpu === false) return 0;
  const { free, unifiedSize } = await llama.getVramState();
  return unifiedSize > 0 ? 0 : free;
}

/**
 * Loads the weights. `tooLarge` is what is said when memory does not suffice.
 * @throws PreflexorError `bad-model`, `out-of-memory`, `cancelled`
 */
export async function loadModel(
  file: string,
  opened: OpenLibrary,
  ports: LoadPorts,
  tooLarge: () => PreflexorError,
): Promise<LlamaModel> {
  let reported = -2;
  try {
    return await opened.llama.loadModel({
      modelPath: file,
      loadSignal: ports.signal,
      onLoadProgress: (fraction) => {
        const percent = Math.floor(fraction * 100);
        if (percent < reported + 2 && fraction < 1) return;
        reported = percent;
        ports.onProgress('loading', Math.min(1, Math.max(0, fraction)));
      },
    });
  } catch (error) {
    if (ports.signal.aborted) throw cancelled();
    const said = opened.complaints.join('\n');
    if (ranOutOfMemory(opened, said, error)) throw tooLarge();
    const unknown = /unknown model architecture: '([^']*)'/.exec(said)?.[1];
    if (unknown !== undefined) {
      throw badModel(file, `models of the architecture "${unknown}" are not known to this version`, error);
    }
    throw badModel(file, `the model library refuses it (${reasonOf(opened, error)})`, error);
  }
}

export function ranOutOfMemory({ library }: OpenLibrary, said: string, error: unknown): boolean {
  return error instanceof library.InsufficientMemoryError || /unable to allocate|out of memory/i.test(said);
}

/** What the native library said about a failure; its last words mostly only repeat that there was one. */
export function reasonOf({ complaints }: OpenLibrary, error: unknown): string {
  const said = complaints.flatMap((text) => text.split('\n')).reverse();
  const telling = said.map((line) => /error loading model: (?:.*hyperparameters: )?(.+)/.exec(line)?.[1]);
  const otherwise = said.find((line) => line.trim() !== '' && !/failed to load model/i.test(line));
  const text = telling.find((reason) => reason !== undefined) ?? otherwise ?? messageOf(error);
  return text.trim().replace(/\.$/, '').slice(0, 200);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
