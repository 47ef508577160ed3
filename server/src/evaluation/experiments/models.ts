// Experiment 10: the same questions over several models. Each criticises itself in its recursion; one critic judges
// them all afterwards, without knowing which is which.
import { z } from 'zod';
import { KnownAnswer, type EvaluationQuestion } from '../../protocol/index.ts';
import { answerByRecursion, generatedIn } from '../asking.ts';
import { unitsOf, type Done, type Experiment, type Tools } from '../experiment.ts';
import { chartOf, figure } from '../figures.ts';
import { judgeBlind } from '../judge.ts';
import { correctness } from './methods.ts';

const Part = z.enum(['draft', 'final']);
type Part = z.infer<typeof Part>;

/** Of this experiment, and of the one on training, which asks in the same way. */
export const ModelsResult = z.discriminatedUnion('phase', [
  z.object({
    phase: z.literal('answer'),
    model: z.string(),
    draft: z.string(),
    final: z.string(),
    generated: z.int().nonnegative(),
    extracted: KnownAnswer.nullable(),
    correct: z.boolean().nullable(),
  }),
  z.object({
    phase: z.literal('judge'),
    judged: z.array(
      z.object({ model: z.string(), part: Part, score: z.number().nullable(), spread: z.number() }),
    ),
  }),
]);
export type ModelsResult = z.infer<typeof ModelsResult>;

export const models: Experiment<ModelsResult> = {
  name: 'models',
  title: 'The same questions over several models',
  result: ModelsResult,
  measures: 'questions',
  needsAnswers: false,
  ownCritic: true,
  // Model by model, so that each is loaded once.
  units: (questions, names) => [
    ...unitsOf(questions, names, 'answer'),
    ...questions.map((question) => ({
      ...{ id: `judge ${question.id}`, question, model: null, phase: 'judge' },
    })),
  ],
  run: async ({ question, model, phase }, tools, signal) =>
    phase === 'judge' || model === null
      ? await judged(question, tools, signal)
      : await answered(question, model, tools, signal),

  findings(done, { setup, estimate, share }) {
    const marks = done.flatMap(({ result }) => (result.phase === 'judge' ? result.judged : []));
    const answers = done.flatMap(({ result }) => (result.phase === 'answer' ? [result] : []));
    const scored = (name: string, wanted: Part): number[] =>
      marks.flatMap(({ model, part, score }) =>
        model === name && part === wanted && score !== null ? [score] : [],
      );
    const scores = setup.models.flatMap((name) => [
      figure(name, 'draft', estimate(scored(name, 'draft'))),
      figure(name, 'after the recursion', estimate(scored(name, 'final'))),
    ]);
    const of = (name: string) => answers.filter(({ model }) => model === name);
    const right = setup.models.flatMap((name) => {
      const known = of(name).flatMap(({ correct }) => (correct === null ? [] : [correct]));
      return known.length === 0 ? [] : [figure(name, 'right', share(known))];
    });
    const tokens = setup.models.map((name) =>
      figure(name, 'tokens', estimate(of(name).map(({ generated }) => generated))),
    );
    return [
      {
        title: 'Score of each model',
        text: `The marks of one critic (${setup.critic}) for drafts and final answers of all models, blind and in an order of chance; two readings, 0 to 1.`,
        figures: scores,
        chart: chartOf(scores, {
          ...{ kind: 'bars', title: 'Score of each model', range: [0, 1] },
          ...{ xLabel: 'Model', yLabel: 'Mean score, 95 % interval' },
        }),
      },
      {
        title: 'Right answers',
        text: right.length === 0 ? 'No question has a known answer.' : 'Exact match of the final answer.',
        figures: right,
        chart: chartOf(right, {
          ...{ kind: 'bars', title: 'Right answers', range: [0, 1] },
          ...{ xLabel: 'Model', yLabel: 'Share of questions, 95 % interval' },
        }),
      },
      { title: 'Tokens generated', text: 'All steps of a run.', figures: tokens, chart: null },
    ];
  },
};

async function answered(
  question: EvaluationQuestion,
  model: string,
  { asking, iterations }: Tools<ModelsResult>,
  signal: AbortSignal,
): Promise<ModelsResult> {
  const rounds = { iterations, scoring: true, runsAllRounds: false };
  const run = await answerByRecursion(asking, question, rounds, signal);
  const [draft] = run.iterations;
  return {
    ...{ phase: 'answer', model, draft: draft?.answer ?? '', final: run.final },
    generated: generatedIn(run, false),
    ...correctness(run.final, question),
  };
}

async function judged(
  question: EvaluationQuestion,
  { judging, earlier }: Tools<ModelsResult>,
  signal: AbortSignal,
): Promise<ModelsResult> {
  const places = answersTo(question, earlier()).flatMap(({ model, draft, final }) => [
    { model, part: 'draft' as const, text: draft },
    { model, part: 'final' as const, text: final },
  ]);
  const texts = Object.fromEntries(places.map(({ text }, at) => [`answer ${at}`, text]));
  const judgements = await judgeBlind(judging, question, texts, signal);
  return {
    phase: 'judge',
    judged: places.map(({ model, part }, at) => ({
      ...{ model, part },
      ...(judgements[`answer ${at}`] ?? { score: null, spread: 0 }),
    })),
  };
}

function answersTo(question: EvaluationQuestion, done: readonly Done<ModelsResult>[]) {
  return done.flatMap(({ unit, result }) =>
    unit.question.id === question.id && result.phase === 'answer' ? [result] : [],
  );
}
