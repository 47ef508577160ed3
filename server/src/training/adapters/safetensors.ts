// The tensors of adapters in safetensors files, as 32-bit floats. The reader of the format is the model room's; here
// are only the numbers, and the writer.
import { SafetensorsFile, type SafetensorsType } from '../../engine/models/index.ts';
import { PreflexorError } from '../../errors.ts';
import { fromFloat32, toFloat32, type FloatType } from './floats.ts';

export interface Tensor {
  /** Lengths of the axes, the last one contiguous in memory. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const floatTypes: Readonly<Partial<Record<SafetensorsType, FloatType>>> = {
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  F64: 'f64',
};

/**
 * All tensors of a file by name.
 * @throws PreflexorError `bad-input` with what is wrong with the file, `cancelled`
 */
export async function readSafetensors(path: string, signal: AbortSignal): Promise<Map<string, Tensor>> {
  let file: SafetensorsFile;
  try {
    file = await SafetensorsFile.open(path, signal);
  } catch (error) {
    if (PreflexorError.is(error, 'cancelled')) throw error;
    throw unusable(path, 'it is no whole safetensors file', error);
  }
  try {
    const tensors = new Map<string, Tensor>();
    for (const tensor of file.tensors.values()) {
      const type = floatTypes[tensor.type];
      if (type === undefined) throw unusable(path, `its tensor ${tensor.name} is stored as ${tensor.type}`);
      const pieces: Float32Array[] = [];
      for await (const piece of file.pieces(tensor, signal)) pieces.push(toFloat32(piece, type));
      tensors.set(tensor.name, { shape: tensor.shape, values: joined(pieces) });
    }
    return tensors;
  } finally {
    await file.close();
  }
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  const values = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let start = 0;
  for (const piece of pieces) {
    values.set(piece, start);
    start += piece.length;
  }
  return values;
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
  // Padded with spaces, so that the numbers are aligned.
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
