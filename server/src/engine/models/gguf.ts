// Reads the header of a GGUF file: its metadata and the list of its tensors, never their data.
// The file may be broken or hostile: every count and length has a limit, and whatever is wrong with it
// becomes a `bad-model`. Loads nothing, and knows neither llama.cpp nor the catalogue.
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { tensorTypes, valueBytes, valueTypes, type ValueType } from './ggufTypes.ts';

/** What a header may hold at most. Real ones stay far below: the largest vocabularies need some 20 MB. */
const limits = {
  headerBytes: 128 * 1024 * 1024,
  metadataEntries: 65_536,
  tensors: 65_536,
  keyBytes: 65_535,
  stringBytes: 16 * 1024 * 1024,
  tensorNameBytes: 63,
  dimensions: 4,
  /** Vocabularies have some hundred thousand; their merges twice that. */
  strings: 4_194_304,
  keptNumbers: 4096,
} as const;

const windowBytes = 256 * 1024;

/**
 * An array in the metadata. Its numbers are kept when they are few (settings per layer); longer ones, and strings,
 * only where they were asked for.
 */
export interface GgufArray {
  readonly of: Exclude<ValueType, 'array'>;
  readonly length: number;
  readonly numbers: readonly number[] | null;
  /** Left out for arrays whose strings were not asked for. */
  readonly strings?: readonly string[];
}

/** A 64-bit number is a bigint only where a number would not be exact. */
export type GgufValue = string | number | bigint | boolean | GgufArray;

export interface GgufTensor {
  readonly name: string;
  /** Lengths of the dimensions, the one that is contiguous in memory first. */
  readonly shape: readonly number[];
  /** `q4_K`, `f16`, … */
  readonly type: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufReading {
  readonly signal?: AbortSignal;
  /** Keys of arrays that are kept whole, such as a vocabulary. */
  readonly keep?: readonly string[];
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Where tensor data begins, in bytes from the start of the file. */
  readonly dataStart: number;
  readonly fileBytes: number;
  /** How many bytes of tensor data the file lacks; 0: it is whole. */
  readonly missingBytes: number;
}

/** The `bad-model` error that every reader of model files throws. */
export function badModel(path: string, reason: string, cause?: unknown): PreflexorError {
  return new PreflexorError('bad-model', `${basename(path)} cannot be used as a model: ${reason}.`, {
    remedy: 'Get the file again, or choose another model.',
    cause,
  });
}

/**
 * Reads the header of the GGUF file at `path`.
 * Throws `bad-model` for anything that is not a well-formed GGUF of version 2 or 3 (as llama.cpp judges it),
 * `no-model` when there is no such file, `cancelled`. A file whose tensor data is cut off is not an error
 * here: see `missingBytes`.
 * Source: docs/gguf.md of ggml, and gguf.cpp.
 */
export async function readGgufHeader(path: string, reading: GgufReading = {}): Promise<GgufHeader> {
  const file = await openModelFile(path);
  try {
    const { size } = await file.stat();
    return await new HeaderReader(path, file, size, reading).header();
  } catch (error) {
    if (error instanceof PreflexorError) throw error;
    throw badModel(path, 'it cannot be read', error);
  } finally {
    await file.close();
  }
}

/** Without O_NONBLOCK (which Windows lacks), opening a pipe would wait for somebody to write into it. */
const readingFlags = constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK);

/** Opens a regular file for reading. A pipe or a device would block, so it is refused. */
async function openModelFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, readingFlags);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new PreflexorError('no-model', `There is no file ${path}.`, {
        remedy: 'Check the path, or choose another model.',
        cause: error,
      });
    }
    throw badModel(path, code === 'EACCES' ? 'you may not read it' : 'it cannot be opened', error);
  }
  const stat = await file.stat();
  if (stat.isFile()) return file;
  await file.close();
  throw badModel(path, stat.isDirectory() ? 'it is a folder' : 'it is not an ordinary file');
}

