// One paragraph's reasoning: the draft with its thinking, its reflection and its answer, as a stream of events.
// Knows nothing of editors, files or processes: model, clock and randomness come in as ports.
import { ulid } from 'ulid';
import type { LanguageModel, LoadedModel } from '../engine/languageModel.ts';
import { throwIfCancelled } from '../errors.ts';
import { normaliseModelText } from '../notes/index.ts';
import type {
  ChatMessage,
  GenerateRequest,
  Iteration,
  MarkerProfile,
  NotePlace,
  ReasonEvent,
  Run,
  Sampler,
  Segment,
  SegmentKind,
  SegmentProblem,
  TokenCounts,
} from '../protocol/index.ts';
import { draftPrompt, promptVersion, type Subject, type Task } from './prompts.ts';
import { markerTexts, textOf } from './segments.ts';
import { signalsOf } from './signals.ts';

/** What is to be reasoned about, and how. */
export interface ReasonTask {
  readonly subject: Subject;
  readonly task: Task;
  readonly thinkingParts: readonly string[];
  readonly sampler: Sampler;
  readonly note: NotePlace;
  readonly block: string;
  /** Version of this program, for the run's provenance. */
  readonly version: string;
}

export interface ReasonPorts {
  readonly model: LanguageModel;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Thinks, reflects and answers once (iteration 0, the draft) and ends with the finished run.
 *
 * The structure is enforced: each section is opened here, generated until a marker or its token budget, and
 * closed, because a model that was never trained on the markers does not write them (method, section 1).
 * All three steps share one growing prompt, so the KV cache makes each cost only its own tokens.
 * @throws PreflexorError `cancelled` when the signal is aborted, and whatever the model throws
 */
export async function* reason(
  task: ReasonTask,
  ports: ReasonPorts,
  signal: AbortSignal,
): AsyncGenerator<ReasonEvent, Run> {
  const started = ports.now();
  const run = ulid(started);
  yield {
    event: 'started',
    run,
    block: task.block,
    question: task.task.question,
    paragraph: task.subject.paragraph,
    iterations: 0,
    passages: [...task.subject.passages],
  };
  const loaded = yield* loadModel(run, ports.model, signal);
  const messages = draftPrompt(task.subject, task.task, task.thinkingParts);
  const iteration = yield* draft(run, messages, task.sampler, loaded, ports, signal);
  yield { event: 'iteration', run, iteration };

  const result: Run = {
    schema: 1,
    id: run,
    block: task.block,
    time: new Date(started).toISOString(),
    note: task.note,
    paragraph: task.subject.paragraph,
    question: task.task.question,
    passages: [...task.subject.passages],
    iterations: [iteration],
    best: 0,
    final: iteration.answer,
    stoppedBecause: 'finished',
    model: loaded.identity.id,
    adapter: loaded.adapter,
    seconds: seconds(started, ports.now()),
    provenance: {
      model: loaded.identity,
      adapter: loaded.adapter,
      promptVersion,
      prompt: messages.map((message) => `[${message.role}]\n${message.text}`).join('\n\n'),
      sampler: task.sampler,
      backend: loaded.backend,
      threads: loaded.threads,
      version: task.version,
    },
  };
  yield { event: 'finished', run, result };
  return result;
}

/** Loads the model, and passes on what it is waiting for while that lasts. */
async function* loadModel(
  run: string,
  model: LanguageModel,
  signal: AbortSignal,
): AsyncGenerator<ReasonEvent, LoadedModel> {
  const waits: ReasonEvent[] = [];
  let heard = Promise.withResolvers<'heard'>();
  const loading = model.load(signal, (reason, fraction) => {
    waits.push({ event: 'waiting', run, reason, fraction });
    heard.resolve('heard');
  });
  while ((await Promise.race([loading, heard.promise])) === 'heard') {
    heard = Promise.withResolvers();
    yield* waits.splice(0);
  }
  yield* waits;
  return await loading;
}

/** One section to be written, with the text that opens and closes it in the prompt. */
interface Step {
  readonly kind: SegmentKind;
  readonly opening: string;
  readonly closing: string;
  readonly endMarker: string | null;
  readonly maxTokens: number;
}

function stepsOf({ thinking, reflection }: MarkerProfile, sampler: Sampler): Step[] {
  const marked = (kind: SegmentKind, marker: { start: string; end: string }, maxTokens: number): Step => ({
    kind,
    opening: `${marker.start}\n`,
    closing: `\n${marker.end}\n\n`,
    endMarker: marker.end,
    maxTokens,
  });
  return [
    marked('thinking', thinking, sampler.thinkingTokens),
    marked('reflection', reflection, sampler.reflectionTokens),
    { kind: 'answer', opening: '', closing: '', endMarker: null, maxTokens: sampler.answerTokens },
  ];
}

async function* draft(
  run: string,
  messages: readonly ChatMessage[],
  sampler: Sampler,
  loaded: LoadedModel,
  ports: ReasonPorts,
  signal: AbortSignal,
): AsyncGenerator<ReasonEvent, Iteration> {
  const started = ports.now();
  const segments: Segment[] = [];
  const tokens: TokenCounts = { prompt: 0, reused: 0, generated: 0 };
  const stop = markerTexts(loaded.markers);
  let prefix = '';
  let position = 0;
  for (const step of stepsOf(loaded.markers, sampler)) {
    prefix += step.opening;
    const { temperature, seed, avoidLoops } = sampler;
    const request = {
      messages: [...messages],
      prefix,
      stop,
      maxTokens: step.maxTokens,
      temperature,
      seed,
      avoidLoops,
    };
    const section = yield* writeSection(run, step, request, ports.model, signal);
    prefix += section.text.trimEnd() + step.closing;

    const opened = position + (await countTokens(ports.model, step.opening, signal));
    const closed = opened + section.length;
    const end = closed + (await countTokens(ports.model, step.closing, signal));
    segments.push({
      kind: step.kind,
      text: section.text,
      tokens: { start: opened, end: closed },
      withMarkers: { start: position, end },
      problems: section.problems,
    });
    position = end;
    tokens.prompt += section.counts.prompt;
    tokens.reused += section.counts.reused;
    tokens.generated += section.counts.generated;
  }
  return {
    index: 0,
    thinking: textOf(segments, 'thinking'),
    reflection: textOf(segments, 'reflection'),
    answer: textOf(segments, 'answer'),
    score: null,
    signals: signalsOf(segments),
    tokens,
    seconds: seconds(started, ports.now()),
    segments,
  };
}

interface Section {
  /** As generated, in the form in which it is stored. */
  readonly text: string;
  /** Tokens generated for it. */
  readonly length: number;
  readonly problems: SegmentProblem[];
  readonly counts: TokenCounts;
}

/** Generates one section, and passes its text on as it comes. */
async function* writeSection(
  run: string,
  step: Step,
  request: GenerateRequest,
  model: LanguageModel,
  signal: AbortSignal,
): AsyncGenerator<ReasonEvent, Section> {
  const { kind } = step;
  const problems: SegmentProblem[] = [];
  let counts: TokenCounts = { prompt: 0, reused: 0, generated: 0 };
  let text = '';
  let length = 0;
  yield { event: 'segment', run, iteration: 0, kind };
  for await (const event of model.generate(request, signal)) {
    if (event.event === 'text') {
      text += event.text;
      length += event.tokens.length;
      yield { event: 'text', run, iteration: 0, kind, text: event.text };
    } else if (event.event === 'end') {
      counts = event.tokens;
      if (event.reason === 'length') problems.push('truncated');
      // A section that runs into another one's start is closed there: what follows is asked for anyway.
      else if (event.stop !== null && event.stop !== step.endMarker) problems.push('nested');
    }
  }
  throwIfCancelled(signal);
  yield { event: 'segment-end', run, iteration: 0, kind, problems };
  return { text: normaliseModelText(text), length, problems, counts };
}

async function countTokens(model: LanguageModel, text: string, signal: AbortSignal): Promise<number> {
  return text === '' ? 0 : (await model.tokenize(text, signal)).length;
}

function seconds(from: number, to: number): number {
  return Math.max(0, (to - from) / 1000);
}
