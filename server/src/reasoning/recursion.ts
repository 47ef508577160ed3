// The recursion (method, section 2): a draft, then rounds in which the critic improves the thinking and the reasoner
// answers from it. Every step's prompt goes on with what stands in the key-value cache.
import type { LoadedModel } from '../engine/languageModel.ts';
import { markerTexts, textOf } from './segments.ts';
import {
  preflexorMarkers,
  Rubric,
  type ChatMessage,
  type GenerateRequest,
  type Iteration,
  type MarkerProfile,
  type ReasonEvent,
  type Sampler,
  type Segment,
  type Step,
  type StepName,
} from '../protocol/index.ts';
import { transcript, type Conversation, type Written } from './prompts.ts';
import { failed, scoreOf, signalsOf, type Background } from './signals.ts';
import type { StepRunner } from './steps.ts';

export interface RecursionParts {
  readonly run: string;
  readonly conversation: Conversation;
  readonly runner: StepRunner;
  readonly reasoner: LoadedModel;
  readonly critic: LoadedModel;
  readonly sampler: Sampler;
  readonly reflects: boolean;
  readonly thinkingSections: number;
  /** Readings by the rubric after each iteration. */
  readonly readings: number;
  readonly background: Background;
  /** Aborted when the writer wants the answer now: no more thinking, no more rounds. */
  readonly answerNow: AbortSignal;
  readonly countTokens: (text: string) => Promise<number>;
  /** Cosine similarity of two texts, where an embedder is there. */
  readonly similarity: ((one: string, other: string) => Promise<number | null>) | null;
}

/** JSON that the rubric's marks fit into; llama.cpp writes nothing else. */
export const rubricSchema: NonNullable<GenerateRequest['jsonSchema']> = {
  type: 'object',
  properties: Object.fromEntries(
    Object.keys(Rubric.shape).map((name) => [name, { enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }]),
  ),
};
export const rubricTokens = 64;

/** Tokens that a critique may have: it names defects, and mends nothing. */
const critiqueShare = 0.5;

/** One paragraph's rounds. */
export class Recursion {
  readonly #parts: RecursionParts;
  readonly #iterations: Iteration[] = [];

  constructor(parts: RecursionParts) {
    this.#parts = parts;
  }

  get iterations(): readonly Iteration[] {
    return this.#iterations;
  }

  /** What every prompt of this run begins with. */
  get opening(): readonly ChatMessage[] {
    return this.#parts.conversation.opening();
  }

  /** The draft, iteration 0: thinking, reflection and answer of the reasoner. */
  async *draft(): AsyncGenerator<ReasonEvent, Iteration> {
    const thinking: Step[] = [];
    for (let part = 0; part < this.#parts.thinkingSections; part += 1) {
      thinking.push(
        yield* this.#thinkingSection(0, thinking, this.#parts.conversation.opening(), 'reasoner'),
      );
    }
    return yield* this.#answer(0, thinking, null);
  }

  /** The next iteration: feedback, improved thinking by the critic, reflection and answer by the reasoner. */
  async *next(): AsyncGenerator<ReasonEvent, Iteration> {
    const before = this.#iterations.at(-1);
    if (!before) throw new Error('The recursion begins with a draft.');
    const index = before.index + 1;
    const { conversation, critic } = this.#parts;
    const found = before.reflection !== '' && !failed(before.signals, 'empty-reflection');
    const shown = transcript(historyMarkers(critic), { ...writtenIn(before.segments), answer: null });
    const critique = found ? null : (yield* this.#critique(index, shown)).text;
    const messages = conversation.improve(shown, critique);
    const thinking: Step[] = [];
    for (let part = 0; part < this.#parts.thinkingSections; part += 1) {
      thinking.push(yield* this.#thinkingSection(index, thinking, messages, 'critic'));
    }
    const feedback: Iteration['feedback'] =
      critique === null
        ? { from: 'reflection', text: before.reflection }
        : { from: 'critic', text: critique };
    return yield* this.#answer(index, thinking, feedback);
  }

  /** One answer out of all, by the critic. @param answers the ones that are shown beside the last iteration's */
  async *integrate(answers: readonly Iteration[], lastWhole: boolean): AsyncGenerator<ReasonEvent, Step> {
    const last = this.#last();
    const { conversation, critic, sampler } = this.#parts;
    const shown = lastWhole ? transcript(historyMarkers(critic), writtenIn(last.segments)) : last.answer;
    const messages = conversation.integrate(
      shown,
      answers.map(({ index, answer }) => ({ index, text: answer })),
    );
    return yield* this.#run('integration', last.index, 0, 'critic', {
      ...{ messages, prefix: '', maxTokens: sampler.answerTokens },
      endMarker: null,
    });
  }

