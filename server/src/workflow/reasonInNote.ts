// From a place in a note to a stored run. Used by every door; knows neither an editor nor the command line.
import {
  newBlockId,
  paragraphAt,
  readBlocks,
  relocate,
  unknownBlock,
  type Paragraph,
} from '../notes/index.ts';
import type { LanguageModel } from '../engine/languageModel.ts';
import { PreflexorError, sentence } from '../errors.ts';
import type {
  Intent,
  Iteration,
  Passage,
  ReasonEvent,
  Run,
  SearchFilter,
  SearchResult,
  SectionSources,
  Settings,
  Step,
  StepName,
  Task,
  UnfinishedRun,
} from '../protocol/index.ts';
import { reason, type PromptSet, type ReasonPorts, type ReasonTask } from '../reasoning/index.ts';
import { noteHash, relativeNotePath } from '../state/index.ts';
import { asPicked, asShown } from './pick.ts';
import { checkCitations, withRealCitations } from './realCitations.ts';
import type { Stores } from './stores.ts';

/** A note as it stands now. */
export interface Note {
  readonly text: string;
  /** Absolute path. */
  readonly file: string;
  /** The workspace folder that the note belongs to. */
  readonly root: string;
}

export interface ReasonRequest {
  /** UTF-16 offset of the cursor. Left out when a block is to be replaced, or a run is gone on with. */
  readonly offset?: number | undefined;
  readonly question?: string | undefined;
  readonly intent?: Intent | undefined;
  readonly seed?: number | undefined;
  /** Rounds after the draft; left out, as the settings say. */
  readonly iterations?: number | undefined;
  /** The block whose paragraph is reasoned about again. */
  readonly replaces?: string | undefined;
  /** An unfinished run to go on with. */
  readonly resume?: string | undefined;
  /** A run whose steps before this one are kept, with others from there on. */
  readonly branch?: Branch | undefined;
}

export interface Branch {
  readonly run: string;
  readonly iteration: number;
  readonly step: StepName;
}

/** What the notes and papers of a workspace know. */
export interface Grounding {
  /** @throws PreflexorError `index-failed`, `no-model`, `cancelled` */
  search(
    root: string,
    query: string,
    options: { readonly k: number; readonly filter: SearchFilter },
    signal: AbortSignal,
  ): Promise<SearchResult>;
  /** Which passages stand behind which section. */
  sourcesOf(
    root: string,
    iterations: readonly Iteration[],
    passages: readonly Passage[],
    signal: AbortSignal,
  ): Promise<SectionSources[]>;
  /** Cosine similarity of two texts. */
  similarity(root: string, one: string, other: string, signal: AbortSignal): Promise<number>;
}

export interface Services extends Pick<ReasonPorts, 'model' | 'now'> {
  /** Criticises, improves and integrates; the model itself where there is no other. */
  readonly critic: LanguageModel;
  /** null: there is no index, or it is switched off. */
  readonly grounding: Grounding | null;
  readonly prompts: (root: string, set: Settings['reasoning.promptSet']) => Promise<PromptSet>;
  readonly stores: Stores;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly version: string;
  /** The keys of all bibliographies of the workspace at `root`; none where it has no bibliography. */
  readonly knownCitations: (root: string, signal: AbortSignal) => Promise<ReadonlySet<string>>;
}

/** What the writer can do to a run while it goes on. */
export interface RunSignals {
  /** Ends it; what is done can be gone on with later. */
  readonly cancel: AbortSignal;
  /** No more thinking and no more rounds: the answer, now. */
  readonly answerNow?: AbortSignal;
}

/** A run that is done. */
export interface RunOutcome {
  readonly run: Run;
  /** Set when the run could not be stored: it is in the caller's hands only. */
  readonly warning: string | null;
}

/** Words of the paragraph that the notes are searched for; embedders read no more anyway. */
const mostQueryCharacters = 2000;

