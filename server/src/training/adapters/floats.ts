// Half-precision numbers as adapters are stored with them. Pure.

/** The values of IEEE 754 binary16 numbers, given by their bits. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const bytesOf = { f32: 4, f16: 2, bf16: 2, f64: 8 } as const;
export type FloatType = keyof typeof bytesOf;

/** Little-endian numbers of `type` as 32-bit floats. */
export function toFloat32(bytes: Buffer, type: FloatType): Float32Array {
  const count = Math.floor(bytes.length / bytesOf[type]);
  const values = new Float32Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 'f32':
      for (let index = 0; index < count; index += 1) values[index] = view.getFloat32(4 * index, true);
      break;
    case 'f64':
      for (let index = 0; index < count; index += 1) values[index] = view.getFloat64(8 * index, true);
      break;
    case 'f16':
      for (let index = 0; index < count; index += 1) values[index] = float16(view.getUint16(2 * index, true));
      break;
    case 'bf16': {
      // The upper half of a 32-bit float.
      const bits = new Uint32Array(values.buffer);
      for (let index = 0; index < count; index += 1) bits[index] = view.getUint16(2 * index, true) << 16;
      break;
    }
  }
  return values;
}

/** Little-endian bytes of 32-bit floats. */
export function fromFloat32(values: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true);
  return bytes;
}
