// The watch list: what tells early that a run goes wrong. Pure. `failed` pauses the run, which says why in words and
// can be gone on with all the same.
import { mean } from '../evaluation/index.ts';
import type { Dataset } from './dataset/generate.ts';
import type { GateMeasurements } from './gate/verdict.ts';
import type { GateVerdict, WatchFinding } from '../protocol/index.ts';

export const watchLimits = {
  /** Share of the samples that pass their checks. */
  kept: { doubtful: 0.3, failed: 0.1 },
  /** Share of questions that had been asked before. */
  duplicates: { doubtful: 0.25, failed: 0.5 },
  /** Mean share of words that chosen and rejected answers have in common. */
  similarity: { doubtful: 0.6, failed: 0.75 },
  /** Share of the notes that samples came from; few notes are no failure. */
  coverage: { doubtful: 0.3 },
  /** Longest side to shortest: of chosen answers beside those of the first refresh. */
  drift: { doubtful: 1.5, failed: 2.5 },
  /** Held-out loss beside its lowest, held-out accuracy below its highest. */
  heldoutLoss: { doubtful: 1.15, failed: 1.5 },
  accuracyLoss: { doubtful: 0.15, failed: 0.3 },
  /** Perplexity on untouched text beside the base model's. */
  perplexity: { doubtful: 1.1, failed: 1.5 },
  /** Between refreshes: how far marker adoption falls below its best, and the answers' margin (nats a token). */
  adoptionLoss: { doubtful: 0.1, failed: 0.3 },
  marginLoss: { doubtful: 0.02, failed: 0.1 },
} as const;

type Phase = WatchFinding['phase'];
type Watched = Pick<Dataset, 'samples' | 'diversity'>;
interface Limits {
  readonly doubtful: number;
  readonly failed?: number;
}

/** @param first the first dataset of the phase; null: it is this one */
export function watchDataset(dataset: Watched, phase: Phase, first: Watched | null): WatchFinding[] {
  const { samples, diversity } = dataset;
  // Without a single pair there is nothing to watch: the phase ends by itself, with its reason.
  if (!samples.some((sample) => sample.kept)) return [];
  const kept = samples.filter((sample) => sample.kept).length / samples.length;
  const { duplicateShare, meanDifference, documents, chosenWords } = diversity;
  const coverage = documents.of === 0 ? 0 : documents.used / documents.of;
  const before = first?.diversity.chosenWords ?? chosenWords;
  const drift = Math.max(before, chosenWords) / Math.max(1, Math.min(before, chosenWords));
  const {
    kept: keptLimits,
    duplicates,
    similarity,
    coverage: coverageLimits,
    drift: driftLimits,
  } = watchLimits;
  return [
    low('kept-share', phase, kept, keptLimits, `${percent(kept)} of the samples passed their checks.`),
    high(
      'duplicate-questions',
      phase,
      duplicateShare,
      duplicates,
      `${percent(duplicateShare)} of the questions had been asked before.`,
    ),
    ...(meanDifference === null
      ? []
      : [
          high(
            'similarity',
            phase,
            1 - meanDifference,
            similarity,
            `Chosen and rejected answers have ${percent(1 - meanDifference)} of their words in common.`,
          ),
        ]),
    low(
      'coverage',
      phase,
      coverage,
      coverageLimits,
      `Samples came from ${documents.used} of ${documents.of} notes.`,
    ),
    high(
      'length-drift',
      phase,
      drift,
      driftLimits,
      `Chosen texts are ${chosenWords.toFixed(0)} words long, and were ${before.toFixed(0)} at first.`,
    ),
  ];
}

/** One look at the held-out pairs. */
export interface HeldoutLook {
  readonly step: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
}

/** @param looks in their order; the last one is judged by those before it */
export function watchHeldout(looks: readonly HeldoutLook[], phase: Phase): WatchFinding[] {
  const now = looks.at(-1);
  const losses = looks.map(({ loss }) => loss).filter((loss) => loss !== null);
  const accuracies = looks.map(({ accuracy }) => accuracy).filter((accuracy) => accuracy !== null);
  const findings: WatchFinding[] = [];
  if (!now) return findings;
  const lowest = Math.min(...losses);
  if (now.loss !== null && lowest > 0) {
    const says = `After step ${now.step} the held-out loss is ${now.loss.toFixed(3)}, and was ${lowest.toFixed(3)} at its lowest.`;
    findings.push(high('heldout-loss', phase, now.loss / lowest, watchLimits.heldoutLoss, says));
  }
  if (now.accuracy !== null) {
    const best = Math.max(...accuracies);
    const says = `After step ${now.step} the chosen text is the likelier one in ${percent(now.accuracy)} of the held-out pairs, and was in ${percent(best)} at best.`;
    findings.push(high('heldout-accuracy', phase, best - now.accuracy, watchLimits.accuracyLoss, says));
  }
  return findings;
}

