// Makes one sample as the method's section 3 has it: question, passages looked up for it, notes under each heading,
// an answer with the passages in view, and what the model in its present state answers without them. A sample that
// fails a check ends there, and is given back with its reason.
import { PreflexorError } from '../../errors.ts';
import type {
  DatasetSample,
  DatasetSettings,
  MarkerProfile,
  PairPassage,
  SampleChecks,
  SampleProblem,
} from '../../protocol/index.ts';
import {
  changedShare,
  readSegments,
  repetition,
  sharedWords,
  textOf,
  transcript,
} from '../../reasoning/index.ts';
import { seededRandom, seedFor } from '../../evaluation/index.ts';
import { languageOf } from '../../preferences/index.ts';
import { sentencesOf } from '../../retrieval/index.ts';
import { answersOf } from './answers.ts';
import {
  answerProblems,
  commonWords,
  hasStructure,
  questionProblems,
  sampleLimits,
  wholeSentences,
} from './checks.ts';
import type { Drawn } from './draw.ts';
import type { CorpusChunk, DatasetPorts } from './ports.ts';
import {
  openingsIn,
  readStatements,
  SamplePrompts,
  statementCharacters,
  statementsSchema,
  thinkingOf,
  trainedPrompt,
} from './prompts.ts';
import type { QuestionBook } from './questionBook.ts';
import { Writing } from './writing.ts';

export interface SampleTask {
  readonly drawn: Drawn;
  /** A sample whose question and answer are taken over: only the model's own answers are made anew. */
  readonly earlier: DatasetSample | null;
  readonly settings: DatasetSettings;
  readonly seed: number;
  /** Notes that nothing is looked up in, for samples to train on. */
  readonly heldout: ReadonlySet<string>;
  readonly markers: MarkerProfile;
  readonly book: QuestionBook;
}

const mostSentences = 2;

/** So often a question is asked for anew when it is not fit to be asked. */
const questionTries = 4;

/** A question ends at one of them. */
const questionMarks = ['?', '？', '؟'];

type Draft = { -readonly [Key in keyof DatasetSample]: DatasetSample[Key] };

/** @throws PreflexorError `cancelled`, and what the models and the index throw */
export async function makeSample(
  task: SampleTask,
  ports: DatasetPorts,
  signal: AbortSignal,
): Promise<DatasetSample> {
  const { drawn, seed } = task;
  const started = ports.now();
  const writing = new Writing(ports.giveWay, seedFor(seed, `sample ${drawn.attempt}`), signal);
  const making = new Making(task, ports, writing, signal);
  const problems = await making.problems().catch((error: unknown): SampleProblem[] => {
    if (PreflexorError.is(error, 'context-too-small')) return ['too-long'];
    throw error;
  });
  const { draft } = making;
  return {
    ...draft,
    checks: { ...draft.checks, problems },
    kept: problems.length === 0,
    seconds: Math.max(0, (ports.now() - started) / 1000),
    generated: writing.generated,
  };
}

class Making {
  readonly draft: Draft;
  readonly #task: SampleTask;
  readonly #ports: DatasetPorts;
  readonly #writing: Writing;
  readonly #signal: AbortSignal;

  constructor(task: SampleTask, ports: DatasetPorts, writing: Writing, signal: AbortSignal) {
    this.#task = task;
    this.#ports = ports;
    this.#writing = writing;
    this.#signal = signal;
    this.draft = draftOf(task, ports.now());
  }

  async problems(): Promise<SampleProblem[]> {
    const { earlier, markers } = this.#task;
    const hash = await this.#ports.corpus.hashOf(this.draft.note.path, this.#signal);
    if (hash === null) return ['note-gone'];
    this.draft.note = { ...this.draft.note, hash };
    const found = earlier ? [] : await this.#writeReference();
    if (found.length > 0) return found;
    this.draft.prompt = [
      { role: 'user', content: trainedPrompt(this.draft.question, markers.thinking.start) },
    ];
    return await this.#compare();
  }

