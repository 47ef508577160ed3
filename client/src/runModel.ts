// The view model of one run: what the server streams and answers, folded into what the Iterations view shows.
// Pure functions of their arguments; knows neither VS Code nor the clock.
import type { z } from 'zod';
import type {
  DecisionKind,
  FailureSnapshot,
  Iteration,
  IterationSnapshot,
  Placement,
  ReasonEvent,
  ReasonResult,
  Run,
  RunSnapshot,
  RunState,
  Segment,
  SectionSnapshot,
  Step,
  StreamKind,
  UnfinishedRun,
} from '../../server/src/protocol/index.ts';
import { shortPlace } from './sourcesModel.ts';

interface SectionModel {
  readonly kind: StreamKind;
  readonly text: string;
  readonly done: boolean;
  readonly problems: SectionSnapshot['problems'];
  /** Milliseconds; null for a section that was not seen being written. */
  readonly startedAt: number | null;
  readonly seconds: number | null;
  readonly tokens: number | null;
  readonly counts: SectionSnapshot['counts'];
}

interface IterationModel {
  readonly index: number;
  readonly sections: readonly SectionModel[];
  readonly facts: IterationSnapshot['facts'];
}

/** One run, from the moment it is asked for. Never changed: each step gives a new one. */
export interface RunModel {
  readonly key: string;
  /** When it was asked for, in milliseconds since the epoch. */
  readonly askedAt: number;
  readonly run: string | null;
  readonly block: string | null;
  readonly question: string;
  readonly paragraph: string;
  readonly state: RunState;
  readonly message: string | null;
  readonly fraction: number | null;
  readonly failure: FailureSnapshot | null;
  readonly iterations: readonly IterationModel[];
  readonly best: number | null;
  readonly final: string | null;
  readonly placement: z.infer<typeof Placement> | null;
  readonly decision: DecisionKind | null;
  readonly model: string | null;
  readonly seconds: number | null;
  readonly unknownCitations: readonly string[];
  readonly picked: number | null;
  readonly ended: RunSnapshot['ended'];
  readonly omitted: readonly string[];
  readonly nothingRelevant: boolean;
  readonly sources: RunSnapshot['sources'];
  readonly ratings: RunSnapshot['ratings'];
  /** Finished steps are stored: should it end before its end, it can be gone on with. */
  readonly resumable: boolean;
}

/** A run that was just asked for: the server has said nothing yet. */
export function askedRun(key: string, question: string, now: number): RunModel {
  return {
    key,
    askedAt: now,
    run: null,
    block: null,
    question,
    paragraph: '',
    state: 'waiting',
    message: null,
    fraction: null,
    failure: null,
    iterations: [],
    best: null,
    final: null,
    placement: null,
    decision: null,
    model: null,
    seconds: null,
    unknownCitations: [],
    picked: null,
    ended: null,
    omitted: [],
    nothingRelevant: false,
    sources: [],
    ratings: [],
    resumable: false,
  };
}

/** A run as it is stored. Where its suggestion stands now is not in the record. */
export function storedRun(
  run: Run,
  decision: DecisionKind | null,
  ratings: RunSnapshot['ratings'] = [],
): RunModel {
  const asked = askedRun(run.id, run.question, Date.parse(run.time));
  return { ...withResult(asked, run), decision, ratings };
}

/** What is done of a run that was stopped or cut off. */
export function unfinishedRun(run: UnfinishedRun): RunModel {
  const { id, block, task, subject, iterations, passages, nothingRelevant, steps } = run;
  const time = Date.parse(run.time);
  const { question } = task;
  const { paragraph } = subject;
  const events: ReasonEvent[] = [
    { event: 'started', run: id, block, question, paragraph, iterations },
    { event: 'passages', run: id, passages, nothingRelevant },
    ...steps.flatMap((step): ReasonEvent[] => {
      const { iteration, name, text, problems } = step;
      if (name === 'score') return [];
      const at = { run: id, iteration, kind: name };
      return [
        { event: 'segment', ...at },
        { event: 'text', ...at, text },
        { event: 'segment-end', ...at, problems },
        { event: 'step', run: id, step },
      ];
    }),
  ];
  const model = events.reduce(
    (before, event) => withEvent(before, event, time),
    askedRun(id, question, time),
  );
  return withStop({ ...model, resumable: true }, time);
}

/** Whether it still goes on. */
export function isActive(model: RunModel): boolean {
  return model.state === 'waiting' || model.state === 'running';
}

/** What the server says before the run begins: its place in the queue. From then on the stream says it. */
export function withWait(model: RunModel, message: string): RunModel {
  return model.state === 'waiting' && model.run === null ? { ...model, message } : model;
}

