// preflexor/reason: the queue, the progress, the stream of events, and the block in the note at the end.
import type { CancellationToken, Connection, WorkDoneProgressReporter } from 'vscode-languageserver/node';
import { PreflexorError, sentence } from '../errors.ts';
import { paragraphAt, relocate, type ParagraphMark } from '../notes/index.ts';
import {
  blockInsertedNotification,
  type ReasonEvent,
  type ReasonParams,
  type ReasonResult,
  type Run,
  type Settings,
} from '../protocol/index.ts';
import {
  offer,
  planDecision,
  reasonInNote,
  recordDecision,
  type Note,
  type RunOutcome,
  type RunQueue,
  type Services,
} from '../workflow/index.ts';
import type { Notes } from './documents.ts';
import { ProgressStream } from './progressStream.ts';
import type { SettingsSource } from './settings.ts';

/** One run to be made: about the paragraph of `mark`, or as the other fields say. */
export interface RunRequest extends Pick<
  ReasonParams,
  'textDocument' | 'question' | 'intent' | 'seed' | 'iterations' | 'replaces' | 'resume' | 'branch'
> {
  readonly mark: ParagraphMark | null;
}

export interface ReasoningParts {
  readonly connection: Connection;
  readonly notes: Notes;
  readonly queue: RunQueue;
  readonly settings: SettingsSource;
  /** For a run about this note, whose turn has come. */
  readonly engines: (note: Note, settings: Settings) => Promise<Pick<Services, 'model' | 'critic'>>;
  readonly services: Omit<Services, 'model' | 'critic'>;
}

export interface Reasoning {
  /** Runs one request to its end. @throws PreflexorError */
  reason(
    params: ReasonParams,
    progress: WorkDoneProgressReporter,
    signal: AbortSignal,
  ): Promise<ReasonResult>;
  /** Makes one run whose turn in the queue has come, and shows it in the note. @throws PreflexorError */
  run(request: RunRequest, hear: (event: ReasonEvent) => void, stop: AbortSignal): Promise<ReasonResult>;
  /** Ends the thinking of the run that goes on; says whether it is this one. */
  answerNow(run: string): boolean;
  /** Whether this run goes on now. */
  isRunning(run: string): boolean;
}

