// One paragraph's reasoning as a stream of events: passages, draft, rounds of recursion, integration, and the record
// of it all. Knows nothing of editors, files or processes: models, passages, clock come in as ports.
import { ulid } from 'ulid';
import type { LanguageModel, LoadedModel } from '../engine/languageModel.ts';
import { PreflexorError, sentence, throwIfCancelled } from '../errors.ts';
import type {
  Iteration,
  NotePlace,
  Passage,
  ReasonEvent,
  Run,
  Sampler,
  SearchResult,
  SectionSources,
  Step,
  Task,
} from '../protocol/index.ts';
import { fitIntegration, fitPassages } from './fit.ts';
import { Conversation, type Subject } from './prompts.ts';
import type { PromptSet } from './promptSet.ts';
import { Recursion } from './recursion.ts';
import { failed, repetition, spreadOf } from './signals.ts';
import { StepRunner } from './steps.ts';

/** What is to be reasoned about, and how. */
export interface ReasonTask {
  readonly subject: Subject;
  readonly task: Task;
  readonly prompts: PromptSet;
  readonly thinkingParts: readonly string[];
  readonly thinkingSections: number;
  /** Whether a reflection follows the thinking. */
  readonly reflects: boolean;
  /** Rounds after the draft. */
  readonly iterations: number;
  /** Whether the critic scores each iteration, twice. */
  readonly scoring: boolean;
  /** No early stop: an experiment that compares iterations needs all of them. */
  readonly runsAllRounds?: boolean;
  readonly sampler: Sampler;
  readonly note: NotePlace;
  readonly block: string;
  /** Version of this program, for the run's provenance. */
  readonly version: string;
  /** A run to go on with, or to branch from: its passages and its first steps are taken as they are. */
  readonly from?: RunStart;
}

/** The beginning of a run that is known already. */
export interface RunStart {
  /** The run that is gone on with keeps its id; a branch gets one of its own. */
  readonly run: string | null;
  readonly passages: readonly Passage[];
  readonly nothingRelevant: boolean;
  readonly steps: readonly Step[];
  readonly branchOf?: Run['branchOf'];
}