  /** The question, what the corpus says on it, and the answer that is to be preferred. */
  async #writeReference(): Promise<SampleProblem[]> {
    const { drawn, settings, heldout } = this.#task;
    const shown = drawn.chunks.map(({ readable }) => readable);
    const problems = await this.#ask(shown);
    if (problems.length > 0) return problems;
    const { question } = this.draft;
    const found = await this.#passages(question, drawn.split === 'train' ? [...heldout] : []);
    const context = [...shown, ...found];
    const notes = await this.#notes(question, new SamplePrompts(context), context);
    if (notes === '') return ['ungrounded'];
    const prompts = new SamplePrompts(context);
    const reflects = settings.phase === 2;
    const reflection = reflects
      ? await this.#sentences('reflection', prompts.reflection(question, notes), settings.reflectionTokens)
      : '';
    const answer = await this.#sentences('answer', prompts.answer(question, notes), settings.answerTokens);
    if (answer === null || reflection === null) return ['truncated'];
    this.draft.reference = answer;
    const written = { thinking: [notes], reflection: reflects ? reflection : null, answer };
    this.draft.chosen = transcript(this.#task.markers, written);
    // Each noted statement was held to the passages already.
    const grounded = sharedWords(answer, context.join(' '));
    this.#check({ grounded, repetition: Math.max(repetition(notes), repetition(answer)) });
    const unfit = new Set(answerProblems(answer, question));
    if (reflects) for (const problem of answerProblems(reflection, question)) unfit.add(problem);
    if (grounded < sampleLimits.grounded) unfit.add('ungrounded');
    if (!hasStructure(this.draft.chosen, this.#task.markers, reflects)) unfit.add('structure');
    return [...unfit];
  }

  /** A question that is fit to be asked, within a few tries: it costs little beside what follows from it. */
  async #ask(shown: readonly string[]): Promise<SampleProblem[]> {
    const prompts = new SamplePrompts(shown);
    let problems: SampleProblem[] = [];
    for (let attempt = 0; attempt < questionTries; attempt += 1) {
      problems = await this.#tryQuestion(prompts, shown.join(' '), attempt);
      if (problems.length === 0) break;
    }
    return problems;
  }

  async #tryQuestion(prompts: SamplePrompts, shown: string, attempt: number): Promise<SampleProblem[]> {
    const question = await this.#question(prompts, shown, attempt);
    if (question === null) return ['no-question'];
    this.draft.question = question;
    const problems = questionProblems(question, shown);
    if (problems.length > 0) return problems;
    const nearest = await this.#task.book.nearest(question, this.#signal);
    this.#check({ nearest: nearest.value });
    return nearest.isDuplicate ? ['duplicate'] : [];
  }

