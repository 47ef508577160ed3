// The answers that a sample compares: the grounded one against what the current model says to the bare question, or,
// by rejection sampling (method, section 4), the best of several answers of the current model against the worst.
import { judge } from '../../evaluation/index.ts';
import type { DatasetSample, DatasetSettings, MarkerProfile } from '../../protocol/index.ts';
import { readSegments, textOf } from '../../reasoning/index.ts';
import { cosine } from '../../retrieval/index.ts';
import { commonWords, isStructured, wholeSentences } from './checks.ts';
import type { DatasetPorts } from './ports.ts';
import type { Writing } from './writing.ts';

export interface Compared {
  readonly chosen: string;
  readonly rejected: string;
  /** Whether the sections of the answers had to be opened for the model. */
  readonly enforced: boolean;
}

interface AnswersTask {
  readonly settings: DatasetSettings;
  readonly markers: MarkerProfile;
}

/**
 * @returns null when none of the model's answers has the sections that the best one must have, not even where they are
 * opened for it
 */
export async function answersOf(
  sample: Pick<DatasetSample, 'question' | 'prompt' | 'chosen' | 'reference'>,
  task: AnswersTask,
  ports: DatasetPorts,
  writing: Writing,
  signal: AbortSignal,
): Promise<Compared | null> {
  if (task.settings.answers < 2) {
    const maxTokens = task.settings.answerTokens;
    const rejected = await answer('rejected', sample.question, maxTokens, task, ports, writing);
    return { chosen: sample.chosen, rejected, enforced: false };
  }
  const asked = sample.prompt.at(-1)?.content ?? sample.question;
  const free: string[] = [];
  for (let index = 0; index < task.settings.answers; index += 1)
    free.push(await answer(`answer ${index}`, asked, tokensOfAll(task.settings), task, ports, writing));
  const compared = await bestAndWorst(free, sample, task, ports, signal);
  if (compared) return { ...compared, enforced: false };
  // It has not learnt the form yet: as before training, the sections are opened for it (method, section 1).
  const enforced: string[] = [];
  const tries = enforcedTries * task.settings.answers;
  for (let index = 0; index < tries && enforced.length < task.settings.answers; index += 1) {
    const written = await enforcedAnswer(`enforced ${index}`, asked, task, ports, writing);
    if (isStructured(written, task.markers)) enforced.push(written);
  }
  const held = await bestAndWorst(enforced, sample, task, ports, signal);
  return held && { ...held, enforced: true };
}

/** An answer whose thinking is opened and closed for the model, which writes what stands in it and after it. */
async function enforcedAnswer(
  name: string,
  prompt: string,
  { settings, markers }: AnswersTask,
  { student }: DatasetPorts,
  writing: Writing,
): Promise<string> {
  const { parts, partTokens, answerTokens, answersTemperature: temperature } = settings;
  const { start, end } = markers.thinking;
  const messages = [{ role: 'user' as const, text: prompt }];
  const thought = await writing.write(student, `${name} thinking`, {
    ...{ messages, temperature, prefix: `${start}\n`, stop: [end], freely: true },
    maxTokens: Math.min(parts.length, mostParts) * partTokens,
  });
  const thinking = thought.truncated ? (wholeSentences(thought.text) ?? thought.text) : thought.text;
  const begun = `${start}\n${thinking.trim()}\n${end}\n\n`;
  const { text, truncated } = await writing.write(student, `${name} answer`, {
    ...{ messages, temperature, prefix: begun, maxTokens: answerTokens, freely: true },
  });
  return `${begun}${(truncated ? (wholeSentences(text) ?? text) : text).trim()}`;
}

/** A small model often ends right after its thinking: so many tries for each answer that is wanted. */
const enforcedTries = 2;

/** The model writes by itself about as much as so many headings have. */
const mostParts = 4;

/** Thinking, reflection and answer together. */
function tokensOfAll({ parts, partTokens, reflectionTokens, answerTokens }: DatasetSettings): number {
  return Math.min(parts.length, mostParts) * partTokens + reflectionTokens + answerTokens;
}

/** What the model in its present state says to a prompt, up to its last whole sentence where it was cut off. */
async function answer(
  name: string,
  prompt: string,
  maxTokens: number,
  { settings }: AnswersTask,
  { student }: DatasetPorts,
  writing: Writing,
): Promise<string> {
  const several = settings.answers >= 2;
  const { text, truncated } = await writing.write(student, name, {
    messages: [{ role: 'user', text: prompt }],
    maxTokens,
    temperature: several ? settings.answersTemperature : settings.temperature,
    freely: true,
  });
  return (truncated ? (wholeSentences(text) ?? text) : text).trim();
}

/** A text without the sections is never the best, and is worse than any with them. */
async function bestAndWorst(
  all: readonly string[],
  { question, reference }: Pick<DatasetSample, 'question' | 'reference'>,
  { settings, markers }: AnswersTask,
  ports: DatasetPorts,
  signal: AbortSignal,
): Promise<Omit<Compared, 'enforced'> | null> {
  const answerIn = (text: string): string => textOf(readSegments(text, markers), 'answer');
  // Where thinking is masked, a text without an answer would leave nothing to learn from.
  const candidates = [...new Set(all)].filter((text) => answerIn(text).trim() !== '');
  if (!candidates.some((text) => isStructured(text, markers))) return null;
  const answers = candidates.map(answerIn);
  const scores = await scoresOf(answers, { question, reference }, settings.judge, ports, signal);
  const ranked = candidates
    .map((text, index) => ({ text, score: scores[index] ?? 0, structured: isStructured(text, markers) }))
    .sort((a, b) => Number(b.structured) - Number(a.structured) || b.score - a.score);
  const [best, worst] = [ranked[0], ranked.at(-1)];
  if (!best?.structured || !worst) return null;
  return { chosen: best.text, rejected: worst === best ? '' : worst.text };
}

async function scoresOf(
  answers: readonly string[],
  { question, reference }: Pick<DatasetSample, 'question' | 'reference'>,
  by: DatasetSettings['judge'],
  { embed, judging }: DatasetPorts,
  signal: AbortSignal,
): Promise<number[]> {
  const close = by === 'critic' ? [] : await closeness(answers, reference, embed, signal);
  const marks: (number | null)[] = [];
  if (judging && by !== 'reference') {
    const asked = { id: question, question, context: null, choices: null, answer: null };
    for (const text of answers) marks.push((await judge(judging, asked, text, signal)).score);
  }
  return answers.map((_, index) => {
    const known = [close[index], marks[index]].filter((score) => typeof score === 'number');
    return known.reduce((sum, score) => sum + score, 0) / Math.max(1, known.length);
  });
}

async function closeness(
  answers: readonly string[],
  reference: string,
  embed: DatasetPorts['embed'],
  signal: AbortSignal,
): Promise<number[]> {
  if (!embed) return answers.map((text) => commonWords(text, reference));
  const [known, ...vectors] = await embed(
    [reference, ...answers.map((text) => (text.trim() === '' ? '.' : text))],
    signal,
  );
  return vectors.map((vector) => (known ? cosine(known, vector) : 0));
}