/**
 * Reasons about the paragraph at the request's offset and stores the run in `.preflexor/runs/`, each step as it
 * is done. A search that fails costs the passages, not the run. Works that neither a bibliography of the workspace
 * nor the note itself knows are marked in the run's `final`, never cited.
 * @throws PreflexorError `not-a-paragraph`, `note-too-large`, `not-text`, `unknown-run`, `bad-input` (a prompt of
 * the workspace), `cancelled`, or what the model throws
 */
export async function* reasonInNote(
  note: Note,
  request: ReasonRequest,
  settings: Settings,
  services: Services,
  signals: RunSignals,
): AsyncGenerator<ReasonEvent, RunOutcome> {
  const { task, events } = await begin(note, request, settings, services, signals);
  const record = new RunRecord(task, services, note.root);
  for (;;) {
    const step = await events.next();
    if (step.done) return await record.finish(step.value);
    await record.hear(step.value);
    yield step.value;
  }
}

/** The same run, kept nowhere: what it writes is in the caller's hands only. */
export async function reasonUnkept(
  note: Note,
  request: ReasonRequest,
  settings: Settings,
  services: Services,
  signals: RunSignals,
): Promise<Run> {
  const { events } = await begin(note, request, settings, services, signals);
  for (;;) {
    const step = await events.next();
    if (step.done) return step.value;
  }
}

async function begin(
  note: Note,
  request: ReasonRequest,
  settings: Settings,
  services: Services,
  signals: RunSignals,
): Promise<{ readonly task: ReasonTask; readonly events: AsyncGenerator<ReasonEvent, Run> }> {
  const prompts = await services.prompts(note.root, settings['reasoning.promptSet']);
  const task = await taskOf(note, request, settings, prompts, services);
  const ports = portsOf(note, request, settings, services, signals);
  const events = withRealCitations(reason(task, ports, signals.cancel), async (run) => {
    const known = await services.knownCitations(note.root, signals.cancel);
    return await checkCitations(run, note.text, known, signals.cancel);
  });
  return { task, events };
}

async function taskOf(
  note: Note,
  request: ReasonRequest,
  settings: Settings,
  prompts: PromptSet,
  services: Services,
): Promise<ReasonTask> {
  const { version, stores, random } = services;
  const own = { prompts, version };
  if (request.resume !== undefined) {
    const { id, ...known } = await stores.runs(note.root).loadUnfinished(request.resume);
    return { ...known, ...own, from: { run: id, ...startOf(known) } };
  }
  const seed = request.seed ?? Math.floor(random() * 2 ** 31);
  const block = newBlockId(random);
  if (request.branch)
    return await branchOf(note, request.branch, { seed, block, ...own }, settings, services);

  const { text, start, end, headingPath, before, after } = await subjectParagraph(note, request, stores);
  return {
    ...own,
    ...how(settings, prompts, seed),
    iterations: request.iterations ?? settings['reasoning.iterations'],
    block,
    subject: { headingPath, before, after, paragraph: text },
    task: taskFor(request, prompts),
    note: {
      path: relativeNotePath(note.root, note.file),
      hash: noteHash(note.text),
      range: { start, end },
    },
  };
}

/** What the settings say of a run. */
function how(
  settings: Settings,
  prompts: PromptSet,
  seed: number,
): Pick<ReasonTask, 'thinkingParts' | 'thinkingSections' | 'reflects' | 'scoring' | 'sampler'> {
  const parts = settings['reasoning.thinkingParts'];
  return {
    thinkingParts: parts.length > 0 ? parts : prompts.thinkingParts,
    thinkingSections: settings['reasoning.thinkingSections'],
    reflects: settings['reasoning.mode'] === 'thinking-and-reflection',
    scoring: settings['reasoning.scoring'],
    sampler: {
      seed,
      temperature: settings['reasoning.temperature'],
      criticTemperature: settings['reasoning.criticTemperature'],
      thinkingTokens: settings['reasoning.thinkingTokens'],
      reflectionTokens: settings['reasoning.reflectionTokens'],
      answerTokens: settings['reasoning.answerTokens'],
      avoidLoops: settings['reasoning.avoidLoops'],
    },
  };
}