  /** The model goes on from an opening that chance gives, and ends at its question mark; null where it does not. */
  async #question(prompts: SamplePrompts, shown: string, attempt: number): Promise<string | null> {
    const { drawn, seed, settings } = this.#task;
    const openings = openingsIn(languageOf(shown));
    const random = seededRandom(seedFor(seed, `opening ${drawn.attempt} ${attempt}`));
    const opening = openings[Math.floor(random() * openings.length)] ?? '';
    const { text, stop } = await this.#writing.write(this.#ports.teacher, `question ${attempt}`, {
      ...{ messages: prompts.question(), maxTokens: 96, temperature: settings.temperature },
      ...{ prefix: opening, stop: [...questionMarks, '\n'] },
    });
    if (stop === null || stop === '\n') return null;
    return `${opening}${text}${stop}`.replace(/\s+/g, ' ').trim();
  }

  /** Looked up in the whole corpus, but never what it was asked from. */
  async #passages(question: string, leftOut: readonly string[]): Promise<string[]> {
    const { drawn, settings } = this.#task;
    if (settings.passages === 0) return [];
    const own = new Set(drawn.chunks.map(({ id }) => id));
    const k = settings.passages + own.size;
    const found = (await this.#ports.corpus.search(question, k, leftOut, this.#signal))
      .filter(({ id }) => !own.has(id))
      .slice(0, settings.passages);
    this.draft.evidence = [
      ...this.draft.evidence,
      ...found.map(({ id, source, start, end }) => ({ id, source, start, end })),
    ];
    return found.map(({ readable, text }) => readable ?? text);
  }

  /** What the passages say under each heading. Statements whose words do not stand there are left out. */
  async #notes(question: string, prompts: SamplePrompts, context: readonly string[]): Promise<string> {
    const { parts, partTokens, temperature } = this.#task.settings;
    const known = context.join(' ');
    const noted: { part: string; statements: string[] }[] = [];
    const said = new Set<string>();
    for (const part of parts) {
      const { text } = await this.#writing.write(this.#ports.teacher, `part ${part}`, {
        ...{ messages: prompts.part(question, part), maxTokens: partTokens, temperature },
        jsonSchema: statementsSchema,
      });
      const statements = (readStatements(text) ?? []).flatMap(finished).filter((statement) => {
        if (said.has(statement) || sharedWords(statement, known) < sampleLimits.statementGrounded)
          return false;
        said.add(statement);
        return true;
      });
      noted.push({ part, statements });
    }
    const [first] = noted;
    // A small model often finds nothing to note: then the sentences that are nearest to the question stand there.
    if (said.size === 0 && first) first.statements.push(...nearestSentences(question, context));
    return thinkingOf(noted);
  }

  async #sentences(
    name: string,
    messages: ReturnType<SamplePrompts['answer']>,
    maxTokens: number,
  ): Promise<string | null> {
    const { temperature } = this.#task.settings;
    const written = await this.#writing.write(this.#ports.teacher, name, {
      messages,
      maxTokens,
      temperature,
    });
    return written.truncated ? wholeSentences(written.text) : written.text.trim();
  }

  /** What the model itself answers, against the grounded answer, or its best against its worst. */
  async #compare(): Promise<SampleProblem[]> {
    const { markers } = this.#task;
    const sides = await answersOf(this.draft, this.#task, this.#ports, this.#writing, this.#signal);
    if (sides === null) return ['structure'];
    const { chosen, rejected, enforced } = sides;
    if (enforced) this.#check({ enforced });
    this.draft.chosen = chosen;
    this.draft.rejected = rejected;
    if (rejected.trim() === '') return ['empty'];
    const answerIn = (text: string): string => textOf(readSegments(text, markers), 'answer');
    const difference = changedShare(answerIn(chosen), answerIn(rejected));
    this.#check({ difference });
    return difference < sampleLimits.difference ? ['too-close'] : [];
  }

  #check(measured: Partial<SampleChecks>): void {
    this.draft.checks = { ...this.draft.checks, ...measured };
  }
}

/** So many sentences of the passages that have most words of the question, in their order; those with none left out. */
function nearestSentences(question: string, context: readonly string[]): string[] {
  const sentences = context.flatMap((text) =>
    sentencesOf(text).map(({ start, end }) => text.slice(start, end).replace(/\s+/g, ' ')),
  );
  const ranked = sentences
    .map((sentence, at) => ({ sentence, at, shared: commonWords(question, sentence) }))
    .filter(({ shared }) => shared > 0)
    .sort((one, other) => other.shared - one.shared);
  return ranked
    .slice(0, mostSentences)
    .sort((one, other) => one.at - other.at)
    .map(({ sentence }) => sentence);
}

/** A statement that ran into its bound ends at its last whole sentence. */
function finished(statement: string): string[] {
  if (statement.length < statementCharacters) return [statement];
  const whole = wholeSentences(statement);
  return whole === null ? [] : [whole];
}

function draftOf({ drawn, earlier }: SampleTask, now: number): Draft {
  const [first] = drawn.chunks;
  const time = new Date(now).toISOString();
  const nothing: SampleChecks = {
    ...{ problems: [], grounded: null, repetition: null, difference: null, nearest: null },
  };
  const drawnNow = { attempt: drawn.attempt, time, split: drawn.split };
  const unknown = { kept: false, seconds: 0, generated: 0 };
  if (earlier) return { ...earlier, ...drawnNow, ...unknown, rejected: '', checks: nothing };
  const range = { start: first?.start ?? 0, end: first?.end ?? 0 };
  return {
    ...drawnNow,
    note: { path: first?.document ?? '', hash: '', range },
    ...{ question: '', prompt: [], chosen: '', rejected: '', reference: '' },
    evidence: drawn.chunks.map(evidenceOf),
    askedFrom: drawn.chunks.length,
    ...{ checks: nothing, ...unknown },
  };
}

function evidenceOf({ id, source, start, end }: CorpusChunk): PairPassage {
  return { id, source, start, end };
}
