// How often a property is tried: the same cases each time, or many new ones on demand.

/**
 * Options for `fc.assert`. `PREFLEXOR_FUZZ=10` tries ten times as many cases, and others on each run.
 * @param count number of cases in an ordinary test run
 */
export function runs(count: number): { numRuns: number; seed?: number } {
  const times = Number(process.env['PREFLEXOR_FUZZ'] ?? 0);
  return times > 0 ? { numRuns: count * times } : { numRuns: count, seed: 20260101 };
}
