// Experiment 3: does it help to leave thinking and reflection out of the loss? The same pairs, numbers and seed, trained
// with each mask, measured on held-out pairs.
import { needed, type Done, type Experiment, type Reading } from '../experiment.ts';
import { chartOf, figure, type Finding } from '../figures.ts';
import { accuracyFigure, costFigures, gainFigures, gains, TrainedResult } from './measured.ts';

const variants = [
  { id: 'none', name: 'unmasked' },
  { id: 'thinking+reflection', name: 'thinking and reflection masked' },
  { id: 'answer-only', name: 'answer only' },
] as const;

export const masking: Experiment<TrainedResult, null> = {
  name: 'masking',
  title: 'Masked against unmasked training',
  measures: 'pairs',
  result: TrainedResult,
  needsAnswers: false,
  ownCritic: false,
  units: () => variants.map(({ id }) => ({ id, question: null, model: null, phase: 'train' })),

  run: async ({ id }, { bench }, signal) => {
    const kind = variants.find((variant) => variant.id === id)?.id ?? 'none';
    return await needed(bench, 'a trainer').trained(id, { kind, share: 1 }, signal);
  },

  findings: (done, reading) => [
    margins(done, reading),
    differences(done, reading),
    accuracies(done, reading),
    costs(done, reading),
  ],
};

type Trained = Done<TrainedResult, null>;

/** The variants that are done, each with its name. */
function named(done: readonly Trained[]): { readonly name: string; readonly result: TrainedResult }[] {
  return variants.flatMap(({ id, name }) => {
    const result = done.find(({ unit }) => unit.id === id)?.result;
    return result ? [{ name, result }] : [];
  });
}

function margins(done: readonly Trained[], reading: Reading): Finding {
  const figures = named(done).flatMap(({ name, result }) => gainFigures(name, result.measured, reading));
  return {
    title: 'Gain of the held-out margin',
    text: 'By how much training widened the gap between the mean log-probability of chosen and rejected text, in nats a token, held-out pair by held-out pair: of the answers alone, and of whole texts with their sections. Format alone lifts the second.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Gain of the held-out margin', range: [0, 0.01] },
      ...{ xLabel: 'Mask', yLabel: 'Nats a token, 95 % interval' },
    }),
  };
}

function differences(done: readonly Trained[], { estimate }: Reading): Finding {
  const [unmasked, ...masked] = named(done);
  const before = unmasked ? gains(unmasked.result.measured.answers) : [];
  const figures = masked.map(({ name, result }) =>
    figure(
      name,
      'gain less that of unmasked training',
      estimate(gains(result.measured.answers).map((gain, at) => gain - (before[at] ?? 0))),
    ),
  );
  return {
    title: 'Difference to unmasked training',
    text: 'Of the answers’ margins, pair by pair: an interval that holds 0 shows no difference.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Difference to unmasked training', range: [-0.01, 0.01] },
      ...{ xLabel: 'Mask', yLabel: 'Nats a token, 95 % interval' },
    }),
  };
}

function accuracies(done: readonly Trained[], reading: Reading): Finding {
  const figures = named(done).map(({ name, result }) => accuracyFigure(name, result.measured, reading));
  return {
    title: 'Held-out accuracy',
    text: 'Share of held-out pairs whose chosen text is the likelier one a token, after training.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Held-out accuracy', range: [0, 1] },
      ...{ xLabel: 'Mask', yLabel: 'Share of pairs, 95 % interval' },
    }),
  };
}

function costs(done: readonly Trained[], reading: Reading): Finding {
  const figures = named(done).flatMap(({ name, result }) => costFigures(name, result.measured, reading));
  return {
    title: 'What else changed',
    text: 'The probability that the model begins with its thinking, over held-out prompts; and perplexity on untouched text as a ratio to that of the model without adapter (1: nothing was lost).',
    figures,
    chart: null,
  };
}
