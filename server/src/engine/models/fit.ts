// How much memory a model needs with a context of a given size, and how much this machine can give.
// By the model's shape alone: nothing is loaded. test/model holds the estimate against llama.cpp's own.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ModelShape } from './describe.ts';

/** What an estimate is made of, all in bytes. */
export interface MemoryEstimate {
  readonly weightBytes: number;
  readonly keyValueBytes: number;
  /** Intermediate results while a batch of the prompt is read. */
  readonly computeBytes: number;
  /** The engine host's process, with the vocabulary. */
  readonly processBytes: number;
  readonly totalBytes: number;
}

/** Tokens that are read at once (the micro batch) unless the engine is told otherwise. */
const usualBatchTokens = 512;

/** llama.cpp rounds the cells of its key-value cache up to this. */
const cacheStep = 256;

/** Bytes of a number in the key-value cache (f16) and among intermediate results (f32). */
const cacheNumberBytes = 2;
const resultNumberBytes = 4;

/** Node with node-llama-cpp loaded, and what it keeps for each token of the vocabulary: both measured. */
const hostBytes = 96 * 1024 * 1024;
const vocabularyTokenBytes = 1024;

/** What is left to the editor and everything else. */
const reserveBytes = 256 * 1024 * 1024;

/**
 * The memory that a model takes on the processor with a context of `contextTokens`, flash attention on (the
 * engine's default) and an f16 cache. Source: llama-kv-cache.cpp, llama-kv-cache-iswa.cpp and the reserved
 * graph of llama-context.cpp, whose largest result is the logits of a whole batch.
 */
export function estimateMemory(
  model: ModelShape & { readonly weightBytes: number },
  contextTokens: number,
  batchTokens: number = usualBatchTokens,
): MemoryEstimate {
  const batch = Math.min(batchTokens, contextTokens);
  const widest = Math.max(model.vocabulary, 2 * model.feedForwardLength + model.embeddingLength);
  const computeBytes = batch * (widest + 2 * model.embeddingLength) * resultNumberBytes;
  const keyValueBytes = cacheBytes(model, contextTokens, batch);
  const processBytes = hostBytes + model.vocabulary * vocabularyTokenBytes;
  const totalBytes = model.weightBytes + keyValueBytes + computeBytes + processBytes;
  return { weightBytes: model.weightBytes, keyValueBytes, computeBytes, processBytes, totalBytes };
}

/**
 * The memory that an encoder takes for inputs of up to `tokens`: it keeps nothing from one input to the next, and
 * reads each at once. Its widest results are those of the feed-forward part, and one head's attention.
 */
export function estimateEncoder(
  model: ModelShape & { readonly weightBytes: number },
  tokens: number,
): MemoryEstimate {
  const kept = 2 * model.feedForwardLength + 4 * model.embeddingLength;
  const computeBytes = tokens * Math.max(kept, tokens * model.heads) * resultNumberBytes;
  const processBytes = hostBytes + model.vocabulary * vocabularyTokenBytes;
  const totalBytes = model.weightBytes + computeBytes + processBytes;
  return { weightBytes: model.weightBytes, keyValueBytes: 0, computeBytes, processBytes, totalBytes };
}

/** Whether `bytes` of memory can be had while something is left for everything else. */
export function fits(bytes: number, availableBytes: number): boolean {
  return bytes + reserveBytes <= availableBytes;
}

function cacheBytes(model: ModelShape, contextTokens: number, batch: number): number {
  const cells = roundUp(contextTokens);
  const slidingCells = model.sliding ? Math.min(cells, roundUp(model.sliding.window + batch)) : cells;
  return model.keyValueHeads.reduce((sum, heads, layer) => {
    const numbers = heads * (model.keyLength + model.valueLength);
    return sum + numbers * (model.sliding?.layers[layer] ? slidingCells : cells) * cacheNumberBytes;
  }, 0);
}

function roundUp(cells: number): number {
  return Math.ceil(cells / cacheStep) * cacheStep;
}

/** Where `availableMemory` looks; a test gives a folder with files of its own. */
export interface MemorySources {
  readonly platform: NodeJS.Platform;
  /** The root of the file system with /proc and /sys. */
  readonly root: string;
}

/**
 * Bytes that a new process can have without pushing others out. Memory that only caches files counts as
 * available (a model that was just downloaded is such a cache), and the limits of containers count.
 */
export async function availableMemory(
  { platform, root }: MemorySources = { platform: process.platform, root: '/' },
): Promise<number> {
  if (platform === 'linux') return await availableOnLinux(root);
  if (platform === 'darwin') {
    const counted = await promisify(execFile)('vm_stat').then(
      ({ stdout }) => availableByVmStat(stdout),
      () => null,
    );
    return counted ?? os.freemem();
  }
  return os.freemem();
}

async function availableOnLinux(root: string): Promise<number> {
  const information = await textOf(join(root, 'proc/meminfo'));
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(information ?? '')?.[1];
  const machine = kibibytes === undefined ? os.freemem() : Number(kibibytes) * 1024;
  const groups = (await textOf(join(root, 'proc/self/cgroup'))) ?? '';
  const limits = await Promise.all(
    groups.split('\n').map(async (line) => {
      const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (path === undefined) return Infinity;
      if (controllers === '') return await leftInGroups(join(root, 'sys/fs/cgroup'), path, version2);
      if (!controllers?.split(',').includes('memory')) return Infinity;
      return await leftInGroups(join(root, 'sys/fs/cgroup/memory'), path, version1);
    }),
  );
  return Math.max(0, Math.min(machine, ...limits));
}

/** The files of a control group, by version of the interface. */
interface GroupFiles {
  readonly limit: string;
  readonly usage: string;
  readonly cached: RegExp;
}
const version1: GroupFiles = {
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  cached: /^total_inactive_file (\d+)$/m,
};
const version2: GroupFiles = {
  limit: 'memory.max',
  usage: 'memory.current',
  cached: /^inactive_file (\d+)$/m,
};

/** The least that is left in a group and in those around it; Infinity without limits. */
async function leftInGroups(mount: string, path: string, files: GroupFiles): Promise<number> {
  let least = Infinity;
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  for (let depth = parts.length; depth >= 0; depth--) {
    const folder = join(mount, ...parts.slice(0, depth));
    const limit = Number((await textOf(join(folder, files.limit)))?.trim() || NaN);
    const usage = Number((await textOf(join(folder, files.usage)))?.trim() || NaN);
    // "max", or no such file: no limit here.
    if (!Number.isFinite(limit) || !Number.isFinite(usage)) continue;
    const cached = Number(files.cached.exec((await textOf(join(folder, 'memory.stat'))) ?? '')?.[1] ?? 0);
    least = Math.min(least, limit - Math.max(0, usage - cached));
  }
  return least;
}

/** Free and quickly freed pages, in bytes, by what macOS's vm_stat prints; null if it prints something else. */
export function availableByVmStat(printed: string): number | null {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(printed)?.[1] ?? NaN);
  const pages = ['free', 'inactive', 'speculative'].map((kind) =>
    Number(new RegExp(`^Pages ${kind}:\\s+(\\d+)\\.`, 'm').exec(printed)?.[1] ?? NaN),
  );
  const bytes = pageBytes * pages.reduce((sum, count) => sum + count, 0);
  return Number.isFinite(bytes) ? bytes : null;
}

async function textOf(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(() => null);
}
