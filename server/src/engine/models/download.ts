// Gets one large file over HTTP into a `.part` file that survives anything: it resumes where it broke off,
// starts anew when the file on the server changed, retries, and notices when nothing arrives any more.
// Does not know what the file is, and does not verify it: that is up to whoever asked.
import { open, readFile, rm, statfs, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import { writeDurably } from '../../state/index.ts';
import type { DownloadProgress } from '../../protocol/index.ts';
import { diskError, stampOf } from './files.ts';
import { openWithRedirects, parseContentRange, TransferFailure } from './http.ts';

/** How patient a download is. Times in milliseconds. */
export interface DownloadPolicy {
  /** Until a server answers. */
  readonly connectMs: number;
  /** Without a single byte, before the connection is given up. */
  readonly stallMs: number;
  /** Failures in a row, without any progress between them, after which it ends. */
  readonly attempts: number;
  /** The same while the server was never reached at all. */
  readonly attemptsToReach: number;
  /** Before the second attempt; doubled for each further one, at most `longestBackOffMs`. */
  readonly backOffMs: number;
  readonly longestBackOffMs: number;
  /** Between two progress events. */
  readonly progressMs: number;
}

export const usualPolicy: DownloadPolicy = {
  connectMs: 10_000,
  stallMs: 30_000,
  attempts: 6,
  attemptsToReach: 2,
  backOffMs: 1_000,
  longestBackOffMs: 30_000,
  progressMs: 200,
};

export interface DownloadRequest {
  readonly url: string;
  /** The file to write. It is complete when the promise is fulfilled, and kept for next time otherwise. */
  readonly part: string;
  /** The size that it must have, when that is known for certain. */
  readonly bytes: number | null;
  /** The size that it may have in any case. */
  readonly mostBytes: number;
  /** Whether the result is held against a known hash, so that resuming is safe without the server's word. */
  readonly verified: boolean;
  /** A bearer token for the address's own host, used only when it asks for one. */
  readonly token: string | null;
  readonly policy: DownloadPolicy;
  readonly onProgress: (progress: DownloadProgress) => void;
  readonly signal: AbortSignal;
}

/** What is known of a part: kept beside it as `<part>.json`. */
const PartState = z.object({
  url: z.string(),
  /** The server's validator, to be sent back as If-Range; null: it gave none that is strong. */
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  total: z.int().nonnegative().nullable(),
});
type PartState = z.infer<typeof PartState>;

/**
 * Downloads `url` into `part`. Says whether bytes of an earlier, broken-off download are in it.
 * Throws `offline` when the server cannot be reached, `download-failed` when it will not give the file,
 * `checksum-mismatch` when the file there has another size, `disk-full`, `read-only`, `cancelled`.
 */
export async function download(request: DownloadRequest): Promise<{ resumed: boolean }> {
  const { policy, signal } = request;
  const before = await partBytes(request);
  let failures = 0;
  let reached = false;
  let token: string | null = null;
  for (;;) {
    throwIfCancelled(signal);
    const transfer = new Transfer(request, token);
    try {
      await transfer.run();
      return { resumed: before > 0 && !transfer.startedAnew };
    } catch (error) {
      if (signal.aborted) throw cancelled();
      if (!(error instanceof TransferFailure)) throw diskError(error, request.part);
      if (error.wantsToken && request.token !== null && token === null) {
        token = request.token;
        continue;
      }
      reached ||= error.reached;
      failures = transfer.progressed ? 1 : failures + 1;
      if (error.final || failures >= (reached ? policy.attempts : policy.attemptsToReach))
        throw error.inWords();
      const pause = error.retryAfterMs ?? policy.backOffMs * 2 ** (failures - 1);
      await delay(Math.min(pause, policy.longestBackOffMs), undefined, { signal }).catch(() => {
        throw cancelled();
      });
    }
  }
}

/** Forgets a part and what was known of it. */
export async function discardPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

async function partBytes(request: DownloadRequest): Promise<number> {
  return (await readState(request)) === null ? 0 : ((await stampOf(request.part))?.bytes ?? 0);
}

/** The state of a part that is of use for this request: of the same address, and safe to go on with. */
async function readState(request: DownloadRequest): Promise<PartState | null> {
  const text = await readFile(`${request.part}.json`, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const state = PartState.parse(JSON.parse(text));
    const comparable = request.verified || state.etag !== null || state.lastModified !== null;
    return state.url === request.url && comparable ? state : null;
  } catch {
    return null;
  }
}

/** One attempt. */
class Transfer {
  /** Whether bytes arrived in this attempt. */
  progressed = false;
  startedAnew = false;
  readonly #request: DownloadRequest;
  readonly #token: string | null;

  constructor(request: DownloadRequest, token: string | null) {
    this.#request = request;
    this.#token = token;
  }

  async run(): Promise<void> {
    const state = await readState(this.#request);
    const have = state === null ? 0 : await partBytes(this.#request);
    const total = state?.total ?? null;
    if (have > 0 && have === total) {
      this.#report(have, total);
      return;
    }
    const usable = total === null || have < total ? have : 0;
    const { policy, url } = this.#request;
    const abort = new AbortController();
    const patience = setTimeout(() => abort.abort(), policy.connectMs);
    try {
      const signal = AbortSignal.any([this.#request.signal, abort.signal]);
      const response = await openWithRedirects(url, rangeHeaders(usable, state), this.#token, signal);
      clearTimeout(patience);
      const from = await this.#begin(response, usable, state);
      if (from !== null) await this.#receive(response, from.offset, from.total, abort);
    } finally {
      clearTimeout(patience);
      // Lets go of a connection whose body is not wanted any more.
      abort.abort();
    }
  }

  /** Decides by the answer where writing goes on. null: nothing is missing any more. */
  async #begin(
    response: Response,
    have: number,
    state: PartState | null,
  ): Promise<{ offset: number; total: number | null } | null> {
    const range = parseContentRange(response.headers.get('content-range'));
    const etag = response.headers.get('etag');
    const changed = state?.etag != null && etag !== null && state.etag !== etag;
    if (response.status === 416 && have > 0) {
      if (range?.total === have && !changed) return null;
      throw await this.#startAnew();
    }
    const fits = range?.start === have && (state?.total ?? range.total) === range.total;
    if (response.status === 206 && (have === 0 || changed || !fits)) throw await this.#startAnew();
    if (response.status !== 200 && response.status !== 206) throw TransferFailure.ofStatus(response);
    if ((response.headers.get('content-encoding') ?? 'identity') !== 'identity') {
      throw new TransferFailure(this.#request.url, 'it sends the file compressed', {
        reached: true,
        final: true,
      });
    }
    const length = response.headers.get('content-length');
    const total = range?.total ?? (length === null ? null : Number(length));
    this.#checkSize(total);
    const offset = response.status === 206 ? have : 0;
    this.startedAnew = offset === 0;
    if (total !== null) await this.#checkRoom(total - offset);
    if (offset === 0) await this.#remember(etag, response.headers.get('last-modified'), total);
    return { offset, total };
  }

  /** The part is of no use: the next attempt begins at zero. */
  async #startAnew(): Promise<TransferFailure> {
    await discardPart(this.#request.part);
    return new TransferFailure(this.#request.url, 'the file on the server changed', {
      reached: true,
      retryAfterMs: 0,
    });
  }

  async #remember(etag: string | null, lastModified: string | null, total: number | null): Promise<void> {
    // Emptied first: old bytes must never stand beside the new state.
    await (await open(this.#request.part, 'w')).close();
    const state: PartState = {
      url: this.#request.url,
      etag: etag?.startsWith('"') ? etag : null,
      lastModified,
      total,
    };
    await writeDurably(`${this.#request.part}.json`, `${JSON.stringify(state)}\n`);
  }

  async #receive(
    response: Response,
    offset: number,
    total: number | null,
    abort: AbortController,
  ): Promise<void> {
    const stalled = setTimeout(() => abort.abort(), this.#request.policy.stallMs);
    const file = await open(this.#request.part, offset === 0 ? 'w' : 'r+');
    let position = offset;
    try {
      this.#report(position, total);
      for await (const piece of piecesOf(response, this.#request.url)) {
        stalled.refresh();
        this.#checkOverrun(position + piece.length, total);
        await writeAll(file, piece, position);
        position += piece.length;
        this.progressed = true;
        this.#report(position, total);
      }
      if (total !== null && position < total) {
        throw new TransferFailure(this.#request.url, 'the connection broke off', { reached: true });
      }
      await file.sync();
    } finally {
      clearTimeout(stalled);
      await file.close();
    }
    this.#checkSize(position);
    this.#report(position, position);
  }

  #checkOverrun(position: number, total: number | null): void {
    if (position > (total ?? this.#request.mostBytes)) throw this.#wrongSize('more bytes than it announced');
  }

  #checkSize(bytes: number | null): void {
    const { bytes: wanted, mostBytes } = this.#request;
    if (bytes === null) return;
    if (wanted !== null && bytes !== wanted) {
      throw this.#wrongSize(`${bytes.toLocaleString('en')} bytes instead of ${wanted.toLocaleString('en')}`);
    }
    if (bytes > mostBytes)
      throw this.#wrongSize(`${bytes.toLocaleString('en')} bytes, far more than it should be`);
  }

  #wrongSize(what: string): PreflexorError {
    return new PreflexorError(
      'checksum-mismatch',
      `${new URL(this.#request.url).host} sends another file: ${what}.`,
      {
        remedy: 'Try again later, or choose another model.',
      },
    );
  }

  /** Says early that the disk is too small, rather than after an hour. */
  async #checkRoom(needed: number): Promise<void> {
    const folder = dirname(this.#request.part);
    const room = await statfs(folder).catch(() => null);
    if (room === null || room.bavail * room.bsize >= needed) return;
    const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
    throw new PreflexorError(
      'disk-full',
      `The download needs ${gigabytes(needed)} GB and the disk of ${folder} has ${gigabytes(room.bavail * room.bsize)} GB left.`,
      { remedy: 'Make room, or set PREFLEXOR_HOME to a folder on another disk.' },
    );
  }

  #report(received: number, total: number | null): void {
    this.#request.onProgress({ event: 'progress', received, total });
  }
}

function rangeHeaders(have: number, state: PartState | null): Record<string, string> {
  if (have === 0) return {};
  const validator = state?.etag ?? state?.lastModified ?? null;
  return { range: `bytes=${have}-`, ...(validator !== null && { 'if-range': validator }) };
}

/** The body's bytes; whatever breaks them off becomes a TransferFailure. */
async function* piecesOf(response: Response, url: string): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    yield* response.body;
  } catch (error) {
    throw new TransferFailure(url, 'the connection broke off', { reached: true, cause: error });
  }
}

async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length;) {
    done += (await file.write(piece, done, piece.length - done, position + done)).bytesWritten;
  }
}
