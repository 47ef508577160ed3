// Experiment 6: the recursion against plain prompting, chain of thought and STaR-style examples, on the same questions,
// judged by the same rubric without the critic knowing which is which.
import { z } from 'zod';
import { KnownAnswer, type EvaluationQuestion } from '../../protocol/index.ts';
import { extractAnswer, isSameAnswer } from '../answers.ts';
import { answerByRecursion, answerPlainly, generatedIn, type Asking } from '../asking.ts';
import { unitsOf, type Done, type Experiment, type Reading, type Tools } from '../experiment.ts';
import { chartOf, figure, type Finding } from '../figures.ts';
import { judge, judgeBlind } from '../judge.ts';
import {
  answerOfRationale,
  chainOfThoughtPrompt,
  exampledPrompt,
  plainPrompt,
  type Example,
} from '../prompts.ts';

export const methodNames = {
  plain: 'plain prompt',
  chain: 'chain of thought',
  star: 'STaR-style examples',
  thinking: 'thinking and reflection',
  recursion: 'recursion',
} as const;
const MethodName = z.enum(['plain', 'chain', 'star', 'thinking', 'recursion']);
type MethodName = z.infer<typeof MethodName>;

const Answered = z.object({
  /** All that the model wrote for it: reasoning, where there is some, and answer. */
  text: z.string(),
  answer: z.string(),
  generated: z.int().nonnegative(),
  score: z.number().nullable(),
  spread: z.number(),
  extracted: KnownAnswer.nullable(),
  /** null: the right answer is not known. */
  correct: z.boolean().nullable(),
});
type Answered = z.infer<typeof Answered>;
type Written = Pick<Answered, 'text' | 'answer' | 'generated'>;

const MethodsResult = z.discriminatedUnion('phase', [
  /** A chain of thought, and whether it led to a good answer. */
  z.object({ phase: z.literal('rationale'), rationale: Answered, kept: z.boolean() }),
  z.object({
    phase: z.literal('compare'),
    /** A method without an entry could not be tried: STaR without a kept rationale. */
    answers: z.partialRecord(MethodName, Answered),
    /** Ids of the questions whose rationales were shown as examples. */
    examples: z.array(z.string()),
  }),
]);
type MethodsResult = z.infer<typeof MethodsResult>;

/** A rationale whose answer the critic gives fewer marks is no example. */
const keepFrom = 0.6;
const mostExamples = 2;
/** Of one rationale: examples must leave room for the question. */
const mostExampleCharacters = 2000;

export const methods: Experiment<MethodsResult> = {
  name: 'methods',
  title: 'Recursion against plain prompting, chain of thought and STaR-style examples',
  result: MethodsResult,
  measures: 'questions',
  needsAnswers: false,
  ownCritic: false,
  // All rationales come first: the examples of each question are those of the others.
  units: (questions, models) => [
    ...unitsOf(questions, models, 'rationale'),
    ...unitsOf(questions, models, 'compare'),
  ],
  run: async (unit, tools, signal) =>
    unit.phase === 'rationale'
      ? await rationaleOf(unit.question, tools, signal)
      : await compare(unit.question, tools, signal),

  findings(done, reading) {
    const compared = done.flatMap(({ result }) => (result.phase === 'compare' ? [result.answers] : []));
    return [
      scores(compared, reading),
      differences(compared, reading),
      accuracy(compared, reading),
      cost(compared, reading),
    ];
  },
};

async function rationaleOf(
  question: EvaluationQuestion,
  { asking, judging }: Tools<MethodsResult>,
  signal: AbortSignal,
): Promise<MethodsResult> {
  const { text, generated } = await answerPlainly(
    asking,
    chainOfThoughtPrompt(question),
    `chain ${question.id}`,
    signal,
  );
  const written = { text, answer: answerOfRationale(text), generated };
  const judged = await judge(judging, question, written.answer, signal);
  const rationale = { ...written, ...judged, ...correctness(text, question) };
  return { phase: 'rationale', rationale, kept: isGood(rationale) };
}

/** Right where that can be known; else good in the critic's eyes. */
function isGood({ correct, score, text }: Answered): boolean {
  if (text.length > mostExampleCharacters) return false;
  return correct ?? (score !== null && score >= keepFrom);
}

async function compare(
  question: EvaluationQuestion,
  { asking, judging, iterations, earlier }: Tools<MethodsResult>,
  signal: AbortSignal,
): Promise<MethodsResult> {
  const examples = examplesFor(question, earlier());
  const written = {
    plain: await askedFor(asking, question, 'plain', [], signal),
    ...chainOf(question, earlier()),
    ...(examples.length > 0 && { star: await askedFor(asking, question, 'star', examples, signal) }),
    ...(await recursionOf(asking, question, iterations, signal)),
  };
  const names = MethodName.options.filter((name) => written[name] !== undefined);
  const texts = Object.fromEntries(names.map((name) => [name, written[name]?.answer ?? '']));
  const judged = await judgeBlind(judging, question, texts, signal);
  const answers: Partial<Record<MethodName, Answered>> = {};
  for (const name of names) {
    const one = written[name];
    const judgement = judged[name];
    if (one && judgement) answers[name] = { ...one, ...judgement, ...correctness(one.answer, question) };
  }
  return { phase: 'compare', answers, examples: examples.map((example) => example.question.id) };
}

/** The best kept rationales of other questions. */
function examplesFor(question: EvaluationQuestion, done: readonly Done<MethodsResult>[]): Example[] {
  return done
    .flatMap(({ unit, result }) =>
      result.phase === 'rationale' && result.kept && unit.question.id !== question.id
        ? [{ question: unit.question, rationale: result.rationale.text, score: result.rationale.score ?? 0 }]
        : [],
    )
    .sort((one, other) => other.score - one.score)
    .slice(0, mostExamples);
}

