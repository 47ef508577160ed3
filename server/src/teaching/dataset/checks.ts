// What makes a sample unfit to be trained on. Pure; each check says what it measured.
import type { MarkerProfile, SampleProblem } from '../../protocol/index.ts';
import { readSegments, repetition, sharedWords } from '../../reasoning/index.ts';
import { wordsOf } from '../../words.ts';
import { sentencesOf } from '../../retrieval/index.ts';

export const sampleLimits = {
  /** Words of a question, at least and at most. */
  questionWords: [5, 60],
  /** Share of a question's words that stand in what it was asked from, at least. */
  questionGrounded: 0.2,
  /** An answer with fewer words says nothing. */
  answerWords: 5,
  /** Share of repeated phrases from which on a text is babble. */
  repetition: 0.4,
  /** Share of different words under which a longer text is babble: word lists and stutters. */
  differentWords: 0.2,
  /** Share of the words in which two answers differ, at least. */
  difference: 0.15,
  /** Share of words that stand in the passages, at least: of a whole sample, and of each noted statement. */
  grounded: 0.3,
  statementGrounded: 0.5,
  /** Closeness from which on two questions are one: cosine of their vectors, share of their words. */
  sameMeaning: 0.95,
  sameWords: 0.8,
} as const;

/** Words that point at something, or somebody, that a reader of the question alone does not have. */
const pointing = new RegExp(
  [
    String.raw`\b(?:the|this|that|these|given|provided|above|following|present) (?:material|text|passage|context|paper|article|study|studies|document|excerpt|section|authors?|figure|table|chapter|question|answer)s?\b`,
    String.raw`\baccording to\b|\b(?:figure|fig|table|tab|section|sec|equation|eq)[.:]? ?\d|\bfig[:.]|\[@`,
    String.raw`\b(?:do|did|are|were|have) you\b|\byours?\b|^(?:how|why|what) \w+ (?:it|this|that|they|these|those|we|i)\b`,
  ].join('|'),
  'i',
);

const declining =
  /^\W*(?:i['’]?m sorry|i am sorry|sorry,|i can(?:no|['’])t|i cannot|i am unable|i['’]?m unable|as an ai\b|as a language model)/i;

/** @param shown what it was asked from */
export function questionProblems(question: string, shown: string): SampleProblem[] {
  const words = wordsOf(question);
  if (words.length === 0) return ['empty'];
  if (declining.test(question)) return ['refusal'];
  if (isBabble(question)) return ['babble'];
  const [least, most] = sampleLimits.questionWords;
  const fits = words.length >= least && words.length <= most;
  if (!fits || !/[?？؟]$/.test(question) || pointing.test(question)) return ['no-question'];
  return sharedWords(question, shown) < sampleLimits.questionGrounded ? ['ungrounded'] : [];
}

export function answerProblems(answer: string): SampleProblem[] {
  const words = wordsOf(answer);
  if (words.length === 0) return ['empty'];
  if (declining.test(answer)) return ['refusal'];
  // The quotation marks of the prompt: it goes on with the material instead of answering.
  if (/<<<|>>>/.test(answer)) return ['structure'];
  return words.length < sampleLimits.answerWords || isBabble(answer) ? ['babble'] : [];
}

/** Phrases that come again and again, few words that stand in for many, or signs instead of words. */
export function isBabble(text: string): boolean {
  if (repetition(text) >= sampleLimits.repetition) return true;
  const words = wordsOf(text);
  const signs = text.replace(/[\s\p{L}\p{M}\p{N}\p{P}$+=<>^|~]/gu, '').length;
  if (signs > text.length / 5) return true;
  return words.length >= 20 && new Set(words).size / words.length < sampleLimits.differentWords;
}

/** Whether a completion is thinking, where wanted reflection, and an answer: each once, in order, and closed. */
export function hasStructure(completion: string, markers: MarkerProfile, reflects: boolean): boolean {
  const wanted = ['thinking', ...(reflects ? ['reflection'] : []), 'answer'];
  const segments = readSegments(completion, markers);
  return (
    segments.map(({ kind }) => kind).join() === wanted.join() &&
    segments.every(({ problems, text }) => problems.length === 0 && text.trim() !== '')
  );
}

/** What a model may write when it has learnt the form: sections in any number, all closed, and an answer at the end. */
export function isStructured(completion: string, markers: MarkerProfile): boolean {
  const segments = readSegments(completion, markers);
  const last = segments.at(-1);
  return (
    segments[0]?.kind === 'thinking' &&
    last?.kind === 'answer' &&
    last.text.trim() !== '' &&
    segments.every(({ problems }) => problems.length === 0)
  );
}

/** The text up to its last whole sentence; null where there is none. */
export function wholeSentences(text: string): string | null {
  const whole = sentencesOf(text).filter(({ start, end }) =>
    /[.!?…。！？][)\]”"'’»]*$/u.test(text.slice(start, end)),
  );
  const end = whole.at(-1)?.end;
  return end === undefined ? null : text.slice(0, end).trim();
}

/** Share of the words of both that both have, 0 to 1. */
export function commonWords(one: string, other: string): number {
  const [first, second] = [new Set(wordsOf(one)), new Set(wordsOf(other))];
  const common = [...first].filter((word) => second.has(word)).length;
  const all = first.size + second.size - common;
  return all === 0 ? 0 : common / all;
}
