// Questions out of files: our own JSON lines, GSM8K's, BigBench's multiple choice; and, without a file, a few out of
// the writer's own paragraphs. Pure: files come in as text.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import type { EvaluationQuestion, KnownAnswer } from '../protocol/index.ts';
import { answerMark, canonicalNumber } from './answers.ts';
import { seededRandom, seedFor, shuffled } from './random.ts';

/** GSM8K's `{"question","answer"}`, and our own with `id` and `context`. Further fields are passed over. */
const QuestionLine = z.object({
  id: z.union([z.string().min(1), z.number()]).optional(),
  question: z.string().trim().min(1),
  context: z.string().nullish(),
  answer: z.union([z.string(), z.number()]).nullish(),
});

/** A task of BIG-bench (`task.json`) with choices; an example's best target is its answer. */
const BigBenchTask = z.object({
  task_prefix: z.string().optional(),
  examples: z
    .array(z.object({ input: z.string().min(1), target_scores: z.record(z.string(), z.number()) }))
    .min(1),
});

/**
 * Reads a file of questions, told apart by what is in it: one JSON document with `examples` is a BigBench task,
 * lines of JSON are questions.
 * @param source the file's name, for sentences
 * @throws PreflexorError `bad-input` with file, line and what is wrong
 */
export function readQuestions(text: string, source: string): EvaluationQuestion[] {
  const plain = text.replace(/^\ufeff/, '');
  const task = bigBenchTask(plain);
  const questions = task === null ? questionLines(plain, source) : bigBenchQuestions(task, source);
  if (questions.length === 0) throw badQuestions(source, 'it holds no question');
  const twice = questions.find(({ id }, index) => questions.findIndex((other) => other.id === id) < index);
  if (twice) throw badQuestions(source, `the id ${twice.id} stands there twice`);
  return questions;
}

/** Says which questions these are, whatever file they came from. */
export function questionsHash(questions: readonly EvaluationQuestion[]): string {
  return createHash('sha256').update(JSON.stringify(questions)).digest('hex');
}

function bigBenchTask(text: string): z.infer<typeof BigBenchTask> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('examples' in value)) return null;
  const decoded = BigBenchTask.safeParse(value);
  if (decoded.success) return decoded.data;
  throw badQuestions('The BigBench task', z.prettifyError(decoded.error));
}

function bigBenchQuestions(
  { task_prefix: prefix = '', examples }: z.infer<typeof BigBenchTask>,
  source: string,
): EvaluationQuestion[] {
  return examples.map(({ input, target_scores: scores }, at) => {
    const id = `example-${at + 1}`;
    // In the file the answer often stands first: an order of chance keeps a liking for A from counting as knowledge.
    const choices = shuffled(Object.keys(scores), seededRandom(seedFor(0, `${id} ${input}`)));
    if (choices.length < 2 || choices.length > 26)
      throw badQuestions(source, `${id} has ${choices.length} choices; 2 to 26 can be asked`);
    const best = Math.max(...Object.values(scores));
    const index = choices.findIndex((choice) => scores[choice] === best);
    const question = `${prefix}${input}`.trim();
    return { id, question, context: null, choices, answer: { kind: 'choice', index } };
  });
}

function questionLines(text: string, source: string): EvaluationQuestion[] {
  return text.split(/\r?\n/).flatMap((line, at) => {
    if (line.trim() === '') return [];
    const place = `${source}, line ${at + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw badQuestions(place, error instanceof Error ? error.message : String(error));
    }
    const decoded = QuestionLine.safeParse(value);
    if (!decoded.success) throw badQuestions(place, z.prettifyError(decoded.error));
    const { id, question, context, answer } = decoded.data;
    return [
      {
        id: String(id ?? `line-${at + 1}`),
        ...{ question, context: context?.trim() ? context.trim() : null, choices: null },
        answer: answer === undefined || answer === null ? null : knownAnswer(String(answer)),
      },
    ];
  });
}

/** A number where the answer ends with `#### 42` or is one; else words. */
function knownAnswer(text: string): KnownAnswer | null {
  const marked = text.lastIndexOf(answerMark);
  const said = (marked < 0 ? text : text.slice(marked + answerMark.length)).trim();
  if (said === '') return null;
  const isNumber = /^[^\p{L}\d]*[-−+]?[\d.,]+\s*%?$/u.test(said);
  const value = isNumber ? canonicalNumber(said) : null;
  return value === null ? { kind: 'text', text: said } : { kind: 'number', value };
}

function badQuestions(place: string, what: string): PreflexorError {
  return new PreflexorError('bad-input', `${place} can't be used as questions: ${what}.`, {
    remedy:
      'Write one JSON object a line: {"id": "…", "question": "…", "context": "…", "answer": "…"}; the last two may be left out.',
  });
}

/** A paragraph of the workspace. */
export interface SourceParagraph {
  readonly path: string;
  readonly text: string;
}

/** Shorter paragraphs hold no argument, longer ones no room for an answer. */
const paragraphCharacters = { least: 200, most: 2000 };

/**
 * Questions about the writer's own paragraphs, the same ones for the same paragraphs and seed. Their answers are not
 * known: the critic alone judges them.
 * @param asked questions that a paragraph can be asked; they are taken in turn
 */
export function questionsFromParagraphs(
  paragraphs: readonly SourceParagraph[],
  asked: readonly string[],
  count: number,
  seed: number,
): EvaluationQuestion[] {
  const { least, most } = paragraphCharacters;
  const fitting = paragraphs.filter(({ text }) => text.length >= least && text.length <= most);
  return shuffled(fitting, seededRandom(seed))
    .slice(0, count)
    .flatMap(({ text }, at) => {
      const question = asked[at % asked.length];
      if (question === undefined) return [];
      return [{ id: `paragraph-${at + 1}`, question, context: text, choices: null, answer: null }];
    });
}
