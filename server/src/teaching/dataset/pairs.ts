// Samples as preference pairs, in the form in which pairs are exported everywhere. Pure.
import { exportPairs, pairId, spansIn, strengths } from '../../preferences/index.ts';
import type { DatasetSample, PairSplit, PreferencePair } from '../../protocol/index.ts';

/** The kept samples, in their order. */
export function pairsOfSamples(samples: readonly DatasetSample[]): PreferencePair[] {
  return samples.filter(({ kept }) => kept).map(pairOf);
}

function pairOf(sample: DatasetSample): PreferencePair {
  const { prompt, chosen, rejected, time, note, evidence, split } = sample;
  const content = { prompt, chosen, rejected, about: 'whole' as const };
  return {
    ...{ schema: 1, id: pairId(content), time, signal: 'generated', strength: strengths.generated },
    ...content,
    wants: null,
    spans: { chosen: spansIn(chosen), rejected: spansIn(rejected) },
    passages: evidence,
    note,
    entries: [],
    runs: { chosen: null, rejected: null },
    iterations: { chosen: null, rejected: null },
    ...{ settled: 'unknown', reason: null, provenance: null, split, consent: 'given' },
  };
}

/** Pairs of one side, or all, as TRL's conversational JSON lines with `meta`. */
export async function trlLines(
  pairs: readonly PreferencePair[],
  split: PairSplit | null,
  signal: AbortSignal,
): Promise<string> {
  const wanted = split === null ? pairs : pairs.filter((pair) => pair.split === split);
  const { files } = await exportPairs(wanted, 'trl', { strict: false }, signal);
  return files.map(({ content }) => (typeof content === 'string' ? content : '')).join('');
}
