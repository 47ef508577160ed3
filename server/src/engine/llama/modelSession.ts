// A model in memory with its context: loading it, with every refusal that a file, a backend or the memory of this
// machine can make necessary, and measuring its threads. Runs in the engine host; generating is generation.ts.
import { stat } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { basename } from 'node:path';
import type { LlamaContext, LlamaContextSequence, LlamaModel } from 'node-llama-cpp';
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import type { LoadRequest, ModelDescription } from '../../protocol/index.ts';
import {
  badModel,
  describeGguf,
  estimateMemory,
  requireLanguageModel,
  type GgufDescription,
} from '../models/index.ts';
import type { Backend } from './backends.ts';
import { batchTokensFor, coldCache, type CacheState } from './cachePlan.ts';
import { chatFormat, type ChatFormat } from './chatPrompt.ts';
import { contextTokensFor, fewestContextTokens, outOfMemory } from './contextSize.ts';
import type { Library, OpenLibrary } from './library.ts';
import { recall, remember, type MeasurementKey } from './measurements.ts';
import { loadModel, memoryFor, ranOutOfMemory, reasonOf, type LoadPorts } from './modelLoading.ts';
import { createSpeedMeter } from './speedMeter.ts';
import { measureThreads, type ThreadCounts } from './threads.ts';

/** Tokens that llama.cpp can take at once; prompts are cut finer where that is needed to stop in time. */
const mostBatchTokens = 512;

/** States that models with sliding windows can go back to; each costs memory, and prompts have few forks. */
const mostCheckpoints = 4;

/** What is needed to generate. `cache` describes what is in the sequence; generation keeps it true. */
export interface ModelSession {
  readonly library: Library;
  readonly model: LlamaModel;
  readonly sequence: LlamaContextSequence;
  readonly format: ChatFormat;
  readonly threads: ThreadCounts;
  readonly batchTokens: number;
  readonly contextTokens: number;
  readonly description: ModelDescription;
  /** Threads of every evaluation from now on. */
  readonly setThreads: (threads: number) => void;
  cache: CacheState;
}

/**
 * Loads a model on one backend.
 * @throws PreflexorError `no-model`, `bad-model`, `no-gpu`, `out-of-memory`, `bad-input`, `engine-failed`,
 * `cancelled`
 */
export async function loadSession(request: LoadRequest, ports: LoadPorts): Promise<ModelSession> {
  const { file, gpu } = request;
  if (gpu === 'auto') throw new PreflexorError('bad-input', 'The engine host is told which backend to use.');
  const description = await describeGguf(file, ports.signal);
  requireLanguageModel(file, description);
  requireSaneContext(file, description);
  if (request.adapter !== null) await requireAdapter(request.adapter, description, ports.signal);

  const cores = availableParallelism();
  const most = request.threads === 0 ? cores : request.threads;
  const opened = await ports.open(gpu);
  throwIfCancelled(ports.signal);
  opened.llama.maxThreads = most;
  const available = await memoryFor(opened);
  const contextTokens = contextTokensFor({
    shape: description,
    availableBytes: available,
    contextTokens: request.contextTokens,
  });
  const loading: Loading = { request, gpu, opened, description, available, ports };
  const model = await loadModel(file, opened, ports, () => {
    const { totalBytes } = estimateMemory(description, fewestContextTokens);
    return outOfMemory(totalBytes, available, fewestContextTokens);
  });
  const context = await createContext(loading, model, contextTokens, most);
  const sequence = context.getSequence({ checkpoints: { max: mostCheckpoints } });
  const format = chatFormat(opened.library, model, request.chatTemplate, ports.log);

  // The context is made for the most threads that are wanted; the library's limit says how many it gets.
  const setThreads = (threads: number) => {
    opened.llama.maxThreads = threads;
  };
  const threads =
    request.threads === 0
      ? await threadsFor(loading, sequence, setThreads, cores)
      : { prompt: request.threads, generation: request.threads };
  const { parameters } = description;
  const offloaded = model.gpuLayers >= model.fileInsights.totalLayers;
  return {
    library: opened.library,
    model,
    sequence,
    format,
    threads,
    batchTokens: Math.min(context.batchSize, batchTokensFor(parameters, threads.prompt, offloaded)),
    contextTokens: context.contextSize,
    setThreads,
    cache: coldCache,
    description: {
      file: basename(file),
      architecture: description.architecture,
      parameters,
      backend: gpu,
      fallback: null,
      contextTokens: context.contextSize,
      trainedContextTokens: Math.max(1, model.trainContextSize),
      threads,
      memoryBytes: process.memoryUsage.rss(),
    },
  };
}