/**
 * What was measured after a refresh, beside the refreshes before it: a phase that undoes what it had learnt, or that
 * costs the model its language, is not to be gone on with.
 */
export function watchRefresh(
  { phase, adoption, answers, wholes, perplexity }: GateMeasurements,
  earlier: readonly GateMeasurements[],
  refresh: number,
): WatchFinding[] {
  const findings: WatchFinding[] = [];
  const after = `After refresh ${refresh}`;
  const best = (value: (one: GateMeasurements) => number | null): number | null => {
    const known = earlier.map(value).filter((one) => one !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  const begun = meanAfter(adoption);
  const bestBegun = best((one) => meanAfter(one.adoption));
  if (begun !== null && bestBegun !== null) {
    const says = `${after} the model begins with its thinking on ${percent(begun)} of held-out prompts, and did on ${percent(bestBegun)} at best.`;
    findings.push(high('marker-adoption', phase, bestBegun - begun, watchLimits.adoptionLoss, says));
  }
  const right = accuracyAfter(wholes);
  const bestRight = best((one) => accuracyAfter(one.wholes));
  if (right !== null && bestRight !== null) {
    const says = `${after} the chosen text is the likelier one in ${percent(right)} of the held-out pairs, and was in ${percent(bestRight)} at best.`;
    findings.push(high('heldout-accuracy', phase, bestRight - right, watchLimits.accuracyLoss, says));
  }
  const margin = marginAfter(answers);
  const bestMargin = best((one) => marginAfter(one.answers));
  if (margin !== null && bestMargin !== null) {
    const says = `${after} the margin between held-out answers is ${margin.toFixed(3)} nats a token, and was ${bestMargin.toFixed(3)} at best.`;
    findings.push(high('answer-margin', phase, bestMargin - margin, watchLimits.marginLoss, says));
  }
  if (perplexity.length > 0) {
    const ratio = Math.exp(mean(perplexity.map((one) => Math.log(one.after / one.before))));
    const says = `${after} perplexity on untouched text is ${ratio.toFixed(2)} times the base model’s.`;
    findings.push(high('perplexity', phase, ratio, watchLimits.perplexity, says));
  }
  return findings;
}

function meanAfter(all: GateMeasurements['adoption']): number | null {
  return all.length === 0 ? null : mean(all.map(({ after }) => after));
}

function accuracyAfter(all: GateMeasurements['wholes']): number | null {
  return all.length === 0 ? null : mean(all.map(({ after }) => (after.chosen > after.rejected ? 1 : 0)));
}

function marginAfter(all: GateMeasurements['answers']): number | null {
  return all.length === 0 ? null : mean(all.map(({ after }) => after.chosen - after.rejected));
}

/** What the gate measured, before the next phase builds on it. */
export function watchVerdict({ phase, checks }: GateVerdict): WatchFinding[] {
  return checks.flatMap((check) => {
    if (check.name === 'perplexity' && check.change.mean !== null)
      return [high('perplexity', phase, Math.exp(check.change.mean), watchLimits.perplexity, check.says)];
    if (check.name === 'marker-adoption' && check.after !== null)
      return [low('marker-adoption', phase, check.after, { doubtful: 0.5 }, check.says)];
    return [];
  });
}

function high(
  name: WatchFinding['name'],
  phase: Phase,
  value: number,
  limits: Limits,
  says: string,
): WatchFinding {
  const { doubtful, failed = Infinity } = limits;
  const verdict = value >= failed ? 'failed' : value >= doubtful ? 'doubtful' : 'fine';
  return { name, phase, value, threshold: Number.isFinite(failed) ? failed : doubtful, verdict, says };
}

function low(
  name: WatchFinding['name'],
  phase: Phase,
  value: number,
  limits: Limits,
  says: string,
): WatchFinding {
  const { doubtful, failed = -Infinity } = limits;
  const verdict = value < failed ? 'failed' : value < doubtful ? 'doubtful' : 'fine';
  return { name, phase, value, threshold: Number.isFinite(failed) ? failed : doubtful, verdict, says };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
