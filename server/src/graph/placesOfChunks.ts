// Which chunks hold a place of a file. Chunks may overlap.
import type { Evidence } from '../protocol/index.ts';
import type { Chunk } from '../retrieval/index.ts';

interface Sorted {
  readonly chunks: readonly Chunk[];
  /** The largest end among this chunk and those before it. */
  readonly farthest: readonly number[];
}

export class PlacesOfChunks {
  readonly #bySource: ReadonlyMap<string, Sorted>;

  constructor(chunks: readonly Chunk[]) {
    const sources = Map.groupBy(chunks, ({ source }) => source);
    this.#bySource = new Map([...sources].map(([source, list]) => [source, sorted(list)]));
  }

  /** The chunks that hold the whole place; where a border cuts it, the ones that hold its start. */
  holding(place: Evidence): Chunk[] {
    const start = this.#covering(place.source, place.start);
    const whole = start.filter(({ end }) => end >= place.end);
    return whole.length > 0 ? whole : start;
  }

  /** In the order of the text. */
  #covering(source: string, offset: number): Chunk[] {
    const { chunks = [], farthest = [] } = this.#bySource.get(source) ?? {};
    const found: Chunk[] = [];
    for (let index = lastStartingBy(chunks, offset); index >= 0; index -= 1) {
      if ((farthest[index] ?? 0) <= offset) break;
      const chunk = chunks[index];
      if (chunk && chunk.end > offset) found.unshift(chunk);
    }
    return found;
  }
}

function sorted(list: readonly Chunk[]): Sorted {
  const chunks = [...list].sort((a, b) => a.start - b.start || a.end - b.end);
  let end = 0;
  return { chunks, farthest: chunks.map((chunk) => (end = Math.max(end, chunk.end))) };
}

/** Index of the last chunk that starts at or before `offset`, or −1; binary search. */
function lastStartingBy(chunks: readonly Chunk[], offset: number): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunks[middle]?.start ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
