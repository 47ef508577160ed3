// Experiment 7: a benchmark with known answers. Exact match of what is read out of the answer, for a plain prompt, for
// thinking and reflection, and for the recursion.
import { z } from 'zod';
import { KnownAnswer, type EvaluationQuestion } from '../../protocol/index.ts';
import { extractAnswer, isSameAnswer } from '../answers.ts';
import { answerByRecursion, answerPlainly, generatedIn } from '../asking.ts';
import { unitsOf, type Experiment } from '../experiment.ts';
import { chartOf, figure } from '../figures.ts';
import { plainPrompt } from '../prompts.ts';

const ways = {
  plain: 'plain prompt',
  thinking: 'thinking and reflection',
  recursion: 'recursion',
} as const;
const Way = z.enum(['plain', 'thinking', 'recursion']);

const Tried = z.object({
  text: z.string(),
  generated: z.int().nonnegative(),
  /** null: no answer was found in the text. */
  extracted: KnownAnswer.nullable(),
  correct: z.boolean(),
});
type Tried = z.infer<typeof Tried>;

const BenchmarkResult = z.record(Way, Tried);
type BenchmarkResult = z.infer<typeof BenchmarkResult>;

export const benchmark: Experiment<BenchmarkResult> = {
  name: 'benchmark',
  title: 'A benchmark with known answers',
  result: BenchmarkResult,
  measures: 'questions',
  needsAnswers: true,
  ownCritic: false,
  units: (questions, models) => unitsOf(questions, models, 'ask'),

  async run({ question }, { asking, iterations }, signal) {
    const plain = await answerPlainly(asking, plainPrompt(question), `plain ${question.id}`, signal);
    const rounds = { iterations, scoring: true, runsAllRounds: false };
    const run = await answerByRecursion(asking, question, rounds, signal);
    return {
      plain: tried(question, plain.text, plain.generated),
      thinking: tried(question, run.iterations[0]?.answer ?? '', generatedIn(run, true)),
      recursion: tried(question, run.final, generatedIn(run, false)),
    };
  },

  findings(done, { share, estimate }) {
    const of = (way: z.infer<typeof Way>): Tried[] => done.map(({ result }) => result[way]);
    const right = Way.options.map((way) =>
      figure(ways[way], 'right', share(of(way).map(({ correct }) => correct))),
    );
    const found = Way.options.map((way) =>
      figure(ways[way], 'answer found', share(of(way).map(({ extracted }) => extracted !== null))),
    );
    const tokens = Way.options.map((way) =>
      figure(ways[way], 'tokens', estimate(of(way).map(({ generated }) => generated))),
    );
    return [
      {
        title: 'Right answers',
        text: 'Exact match: numbers by value, choices by place. What is compared stands after the last ####, else after the last "answer is", else it is the last number, or the one choice that is named. Answer found: whether there was anything to compare.',
        figures: [...right, ...found],
        chart: chartOf([...right, ...found], {
          ...{ kind: 'bars', title: 'Right answers', range: [0, 1] },
          ...{ xLabel: 'How it was asked', yLabel: 'Share of questions, 95 % interval' },
        }),
      },
      {
        title: 'Tokens generated',
        text: 'What an answer costs, the recursion’s own marks included.',
        figures: tokens,
        chart: null,
      },
    ];
  },
};

function tried(question: EvaluationQuestion, text: string, generated: number): Tried {
  const extracted = extractAnswer(text, question);
  const correct = extracted !== null && question.answer !== null && isSameAnswer(extracted, question.answer);
  return { text, generated, extracted, correct };
}
