// Reads and writes safetensors files of floating-point tensors. The file may be broken or hostile: every length is
// checked before it is used. Knows nothing of adapters. Source: the format's description in its own repository.
import { open, type FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { bytesPerValue, fromFloat32, toFloat32, type FloatType } from './floats.ts';

export interface Tensor {
  /** Lengths of the axes, the last one contiguous in memory. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const headerBytes = 100_000_000;
const fileBytes = 16 * 1024 ** 3;

const types: Readonly<Record<string, FloatType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16', F64: 'f64' };

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()).max(8),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Header = z.record(z.string(), z.unknown());

/**
 * All tensors of a file by name, as 32-bit floats.
 * @throws PreflexorError `bad-input` with what is wrong with the file
 */
export async function readSafetensors(path: string, signal: AbortSignal): Promise<Map<string, Tensor>> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unusable(path, 'it cannot be read', error);
  });
  try {
    const { size } = await file.stat();
    const { entries, dataStart } = await readHeader(path, file, size);
    const tensors = new Map<string, Tensor>();
    for (const [name, value] of entries) {
      throwIfCancelled(signal);
      const entry = Entry.safeParse(value);
      if (!entry.success) throw unusable(path, `its tensor ${name} is described wrongly`);
      tensors.set(name, await readTensor(path, file, name, entry.data, { start: dataStart, size }));
      await setImmediate();
    }
    return tensors;
  } finally {
    await file.close();
  }
}

async function readHeader(
  path: string,
  file: FileHandle,
  size: number,
): Promise<{ entries: [string, unknown][]; dataStart: number }> {
  const length = size < 8 || size > fileBytes ? 0n : (await bytesAt(file, 0, 8)).readBigUInt64LE(0);
  if (length < 2n || length > BigInt(Math.min(headerBytes, size - 8))) {
    throw unusable(path, 'it is no whole safetensors file');
  }
  let header: unknown;
  try {
    header = JSON.parse((await bytesAt(file, 8, Number(length))).toString('utf8'));
  } catch (error) {
    throw unusable(path, 'its header cannot be read', error);
  }
  const decoded = Header.safeParse(header);
  if (!decoded.success) throw unusable(path, 'its header is no list of tensors');
  const entries = Object.entries(decoded.data).filter(([name]) => name !== '__metadata__');
  return { entries, dataStart: 8 + Number(length) };
}

async function readTensor(
  path: string,
  file: FileHandle,
  name: string,
  { dtype, shape, data_offsets: [begin, end] }: z.infer<typeof Entry>,
  data: { readonly start: number; readonly size: number },
): Promise<Tensor> {
  const type = types[dtype];
  if (type === undefined) throw unusable(path, `its tensor ${name} is stored as ${dtype}, which is no float`);
  const count = shape.reduce((product, length) => product * length, 1);
  if (end - begin !== count * bytesPerValue(type) || data.start + end > data.size) {
    throw unusable(path, `its tensor ${name} does not fit into the file`);
  }
  return { shape, values: toFloat32(await bytesAt(file, data.start + begin, end - begin), type) };
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    filled += bytesRead;
  }
  return bytes;
}

/** The bytes of a safetensors file with these tensors as F32, in the order of their names. */
export function writeSafetensors(tensors: ReadonlyMap<string, Tensor>): Buffer {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, { shape, values }] of sorted) {
    const end = offset + 4 * values.length;
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...sorted.map(([, { values }]) => fromFloat32(values))]);
}

function unusable(path: string, why: string, cause?: unknown): PreflexorError {
  return new PreflexorError('bad-input', `The file ${path} cannot be used: ${why}.`, {
    remedy: 'Get it again from where it was made.',
    cause,
  });
}