/** Walks through a header with a window of bytes in memory. */
class HeaderReader {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #size: number;
  readonly #signal: AbortSignal | undefined;
  readonly #keep: ReadonlySet<string>;
  #window = Buffer.alloc(0);
  /** Next byte to read: in the window, and in the file where the window begins. */
  #at = 0;
  #windowStart = 0;

  constructor(path: string, file: FileHandle, size: number, { signal, keep = [] }: GgufReading) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#signal = signal;
    this.#keep = new Set(keep);
  }

  async header(): Promise<GgufHeader> {
    const version = await this.#start();
    await this.#need(16);
    const tensorCount = this.#count(limits.tensors, 'tensors');
    const entryCount = this.#count(limits.metadataEntries, 'metadata entries');
    const metadata = new Map<string, GgufValue>();
    for (let index = 0; index < entryCount; index++) {
      const key = await this.#string(limits.keyBytes, 'a metadata key');
      if (key === '' || metadata.has(key))
        throw this.#bad(`its metadata key "${shown(key)}" is empty or repeated`);
      metadata.set(key, await this.#value(key));
    }
    const alignment = metadata.get('general.alignment') ?? 32;
    if (typeof alignment !== 'number' || !isAlignment(alignment)) {
      throw this.#bad('its alignment is not a power of two');
    }
    return { version, metadata, fileBytes: this.#size, ...(await this.#tensors(tensorCount, alignment)) };
  }

  /** Magic and version. */
  async #start(): Promise<number> {
    if (this.#size === 0) throw this.#bad('it is empty');
    await this.#need(Math.min(this.#size, 16));
    const head = this.#window.subarray(0, 16).toString('latin1');
    if (!head.startsWith('GGUF')) throw this.#bad(whatItIsInstead(head));
    await this.#need(8);
    this.#at += 4;
    const version = this.#uint32();
    if ((version & 0xffff) === 0) throw this.#bad('it was made for big-endian machines');
    if (version < 2 || version > 3) throw this.#bad(`GGUF version ${version} is not known (2 and 3 are)`);
    return version;
  }

  async #value(key: string): Promise<GgufValue> {
    const type = await this.#type(key);
    if (type === 'string') return await this.#string(limits.stringBytes, `"${shown(key)}"`);
    if (type !== 'array') {
      await this.#need(valueBytes[type]);
      return this.#scalar(type);
    }
    const of = await this.#type(key);
    if (of === 'array') throw this.#bad(`"${shown(key)}" is an array of arrays`);
    await this.#need(8);
    const room = Math.floor(this.#rest() / valueBytes[of]);
    const most = of === 'string' ? Math.min(room, limits.strings) : room;
    const length = this.#count(most, `values of "${shown(key)}"`);
    if (of === 'string') return { of, length, numbers: null, ...(await this.#strings(length, key)) };
    if (length > limits.keptNumbers && !this.#keep.has(key)) {
      this.#skip(length * valueBytes[of]);
      return { of, length, numbers: null };
    }
    await this.#need(length * valueBytes[of]);
    return { of, length, numbers: Array.from({ length }, () => Number(this.#scalar(of))) };
  }

  async #type(key: string): Promise<ValueType> {
    await this.#need(4);
    const number = this.#uint32();
    const type = valueTypes[number];
    if (type === undefined) throw this.#bad(`"${shown(key)}" has the unknown type ${number}`);
    return type;
  }

  async #tensors(
    count: number,
    alignment: number,
  ): Promise<Pick<GgufHeader, 'tensors' | 'dataStart' | 'missingBytes'>> {
    const tensors: GgufTensor[] = [];
    const names = new Set<string>();
    let end = 0n;
    let whole = 0n;
    for (let index = 0; index < count; index++) {
      const { offset, ...tensor } = await this.#tensor();
      if (names.has(tensor.name)) throw this.#bad(`it has two tensors named "${shown(tensor.name)}"`);
      names.add(tensor.name);
      if (offset !== end) throw this.#bad(`tensor "${shown(tensor.name)}" does not follow the one before it`);
      whole = offset + BigInt(tensor.bytes);
      end = roundUp(whole, BigInt(alignment));
      if (end > Number.MAX_SAFE_INTEGER) throw this.#bad('its tensors are impossibly large');
      tensors.push({ ...tensor, offset: Number(offset) });
    }
    const dataStart = Number(roundUp(BigInt(this.#windowStart + this.#at), BigInt(alignment)));
    return {
      tensors: tensors.map((tensor) => ({ ...tensor, offset: tensor.offset + dataStart })),
      dataStart,
      missingBytes: whole === 0n ? 0 : Math.max(0, dataStart + Number(whole) - this.#size),
    };
  }

  /** One tensor; its offset counts from the start of the tensor data. */
  async #tensor(): Promise<Omit<GgufTensor, 'offset'> & { offset: bigint }> {
    const name = await this.#string(limits.tensorNameBytes, 'the name of a tensor');
    await this.#need(4);
    const dimensions = this.#uint32();
    if (dimensions > limits.dimensions)
      throw this.#bad(`tensor "${shown(name)}" has ${dimensions} dimensions`);
    await this.#need(dimensions * 8 + 12);
    const shape = Array.from({ length: dimensions }, () => this.#uint64());
    const number = this.#uint32();
    const type = tensorTypes.get(number);
    if (type === undefined) throw this.#bad(`tensor "${shown(name)}" has the unknown type ${number}`);
    const [typeName, blockWeights, blockBytes] = type;
    const weights = shape.reduce((product, length) => product * length, 1n);
    if ((shape[0] ?? 1n) % BigInt(blockWeights) !== 0n) {
      throw this.#bad(`the rows of tensor "${shown(name)}" are not whole blocks of ${typeName}`);
    }
    const bytes = (weights / BigInt(blockWeights)) * BigInt(blockBytes);
    if (bytes > Number.MAX_SAFE_INTEGER || shape.some((length) => length > Number.MAX_SAFE_INTEGER)) {
      throw this.#bad(`tensor "${shown(name)}" is impossibly large`);
    }
    return { name, shape: shape.map(Number), type: typeName, bytes: Number(bytes), offset: this.#uint64() };
  }

  // The bytes themselves.

  /** Bytes that the header may still take. */
  #rest(): number {
    return Math.min(this.#size, limits.headerBytes) - this.#windowStart - this.#at;
  }

  /** Makes sure that the next `count` bytes are in the window. */
  async #need(count: number): Promise<void> {
    if (this.#window.length - this.#at >= count) return;
    if (this.#signal) throwIfCancelled(this.#signal);
    if (count > this.#rest()) throw this.#tooShort();
    const start = this.#windowStart + this.#at;
    const window = Buffer.alloc(Math.min(Math.max(count, windowBytes), this.#size - start));
    let filled = 0;
    while (filled < window.length) {
      const { bytesRead } = await this.#file.read(window, filled, window.length - filled, start + filled);
      if (bytesRead === 0) throw this.#bad('it became shorter while it was read');
      filled += bytesRead;
    }
    this.#window = window;
    this.#windowStart = start;
    this.#at = 0;
  }

  /** Goes on without reading; may leave the window. */
  #skip(count: number): void {
    if (count > this.#rest()) throw this.#tooShort();
    this.#at += count;
    if (this.#at <= this.#window.length) return;
    this.#windowStart += this.#at;
    this.#window = Buffer.alloc(0);
    this.#at = 0;
  }

  #uint32(): number {
    this.#at += 4;
    return this.#window.readUInt32LE(this.#at - 4);
  }

  #uint64(): bigint {
    this.#at += 8;
    return this.#window.readBigUInt64LE(this.#at - 8);
  }

  /** A 64-bit count that may be `most` at most. */
  #count(most: number, what: string): number {
    const count = this.#uint64();
    if (count > BigInt(Math.max(0, most))) throw this.#bad(`it claims to have ${count} ${what}`);
    return Number(count);
  }

  /** The length in front of a string; its eight bytes must be in the window. */
  #length(most: number, what: string): number {
    const length = this.#uint64();
    if (length > BigInt(most)) throw this.#bad(`${what} is ${length} bytes long`);
    return Number(length);
  }

  async #string(most: number, what: string): Promise<string> {
    await this.#need(8);
    const length = this.#length(most, what);
    await this.#need(length);
    this.#at += length;
    return this.#window.toString('utf8', this.#at - length, this.#at);
  }

  /** Waits for the disk only between windows: there may be millions of strings. */
  async #strings(count: number, key: string): Promise<Pick<GgufArray, 'strings'>> {
    const strings: string[] | null = this.#keep.has(key) ? [] : null;
    for (let index = 0; index < count; index++) {
      if (this.#window.length - this.#at < 8) await this.#need(8);
      const length = this.#length(limits.stringBytes, `a value of "${shown(key)}"`);
      if (strings !== null) {
        if (this.#window.length - this.#at < length) await this.#need(length);
        strings.push(this.#window.toString('utf8', this.#at, this.#at + length));
      }
      this.#skip(length);
    }
    return strings === null ? {} : { strings };
  }

  #scalar(type: Exclude<ValueType, 'array' | 'string'>): number | bigint | boolean {
    const at = this.#at;
    this.#at += valueBytes[type];
    switch (type) {
      case 'uint8':
        return this.#window.readUInt8(at);
      case 'int8':
        return this.#window.readInt8(at);
      case 'bool':
        return this.#window.readUInt8(at) !== 0;
      case 'uint16':
        return this.#window.readUInt16LE(at);
      case 'int16':
        return this.#window.readInt16LE(at);
      case 'uint32':
        return this.#window.readUInt32LE(at);
      case 'int32':
        return this.#window.readInt32LE(at);
      case 'float32':
        return this.#window.readFloatLE(at);
      case 'float64':
        return this.#window.readDoubleLE(at);
      case 'uint64':
        return exact(this.#window.readBigUInt64LE(at));
      case 'int64':
        return exact(this.#window.readBigInt64LE(at));
    }
  }

  #tooShort(): PreflexorError {
    if (this.#size > limits.headerBytes) return this.#bad('its header is impossibly large');
    return this.#bad('it ends in the middle of its header, so it is cut off');
  }

  #bad(reason: string): PreflexorError {
    return badModel(this.#path, reason);
  }
}

/** A power of two up to a mebibyte. */
function isAlignment(value: number): boolean {
  return value >= 1 && value <= 1 << 20 && Number.isInteger(Math.log2(value));
}

function exact(value: bigint): number | bigint {
  return BigInt.asIntN(54, value) === value ? Number(value) : value;
}

function roundUp(value: bigint, to: bigint): bigint {
  return ((value + to - 1n) / to) * to;
}

/** A name out of the file, short and without control characters, fit for a message. */
function shown(text: string): string {
  return text.slice(0, 80).replace(/[\p{C}\p{Z}]+/gu, ' ');
}

/** What a file that is no GGUF most likely is, by its first bytes. */
function whatItIsInstead(head: string): string {
  if (head.startsWith('version https://')) return 'it is only a Git LFS pointer to the real file';
  if (/^\s*<(!doctype|html)/i.test(head)) return 'it is a web page, not a model';
  if (/^(lmgg|fmgg|tjgg|algg)/.test(head)) return 'it is in a format older than GGUF';
  if (head.startsWith('PK\u0003\u0004')) return 'it is a zip archive, not a GGUF file';
  return 'it is not a GGUF file';
}
