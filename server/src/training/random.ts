// Random numbers that follow from a seed alone, so that the same settings mask the same tokens everywhere.

/** A source of numbers in [0, 1). Source: the 32-bit generator "mulberry32". */
export type Random = () => number;

export function seededRandom(...seeds: readonly number[]): Random {
  let state = 0x9e3779b9;
  for (const seed of seeds) state = mix(state ^ mix(seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32)));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    return mix(state) / 2 ** 32;
  };
}

/** Spreads every bit of a 32-bit number over all of them. */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return (bits ^ (bits >>> 14)) >>> 0;
}

/** `count` of the numbers below `size`, each equally likely. */
export function draw(size: number, count: number, random: Random): Set<number> {
  const numbers = Array.from({ length: size }, (_, index) => index);
  for (let index = 0; index < Math.min(count, size); index += 1) {
    const other = index + Math.floor(random() * (size - index));
    const here = numbers[index] ?? index;
    numbers[index] = numbers[other] ?? other;
    numbers[other] = here;
  }
  return new Set(numbers.slice(0, count));
}