export function createReasoning(parts: ReasoningParts): Reasoning {
  const { connection, notes, queue, settings: source } = parts;
  /** What to abort for an answer now, by run. Runs wait for each other, so that it holds one at most. */
  const hurry = new Map<string, AbortController>();

  async function reason(
    params: ReasonParams,
    progress: WorkDoneProgressReporter,
    signal: AbortSignal,
  ): Promise<ReasonResult> {
    const { uri } = params.textDocument;
    const mark = await markOf(params);
    const stream = new ProgressStream<ReasonEvent>(connection, params.partialResultToken, joinedText);
    progress.begin('Reasoning', 0, queue.size > 0 ? 'Waiting for its turn' : 'Starting', true);
    const about = { uri, paragraph: mark?.text ?? '', start: mark?.start ?? null };
    try {
      return await queue.add({ ...about, priority: 'paragraph' }, signal, async (stop) => {
        let rounds = 0;
        const hear = (event: ReasonEvent): void => {
          stream.push(event);
          if (event.event === 'finished') stream.flush();
          if (event.event === 'started') rounds = event.iterations;
          report(progress, event, rounds);
        };
        return await run({ ...params, mark }, hear, stop);
      });
    } finally {
      stream.flush();
      progress.done();
    }
  }

  /** The paragraph at the cursor: while its run waits, the note may be edited above it. */
  async function markOf({ textDocument: { uri }, position }: ReasonParams): Promise<ParagraphMark | null> {
    if (!position) return null;
    // Before anything is waited for: the position is one of the text as it is now.
    const offset = notes.document(uri).offsetAt(position);
    const { text } = await notes.note(uri);
    return paragraphAt(text, offset);
  }

  async function run(
    request: RunRequest,
    hear: (event: ReasonEvent) => void,
    stop: AbortSignal,
  ): Promise<ReasonResult> {
    const { uri } = request.textDocument;
    const settings = await source.for(uri);
    const outcome = await runToEnd(request, settings, hear, stop);
    if (outcome.warning) connection.window.showWarningMessage(outcome.warning);
    return await place(uri, outcome.run, request.replaces, settings);
  }

  async function runToEnd(
    request: RunRequest,
    settings: Settings,
    hear: (event: ReasonEvent) => void,
    signal: AbortSignal,
  ): Promise<RunOutcome> {
    const note = await notes.note(request.textDocument.uri);
    const { mark, question, intent, seed, iterations, replaces, resume, branch } = request;
    const offset = mark ? offsetOf(note.text, mark) : undefined;
    const services = { ...parts.services, ...(await parts.engines(note, settings)) };
    const answerNow = new AbortController();
    const running = reasonInNote(
      note,
      { offset, question, intent, seed, iterations, replaces, resume, branch },
      settings,
      services,
      { cancel: signal, answerNow: answerNow.signal },
    );
    try {
      for (;;) {
        const step = await running.next();
        if (step.done) return step.value;
        if (step.value.event === 'started') hurry.set(step.value.run, answerNow);
        hear(step.value);
      }
    } finally {
      hurry.clear();
    }
  }

  /** Shows the run in the note, unless it is wished or has to stay outside. */
  async function place(
    uri: string,
    run: Run,
    replaces: string | undefined,
    settings: Settings,
  ): Promise<ReasonResult> {
    const before = await notes.note(uri);
    if (settings['annotations.storage'] === 'sidecar') {
      if (replaces !== undefined) await recordRegenerate(before, replaces, settings);
      return { run, placement: 'sidecar', reason: null };
    }
    let reason: string | null = null;
    let applied: string | null = null;
    try {
      applied = await notes.apply(uri, 'PRefLexOR annotation', (text) => {
        const offered = offer(text, run, replaces);
        if ('reason' in offered) reason = offered.reason;
        return Promise.resolve('edits' in offered ? offered.edits : null);
      });
    } catch (error) {
      reason = sentence(error);
    }
    if (applied === null) return { run, placement: 'sidebar', reason };
    if (replaces !== undefined) await recordRegenerate({ ...before, text: applied }, replaces, settings);
    await tellInserted(uri, run.block);
    return { run, placement: 'inserted', reason: null };
  }

  async function recordRegenerate(note: Note, block: string, settings: Settings): Promise<void> {
    try {
      const { entry } = await planDecision(
        note,
        { block, as: 'regenerate' },
        settings,
        parts.services.stores,
      );
      const { warning } = await recordDecision(parts.services.stores, note.root, entry);
      if (warning) connection.window.showWarningMessage(warning);
    } catch (error) {
      connection.window.showWarningMessage(`The regeneration was not recorded. ${sentence(error)}`);
    }
  }

  /** Once the editor has sent the change back, the block's place is known, and it can be folded. */
  async function tellInserted(uri: string, block: string): Promise<void> {
    const range = await notes.waitForBlock(uri, block);
    if (range) await connection.sendNotification(blockInsertedNotification.method, { uri, block, range });
  }

  return {
    reason,
    run,
    answerNow: (run) => {
      const controller = hurry.get(run);
      controller?.abort();
      return controller !== undefined;
    },
    isRunning: (run) => hurry.has(run),
  };
}

/** Share of an iteration that is done when a section begins, and what it is called while it is written. */
const sectionProgress = {
  critique: [0, 'Criticising'],
  thinking: [0.1, 'Thinking'],
  reflection: [0.5, 'Reflecting'],
  answer: [0.75, 'Answering'],
  integration: [1, 'Integrating'],
} as const;

/** Says in one line what is going on. */
function report(progress: WorkDoneProgressReporter, event: ReasonEvent, rounds: number): void {
  if (event.event === 'waiting') {
    const percent = event.fraction === null ? 0 : Math.round(event.fraction * 100);
    progress.report(percent, event.reason);
  } else if (event.event === 'segment') {
    const [share, words] = sectionProgress[event.kind];
    const iteration = event.iteration === 0 ? '' : ` (iteration ${event.iteration} of ${rounds})`;
    progress.report(Math.round((100 * (event.iteration + share)) / (rounds + 1)), words + iteration);
  }
}

/** Text of one section is one event. */
export function joinedText(last: ReasonEvent, next: ReasonEvent): ReasonEvent | null {
  if (next.event !== 'text' || last.event !== 'text' || last.kind !== next.kind) return null;
  return { ...last, text: last.text + next.text };
}

/** Where a paragraph is by now. @throws PreflexorError `note-changed` */
function offsetOf(text: string, mark: ParagraphMark): number {
  const found = relocate(text, mark);
  if (found) return found.start;
  throw new PreflexorError('note-changed', 'The paragraph was changed while its run waited, or is gone.', {
    remedy: 'Reason about it again.',
  });
}

/** An abort signal that follows a protocol token. */
export function signalOf(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => {
    controller.abort();
  });
  return controller.signal;
}
