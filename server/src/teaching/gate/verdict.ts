// Whether an adapter is offered. Pure: measurements in, a verdict in words out.
//
// Phase I teaches the form, so it is judged by how likely the model now begins with its thinking, and by what that cost
// on text that it should leave alone. Phase II is judged by the margin between held-out answers without their
// sections: format alone lifts the margin of whole texts.
import { z } from 'zod';
import { estimate, mean } from '../../evaluation/index.ts';
import type { Estimate, GateCheck, GateVerdict } from '../../protocol/index.ts';

/** Means over the counted tokens of the two completions of one held-out pair, nats a token. */
export interface PairMeans {
  readonly chosen: number;
  readonly rejected: number;
}

/** One thing, measured with what the run started from and with the adapter. */
export interface BeforeAfter<T> {
  readonly before: T;
  readonly after: T;
}

export interface GateMeasurements {
  readonly phase: 1 | 2;
  /** By held-out pair: answers alone, and whole completions. */
  readonly answers: readonly BeforeAfter<PairMeans>[];
  readonly wholes: readonly BeforeAfter<PairMeans>[];
  /** By held-out prompt: the probability that the model begins with the thinking marker. */
  readonly adoption: readonly BeforeAfter<number>[];
  /** By untouched text: perplexity of the base model, and with the adapter. */
  readonly perplexity: readonly BeforeAfter<number>[];
}

const Means = z.object({ chosen: z.number(), rejected: z.number() });
const Pairs = z.array(z.object({ before: Means, after: Means }));
const Values = z.array(z.object({ before: z.number(), after: z.number() }));

/** As a run's folder keeps them. */
export const GateMeasurementsFile: z.ZodType<GateMeasurements> = z.object({
  phase: z.union([z.literal(1), z.literal(2)]),
  ...{ answers: Pairs, wholes: Pairs, adoption: Values, perplexity: Values },
});

export const gateLimits = {
  /** With fewer held-out pairs no interval is to be trusted. */
  pairs: 8,
  /** Phase I: the mean probability of the thinking marker that is to be reached. */
  adoption: 0.8,
  /** How far adoption and accuracy may fall, beyond what chance explains. */
  adoptionLoss: 0.05,
  accuracyLoss: 0.05,
  /** Perplexity on untouched text may rise to so many times the base model's. */
  perplexity: 1.1,
} as const;

/** @param seed of the bootstrap */
export function verdictOn(measured: GateMeasurements, seed: number, time: string): GateVerdict {
  const { phase, answers } = measured;
  const checks =
    phase === 1
      ? [
          adoptionCheck(measured, 'improve', seed),
          perplexityCheck(measured, seed),
          marginCheck(measured, 'keep', seed),
        ]
      : [
          marginCheck(measured, 'improve', seed),
          adoptionCheck(measured, 'keep', seed),
          accuracyCheck(measured, seed),
          perplexityCheck(measured, seed),
        ];
  const few = answers.length < gateLimits.pairs;
  const failed = checks.filter(({ passed }) => !passed);
  const offered = !few && failed.length === 0;
  const tooFew = `There are ${answers.length} held-out pairs, and at least ${gateLimits.pairs} are needed to judge an adapter.`;
  const why = offered
    ? `Offered: ${checks.map(({ says }) => says).join(' ')}`
    : `Kept, not offered: ${[...(few ? [tooFew] : []), ...failed.map(({ says }) => says)].join(' ')}`;
  return { schema: 1, time, phase, offered, why, pairs: answers.length, checks };
}

