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
import type { LanguageModel } from '../engine/index.ts';
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
  readonly model: () => Promise<LanguageModel>;
  readonly services: Omit<Services, 'model'>;
}

export interface Reasoning {
  /** Runs one request to its end. @throws PreflexorError */
  reason(
    params: ReasonParams,
    progress: WorkDoneProgressReporter,
    signal: AbortSignal,
  ): Promise<ReasonResult>;
}

export function createReasoning(parts: ReasoningParts): Reasoning {
  const { connection, notes, queue, settings: source } = parts;

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
        const outcome = await runToEnd(
          params,
          settings,
          (event) => {
            stream.push(event);
            report(progress, event);
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
    const { question, intent, seed, replaces } = params;
    const services = { ...parts.services, model: await parts.model() };
    const run = reasonInNote(note, { offset, question, intent, seed, replaces }, settings, services, signal);
    for (;;) {
      const step = await run.next();
      if (step.done) return step.value;
      hear(step.value);
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

  return { reason };
}

/** Says in one line what is going on. */
function report(progress: WorkDoneProgressReporter, event: ReasonEvent): void {
  if (event.event === 'waiting') {
    const percent = event.fraction === null ? 0 : Math.round(event.fraction * 100);
    progress.report(percent, event.reason);
  } else if (event.event === 'segment') {
    const words = { thinking: 'Thinking', reflection: 'Reflecting', answer: 'Answering' } as const;
    progress.report({ thinking: 10, reflection: 50, answer: 75 }[event.kind], words[event.kind]);
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
