// Finds out how many threads prompts and generation should have, by short runs of the real thing.
// Pure but for the meter that it is given; remembering the outcome is measurements.ts's business.

export interface ThreadCounts {
  readonly prompt: number;
  readonly generation: number;
}

export type Phase = keyof ThreadCounts;

/** Runs a short piece of work with so many threads; gives the seconds that it took. */
export type Meter = (phase: Phase, threads: number) => Promise<number>;

export interface ThreadMeasurement {
  readonly cores: number;
  readonly meter: Meter;
  /** Milliseconds, from any point on. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
}

/** More rounds make the medians surer; the time makes sure that nobody waits long for that. */
const rounds = 5;
const enoughSeconds = 2.5;

/** A count that is this much slower than the best is not tried again, nor are smaller ones. */
const hopeless = 2.5;

/** Fewer threads are taken when more are not this much faster: they leave room for the editor. */
const worthwhile = 0.97;

/** 1, 2, 4, 8 … and all cores, largest first. */
export function threadCandidates(cores: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return [...counts, cores].reverse();
}

/**
 * The fastest thread counts, by the median of short runs that take turns, so that a disturbance meets all alike.
 * Whatever the meter throws is passed on.
 */
export async function measureThreads(measurement: ThreadMeasurement): Promise<ThreadCounts> {
  const started = measurement.now();
  const seconds = () => (measurement.now() - started) / 1000;
  const runs: Record<Phase, Map<number, number[]>> = { prompt: new Map(), generation: new Map() };
  for (let round = 0; round < rounds && (round === 0 || seconds() < enoughSeconds); round += 1) {
    for (const phase of ['prompt', 'generation'] as const) {
      await measureRound(measurement, phase, runs[phase], round === 0);
    }
    measurement.onProgress(Math.min(1, Math.max((round + 1) / rounds, seconds() / enoughSeconds)));
  }
  return { prompt: best(runs.prompt), generation: best(runs.generation) };
}

async function measureRound(
  { cores, meter }: ThreadMeasurement,
  phase: Phase,
  runs: Map<number, number[]>,
  first: boolean,
): Promise<void> {
  const counts = first ? threadCandidates(cores) : [...runs.keys()];
  for (const threads of counts) {
    const taken = await meter(phase, threads);
    runs.set(threads, [...(runs.get(threads) ?? []), taken]);
    const fastest = Math.min(...[...runs.values()].map(median));
    // On many cores the small counts would take the longest, and they are not what is looked for.
    if (first && taken > fastest * hopeless) return;
  }
}

/** Of the counts that are about as fast as the fastest, the smallest. */
function best(runs: ReadonlyMap<number, readonly number[]>): number {
  const medians = [...runs].map(([threads, taken]) => ({ threads, seconds: median(taken) }));
  const fastest = Math.min(...medians.map(({ seconds }) => seconds));
  const good = medians.filter(({ seconds }) => seconds * worthwhile <= fastest);
  return Math.min(...good.map(({ threads }) => threads));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Infinity;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
