// Experiment 9: recursion against preference training: the model and its adapter, each with 0 and with N iterations, on
// the same questions. The critic of all rounds and of all marks is the model without the adapter, unless another is named.
import type { EvaluationQuestion } from '../../protocol/index.ts';
import type { Done, Experiment, Reading } from '../experiment.ts';
import { chartOf, figure, type Finding } from '../figures.ts';
import { models, type ModelsResult } from './models.ts';

/** The cells of the table: who answers, and which answer of its run is taken. */
const cells = [
  { of: 0, part: 'draft' },
  { of: 0, part: 'final' },
  { of: 1, part: 'draft' },
  { of: 1, part: 'final' },
] as const;
type Cell = (typeof cells)[number];

/** Asked and judged as the models are, by another critic and with another table. */
export const training: Experiment<ModelsResult> = {
  ...models,
  name: 'training',
  title: 'Recursion against preference training',
  ownCritic: false,

  findings: (done, reading) => [
    scores(done, reading),
    differences(done, reading),
    rightAnswers(done, reading),
    cost(done, reading),
  ],
};

function nameOf({ of, part }: Cell, { setup }: Reading): string {
  const who = of === 0 ? 'without adapter' : 'with adapter';
  return `${who}, ${part === 'draft' ? 0 : setup.iterations} iterations`;
}

/** The marks of one cell, by question; null where the critic gave none. */
function marksOf(
  done: readonly Done<ModelsResult>[],
  { of, part }: Cell,
  { setup }: Reading,
): Map<EvaluationQuestion['id'], number> {
  const wanted = setup.models[of];
  return new Map(
    done.flatMap(({ unit, result }) => {
      if (result.phase !== 'judge') return [];
      const mark = result.judged.find((one) => one.model === wanted && one.part === part)?.score ?? null;
      return mark === null ? [] : [[unit.question.id, mark] as const];
    }),
  );
}

function scores(done: readonly Done<ModelsResult>[], reading: Reading): Finding {
  const figures = cells.map((cell) =>
    figure(nameOf(cell, reading), 'score', reading.estimate([...marksOf(done, cell, reading).values()])),
  );
  return {
    title: 'Score with and without each',
    text: 'The critic’s marks for the answer alone, blind and in an order of chance; two readings, 0 to 1. With 0 iterations the answer is the draft’s, with more the integrated one of the same run.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Score with and without each', range: [0, 1] },
      ...{ xLabel: 'Who answers', yLabel: 'Mean score, 95 % interval' },
    }),
  };
}

function differences(done: readonly Done<ModelsResult>[], reading: Reading): Finding {
  const [plain, recursed, trained, both] = cells;
  const comparisons: readonly (readonly [name: string, one: Cell, other: Cell])[] = [
    ['recursion, without adapter', recursed, plain],
    ['training, without recursion', trained, plain],
    ['both together', both, plain],
    ['recursion on top of training', both, trained],
    ['training less recursion', trained, recursed],
  ];
  const figures = comparisons.map(([name, one, other]) => {
    const [after, before] = [marksOf(done, one, reading), marksOf(done, other, reading)];
    const changes = [...after].flatMap(([question, score]) => {
      const beside = before.get(question);
      return beside === undefined ? [] : [score - beside];
    });
    return figure(name, 'difference of scores', reading.estimate(changes));
  });
  return {
    title: 'What each adds',
    text: 'Question by question: an interval that holds 0 shows no difference. The last row is training without recursion against recursion without training.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'What each adds', range: [-0.1, 0.1] },
      ...{ xLabel: 'Comparison', yLabel: 'Mean difference, 95 % interval' },
    }),
  };
}

function rightAnswers(done: readonly Done<ModelsResult>[], { setup, share }: Reading): Finding {
  const figures = setup.models.flatMap((model, of) => {
    const known = done.flatMap(({ result }) =>
      result.phase === 'answer' && result.model === model && result.correct !== null ? [result.correct] : [],
    );
    const name = of === 0 ? 'without adapter' : 'with adapter';
    return known.length === 0 ? [] : [figure(name, 'right', share(known))];
  });
  return {
    title: 'Right answers',
    text: figures.length === 0 ? 'No question has a known answer.' : 'Exact match of the final answer.',
    figures,
    chart: null,
  };
}

function cost(done: readonly Done<ModelsResult>[], { setup, estimate }: Reading): Finding {
  const figures = setup.models.map((model, of) =>
    figure(
      of === 0 ? 'without adapter' : 'with adapter',
      'tokens',
      estimate(
        done.flatMap(({ result }) =>
          result.phase === 'answer' && result.model === model ? [result.generated] : [],
        ),
      ),
    ),
  );
  return { title: 'Tokens generated', text: 'All steps of a run.', figures, chart: null };
}
