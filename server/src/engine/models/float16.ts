// Half-precision numbers (IEEE 754 binary16), which JavaScript's typed arrays have only on newer engines.

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** The 16 bits of the half that is nearest to `value`, ties to even; too large becomes infinite, NaN stays NaN. */
export function halfBits(value: number): number {
  floats[0] = value;
  const single = bits[0] ?? 0;
  const sign = (single >>> 16) & 0x8000;
  const rest = single & 0x7fffffff;
  if (rest > 0x7f800000) return sign | 0x7e00;
  // 65,520 and more are nearer to infinity than to the largest half.
  if (rest >= 0x477ff000) return sign | 0x7c00;
  if (rest >= 0x38800000) {
    // A normal half: the exponent moves from bias 127 to bias 15, and the carry of rounding may move it once more.
    return sign | ((rest - 0x38000000 + 0xfff + ((rest >>> 13) & 1)) >>> 13);
  }
  if (rest < 0x33000000) return sign;
  // A subnormal half: the mantissa with its leading one, shifted to where 2^-24 is the unit.
  const shift = 126 - (rest >>> 23);
  const mantissa = (rest & 0x7fffff) | 0x800000;
  const whole = mantissa >>> shift;
  const remainder = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (whole + (remainder > half || (remainder === half && (whole & 1) === 1) ? 1 : 0));
}

/** Little-endian 32-bit floats as little-endian halves. `singles.length` is a multiple of 4. */
export function toHalves(singles: Uint8Array): Uint8Array {
  const from = new DataView(singles.buffer, singles.byteOffset, singles.byteLength);
  const halves = new Uint8Array(singles.length / 2);
  const to = new DataView(halves.buffer);
  for (let at = 0; at < singles.length; at += 4)
    to.setUint16(at / 2, halfBits(from.getFloat32(at, true)), true);
  return halves;
}
