// Experiment 2: are the pairs that self-teaching makes of the corpus diverse and valid? Samples are made as it makes
// them, and the critic marks both sides of each without knowing which is which.
import { z } from 'zod';
import {
  DatasetDiversity,
  DatasetEnd,
  SampleProblem,
  type DatasetSample,
  type EvaluationQuestion,
  type Figure,
} from '../../protocol/index.ts';
import { readSegments, textOf } from '../../reasoning/index.ts';
import { wordsOf } from '../../words.ts';
import { needed, type Done, type Experiment, type Reading, type Tools } from '../experiment.ts';
import { chartOf, figure, type Finding } from '../figures.ts';
import { judgeBlind } from '../judge.ts';

const SampleFigures = z.object({
  kept: z.boolean(),
  problems: z.array(SampleProblem),
  grounded: z.number().nullable(),
  difference: z.number().nullable(),
  nearest: z.number().nullable(),
  words: z.object({ chosen: z.int(), rejected: z.int() }),
  seconds: z.number(),
  generated: z.int(),
});

const DatasetResult = z.object({
  /** Those that were made until one more was kept. */
  samples: z.array(SampleFigures),
  /** Of all samples so far. */
  diversity: DatasetDiversity,
  end: DatasetEnd,
  /** The critic's marks for the answers of the kept one, 0 to 1; null: none was kept. */
  judged: z.object({ chosen: z.number().nullable(), rejected: z.number().nullable() }).nullable(),
});
type DatasetResult = z.infer<typeof DatasetResult>;
type Made = Done<DatasetResult, number>;

export const dataset: Experiment<DatasetResult, number> = {
  name: 'dataset',
  title: 'Are generated pairs diverse and valid',
  measures: 'samples',
  result: DatasetResult,
  needsAnswers: false,
  ownCritic: false,
  // The place of the sample among the kept ones, from 1.
  units: (_questions, models, { questions }) =>
    Array.from({ length: questions.count }, (_, at) => ({
      ...{ id: `sample ${at + 1}`, question: at + 1, model: models[0] ?? null, phase: 'make' },
    })),

  async run({ question: place }, tools, signal) {
    const known = tools.earlier().reduce((sum, { result }) => sum + result.samples.length, 0);
    const made = await needed(tools.samples, 'a corpus').upTo(place, signal);
    const own = made.samples.slice(known);
    const kept = own.find((sample) => sample.kept);
    return {
      samples: own.map(figuresOf),
      ...{ diversity: made.diversity, end: made.end },
      judged: kept ? await marksFor(kept, tools, signal) : null,
    };
  },

  findings: (done, reading) => [
    validity(done, reading),
    diversity(done, reading),
    sides(done, reading),
    marks(done, reading),
    cost(done, reading),
  ],
};

function figuresOf({ kept, checks, chosen, rejected, seconds, generated }: DatasetSample) {
  const { problems, grounded, difference, nearest } = checks;
  const words = { chosen: wordsOf(chosen).length, rejected: wordsOf(rejected).length };
  return { kept, problems, grounded, difference, nearest, words, seconds, generated };
}

/** The answers alone are marked: sections would give the chosen one away. */
async function marksFor(
  { question, chosen, rejected }: DatasetSample,
  { asking, judging }: Tools<DatasetResult, number>,
  signal: AbortSignal,
): Promise<DatasetResult['judged']> {
  const { markers } = await asking.model.load(signal);
  const answer = (text: string): string => textOf(readSegments(text, markers), 'answer');
  const asked: EvaluationQuestion = { id: question, question, context: null, choices: null, answer: null };
  const answers = { chosen: answer(chosen), rejected: answer(rejected) };
  const judgements = await judgeBlind(judging, asked, answers, signal);
  return { chosen: judgements.chosen.score, rejected: judgements.rejected.score };
}

function samplesOf(done: readonly Made[]) {
  return done.flatMap(({ result }) => result.samples);
}