function taskFor({ question, intent }: ReasonRequest, prompts: PromptSet): Task {
  if (question === undefined) return prompts.tasks[intent ?? 'strengthen'];
  return { question, answerWith: prompts.ownAnswerWith };
}

function startOf({
  passages,
  nothingRelevant,
  steps,
  branchOf,
}: Omit<UnfinishedRun, 'id'>): Omit<NonNullable<ReasonTask['from']>, 'run'> {
  return { passages, nothingRelevant, steps, ...(branchOf && { branchOf }) };
}

/** A run of its own that begins with steps of another one and goes on with another seed. */
async function branchOf(
  note: Note,
  { run: id, iteration, step }: Branch,
  own: Pick<ReasonTask, 'prompts' | 'version' | 'block'> & { seed: number },
  settings: Settings,
  { stores }: Services,
): Promise<ReasonTask> {
  const run = await stores.runs(note.root).load(id);
  const steps = run.steps ?? [];
  const at = steps.findIndex((known) => known.iteration === iteration && known.name === step);
  if (at < 0) {
    throw new PreflexorError('bad-input', `This run has no ${step} in iteration ${iteration}.`, {
      remedy: 'Choose a step that it shows.',
    });
  }
  const { seed, ...rest } = own;
  const place = relocate(note.text, { text: run.paragraph, start: run.note.range.start });
  const { headingPath, before, after } = place ?? { headingPath: [], before: '', after: '' };
  return {
    ...rest,
    ...how(settings, own.prompts, seed),
    iterations: Math.max(iteration, run.wanted ?? settings['reasoning.iterations']),
    reflects: steps.some(({ name }) => name === 'reflection'),
    thinkingSections:
      1 + Math.max(0, ...steps.filter(({ name }) => name === 'thinking').map(({ part }) => part)),
    sampler: { ...run.provenance.sampler, seed },
    subject: { headingPath, before, after, paragraph: run.paragraph },
    task: { question: run.question, answerWith: answerWith(own.prompts, run.question) },
    note: place
      ? { ...run.note, hash: noteHash(note.text), range: { start: place.start, end: place.end } }
      : run.note,
    from: {
      run: null,
      passages: run.passages,
      nothingRelevant: run.nothingRelevant ?? false,
      steps: steps.slice(0, at),
      branchOf: { run: run.id, steps: at },
    },
  };
}

/** Runs store the question only; what the answer is to be follows from it, or it was the writer's own. */
function answerWith(prompts: PromptSet, question: string): string {
  const task = Object.values(prompts.tasks).find((known) => known.question === question);
  return task?.answerWith ?? prompts.ownAnswerWith;
}

function portsOf(
  note: Note,
  request: ReasonRequest,
  settings: Settings,
  { model, critic, grounding, now }: Services,
  { answerNow }: RunSignals,
): ReasonPorts {
  const ports = { model, critic, now, ...(answerNow && { answerNow }) };
  if (!grounding || !settings['retrieval.enabled'])
    return { ...ports, passages: null, sources: null, similarity: null };
  const k = settings['retrieval.passages'];
  const path = relativeNotePath(note.root, note.file);
  return {
    ...ports,
    passages:
      k === 0
        ? null
        : (signal, subject) => {
            const query = [request.question, subject.paragraph].filter(Boolean).join('\n');
            const filter = { notSources: [path] };
            return grounding.search(note.root, query.slice(0, mostQueryCharacters), { k, filter }, signal);
          },
    // What an embedder adds is worth having, and no run should fail for want of it.
    sources: (iterations, passages, signal) =>
      orElse([], grounding.sourcesOf(note.root, iterations, passages, signal)),
    similarity: (one, other, signal) => orElse(null, grounding.similarity(note.root, one, other, signal)),
  };
}

/** The value, or `otherwise` where it can't be had. @throws PreflexorError `cancelled` */
async function orElse<T, O>(otherwise: O, value: Promise<T>): Promise<T | O> {
  try {
    return await value;
  } catch (error) {
    if (PreflexorError.is(error, 'cancelled')) throw error;
    return otherwise;
  }
}