/** The chain of thought that was written before: the same prompt is not asked twice. */
function chainOf(
  question: EvaluationQuestion,
  done: readonly Done<MethodsResult>[],
): { readonly chain?: Written } {
  const known = done.find(
    ({ unit, result }) => unit.question.id === question.id && result.phase === 'rationale',
  );
  return known?.result.phase === 'rationale' ? { chain: writtenIn(known.result.rationale) } : {};
}

function writtenIn({ text, answer, generated }: Answered): Written {
  return { text, answer, generated };
}

async function askedFor(
  asking: Asking,
  question: EvaluationQuestion,
  name: 'plain' | 'star',
  examples: readonly Example[],
  signal: AbortSignal,
): Promise<Written> {
  const messages = name === 'plain' ? plainPrompt(question) : exampledPrompt(question, examples);
  const { text, generated } = await answerPlainly(asking, messages, `${name} ${question.id}`, signal);
  return { text, answer: name === 'plain' ? text.trim() : answerOfRationale(text), generated };
}

/** Thinking and reflection are the recursion's own draft. */
async function recursionOf(
  asking: Asking,
  question: EvaluationQuestion,
  iterations: number,
  signal: AbortSignal,
): Promise<{ readonly thinking: Written; readonly recursion: Written }> {
  const rounds = { iterations, scoring: true, runsAllRounds: false };
  const run = await answerByRecursion(asking, question, rounds, signal);
  const [draft] = run.iterations;
  const sections = (draft?.segments ?? []).map(({ text }) => text.trim());
  return {
    thinking: {
      text: sections.join('\n\n'),
      answer: draft?.answer.trim() ?? '',
      generated: generatedIn(run, true),
    },
    recursion: {
      text: run.iterations.map(({ thinking }) => thinking.trim()).join('\n\n'),
      answer: run.final.trim(),
      generated: generatedIn(run, false),
    },
  };
}

/** Exact match of what the text answers, where the answer is known. */
export function correctness(
  text: string,
  question: EvaluationQuestion,
): Pick<Answered, 'extracted' | 'correct'> {
  const { answer } = question;
  if (answer === null) return { extracted: null, correct: null };
  const extracted = extractAnswer(text, question);
  return { extracted, correct: extracted !== null && isSameAnswer(extracted, answer) };
}

type Compared = Partial<Record<MethodName, Answered>>;

function valuesOf(
  compared: readonly Compared[],
  name: MethodName,
  value: (one: Answered) => number | null,
): number[] {
  return compared.flatMap(({ [name]: one }) => {
    const found = one ? value(one) : null;
    return found === null ? [] : [found];
  });
}

function scores(compared: readonly Compared[], { estimate }: Reading): Finding {
  const figures = MethodName.options.map((name) =>
    figure(methodNames[name], 'score', estimate(valuesOf(compared, name, ({ score }) => score))),
  );
  return {
    title: 'Score of each method',
    text: `The critic’s marks for the answer alone, by the recursion’s own rubric, blind and in an order of chance; two readings, 0 to 1. STaR-style: up to ${mostExamples} chains of thought of other questions whose answer was right, or had at least ${keepFrom} where that is not known, stand before the question as examples; nothing is trained. A question for which none was kept has no such entry. Thinking and reflection is the recursion’s draft.`,
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Score of each method', range: [0, 1] },
      ...{ xLabel: 'Method', yLabel: 'Mean score, 95 % interval' },
    }),
  };
}

function differences(compared: readonly Compared[], { estimate }: Reading): Finding {
  const figures = MethodName.options
    .filter((name) => name !== 'plain')
    .map((name) => {
      const pairs = compared.flatMap(({ plain, [name]: one }) => {
        const [before, after] = [plain?.score ?? null, one?.score ?? null];
        return before === null || after === null ? [] : [after - before];
      });
      return figure(methodNames[name], 'score less that of the plain prompt', estimate(pairs));
    });
  return {
    title: 'Difference to the plain prompt',
    text: 'Question by question: an interval that holds 0 shows no difference.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Difference to the plain prompt', range: [-0.1, 0.1] },
      ...{ xLabel: 'Method', yLabel: 'Mean difference, 95 % interval' },
    }),
  };
}

function accuracy(compared: readonly Compared[], { share }: Reading): Finding {
  const figures = MethodName.options.flatMap((name) => {
    const known = compared.flatMap(({ [name]: one }) => (one && one.correct !== null ? [one.correct] : []));
    return known.length === 0 ? [] : [figure(methodNames[name], 'right', share(known))];
  });
  return {
    title: 'Right answers',
    text:
      figures.length === 0
        ? 'No question has a known answer.'
        : 'Exact match of the answer, where it is known.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Right answers', range: [0, 1] },
      ...{ xLabel: 'Method', yLabel: 'Share of questions, 95 % interval' },
    }),
  };
}

function cost(compared: readonly Compared[], { estimate }: Reading): Finding {
  const figures = MethodName.options.map((name) =>
    figure(methodNames[name], 'tokens', estimate(valuesOf(compared, name, ({ generated }) => generated))),
  );
  return {
    title: 'Tokens generated',
    text: 'What an answer costs. The chains of thought that STaR-style examples are taken from are not counted again; the recursion’s own marks are.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Tokens generated', range: [0, 1] },
      ...{ xLabel: 'Method', yLabel: 'Tokens a question' },
    }),
  };
}