function adoptionCheck({ adoption }: GateMeasurements, must: GateCheck['must'], seed: number): GateCheck {
  const change = changeOf(adoption, (value) => value, seed);
  const [before, after] = meansOf(adoption, (value) => value);
  const reached = (after ?? 0) >= gateLimits.adoption;
  const passed =
    must === 'improve'
      ? reached && isAbove(change)
      : !(isBelow(change) && (change.mean ?? 0) < -gateLimits.adoptionLoss);
  const goal =
    must === 'improve' ? `, where ${percent(gateLimits.adoption)} and a sure rise are asked for` : '';
  const says = `The model begins with its thinking on ${percent(before)} of held-out prompts before and ${percent(after)} after (change ${interval(change)}${passed ? '' : goal}).`;
  return { name: 'marker-adoption', must, passed, before, after, change, says };
}

function marginCheck({ answers }: GateMeasurements, must: GateCheck['must'], seed: number): GateCheck {
  const change = changeOf(answers, marginOf, seed);
  const [before, after] = meansOf(answers, marginOf);
  const passed = must === 'improve' ? isAbove(change) : !isBelow(change);
  const verb = isAbove(change) ? 'rose' : isBelow(change) ? 'fell' : 'did not change for sure';
  const says = `The margin between held-out answers, without their sections, ${verb}: ${figure(before)} before, ${figure(after)} after (change ${interval(change)} nats a token).`;
  return { name: 'answer-margin', must, passed, before, after, change, says };
}

function accuracyCheck({ wholes }: GateMeasurements, seed: number): GateCheck {
  const isRight = (pair: PairMeans): number => (marginOf(pair) > 0 ? 1 : 0);
  const change = changeOf(wholes, isRight, seed);
  const [before, after] = meansOf(wholes, isRight);
  const passed = !(isBelow(change) && (change.mean ?? 0) < -gateLimits.accuracyLoss);
  const says = `The chosen text is the likelier one in ${percent(before)} of held-out pairs before and ${percent(after)} after.`;
  return { name: 'heldout-accuracy', must: 'keep', passed, before, after, change, says };
}

/** The change is that of the logarithm: 0.1 is a tenth more. */
function perplexityCheck({ perplexity }: GateMeasurements, seed: number): GateCheck {
  const change = changeOf(perplexity, Math.log, seed);
  const [before, after] = meansOf(perplexity, (value) => value);
  const ratio = change.mean === null ? null : Math.exp(change.mean);
  const passed = ratio !== null && ratio <= gateLimits.perplexity;
  const limit = `at most ${percent(gateLimits.perplexity - 1)} is allowed`;
  const says =
    ratio === null
      ? 'There was no untouched text to measure what training cost.'
      : `Perplexity on untouched text is ${percent(Math.abs(ratio - 1))} ${ratio >= 1 ? 'higher' : 'lower'} than the base model’s (${figure(before)} before, ${figure(after)} after; ${limit}).`;
  return { name: 'perplexity', must: 'keep', passed, before, after, change, says };
}

function marginOf({ chosen, rejected }: PairMeans): number {
  return chosen - rejected;
}

function changeOf<T>(all: readonly BeforeAfter<T>[], value: (one: T) => number, seed: number): Estimate {
  return estimate(
    all.map(({ before, after }) => value(after) - value(before)),
    seed,
  );
}

function meansOf<T>(
  all: readonly BeforeAfter<T>[],
  value: (one: T) => number,
): [before: number | null, after: number | null] {
  if (all.length === 0) return [null, null];
  return [mean(all.map(({ before }) => value(before))), mean(all.map(({ after }) => value(after)))];
}

/** Whether the whole interval lies above zero. */
function isAbove({ low }: Estimate): boolean {
  return low !== null && low > 0;
}

function isBelow({ high }: Estimate): boolean {
  return high !== null && high < 0;
}

function percent(value: number | null): string {
  return value === null ? '–' : `${(100 * value).toFixed(1)} %`;
}

function figure(value: number | null): string {
  return value === null ? '–' : value.toFixed(3);
}

function interval({ mean: middle, low, high }: Estimate): string {
  return low === null || high === null
    ? figure(middle)
    : `${figure(middle)}, 95 % ${figure(low)} to ${figure(high)}`;
}