/** Keeps a run on disk while it goes on. Not being able to do so is told at the end, and costs nothing else. */
class RunRecord {
  readonly #services: Services;
  readonly #root: string;
  readonly #task: ReasonTask;
  #unfinished: UnfinishedRun | null = null;
  #warning: string | null = null;

  constructor(task: ReasonTask, services: Services, root: string) {
    this.#task = task;
    this.#services = services;
    this.#root = root;
  }

  async hear(event: ReasonEvent): Promise<void> {
    if (event.event === 'passages') {
      const { passages, nothingRelevant } = event;
      // The steps that are gone on from are in the record from the start.
      this.#unfinished = this.#begin(event.run, {
        passages,
        nothingRelevant,
        steps: this.#task.from?.steps ?? [],
      });
    }
    if (event.event === 'step' && this.#unfinished) {
      this.#unfinished = { ...this.#unfinished, steps: [...this.#unfinished.steps, event.step] };
      await this.#save(this.#unfinished);
    }
  }

  async finish(run: Run): Promise<RunOutcome> {
    const runs = this.#services.stores.runs(this.#root);
    try {
      await runs.save(run);
      await runs.removeUnfinished(run.id);
      await this.#services.stores.learner?.learnRun(this.#root, run);
      return { run, warning: null };
    } catch (error) {
      return { run, warning: `This run could not be stored. ${sentence(error)}` };
    }
  }

  #begin(
    id: string,
    start: { passages: Passage[]; nothingRelevant: boolean; steps: readonly Step[] },
  ): UnfinishedRun {
    const {
      subject,
      task,
      thinkingParts,
      thinkingSections,
      reflects,
      iterations,
      scoring,
      sampler,
      note,
      block,
      from,
    } = this.#task;
    return {
      ...{ schema: 1, id, block, time: new Date(this.#services.now()).toISOString(), note },
      subject: { ...subject, headingPath: [...subject.headingPath] },
      ...{ task, thinkingSections, reflects, iterations, scoring, sampler },
      thinkingParts: [...thinkingParts],
      passages: start.passages,
      nothingRelevant: start.nothingRelevant,
      steps: [...start.steps],
      ...(from?.branchOf && { branchOf: from.branchOf }),
    };
  }

  async #save(run: UnfinishedRun): Promise<void> {
    if (this.#warning !== null) return;
    try {
      await this.#services.stores.runs(this.#root).saveUnfinished(run);
    } catch (error) {
      this.#warning = sentence(error);
    }
  }
}

/** The paragraph under the cursor, or the one that the block to be replaced belongs to. */
async function subjectParagraph(note: Note, request: ReasonRequest, stores: Stores): Promise<Paragraph> {
  if (request.replaces === undefined) {
    if (request.offset === undefined)
      throw new PreflexorError('bad-input', 'A position or a block is needed.');
    return paragraphAt(note.text, request.offset);
  }
  const run = await runOfBlock(stores, note.root, request.replaces);
  const found = run && relocate(note.text, { text: run.paragraph, start: run.note.range.start });
  if (found) return found;
  const block = readBlocks(note.text).blocks.find(({ id }) => id === request.replaces);
  if (!block) throw unknownBlock(request.replaces);
  return paragraphAt(note.text, note.text.slice(0, block.start).trimEnd().length);
}

/**
 * The stored run of a block as the writer sees it, or null where it is not known or can't be read.
 * @param present the answer that stands in the block; left out, it is not in the note
 */
export async function runOfBlock(
  stores: Stores,
  root: string,
  block: string,
  present?: string,
): Promise<Run | null> {
  try {
    const run = await stores.runs(root).findByBlock(block);
    if (!run) return null;
    return present === undefined ? asPicked(run) : asShown(run, present);
  } catch {
    // An unreadable run costs the provenance of a decision, never the decision.
    return null;
  }
}