export interface ReasonPorts {
  readonly model: LanguageModel;
  /** Criticises, improves and integrates; may be the reasoner itself. */
  readonly critic: LanguageModel;
  /** Passages for the paragraph; null: there is no index. */
  readonly passages: ((signal: AbortSignal, subject: Subject) => Promise<SearchResult>) | null;
  /** Which passages stand behind which section; null: there is no embedder. */
  readonly sources:
    | ((
        iterations: readonly Iteration[],
        passages: readonly Passage[],
        signal: AbortSignal,
      ) => Promise<SectionSources[]>)
    | null;
  /** Cosine similarity of two texts; null where it can't be had. */
  readonly similarity: ((one: string, other: string, signal: AbortSignal) => Promise<number | null>) | null;
  /** Aborted when the writer wants the answer now. */
  readonly answerNow?: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Readings of each iteration by the rubric: two, so that the critic's own reliability can be seen. */
const readings = 2;

/**
 * Thinks, reflects and answers (iteration 0, the draft), does so again `iterations` times on the critic's improved
 * thinking, and ends with the finished run.
 *
 * The structure is enforced: each section is opened here, generated until a marker or its token budget, and
 * closed, because a model that was never trained on the markers does not write them (method, section 1).
 * @throws PreflexorError `cancelled` when the signal is aborted, and whatever a port throws
 */
export async function* reason(
  task: ReasonTask,
  ports: ReasonPorts,
  signal: AbortSignal,
): AsyncGenerator<ReasonEvent, Run> {
  const started = ports.now();
  const run = task.from?.run ?? ulid(started);
  const { subject, block } = task;
  yield {
    ...{ event: 'started', run, block, question: task.task.question },
    ...{ paragraph: subject.paragraph, iterations: task.iterations },
  };
  const found = yield* findPassages(run, task, ports, signal);
  const reasoner = yield* loadModel(run, ports.model, signal);
  const critic = ports.critic === ports.model ? reasoner : yield* loadModel(run, ports.critic, signal);
  const room = Math.min(reasoner.contextTokens, critic.contextTokens);
  const countTokens = async (text: string) =>
    text === '' ? 0 : (await ports.model.tokenize(text, signal)).length;
  const fitted = await fitPassages(task, found, room, countTokens);
  yield { event: 'passages', run, passages: [...fitted.passages], nothingRelevant: found.nothingRelevant };

  const runner = new StepRunner({
    ...{ run, now: ports.now, signal },
    models: { reasoner: ports.model, critic: ports.critic },
    recorded: task.from?.steps ?? [],
  });
  const { similarity } = ports;
  const answerNow = ports.answerNow ?? new AbortController().signal;
  const recursion = new Recursion({
    ...{ run, runner, reasoner, critic, countTokens, answerNow },
    conversation: fitted.conversation,
    sampler: task.sampler,
    reflects: task.reflects,
    thinkingSections: task.thinkingSections,
    readings: task.scoring && task.iterations > 0 ? readings : 0,
    background: {
      context: [subject.paragraph, ...fitted.passages.map(({ text }) => text)].join('\n'),
      reflects: task.reflects,
    },
    similarity: similarity && ((one, other) => similarity(one, other, signal)),
  });
  const stoppedBecause = yield* rounds(task, recursion, answerNow);
  const best = bestOf(recursion.iterations);
  const integrated = yield* integration(task, recursion, { room, countTokens, answerNow });
  throwIfCancelled(signal);
  const { iterations } = recursion;
  const sources = ports.sources ? await ports.sources(iterations, fitted.passages, signal) : null;

  const result: Run = {
    schema: 1,
    ...{ id: run, block, time: new Date(started).toISOString(), note: task.note },
    paragraph: subject.paragraph,
    question: task.task.question,
    passages: [...fitted.passages],
    iterations: [...iterations],
    best,
    final: integrated.text ?? iterations[best]?.answer ?? '',
    stoppedBecause,
    model: reasoner.identity.id,
    adapter: reasoner.adapter,
    seconds: Math.max(0, (ports.now() - started) / 1000),
    provenance: provenanceOf(task, fitted.conversation, reasoner, critic),
    wanted: task.iterations,
    steps: [...runner.steps],
    nothingRelevant: found.nothingRelevant,
    ...(sources && { sources }),
    omitted: [found.problem ?? [], fitted.omitted, integrated.omitted].flat(),
    ...(task.from?.branchOf && { branchOf: task.from.branchOf }),
  };
  yield { event: 'finished', run, result };
  return result;
}

/** What was found, or what the run that is gone on with had found. */
async function* findPassages(
  run: string,
  { from, subject }: ReasonTask,
  { passages }: ReasonPorts,
  signal: AbortSignal,
): AsyncGenerator<ReasonEvent, Found> {
  if (from) return { ...from, problem: null };
  if (!passages) return { passages: [], nothingRelevant: false, problem: null };
  yield { event: 'waiting', run, reason: 'Looking through your notes and papers', fraction: null };
  try {
    const found = await passages(signal, subject);
    throwIfCancelled(signal);
    return { ...found, problem: null };
  } catch (error) {
    if (PreflexorError.is(error, 'cancelled')) throw error;
    const problem = `Your notes and papers could not be searched. ${sentence(error)}`;
    return { passages: [], nothingRelevant: false, problem };
  }
}

interface Found {
  readonly passages: readonly Passage[];
  readonly nothingRelevant: boolean;
  /** Why the search failed: it costs the passages, not the run. */
  readonly problem: string | null;
}

/** Draft and rounds. Says why they ended. */
async function* rounds(
  task: ReasonTask,
  recursion: Recursion,
  answerNow: AbortSignal,
): AsyncGenerator<ReasonEvent, Run['stoppedBecause']> {
  yield* recursion.draft();
  for (let round = 1; round <= task.iterations; round += 1) {
    if (answerNow.aborted) return 'answer-now';
    const iteration = yield* recursion.next();
    if (task.runsAllRounds === true) continue;
    if (failed(iteration.signals, 'no-change', 'same-meaning')) return 'converged';
    if (failed(iteration.signals, 'degradation')) return 'degraded';
  }
  return answerNow.aborted ? 'answer-now' : 'finished';
}

/**
 * The iteration whose answer is best: by the critic's score, where a difference beyond what its own readings differ
 * by is needed to go back to an earlier one; answers that were cut off or loop come last.
 */
export function bestOf(iterations: readonly Iteration[]): number {
  let best: Iteration | undefined;
  for (const iteration of iterations) if (!best || isBetter(iteration, best)) best = iteration;
  return best?.index ?? 0;
}

function isBetter(later: Iteration, best: Iteration): boolean {
  const broken = failed(later.signals, 'truncation', 'loop');
  if (broken !== failed(best.signals, 'truncation', 'loop')) return !broken;
  if (later.score === null || best.score === null) return true;
  const noise = Math.max(spreadOf(later.rubrics ?? []), spreadOf(best.rubrics ?? []));
  return later.score >= best.score - noise / 2;
}

interface Integrated {
  /** null: there was nothing to integrate, or what came of it is not fit to be shown. */
  readonly text: string | null;
  readonly omitted: readonly string[];
}

/** All answers in one, by the critic. */
async function* integration(
  task: ReasonTask,
  recursion: Recursion,
  around: { room: number; countTokens: (text: string) => Promise<number>; answerNow: AbortSignal },
): AsyncGenerator<ReasonEvent, Integrated> {
  const { iterations } = recursion;
  if (iterations.length < 2 || around.answerNow.aborted) return { text: null, omitted: [] };
  const { answers, lastWhole, omitted } = await fitIntegration(
    recursion.opening,
    iterations,
    task.sampler,
    around,
  );
  const step = yield* recursion.integrate(answers, lastWhole);
  const broken =
    step.text.trim() === '' || step.problems.includes('truncated') || repetition(step.text) >= 0.5;
  if (!broken) return { text: step.text, omitted };
  const sentence =
    'The integration of all answers was cut off or repeated itself, so the best answer stands for it.';
  return { text: null, omitted: [...omitted, sentence] };
}

/** Loads a model, and passes on what it is waiting for while that lasts. */
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

function provenanceOf(
  task: ReasonTask,
  conversation: Conversation,
  reasoner: LoadedModel,
  critic: LoadedModel,
): Run['provenance'] {
  return {
    model: reasoner.identity,
    adapter: reasoner.adapter,
    promptVersion: task.prompts.version,
    prompt: conversation
      .opening()
      .map((message) => `[${message.role}]\n${message.text}`)
      .join('\n\n'),
    sampler: task.sampler,
    backend: reasoner.backend,
    threads: reasoner.threads,
    version: task.version,
    critic: { model: critic.identity, adapter: critic.adapter },
  };
}
