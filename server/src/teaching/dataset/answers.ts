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
}

interface AnswersTask {
  readonly settings: DatasetSettings;
  readonly markers: MarkerProfile;
}

/** @returns null when none of the model's answers has the sections that the best one must have */
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
    return { chosen: sample.chosen, rejected };
  }
  const asked = sample.prompt.at(-1)?.content ?? sample.question;
  const candidates: string[] = [];
  for (let index = 0; index < task.settings.answers; index += 1) {
    candidates.push(await answer(`answer ${index}`, asked, tokensOfAll(task.settings), task, ports, writing));
  }
  return await bestAndWorst([...new Set(candidates)], sample, task, ports, signal);
}

/** Thinking, reflection and answer together. */
function tokensOfAll({ parts, partTokens, reflectionTokens, answerTokens }: DatasetSettings): number {
  return Math.min(parts.length, 4) * partTokens + reflectionTokens + answerTokens;
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
  candidates: readonly string[],
  { question, reference }: Pick<DatasetSample, 'question' | 'reference'>,
  { settings, markers }: AnswersTask,
  ports: DatasetPorts,
  signal: AbortSignal,
): Promise<Compared | null> {
  const answers = candidates.map((text) => textOf(readSegments(text, markers), 'answer'));
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
