// One file of the ledger: appending whole lines, and reading lines that may be torn, damaged or still growing.
// Who may append when (locks), and which files there are, is the ledger's business.
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerRecord } from '../protocol/index.ts';
import { isMissing, nodeFileSystem, syncFolder, writeFailure } from '../state/index.ts';
import type { FileOptions } from '../state/index.ts';
import { decodeLine, longestLine } from './ledgerLines.ts';
import { SharedParts } from './sharedParts.ts';

/** A line that is set aside; all others stand. `line` counts from 1; null: the whole file. */
export interface LedgerProblem {
  readonly file: string;
  readonly line: number | null;
  readonly reason: string;
}

export interface LedgerFileContent {
  readonly records: readonly { readonly line: number; readonly record: LedgerRecord }[];
  readonly problems: readonly LedgerProblem[];
}

const newline = 0x0a;
const chunkBytes = 1024 * 1024;

/**
 * Appends whole lines in one write, and returns once they are on the disk. A torn last line is left standing
 * on a line of its own. After a failure the file is as long as before.
 * The caller holds the ledger's lock. Errors: `read-only`, `disk-full`; others as they come.
 */
export async function appendLines(
  file: string,
  lines: readonly string[],
  options: FileOptions = {},
): Promise<void> {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  try {
    const handle = await fileSystem.open(file, 'a+');
    let before: number;
    try {
      before = (await handle.stat()).size;
      const mend = (await endsInsideLine(handle, before)) ? '\n' : '';
      await appendBytes(
        file,
        handle,
        before,
        Buffer.from(mend + lines.map((line) => `${line}\n`).join('')),
        options,
      );
    } finally {
      await handle.close();
    }
    // The file may be new: its name must be as durable as its content.
    if (before === 0) await syncFolder(path.dirname(file), options);
  } catch (error) {
    throw writeFailure(error, path.dirname(file));
  }
}

async function endsInsideLine(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last[0] !== newline;
}

async function appendBytes(
  file: string,
  handle: FileHandle,
  before: number,
  bytes: Buffer,
  options: FileOptions,
): Promise<void> {
  let written = 0;
  try {
    // One call, but on a disk that fills up: there the rest is tried, and says why it does not fit.
    while (written < bytes.length) {
      written += (await handle.write(bytes, written, bytes.length - written, null)).bytesWritten;
    }
    await handle.datasync();
  } catch (error) {
    // Should this fail too, the torn line is mended by the next append and named by every reading.
    await cutBack(file, before, before + written, options).catch(() => undefined);
    throw error;
  }
}

/** Only while nobody else wrote behind it. Through a handle of its own: on Windows one for appending cannot. */
async function cutBack(file: string, to: number, from: number, options: FileOptions): Promise<void> {
  const handle = await (options.fileSystem ?? nodeFileSystem).open(file, 'r+');
  try {
    if ((await handle.stat()).size === from) await handle.truncate(to);
  } finally {
    await handle.close();
  }
}

/** The id of the last line that has one, found from the end; null when there is no file or no such line. */
export async function lastIdIn(file: string, options: FileOptions = {}): Promise<string | null> {
  let handle: FileHandle;
  try {
    handle = await (options.fileSystem ?? nodeFileSystem).open(file, 'r');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    for (let length = 64 * 1024; ; length *= 8) {
      const start = Math.max(0, size - length);
      const tail = await readSpan(handle, start, size);
      const lines = splitLines(start === 0 ? tail : tail.subarray(tail.indexOf(newline) + 1 || tail.length));
      for (const line of lines.reverse()) {
        const decoded = decodeLine(line);
        if (decoded && 'record' in decoded) return decoded.record.id;
      }
      if (start === 0 || length > longestLine) return null;
    }
  } finally {
    await handle.close();
  }
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...lines, bytes.subarray(start)];
}

