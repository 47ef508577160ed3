// Writes GGUF files of version 3: metadata of every type, and tensors whose bytes are handed in as a stream.
// Knows no architecture and no quantisation: what the bytes of a tensor mean is the caller's affair.
import { randomUUID } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { diskError, moveIntoPlace } from './files.ts';
import { badModel } from './gguf.ts';
import { tensorTypes, valueTypes, type ValueType } from './ggufTypes.ts';

type NumberType = Exclude<ValueType, 'array' | 'string' | 'bool'>;

/** A value of the metadata with its type in the file. 64-bit numbers may be bigints. */
export type GgufMetadata =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: NumberType; readonly value: number | bigint }
  | { readonly type: 'array'; readonly of: 'string'; readonly values: readonly string[] }
  | { readonly type: 'array'; readonly of: 'bool'; readonly values: readonly boolean[] }
  | { readonly type: 'array'; readonly of: NumberType; readonly values: readonly (number | bigint)[] };

export interface GgufTensorData {
  readonly name: string;
  /** Lengths of the dimensions, the one that is contiguous in memory first; four at most. */
  readonly shape: readonly number[];
  /** `f32`, `f16`, `q8_0`, …: the names of ggufTypes.ts. */
  readonly type: string;
  /** The tensor's bytes, little-endian, in pieces of any size; read once, when it is the tensor's turn. */
  readonly pieces: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface GgufContent {
  /** In the order in which it is written. `general.alignment` says where tensors begin; without it, 32. */
  readonly metadata: ReadonlyMap<string, GgufMetadata>;
  readonly tensors: readonly GgufTensorData[];
}

/** Header bytes are gathered up to about this before they go to the file. */
const headerPieceBytes = 256 * 1024;

const longestTensorName = 63;

/**
 * Writes `content` to `path` as a whole: a temporary file beside it, fsync, rename. The same content gives the
 * same bytes on every machine. After any failure what was at `path` stands, and the temporary file is gone.
 * Throws `bad-model` for content that no GGUF file can hold (a name too long, a number out of its type's range,
 * fewer or more bytes than a tensor's shape), `disk-full`, `read-only`, `cancelled`, and what a tensor's stream
 * throws.
 * Source: docs/gguf.md of ggml.
 */
export async function writeGgufFile(path: string, content: GgufContent, signal: AbortSignal): Promise<void> {
  const alignment = alignmentOf(path, content);
  const plan = planTensors(path, content.tensors, alignment);
  const temporary = `${path}.${randomUUID()}.writing`;
  try {
    const file = await open(temporary, 'wx');
    try {
      const writer = new PieceWriter(file, signal);
      await writeHeader(path, content, plan, writer);
      await writer.padTo(alignment);
      for (const tensor of plan) await writeTensor(path, tensor, alignment, writer, signal);
      await writer.flush();
      await file.sync();
    } finally {
      await file.close();
    }
    await moveIntoPlace(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throwIfCancelled(signal);
    throw error instanceof PreflexorError ? error : diskError(error, path);
  }
}

interface PlannedTensor {
  readonly tensor: GgufTensorData;
  readonly typeNumber: number;
  readonly bytes: number;
  /** From the start of the tensor data. */
  readonly offset: number;
}

function planTensors(path: string, tensors: readonly GgufTensorData[], alignment: number): PlannedTensor[] {
  const names = new Set<string>();
  let end = 0;
  return tensors.map((tensor) => {
    const { name, shape, type } = tensor;
    if (names.has(name)) throw badModel(path, `two tensors are named "${name}"`);
    names.add(name);
    if (name === '' || Buffer.byteLength(name) > longestTensorName) {
      throw badModel(path, `"${name}" is no name for a tensor: 1 to ${longestTensorName} bytes are`);
    }
    const known = [...tensorTypes].find(([, [typeName]]) => typeName === type);
    if (known === undefined) throw badModel(path, `tensor "${name}" has the unknown type ${type}`);
    const [typeNumber, [, blockWeights, blockBytes]] = known;
    if (shape.length > 4 || !shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
      throw badModel(path, `tensor "${name}" has the shape [${shape.join(', ')}]`);
    }
    if ((shape[0] ?? 1) % blockWeights !== 0) {
      throw badModel(path, `the rows of tensor "${name}" are not whole blocks of ${type}`);
    }
    const weights = shape.reduce((product, length) => product * length, 1);
    const planned = { tensor, typeNumber, bytes: (weights / blockWeights) * blockBytes, offset: end };
    end = roundUp(end + planned.bytes, alignment);
    if (!Number.isSafeInteger(end)) throw badModel(path, 'its tensors are impossibly large');
    return planned;
  });
}

async function writeHeader(
  path: string,
  { metadata }: GgufContent,
  plan: readonly PlannedTensor[],
  writer: PieceWriter,
): Promise<void> {
  await writer.put(Buffer.from('GGUF'), uint32(3), uint64(plan.length), uint64(metadata.size));
  for (const [key, value] of metadata) {
    await writer.put(text(key));
    await writeValue(path, key, value, writer);
  }
  for (const { tensor, typeNumber, offset } of plan) {
    const { name, shape } = tensor;
    await writer.put(text(name), uint32(shape.length), ...shape.map(uint64), uint32(typeNumber));
    await writer.put(uint64(offset));
  }
}

async function writeValue(
  path: string,
  key: string,
  value: GgufMetadata,
  writer: PieceWriter,
): Promise<void> {
  await writer.put(uint32(valueTypes.indexOf(value.type)));
  if (value.type !== 'array') {
    await writer.put(encoded(path, key, value.type, value.value));
    return;
  }
  await writer.put(uint32(valueTypes.indexOf(value.of)), uint64(value.values.length));
  for (const each of value.values) await writer.put(encoded(path, key, value.of, each));
}

function encoded(
  path: string,
  key: string,
  type: Exclude<ValueType, 'array'>,
  value: string | boolean | number | bigint,
): Buffer {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0]);
  const bytes = Buffer.alloc(8);
  try {
    return bytes.subarray(0, putNumber(bytes, type, value));
  } catch (error) {
    throw badModel(path, `"${key}" cannot be ${value} as ${type}`, error);
  }
}