/** One step of the stream. Total: an event of another run, or one out of turn, changes nothing it should not. */
export function withEvent(model: RunModel, event: ReasonEvent, now: number): RunModel {
  if (!isActive(model)) return model;
  if (event.event !== 'started' && model.run !== null && event.run !== model.run) return model;
  switch (event.event) {
    case 'started': {
      const { run, block, question, paragraph } = event;
      return { ...model, run, block, question, paragraph };
    }
    case 'waiting':
      return { ...model, message: event.reason, fraction: share(event.fraction) };
    case 'segment':
      return inIteration(running(model), event.iteration, (iteration) => ({
        ...iteration,
        sections: [...iteration.sections.map((section) => ended(section, now)), begun(event.kind, now)],
      }));
    case 'text':
      return inIteration(running(model), event.iteration, (iteration) => {
        const last = iteration.sections.at(-1);
        const open = last?.kind === event.kind && !last.done ? last : begun(event.kind, now);
        const before = open === last ? iteration.sections.slice(0, -1) : iteration.sections;
        return { ...iteration, sections: [...before, { ...open, text: open.text + event.text }] };
      });
    case 'segment-end':
      return inIteration(model, event.iteration, (iteration) => ({
        ...iteration,
        sections: iteration.sections.map((section, index) =>
          index === iteration.sections.length - 1 && section.kind === event.kind
            ? { ...ended(section, now), problems: event.problems }
            : section,
        ),
      }));
    case 'passages':
      return { ...model, nothingRelevant: event.nothingRelevant };
    case 'step':
      return withStep(model, event.step);
    case 'iteration':
      return inIteration(model, event.iteration.index, (seen) =>
        finishedIteration(event.iteration, seen, []),
      );
    case 'finished':
      return withResult(model, event.result);
  }
}

/** What a step cost is known when it is done, and from there the run can be gone on with. */
function withStep(model: RunModel, { iteration: index, name, tokens, seconds, length }: Step): RunModel {
  if (name === 'score') return model;
  const changed = inIteration(model, index, (iteration) => {
    const at = iteration.sections.findLastIndex(({ kind }) => kind === name);
    const sections = iteration.sections.map((section, position) =>
      position === at ? { ...section, counts: tokens, seconds, tokens: length } : section,
    );
    return { ...iteration, sections };
  });
  return { ...changed, resumable: true };
}

/** The answer to the request: the run as it was stored, and where its suggestion went. */
export function withAnswer(model: RunModel, { run, placement, reason }: ReasonResult): RunModel {
  return { ...withResult(model, run), placement, message: reason };
}

/** The writer stopped it: what was written stays to be read. */
export function withStop(model: RunModel, now: number): RunModel {
  return isActive(model)
    ? { ...settled(model, now), state: 'stopped', message: null, fraction: null }
    : model;
}

/** It went wrong. A failure after the run itself was done leaves the run as it is. */
export function withFailure(model: RunModel, failure: FailureSnapshot, now: number): RunModel {
  if (!isActive(model)) return model;
  return { ...settled(model, now), state: 'failed', message: null, fraction: null, failure };
}

/** The writer chose an iteration, and the block shows it. */
export function withPick(model: RunModel, iteration: number): RunModel {
  return { ...model, picked: iteration };
}

/** The writer rated a section; what they said of it before counts no more. */
export function withRating(model: RunModel, rating: RunSnapshot['ratings'][number]): RunModel {
  const others = model.ratings.filter(
    ({ iteration, segment }) => iteration !== rating.iteration || segment !== rating.segment,
  );
  return { ...model, ratings: [...others, rating] };
}

export function withDecision(model: RunModel, decision: DecisionKind): RunModel {
  return { ...model, decision };
}

/** What the view gets. */
export function snapshotOf(model: RunModel, now: number): RunSnapshot {
  return {
    key: model.key,
    run: model.run,
    question: model.question,
    paragraph: model.paragraph,
    state: model.state,
    message: model.message,
    fraction: model.fraction,
    failure: model.failure,
    iterations: model.iterations.map(({ index, sections, facts }) => ({
      index,
      facts,
      sections: sections.map(({ kind, text, done, problems, startedAt, seconds, tokens, counts }) => ({
        kind,
        text,
        done,
        problems,
        seconds: seconds ?? (startedAt === null ? null : elapsed(startedAt, now)),
        tokens,
        counts,
      })),
    })),
    best: model.best,
    final: model.final,
    placement: model.placement,
    decision: model.decision,
    model: model.model,
    seconds: model.seconds,
    unknownCitations: [...model.unknownCitations],
    picked: model.picked,
    ended: model.ended,
    omitted: [...model.omitted],
    nothingRelevant: model.nothingRelevant,
    sources: model.sources,
    ratings: model.ratings,
    resumable: model.resumable && !isActive(model),
  };
}

