// The committed questions of test/fixtures/retrieval: their shape, and the words that a question and a passage share.
// Knows no search: the questions were written before there was one.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const fixtures = join(import.meta.dirname, '..', '..', 'test', 'fixtures');
export const questionsFile = join(fixtures, 'retrieval', 'questions.jsonl');
export const corpusFolder = join(fixtures, 'corpus');

/** A question that one place of the corpus answers. */
export const AnswerableQuestion = z.strictObject({
  id: z.string().regex(/^[a-z]+-\d{2}$/),
  question: z.string().min(8),
  /** Relative to the corpus folder, with forward slashes. */
  source: z.string().min(1),
  /** Stands exactly once in the source, line ends included. */
  quote: z.string().min(20),
  /** Whether a content word of the question is one of the quote's: see `sharedWords`. */
  sharesWords: z.boolean(),
});
export type AnswerableQuestion = z.infer<typeof AnswerableQuestion>;

/** A question that nothing in the corpus answers. */
export const UnanswerableQuestion = z.strictObject({
  id: z.string().regex(/^[a-z]+-\d{2}$/),
  question: z.string().min(8),
  source: z.null(),
  quote: z.null(),
  sharesWords: z.literal(false),
  /** Of the corpus' own fields, as against everyday life. */
  nearMiss: z.boolean(),
});
export type UnanswerableQuestion = z.infer<typeof UnanswerableQuestion>;

export const Question = z.union([AnswerableQuestion, UnanswerableQuestion]);
export type Question = z.infer<typeof Question>;

export interface QuestionSet {
  readonly answerable: readonly AnswerableQuestion[];
  readonly unanswerable: readonly UnanswerableQuestion[];
}

/** @throws ZodError naming the line's fault; SyntaxError where a line is no JSON */
export async function readQuestions(file: string = questionsFile): Promise<QuestionSet> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  const questions = lines.map((line) => Question.parse(JSON.parse(line)));
  return {
    answerable: questions.filter((question) => question.source !== null),
    unanswerable: questions.filter((question) => question.source === null),
  };
}

/** Text of a file of the corpus, as it is on the disk. */
export async function readCorpus(source: string): Promise<string> {
  return await readFile(join(corpusFolder, source), 'utf8');
}

/** Words that carry no meaning of their own. Short on purpose: what is not here counts as a content word. */
const stopWords = new Set(
  `a about above after again all already also although an and any anyone are aren as at be because been before being
  below between both but by can could did do does doing don down during each else ever every few for from further
  get gets give gives go had has have having he her here hers him his how i if in into is isn it its itself just let
  like many may me might more most much must my no nor not now of off on once one only or other our out over own per
  s same she should so some such t take takes than that the their them themselves then there these they this those
  through to too under until up us use used uses using very was way we well were what when where whereas which while
  who whom whose why will with without would you your yours`.split(/\s+/),
);

/**
 * The content words of a text: lower-cased, stop words and single letters out, cut to a stem. Cutting at five
 * letters makes more words the same than a stemmer of a search engine would, so that "no shared word" is a
 * promise on the safe side.
 */
export function contentWords(text: string): Set<string> {
  const words = text.toLowerCase().match(/\p{L}+|\p{N}+/gu) ?? [];
  return new Set(words.filter((word) => word.length > 1 && !stopWords.has(word)).map(stem));
}

function stem(word: string): string {
  const bare = word.replace(/(?:ies|ing|ed|es|ly|s|e|y)$/, '');
  const base = bare.length >= 3 ? bare.replace(/([^aeiou])\1$/, '$1') : word;
  return base.slice(0, 5);
}

/** Stems of the content words that stand in both texts. */
export function sharedWords(question: string, passage: string): string[] {
  const known = contentWords(passage);
  return [...contentWords(question)].filter((word) => known.has(word));
}
