// The ways to ask a model that experiments compare: one completion, or the recursion. Knows no experiment.
import type { LanguageModel } from '../engine/languageModel.ts';
import { throwIfCancelled } from '../errors.ts';
import type { ChatMessage, EvaluationQuestion, GenerateRequest, Run, Sampler } from '../protocol/index.ts';
import { reason, type PromptSet, type ReasonTask } from '../reasoning/index.ts';
import { asTask } from './prompts.ts';
import { seedFor } from './random.ts';

/** What every way of asking needs. */
export interface Asking {
  readonly model: LanguageModel;
  readonly critic: LanguageModel;
  readonly prompts: PromptSet;
  readonly sampler: Sampler;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly version: string;
}

/** One completion's text. */
export interface Completed {
  readonly text: string;
  readonly truncated: boolean;
  /** Which of the request's stop strings ended it. */
  readonly stop: string | null;
  readonly generated: number;
}

/** Gathers one completion. @throws PreflexorError `cancelled`, and whatever the model throws */
export async function complete(
  model: LanguageModel,
  request: Pick<GenerateRequest, 'messages' | 'maxTokens' | 'temperature' | 'seed'> &
    Partial<GenerateRequest>,
  signal: AbortSignal,
): Promise<Completed> {
  let text = '';
  let truncated = false;
  let stop: string | null = null;
  let generated = 0;
  for await (const event of model.generate({ prefix: '', stop: [], ...request }, signal)) {
    if (event.event === 'text') text += event.text;
    else if (event.event === 'end') {
      truncated = event.reason === 'length';
      stop = event.stop;
      generated = event.tokens.generated;
    }
  }
  throwIfCancelled(signal);
  return { text, truncated, stop, generated };
}

/** One answer to messages, with as many tokens as the recursion has for all sections together. */
export async function answerPlainly(
  { model, sampler }: Asking,
  messages: ChatMessage[],
  name: string,
  signal: AbortSignal,
): Promise<Completed> {
  return await complete(
    model,
    {
      messages,
      maxTokens: sampler.thinkingTokens + sampler.reflectionTokens + sampler.answerTokens,
      temperature: sampler.temperature,
      seed: seedFor(sampler.seed, name),
      ...(sampler.avoidLoops !== undefined && { avoidLoops: sampler.avoidLoops }),
    },
    signal,
  );
}

export interface Rounds {
  readonly iterations: number;
  /** Whether the critic scores each iteration. */
  readonly scoring: boolean;
  readonly runsAllRounds: boolean;
}

/** The recursion as a writer's own run has it, without passages: the question brings what it is about. */
export async function answerByRecursion(
  asking: Asking,
  question: EvaluationQuestion,
  rounds: Rounds,
  signal: AbortSignal,
): Promise<Run> {
  const { model, critic, now } = asking;
  const events = reason(
    taskOf(asking, question, rounds),
    { model, critic, now, passages: null, sources: null, similarity: null },
    signal,
  );
  for (;;) {
    const step = await events.next();
    if (step.done) return step.value;
    throwIfCancelled(signal);
  }
}

/** The task of a question; the note that a run names is the question itself. */
export function taskOf(
  { prompts, sampler, version }: Pick<Asking, 'prompts' | 'sampler' | 'version'>,
  question: EvaluationQuestion,
  rounds: Rounds,
): ReasonTask {
  return {
    ...asTask(question),
    ...{ prompts, version, thinkingSections: 1, reflects: true, ...rounds },
    thinkingParts: prompts.thinkingParts,
    sampler: { ...sampler, seed: seedFor(sampler.seed, question.id) },
    note: { path: question.id, hash: '', range: { start: 0, end: 0 } },
    block: 'evaluation',
  };
}

/** Tokens of a whole run, or of its draft alone, for which nothing has to be scored. */
export function generatedIn(run: Run, draftAlone: boolean): number {
  return (run.steps ?? [])
    .filter(({ iteration, name }) => !draftAlone || (iteration === 0 && name !== 'score'))
    .reduce((sum, { tokens }) => sum + tokens.generated, 0);
}