function withResult(model: RunModel, run: Run): RunModel {
  const seen = new Map(model.iterations.map((iteration) => [iteration.index, iteration]));
  const { stoppedBecause } = run;
  return {
    ...model,
    run: run.id,
    block: run.block,
    question: run.question,
    paragraph: run.paragraph,
    state: stoppedBecause === 'stopped' || stoppedBecause === 'failed' ? stoppedBecause : 'finished',
    message: null,
    fraction: null,
    failure: null,
    iterations: run.iterations.map((iteration) =>
      finishedIteration(iteration, seen.get(iteration.index), run.steps ?? []),
    ),
    best: run.best,
    final: run.final === '' || run.final === run.iterations[run.best]?.answer ? null : run.final,
    model: run.adapter === null ? run.model : `${run.model} + ${run.adapter}`,
    seconds: run.seconds,
    unknownCitations: run.unknownCitations ?? [],
    picked: run.picked?.iteration ?? null,
    ended: stoppedBecause,
    omitted: run.omitted ?? [],
    nothingRelevant: run.nothingRelevant ?? false,
    sources: sourcesOf(run),
    resumable: false,
  };
}

/** Names only: the files are opened by the passages' ids. */
function sourcesOf({ sources, passages }: Run): RunModel['sources'] {
  const known = new Map(passages.map((passage) => [passage.id, passage]));
  return (sources ?? []).map(({ iteration, kind, passages: behind }) => ({
    iteration,
    kind,
    passages: behind.flatMap(({ id, sentence }) => {
      const passage = known.get(id);
      return passage ? [{ id, sentence, name: shortPlace(passage) }] : [];
    }),
  }));
}

/** The record decides on the texts; the time a section took is known where it was seen, or its step is stored. */
function finishedIteration(
  iteration: Iteration,
  seen: IterationModel | undefined,
  steps: readonly Step[],
): IterationModel {
  const { index, score, rubrics, signals, tokens, seconds, feedback } = iteration;
  const own = steps.filter((step) => step.iteration === index);
  const found = new Map<StreamKind, number>();
  const sections = sectionsOf(iteration).map((section, position) => {
    const { kind } = section;
    const part = found.get(kind) ?? 0;
    found.set(kind, part + 1);
    const step = own.filter(({ name }) => name === kind)[part];
    const live = seen?.sections[position];
    const startedAt = live?.kind === kind ? live.startedAt : null;
    return {
      ...section,
      startedAt,
      seconds: step?.seconds ?? (live?.kind === kind ? live.seconds : null),
      counts: step?.tokens ?? (live?.kind === kind ? live.counts : null),
    };
  });
  const facts = {
    score,
    signals,
    tokens,
    seconds,
    ...(rubrics && { rubrics }),
    ...(feedback && { feedback }),
  };
  return { index, sections, facts };
}

function sectionsOf(iteration: Iteration): SectionModel[] {
  const { feedback, segments } = iteration;
  const critique: SectionModel[] =
    feedback?.from === 'critic' ? [{ ...begun('critique', null), text: feedback.text, done: true }] : [];
  if (segments.length > 0) return [...critique, ...segments.map(sectionOf)];
  // A record of an importer may know the texts only.
  const kinds = ['thinking', 'reflection', 'answer'] as const;
  return kinds
    .filter((kind) => iteration[kind] !== '')
    .map((kind) => ({ ...begun(kind, null), text: iteration[kind], done: true }));
}

function sectionOf({ kind, text, tokens, problems }: Segment): SectionModel {
  return { ...begun(kind, null), text, problems, done: true, tokens: tokens.end - tokens.start };
}

function begun(kind: StreamKind, startedAt: number | null): SectionModel {
  return { kind, text: '', done: false, problems: [], startedAt, seconds: null, tokens: null, counts: null };
}

function ended(section: SectionModel, now: number): SectionModel {
  if (section.done) return section;
  return {
    ...section,
    done: true,
    seconds: section.startedAt === null ? null : elapsed(section.startedAt, now),
  };
}

function settled(model: RunModel, now: number): RunModel {
  const iterations = model.iterations.map((iteration) => ({
    ...iteration,
    sections: iteration.sections.map((section) => ended(section, now)),
  }));
  return { ...model, iterations };
}

function running(model: RunModel): RunModel {
  return model.state === 'running' ? model : { ...model, state: 'running', message: null, fraction: null };
}

function inIteration(
  model: RunModel,
  index: number,
  change: (iteration: IterationModel) => IterationModel,
): RunModel {
  const known = model.iterations.find((iteration) => iteration.index === index);
  const changed = change(known ?? { index, sections: [], facts: null });
  const iterations = known
    ? model.iterations.map((iteration) => (iteration === known ? changed : iteration))
    : [...model.iterations, changed];
  return { ...model, iterations };
}

function elapsed(from: number, to: number): number {
  return Math.max(0, (to - from) / 1000);
}

function share(fraction: number | null): number | null {
  return fraction === null ? null : Math.min(1, Math.max(0, fraction));
}
