// Reads safetensors files: the list of tensors, and the bytes of each as a stream. The file may be broken or
// hostile: whatever is wrong with it becomes a `bad-model`. Converts nothing and knows no architecture.
import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { badModel } from './gguf.ts';

/** Bytes of one number, by the name that the format gives its type. */
const numberBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;
export type SafetensorsType = keyof typeof numberBytes;

/** The format's own limit. */
const longestHeaderBytes = 100_000_000;
const pieceBytes = 1024 * 1024;

export interface SafetensorsTensor {
  readonly name: string;
  readonly type: SafetensorsType;
  /** Lengths of the dimensions, the one that is contiguous in memory last (as PyTorch has it). */
  readonly shape: readonly number[];
  /** Place in the file. */
  readonly start: number;
  readonly bytes: number;
}

const Entry = z.object({
  dtype: z.enum(Object.keys(numberBytes) as [SafetensorsType, ...SafetensorsType[]]),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Header = z.record(z.string(), z.unknown());

/** An open file; to be closed. */
export class SafetensorsFile {
  /** By name, in the order of their places in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle, tensors: ReadonlyMap<string, SafetensorsTensor>) {
    this.#path = path;
    this.#file = file;
    this.tensors = tensors;
  }

  /**
   * Opens the file at `path` and reads its header.
   * Throws `bad-model` for anything that is not a whole, well-formed safetensors file, `no-model` when there is
   * no such file, `cancelled`.
   * Source: the format's description in the README of huggingface/safetensors.
   */
  static async open(path: string, signal: AbortSignal): Promise<SafetensorsFile> {
    throwIfCancelled(signal);
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw badModel(path, 'it cannot be opened', error);
      throw new PreflexorError('no-model', `There is no file ${path}.`, { cause: error });
    }
    try {
      return new SafetensorsFile(path, file, await readHeader(path, file));
    } catch (error) {
      await file.close();
      throw error instanceof PreflexorError ? error : badModel(path, 'it cannot be read', error);
    }
  }

  /** A tensor's bytes, little-endian, in pieces of a mebibyte at most, each a whole number of numbers. */
  async *pieces(tensor: SafetensorsTensor, signal: AbortSignal): AsyncGenerator<Buffer> {
    for (let done = 0; done < tensor.bytes;) {
      throwIfCancelled(signal);
      const piece = Buffer.alloc(Math.min(pieceBytes, tensor.bytes - done));
      await readWhole(this.#path, this.#file, piece, tensor.start + done);
      done += piece.length;
      yield piece;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function readHeader(path: string, file: FileHandle): Promise<Map<string, SafetensorsTensor>> {
  const { size } = await file.stat();
  if (size < 8) throw badModel(path, 'it is too short to be a safetensors file');
  const length = Buffer.alloc(8);
  await readWhole(path, file, length, 0);
  const headerBytes = length.readBigUInt64LE();
  if (headerBytes > BigInt(longestHeaderBytes) || headerBytes > BigInt(size - 8)) {
    throw badModel(path, 'it is not a safetensors file, or it is cut off in its header');
  }
  const text = Buffer.alloc(Number(headerBytes));
  await readWhole(path, file, text, 8);
  return placed(path, decodeHeader(path, text), 8 + text.length, size);
}

function decodeHeader(path: string, text: Buffer): [string, z.infer<typeof Entry>][] {
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw badModel(path, 'its header is not JSON', error);
  }
  const header = Header.safeParse(raw);
  if (!header.success) throw badModel(path, 'its header is not an object');
  return Object.entries(header.data)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => {
      const entry = Entry.safeParse(value);
      if (entry.success) return [name, entry.data];
      throw badModel(path, `its tensor "${name.slice(0, 80)}" is described wrongly`, entry.error);
    });
}

/** Holds places and shapes against each other: as the format demands, tensors follow each other without holes. */
function placed(
  path: string,
  entries: readonly [string, z.infer<typeof Entry>][],
  dataStart: number,
  fileBytes: number,
): Map<string, SafetensorsTensor> {
  const sorted = [...entries].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  const tensors = new Map<string, SafetensorsTensor>();
  let end = 0;
  for (const [name, { dtype, shape, data_offsets: offsets }] of sorted) {
    const bytes = shape.reduce((product, length) => product * length, numberBytes[dtype]);
    if (offsets[0] !== end || offsets[1] - offsets[0] !== bytes) {
      throw badModel(path, `the place of its tensor "${name.slice(0, 80)}" does not fit its shape`);
    }
    end = offsets[1];
    tensors.set(name, { name, type: dtype, shape, start: dataStart + offsets[0], bytes });
  }
  const missing = dataStart + end - fileBytes;
  if (missing > 0) throw badModel(path, `it is cut off: ${missing.toLocaleString('en')} bytes are missing`);
  if (missing < 0) throw badModel(path, 'it has bytes that belong to no tensor');
  return tensors;
}

async function readWhole(path: string, file: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw badModel(path, 'it became shorter while it was read');
    done += bytesRead;
  }
}
