// The critic's marks for an answer, by the rubric of the recursion. It is shown the question and the answer and
// nothing of how the answer came about.
import type { LanguageModel } from '../engine/languageModel.ts';
import type { EvaluationQuestion, Rubric } from '../protocol/index.ts';
import {
  readMarks,
  rubricSchema,
  rubricTokens,
  scoreOf,
  spreadOf,
  type PromptSet,
} from '../reasoning/index.ts';
import { complete } from './asking.ts';
import { answerWith, plainPrompt } from './prompts.ts';
import { seededRandom, seedFor, shuffled } from './random.ts';

export interface Judging {
  readonly critic: LanguageModel;
  readonly prompts: PromptSet;
  readonly seed: number;
  readonly temperature: number;
}

/** What the critic makes of one answer. */
export interface Judgement {
  /** Mean of all marks of both readings, 0 to 1; null where it wrote no marks. */
  readonly score: number | null;
  /** How far the two readings lie apart: differences below it mean nothing. */
  readonly spread: number;
}

/**
 * Two readings of each answer, as the recursion has them, in an order of chance, so that neither place nor name
 * tells the critic how an answer was made.
 * @param answers by the name under which the judgement comes back
 */
export async function judgeBlind<Name extends string>(
  judging: Judging,
  question: EvaluationQuestion,
  answers: Readonly<Record<Name, string>>,
  signal: AbortSignal,
): Promise<Record<Name, Judgement>> {
  const names = Object.keys(answers) as Name[];
  const order = shuffled(names, seededRandom(seedFor(judging.seed, `order ${question.id}`)));
  const judged: Partial<Record<Name, Judgement>> = {};
  for (const name of order) judged[name] = await judge(judging, question, answers[name], signal);
  return judged as Record<Name, Judgement>;
}

/** Both readings of one answer. An empty answer has no marks to be asked for: its score is 0. */
export async function judge(
  { critic, prompts, seed, temperature }: Judging,
  question: EvaluationQuestion,
  answer: string,
  signal: AbortSignal,
): Promise<Judgement> {
  if (answer.trim() === '') return { score: 0, spread: 0 };
  const rubrics: Rubric[] = [];
  for (const reading of [0, 1]) {
    const values = {
      ...{ question: question.question, answerWith: answerWith(question), turned: reading === 1 },
      ...{ parts: prompts.thinkingParts.join(', '), reflects: false },
    };
    const messages = [
      ...plainPrompt(question),
      { role: 'assistant' as const, text: answer.trim() },
      { role: 'user' as const, text: prompts.render('score', values) },
    ];
    const { text } = await complete(
      critic,
      {
        ...{ messages, temperature, maxTokens: rubricTokens, jsonSchema: rubricSchema },
        seed: seedFor(seed, `reading ${reading}`),
      },
      signal,
    );
    const marks = readMarks(text);
    if (marks) rubrics.push(marks);
  }
  return { score: scoreOf(rubrics), spread: spreadOf(rubrics) };
}