/** What the steps of one load have in common. */
interface Loading {
  readonly request: LoadRequest;
  readonly gpu: Backend;
  readonly opened: OpenLibrary;
  readonly description: GgufDescription;
  readonly available: number;
  readonly ports: LoadPorts;
}

/** The longest that any model claims is ten million tokens. */
const longestContextTokens = 2 ** 28;

function requireSaneContext(file: string, { trainedContext }: GgufDescription): void {
  if (trainedContext >= 1 && trainedContext <= longestContextTokens) return;
  throw badModel(file, `it says that it was trained with a context of ${trainedContext} tokens`);
}

async function requireAdapter(file: string, model: GgufDescription, signal: AbortSignal): Promise<void> {
  const adapter = await describeGguf(file, signal);
  if (adapter.kind !== 'adapter') throw notAnAdapter(file, 'it is not an adapter');
  if (adapter.missingBytes > 0) throw notAnAdapter(file, 'it is cut off');
  if (adapter.architecture !== model.architecture) {
    throw notAnAdapter(
      file,
      `it belongs to a ${adapter.architecture} model, and this is ${model.architecture}`,
    );
  }
}

function notAnAdapter(file: string, reason: string, cause?: unknown): PreflexorError {
  return new PreflexorError('bad-model', `${basename(file)} cannot be used as an adapter here: ${reason}.`, {
    remedy: 'Choose another adapter, or none.',
    cause,
  });
}

async function createContext(
  loading: Loading,
  model: LlamaModel,
  contextTokens: number,
  threads: number,
): Promise<LlamaContext> {
  const { request, opened, description, available, ports } = loading;
  const least = Math.min(fewestContextTokens, contextTokens);
  try {
    return await model.createContext({
      contextSize: request.contextTokens === 0 ? { min: least, max: contextTokens } : contextTokens,
      batchSize: Math.min(mostBatchTokens, contextTokens),
      sequences: 1,
      threads,
      createSignal: ports.signal,
      ...(request.adapter === null ? {} : { lora: { adapters: [{ filePath: request.adapter }] } }),
    });
  } catch (error) {
    if (ports.signal.aborted) throw cancelled();
    const said = opened.complaints.join('\n');
    const reason = reasonOf(opened, error);
    if (ranOutOfMemory(opened, said, error)) {
      const tokens = request.contextTokens === 0 ? least : contextTokens;
      throw outOfMemory(estimateMemory(description, tokens).totalBytes, available, tokens);
    }
    if (request.adapter !== null && /lora|adapter/i.test(`${said}\n${String(error)}`)) {
      throw notAnAdapter(request.adapter, reason, error);
    }
    throw badModel(request.file, `the model library cannot make a context for it (${reason})`, error);
  }
}

async function threadsFor(
  { request, gpu, opened, ports }: Loading,
  sequence: LlamaContextSequence,
  setThreads: (threads: number) => void,
  cores: number,
): Promise<ThreadCounts> {
  const { size, mtimeMs } = await stat(request.file);
  const key: MeasurementKey = {
    model: `${basename(request.file)}, ${size} bytes, ${Math.round(mtimeMs)}`,
    processor: cpus()[0]?.model.trim() ?? process.arch,
    cores,
    backend: gpu,
    library: await opened.library.getModuleVersion(),
  };
  const known = await recall(request.measurementsFile, key, Date.now());
  if (known) return known;
  ports.onProgress('measuring', 0);
  const { meter, quiet } = await createSpeedMeter({ sequence, setThreads, cores, signal: ports.signal });
  const threads = await measureThreads({
    cores,
    meter,
    now: () => performance.now(),
    onProgress: (fraction) => {
      ports.onProgress('measuring', fraction);
    },
  });
  try {
    await remember(request.measurementsFile, key, { ...threads, time: Date.now(), quiet: quiet() });
  } catch (error) {
    ports.log(`The thread counts that were measured could not be kept: ${String(error)}`);
  }
  return threads;
}