function validity(done: readonly Made[], { share }: Reading): Finding {
  const samples = samplesOf(done);
  const found = SampleProblem.options.filter((name) =>
    samples.some(({ problems }) => problems.includes(name)),
  );
  const figures = [
    figure('kept', 'share', share(samples.map(({ kept }) => kept))),
    ...found.map((name) =>
      figure(name, 'share', share(samples.map(({ problems }) => problems.includes(name)))),
    ),
  ];
  const end = done.at(-1)?.result.end;
  return {
    title: 'Samples that pass their checks',
    text: `Share of all samples that were made, and of those that were set aside for each reason (a sample can have several). ${end ? end.message : ''}`.trim(),
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Samples that pass their checks', range: [0, 1] },
      ...{ xLabel: 'What became of a sample', yLabel: 'Share of samples, 95 % interval' },
    }),
  };
}

function diversity(done: readonly Made[], { estimate, share }: Reading): Finding {
  const samples = samplesOf(done);
  const last = done.at(-1)?.result.diversity;
  const covered = (name: string, { used, of }: { used: number; of: number }): Figure =>
    figure(name, 'asked from', share(Array.from({ length: of }, (_, at) => at < used)));
  return {
    title: 'Diversity of the questions',
    text: 'How close each kept question is to the nearest one before it (1: the same meaning), the share of questions that had been asked before, and the share of the corpus that was asked from.',
    figures: [
      figure('questions', 'nearest before', estimate(valuesOf(samples, ({ nearest }) => nearest))),
      figure('questions', 'repeated', share(samples.map(({ problems }) => problems.includes('duplicate')))),
      ...(last ? [covered('notes', last.documents), covered('passages', last.chunks)] : []),
    ],
    chart: null,
  };
}

type Sample = z.infer<typeof SampleFigures>;

function valuesOf(samples: readonly Sample[], value: (sample: Sample) => number | null): number[] {
  return samples.flatMap((sample) => {
    const found = sample.kept ? value(sample) : null;
    return found === null ? [] : [found];
  });
}

function sides(done: readonly Made[], { estimate, share }: Reading): Finding {
  const samples = samplesOf(done);
  const kept = samples.filter((sample) => sample.kept);
  return {
    title: 'Chosen beside rejected',
    text: 'Of the kept samples: the share of words in which the two answers differ, the share of the chosen answer’s words that stand in the passages, and lengths in words: a bias to the longer side is learnt too.',
    figures: [
      figure('answers', 'differ', estimate(valuesOf(samples, ({ difference }) => difference))),
      figure('chosen', 'grounded', estimate(valuesOf(samples, ({ grounded }) => grounded))),
      figure('chosen', 'words', estimate(kept.map(({ words }) => words.chosen))),
      figure('rejected', 'words', estimate(kept.map(({ words }) => words.rejected))),
      figure('chosen', 'longer', share(kept.map(({ words }) => words.chosen > words.rejected))),
    ],
    chart: null,
  };
}

function marks(done: readonly Made[], { estimate, share }: Reading): Finding {
  const pairs = done.flatMap(({ result: { judged } }) => {
    const [chosen, rejected] = [judged?.chosen ?? null, judged?.rejected ?? null];
    return chosen === null || rejected === null ? [] : [{ chosen, rejected }];
  });
  const scored = [
    figure('chosen', 'score', estimate(pairs.map(({ chosen }) => chosen))),
    figure('rejected', 'score', estimate(pairs.map(({ rejected }) => rejected))),
  ];
  return {
    title: 'The critic on both sides',
    text: 'Marks for the answers alone, blind and in an order of chance, 0 to 1; the share of pairs whose chosen answer has the higher mark; and the difference: an interval that holds 0 means that the critic sees none.',
    figures: [
      ...scored,
      figure('pairs', 'chosen is better', share(pairs.map(({ chosen, rejected }) => chosen > rejected))),
      figure('pairs', 'difference', estimate(pairs.map(({ chosen, rejected }) => chosen - rejected))),
    ],
    chart: chartOf(scored, {
      ...{ kind: 'bars', title: 'The critic on both sides', range: [0, 1] },
      ...{ xLabel: 'Side', yLabel: 'Mean score, 95 % interval' },
    }),
  };
}

function cost(done: readonly Made[], { estimate }: Reading): Finding {
  const samples = samplesOf(done);
  return {
    title: 'Cost',
    text: 'Of every sample that was made, kept or not; the critic’s marks are not in it.',
    figures: [
      figure('a sample', 'seconds', estimate(samples.map(({ seconds }) => seconds))),
      figure('a sample', 'tokens', estimate(samples.map(({ generated }) => generated))),
    ],
    chart: null,
  };
}
