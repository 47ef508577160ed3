// Identifiers that sort by time (ULIDs), in an order that a clock cannot break.
import { TIME_MAX, decodeTime, ulid } from 'ulid';

/** Milliseconds since 1970; tests hold it still or turn it back. */
export type Clock = () => number;

/**
 * A new ULID that is greater than `after`. Within one millisecond, or when the clock went back, it takes the
 * millisecond after the greatest one so far with fresh random digits (never a successor of the digits, which
 * two processes could make at once). At the end of the ULIDs' time (the year 10889) it is only unique.
 */
export function nextUlid(now: number, after: string | null): string {
  const earliest = after === null ? 1 : timeOf(after) + 1;
  return ulid(Math.min(Math.max(now, earliest), TIME_MAX));
}

/** A source of increasing ULIDs for one process. */
export function ulidSource(now: Clock = Date.now): () => string {
  let last: string | null = null;
  return () => (last = nextUlid(now(), last));
}

/** Milliseconds since 1970 in a ULID's first ten characters; 0 for what is none. */
function timeOf(id: string): number {
  try {
    return decodeTime(id);
  } catch {
    return 0;
  }
}
