// Experiment 4: which sections are masked, and how much of them: 0, 25, 50, 75 and 100 % of their tokens, each trained
// from the same start on the same pairs.
import type { Figure, MaskKind } from '../../protocol/index.ts';
import { needed, type Done, type Experiment, type Reading } from '../experiment.ts';
import { chartOf, figure, type Finding } from '../figures.ts';
import { accuracyFigure, gains, TrainedResult, type Measured } from './measured.ts';

const shares = [0, 0.25, 0.5, 0.75, 1] as const;
const sections = [
  { kind: 'thinking', name: 'thinking' },
  { kind: 'thinking+reflection', name: 'thinking and reflection' },
] as const satisfies readonly { kind: MaskKind; name: string }[];

interface Point {
  readonly id: string;
  readonly kind: MaskKind;
  readonly share: number;
}

/** With nothing masked the sections do not matter: that run is made once. */
const points: readonly Point[] = [
  { id: 'nothing masked', kind: 'none', share: 1 },
  ...sections.flatMap(({ kind, name }) =>
    shares.filter((share) => share > 0).map((share) => ({ id: `${name} ${percent(share)}`, kind, share })),
  ),
];

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

export const maskShare: Experiment<TrainedResult, null> = {
  name: 'mask-share',
  title: 'Sections and shares of the mask',
  measures: 'pairs',
  result: TrainedResult,
  needsAnswers: false,
  ownCritic: false,
  units: () => points.map(({ id }) => ({ id, question: null, model: null, phase: 'train' })),

  run: async ({ id }, { bench }, signal) => {
    const { kind, share } = points.find((point) => point.id === id) ?? { kind: 'none', share: 1 };
    return await needed(bench, 'a trainer').trained(id.replace(/\W+/g, '-'), { kind, share }, signal);
  },

  findings: (done, reading) => [
    over(done, {
      title: 'Gain of the answers’ margin over the masked share',
      text: 'By how much training widened the gap between held-out answers, without their sections, in nats a token.',
      what: (name, measured) => figure('', name, reading.estimate(gains(measured.answers))),
      ...{ yLabel: 'Nats a token, 95 % interval', range: [0, 0.01] },
    }),
    over(done, {
      title: 'Held-out accuracy over the masked share',
      text: 'Share of held-out pairs whose chosen text is the likelier one a token, sections and all.',
      what: (name, measured) => ({ ...accuracyFigure('', measured, reading), what: name }),
      ...{ yLabel: 'Share of pairs, 95 % interval', range: [0, 1] },
    }),
    over(done, {
      title: 'Form over the masked share',
      text: 'The probability that the model begins with its thinking: what is masked is not practised.',
      what: (name, measured) => figure('', name, adoption(measured, reading)),
      ...{ yLabel: 'Probability, 95 % interval', range: [0, 1] },
    }),
  ],
};

function adoption({ adoption: all }: Measured, { estimate }: Reading) {
  return estimate(all.map(({ after }) => after));
}

interface Line {
  readonly title: string;
  readonly text: string;
  readonly what: (name: string, measured: Measured) => Figure;
  readonly yLabel: string;
  readonly range: readonly [number, number];
}

/** A line for each choice of sections; both begin at the run without a mask. */
function over(
  done: readonly Done<TrainedResult, null>[],
  { title, text, what, yLabel, range }: Line,
): Finding {
  const figures = sections.flatMap(({ kind, name }) =>
    shares.flatMap((share) => {
      const point = points.find((one) =>
        share === 0 ? one.kind === 'none' : one.kind === kind && one.share === share,
      );
      const result = done.find(({ unit }) => unit.id === point?.id)?.result;
      return result ? [{ ...what(name, result.measured), of: percent(share) }] : [];
    }),
  );
  const words = { kind: 'lines' as const, title, xLabel: 'Share of the sections’ tokens that is masked' };
  return { title, text, figures, chart: chartOf(figures, { ...words, yLabel, range: [...range] }) };
}