  #last(): Iteration {
    const last = this.#iterations.at(-1);
    if (!last) throw new Error('The recursion begins with a draft.');
    return last;
  }

  async *#thinkingSection(
    iteration: number,
    before: readonly Step[],
    messages: ChatMessage[],
    by: Step['by'],
  ): AsyncGenerator<ReasonEvent, Step> {
    const { markers } = by === 'critic' ? this.#parts.critic : this.#parts.reasoner;
    const open = transcript(markers, {
      thinking: before.map(({ text }) => text),
      reflection: null,
      answer: null,
    });
    return yield* this.#run('thinking', iteration, before.length, by, {
      messages,
      prefix: `${open}${markers.thinking.start}\n`,
      maxTokens: this.#parts.sampler.thinkingTokens,
      endMarker: markers.thinking.end,
    });
  }

  async *#critique(iteration: number, shown: string): AsyncGenerator<ReasonEvent, Step> {
    const { conversation, sampler } = this.#parts;
    return yield* this.#run('critique', iteration, 0, 'critic', {
      messages: conversation.critique(shown),
      prefix: '',
      maxTokens: Math.max(16, Math.round(sampler.thinkingTokens * critiqueShare)),
      endMarker: null,
    });
  }

  /** Reflection and answer from this thinking, the marks, the signals: the rest of an iteration. */
  async *#answer(
    index: number,
    thinking: readonly Step[],
    feedback: NonNullable<Iteration['feedback']> | null,
  ): AsyncGenerator<ReasonEvent, Iteration> {
    const { reasoner, reflects, sampler, conversation, runner, run, answerNow } = this.#parts;
    const { markers } = reasoner;
    const messages = conversation.opening();
    const texts = thinking.map(({ text }) => text);
    const steps = [...thinking];
    let reflection: string | null = null;
    if (reflects && !answerNow.aborted) {
      const open = transcript(markers, { thinking: texts, reflection: null, answer: null });
      const step = yield* this.#run('reflection', index, 0, 'reasoner', {
        ...{ messages, prefix: `${open}${markers.reflection.start}\n`, maxTokens: sampler.reflectionTokens },
        endMarker: markers.reflection.end,
      });
      reflection = step.text;
      steps.push(step);
    }
    const prefix = transcript(markers, { thinking: texts, reflection, answer: null });
    const request = { messages, prefix, maxTokens: sampler.answerTokens, endMarker: null };
    steps.push(yield* this.#run('answer', index, 0, 'reasoner', request));
    const segments = await segmentsOf(steps, markers, this.#parts.countTokens);
    const rubrics = yield* this.#score(index, segments);
    const iteration = await this.#finished(index, segments, rubrics, feedback, runner.sumOf(index));
    this.#iterations.push(iteration);
    yield { event: 'iteration', run, iteration };
    return iteration;
  }

  async *#score(index: number, segments: readonly Segment[]): AsyncGenerator<ReasonEvent, Rubric[]> {
    const { readings, conversation, critic, answerNow } = this.#parts;
    const rubrics: Rubric[] = [];
    const shown = transcript(historyMarkers(critic), writtenIn(segments));
    for (let reading = 0; reading < readings && !answerNow.aborted; reading += 1) {
      const step = yield* this.#run('score', index, reading, 'critic', {
        ...{ messages: conversation.score(shown, reading), prefix: '', maxTokens: rubricTokens },
        ...{ endMarker: null, jsonSchema: rubricSchema },
      });
      const marks = readMarks(step.text);
      if (marks) rubrics.push(marks);
    }
    return rubrics;
  }

  async #finished(
    index: number,
    segments: Segment[],
    rubrics: Rubric[],
    feedback: NonNullable<Iteration['feedback']> | null,
    { tokens, seconds }: ReturnType<StepRunner['sumOf']>,
  ): Promise<Iteration> {
    const before = this.#iterations.at(-1) ?? null;
    const measured = {
      segments,
      thinking: textOf(segments, 'thinking'),
      reflection: textOf(segments, 'reflection'),
      answer: textOf(segments, 'answer'),
      score: scoreOf(rubrics),
      rubrics,
    };
    const { similarity, background } = this.#parts;
    const close = before && similarity ? await similarity(before.answer, measured.answer) : null;
    const previous = before && { ...before, rubrics: before.rubrics ?? [] };
    const signals = signalsOf(measured, previous, background, close);
    return { index, ...measured, signals, tokens, seconds, feedback };
  }

  async *#run(
    name: StepName,
    iteration: number,
    part: number,
    by: Step['by'],
    what: Pick<GenerateRequest, 'messages' | 'prefix' | 'maxTokens' | 'jsonSchema'> & {
      endMarker: string | null;
    },
  ): AsyncGenerator<ReasonEvent, Step> {
    const { sampler, runner, reasoner, critic, answerNow } = this.#parts;
    const { endMarker, ...request } = what;
    const { temperature, criticTemperature, avoidLoops } = sampler;
    const marked = name === 'score' ? [] : markerTexts((by === 'critic' ? critic : reasoner).markers);
    // Servers take only some: the marker that is awaited goes first.
    const stop = [...(endMarker === null ? [] : [endMarker]), ...marked.filter((text) => text !== endMarker)];
    return yield* runner.run({
      ...{ iteration, name, part, by, endMarker },
      cut: name === 'answer' || name === 'integration' ? null : answerNow,
      generate: {
        ...request,
        stop,
        temperature: by === 'critic' ? (criticTemperature ?? temperature) : temperature,
        seed: seedOf(sampler.seed, iteration, name, part),
        ...(avoidLoops !== undefined && name !== 'score' && { avoidLoops }),
      },
    });
  }
}