/** Puts a number in; gives how many bytes it took. Throws a RangeError for one that the type does not hold. */
function putNumber(bytes: Buffer, type: Exclude<ValueType, 'array'>, value: number | bigint): number {
  if (type === 'uint64') return bytes.writeBigUInt64LE(BigInt(value));
  if (type === 'int64') return bytes.writeBigInt64LE(BigInt(value));
  const number = Number(value);
  if (type === 'float32') return bytes.writeFloatLE(number);
  if (type === 'float64') return bytes.writeDoubleLE(number);
  if (!Number.isInteger(number)) throw new RangeError('not a whole number');
  switch (type) {
    case 'uint8':
      return bytes.writeUInt8(number);
    case 'int8':
      return bytes.writeInt8(number);
    case 'uint16':
      return bytes.writeUInt16LE(number);
    case 'int16':
      return bytes.writeInt16LE(number);
    case 'uint32':
      return bytes.writeUInt32LE(number);
    case 'int32':
      return bytes.writeInt32LE(number);
    case 'bool':
    case 'string':
      throw new RangeError('not a number');
  }
}

async function writeTensor(
  path: string,
  { tensor, bytes }: PlannedTensor,
  alignment: number,
  writer: PieceWriter,
  signal: AbortSignal,
): Promise<void> {
  let written = 0;
  for await (const piece of tensor.pieces()) {
    throwIfCancelled(signal);
    written += piece.length;
    if (written > bytes) break;
    await writer.put(piece);
  }
  if (written !== bytes) {
    const found = written > bytes ? 'more' : written.toLocaleString('en');
    throw badModel(
      path,
      `tensor "${tensor.name}" should have ${bytes.toLocaleString('en')} bytes and has ${found}`,
    );
  }
  await writer.padTo(alignment);
}

/** Gathers small pieces into larger writes, and knows how far the file is. */
class PieceWriter {
  readonly #file: FileHandle;
  readonly #signal: AbortSignal;
  #pieces: Uint8Array[] = [];
  #gathered = 0;
  #position = 0;

  constructor(file: FileHandle, signal: AbortSignal) {
    this.#file = file;
    this.#signal = signal;
  }

  async put(...pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#gathered += piece.length;
    }
    if (this.#gathered >= headerPieceBytes) await this.flush();
  }

  async padTo(alignment: number): Promise<void> {
    const position = this.#position + this.#gathered;
    await this.put(Buffer.alloc(roundUp(position, alignment) - position));
  }

  async flush(): Promise<void> {
    throwIfCancelled(this.#signal);
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#gathered = 0;
    // A write may take less than all of it, when the disk is nearly full for one.
    for (let done = 0; done < all.length;) {
      const { bytesWritten } = await this.#file.write(all, done, all.length - done);
      done += bytesWritten;
    }
    this.#position += all.length;
  }
}

function alignmentOf(path: string, { metadata }: GgufContent): number {
  const value = metadata.get('general.alignment');
  if (value === undefined) return 32;
  // As llama.cpp and our own reader judge it.
  if (value.type === 'uint32' && Number(value.value) >= 1 && Number(value.value) <= 1 << 20) {
    if (Number.isInteger(Math.log2(Number(value.value)))) return Number(value.value);
  }
  throw badModel(path, 'its alignment is not a power of two');
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