async function readSpan(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** What was read of a file up to the end of its last whole line, and the unfinished line behind it. */
interface Reading {
  /** Changes whenever the file does. */
  readonly version: string;
  /** Bytes up to and with the last line end, their sha256, and the lines in them. */
  readonly bytes: number;
  readonly digest: string;
  readonly lines: number;
  readonly whole: LedgerFileContent;
  readonly tail: LedgerFileContent;
}

/**
 * Reads ledger files, and on the next call only what came to them: the part that was read is recognised by
 * its hash, so that a file which was merged, edited or rewritten is read afresh.
 */
export class LedgerFileReader {
  readonly #options: FileOptions;
  readonly #readings = new Map<string, Reading>();

  constructor(options: FileOptions = {}) {
    this.#options = options;
  }

  /** Everything in the file; a file that is not there is empty, one that cannot be read is a problem. */
  async read(file: string): Promise<LedgerFileContent> {
    try {
      const reading = await this.#readWhenStill(file);
      if (!reading) return { records: [], problems: [] };
      return {
        records: [...reading.whole.records, ...reading.tail.records],
        problems: [...reading.whole.problems, ...reading.tail.problems],
      };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { records: [], problems: [{ file, line: null, reason: `cannot be read: ${reason}` }] };
    }
  }

  /** A line without its end may be one that is being written this moment: then it is whole soon after. */
  async #readWhenStill(file: string): Promise<Reading | null> {
    for (let attempt = 0; ; attempt += 1) {
      const before = this.#readings.get(file);
      const reading = await this.#refresh(file);
      const torn = reading !== null && reading.tail.problems.length > 0;
      if (!torn || reading.version === before?.version || attempt === 5) return reading;
      await delay(20);
    }
  }

  async #refresh(file: string): Promise<Reading | null> {
    let handle: FileHandle;
    try {
      handle = await (this.#options.fileSystem ?? nodeFileSystem).open(file, 'r');
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#readings.delete(file);
      return null;
    }
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
      const version = [dev, ino, size, mtimeNs, ctimeNs].join(':');
      const known = this.#readings.get(file);
      if (known?.version === version) return known;
      const reading =
        (known && (await continueReading(handle, file, known, version))) ??
        (await readFrom(handle, file, nothing, createHash('sha256'), version));
      this.#readings.set(file, reading);
      return reading;
    } finally {
      await handle.close();
    }
  }
}

const nothing = { bytes: 0, lines: 0, whole: { records: [], problems: [] } } as const;

async function continueReading(
  handle: FileHandle,
  file: string,
  known: Reading,
  version: string,
): Promise<Reading | null> {
  const hash = createHash('sha256');
  for (let at = 0; at < known.bytes; at += chunkBytes) {
    hash.update(await readSpan(handle, at, Math.min(at + chunkBytes, known.bytes)));
  }
  return hash.copy().digest('hex') === known.digest
    ? await readFrom(handle, file, known, hash, version)
    : null;
}

/** Reads on from `before.bytes`; `hash` has taken in all bytes up to there. */
async function readFrom(
  handle: FileHandle,
  file: string,
  before: Pick<Reading, 'bytes' | 'lines' | 'whole'>,
  hash: Hash,
  version: string,
): Promise<Reading> {
  const records = [...before.whole.records];
  const parts = new SharedParts();
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const problems = [...before.whole.problems];
  let { bytes, lines } = before;
  let digest = hash.copy().digest('hex');
  let line = new GrowingLine();
  for (let at = before.bytes; ;) {
    const { bytesRead } = await handle.read(buffer, 0, chunkBytes, at);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      line.add(chunk.subarray(from, end));
      from = end + 1;
      lines += 1;
      take(file, lines, line.decode(), { records, problems, parts });
      line = new GrowingLine();
    }
    hash.update(chunk.subarray(0, from));
    if (from > 0) {
      bytes = at + from;
      digest = hash.copy().digest('hex');
    }
    hash.update(chunk.subarray(from));
    // Copied: the next chunk comes into the same buffer.
    line.add(Buffer.from(chunk.subarray(from)));
    at += chunk.length;
  }
  const tail = { records: [], problems: [] };
  take(file, lines + 1, line.decode(), { ...tail, parts });
  return { version, bytes, digest, lines, whole: { records, problems }, tail };
}

function take(
  file: string,
  line: number,
  decoded: ReturnType<typeof decodeLine>,
  into: {
    readonly records: { line: number; record: LedgerRecord }[];
    readonly problems: LedgerProblem[];
    readonly parts: SharedParts;
  },
): void {
  if (decoded === null) return;
  if ('record' in decoded) {
    into.parts.share(decoded.record);
    into.records.push({ line, record: decoded.record });
  } else into.problems.push({ file, line, reason: decoded.reason });
}

/** The pieces of one line; those of an overlong line are counted but not kept. */
class GrowingLine {
  #pieces: Buffer[] = [];
  #length = 0;

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length <= longestLine) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  decode(): ReturnType<typeof decodeLine> {
    if (this.#length > longestLine) return { reason: 'longer than 64 MiB' };
    const [only] = this.#pieces;
    return decodeLine(only && this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces));
  }
}
