// preflexor/reason: the queue, the progress, the stream of events, and the block in the note at the end.
import {
  ProgressType,
  type CancellationToken,
  type Connection,
  type WorkDoneProgressReporter,
} from 'vscode-languageserver/node';
import { sentence } from '../errors.ts';
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
  type Services,
} from '../workflow/index.ts';
import type { Notes } from './documents.ts';
import type { RunQueue } from './runs.ts';
import type { SettingsSource } from './settings.ts';

/** Events go out at most this often: often enough to look live, seldom enough to cost nothing. */
const flushMs = 40;

const eventsProgress = new ProgressType<ReasonEvent[]>();

export interface ReasoningParts {
  readonly connection: Connection;
  readonly notes: Notes;
  readonly queue: RunQueue;
  readonly settings: SettingsSource;
  readonly engines: () => Promise<Pick<Services, 'model' | 'critic'>>;
  readonly services: Omit<Services, 'model' | 'critic'>;
}

export interface Reasoning {
  /** Runs one request to its end. @throws PreflexorError */
  reason(
    params: ReasonParams,
    progress: WorkDoneProgressReporter,
    signal: AbortSignal,
  ): Promise<ReasonResult>;
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
    const stream = new EventStream(connection, params.partialResultToken);
    progress.begin('Reasoning', 0, queue.size > 0 ? 'Waiting for its turn' : 'Starting', true);
    try {
      return await queue.add(signal, async (stop) => {
        const settings = await source.for(uri);
        let rounds = 0;
        const outcome = await runToEnd(
          params,
          settings,
          (event) => {
            stream.push(event);
            if (event.event === 'started') rounds = event.iterations;
            report(progress, event, rounds);
          },
          stop,
        );
        stream.flush();
        if (outcome.warning) connection.window.showWarningMessage(outcome.warning);
        return await place(uri, outcome.run, params.replaces, settings);
      });
    } finally {
      stream.flush();
      progress.done();
    }
  }

  async function runToEnd(
    params: ReasonParams,
    settings: Settings,
    hear: (event: ReasonEvent) => void,
    signal: AbortSignal,
  ): Promise<RunOutcome> {
    const { uri } = params.textDocument;
    const note = await notes.note(uri);
    const offset = params.position && notes.document(uri).offsetAt(params.position);
    const { question, intent, seed, iterations, replaces, resume, branch } = params;
    const services = { ...parts.services, ...(await parts.engines()) };
    const answerNow = new AbortController();
    const run = reasonInNote(
      note,
      { offset, question, intent, seed, iterations, replaces, resume, branch },
      settings,
      services,
      { cancel: signal, answerNow: answerNow.signal },
    );
    try {
      for (;;) {
        const step = await run.next();
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

/** Gathers events and sends them under the caller's partial-result token, text of one section joined. */
class EventStream {
  readonly #connection: Connection;
  readonly #token: string | number | undefined;
  #waiting: ReasonEvent[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(connection: Connection, token: string | number | undefined) {
    this.#connection = connection;
    this.#token = token;
  }

  push(event: ReasonEvent): void {
    if (this.#token === undefined) return;
    const last = this.#waiting.at(-1);
    if (event.event === 'text' && last?.event === 'text' && last.kind === event.kind) {
      this.#waiting[this.#waiting.length - 1] = { ...last, text: last.text + event.text };
    } else {
      this.#waiting.push(event);
    }
    this.#timer ??= setTimeout(() => {
      this.flush();
    }, flushMs);
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#token === undefined || this.#waiting.length === 0) return;
    void this.#connection.sendProgress(eventsProgress, this.#token, this.#waiting.splice(0));
  }
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