/**
 * How thinking stands in turns that are over. Templates of models with thought tokens of their own take those
 * sections out of past turns, and the critic would be asked about thinking that it does not see.
 */
function historyMarkers({ markers }: LoadedModel): MarkerProfile {
  return markers.id === preflexorMarkers.id ? markers : preflexorMarkers;
}

/**
 * The draft is sampled with the run's own seed. Later rounds have others that follow from it: with the same one, a
 * model would write again what it wrote before, and that would look as if the thinking had come to rest.
 */
export function seedOf(seed: number, iteration: number, name: StepName, part: number): number {
  if (iteration === 0 && part === 0) return seed;
  return (seed + 7919 * iteration + 104_729 * part + (name === 'score' ? 15_485_863 : 0)) % 2 ** 31;
}

/** The sections of an iteration, each with its place among the iteration's tokens. */
export async function segmentsOf(
  steps: readonly Step[],
  { thinking, reflection }: MarkerProfile,
  countTokens: (text: string) => Promise<number>,
): Promise<Segment[]> {
  const segments: Segment[] = [];
  let position = 0;
  for (const { name, text, length, problems } of steps) {
    if (name !== 'thinking' && name !== 'reflection' && name !== 'answer') continue;
    const marker = name === 'thinking' ? thinking : name === 'reflection' ? reflection : null;
    const start = position + (marker ? await countTokens(`${marker.start}\n`) : 0);
    const end = start + length;
    const closed = end + (marker ? await countTokens(`\n${marker.end}\n\n`) : 0);
    segments.push({
      ...{ kind: name, text, problems },
      tokens: { start, end },
      withMarkers: { start: position, end: closed },
    });
    position = closed;
  }
  return segments;
}

/** Texts just as they were generated: trimmed ones would no longer be those in the cache. */
function writtenIn(segments: readonly Segment[]): Written {
  const texts = (wanted: Segment['kind']): string[] =>
    segments.filter(({ kind }) => kind === wanted).map(({ text }) => text);
  return {
    thinking: texts('thinking'),
    reflection: texts('reflection')[0] ?? null,
    answer: texts('answer')[0] ?? null,
  };
}

/** Marks out of what the critic wrote; null when that is no reading. Numbers off the scale are drawn to its ends. */
export function readMarks(text: string): Rubric | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const drawn = Object.entries(value).map(([name, mark]: [string, unknown]) => [
    name,
    typeof mark === 'number' ? Math.min(10, Math.max(0, mark)) : mark,
  ]);
  const decoded = Rubric.safeParse(Object.fromEntries(drawn));
  return decoded.success ? decoded.data : null;
}
