// Reasoning: asks the server to reason about a paragraph (preflexor/reason) and passes what it streams to the
// run board, which the Iterations view shows. What a paragraph is and where the block goes is the server's.
import { CancellationTokenSource, commands, window } from 'vscode';
import { z } from 'zod';
import {
  answerNowRequest,
  QueuedStep,
  queueRequest,
  queueView,
  ReasonEvent,
  reasonManyRequest,
  reasonRequest,
  stopRequest,
  type ErrorReport,
  type Position,
  type QueuePriority,
  type StepName,
} from '../../../server/src/protocol/index.ts';
import { failure, type Failure } from '../failure.ts';
import { iterationsViewId, workingContext, type Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { activeNote, noNote, showNote } from '../notes.ts';
import { QueuedRuns } from '../queuedRuns.ts';
import type { RunBoard } from '../runBoard.ts';
import { isActive, withAnswer, withFailure, withStop, withWait } from '../runModel.ts';
import { failureFrom, showFailure } from '../showFailure.ts';

/** What is to be reasoned about: the paragraph at a position, or the one of a block to be replaced. */
export interface ReasonRequest {
  readonly uri: string;
  readonly position?: Position;
  readonly question?: string;
  readonly replaces?: string;
  /** A run that was stopped or cut off, to go on with. */
  readonly resume?: string;
  /** A run whose steps before this one are kept. */
  readonly branch?: { readonly run: string; readonly iteration: number; readonly step: StepName };
}

/** How the Iterations view takes part. */
export interface RunDisplay {
  /** Opens it without taking the focus. */
  reveal(): void;
  /** Whether the writer sees this run there now. */
  shows(key: string): boolean;
}

/** The paragraphs that are reasoned about one by one. */
export interface ManyRequest {
  readonly uri: string;
  readonly scope: Exclude<QueuePriority, 'paragraph'>;
  readonly position?: Position;
}

type ReasoningCommand =
  | 'preflexor.reason'
  | 'preflexor.ask'
  | 'preflexor.reasonSection'
  | 'preflexor.reasonNote'
  | 'preflexor.stop';

export interface Reasoning extends Feature<ReasoningCommand> {
  /** Resolves when all its runs have ended. */
  reasonMany(request: ManyRequest): Promise<void>;
  /** Resolves when the run has ended, however that was. */
  reason(request: ReasonRequest): Promise<void>;
  /** Stops one run. */
  stop(key: string): void;
  /** Ends the thinking of a run that goes on. */
  answerNow(key: string): void;
  /** Asks once more for a run that failed. */
  retry(key: string): void;
}

export function activateReasoning(server: Server, board: RunBoard, display: RunDisplay): Reasoning {
  const asked = new Map<
    string,
    { readonly request: ReasonRequest; readonly source: CancellationTokenSource }
  >();

  async function reason(request: ReasonRequest): Promise<void> {
    const source = new CancellationTokenSource();
    const key = board.begin(request.uri, request.question ?? '', Date.now());
    asked.set(key, { request, source });
    // Its place is the view, not a toast.
    await window.withProgress({ location: { viewId: iterationsViewId } }, () => run(key, request, source));
    source.dispose();
  }

  async function run(key: string, request: ReasonRequest, source: CancellationTokenSource): Promise<void> {
    const { uri, ...rest } = request;
    try {
      // A note that is closed while it waits is still worked on.
      await showNote(uri, false);
      const answer = await server.request(
        reasonRequest,
        { textDocument: { uri }, ...rest },
        {
          token: source.token,
          partial: {
            schema: z.array(ReasonEvent),
            hear: (events) => {
              // Not before: what is refused at once needs no view.
              if (events.some(({ event }) => event === 'started')) display.reveal();
              for (const event of events) board.event(key, event, Date.now());
            },
          },
          hearWork: (message) => {
            if (message !== null) board.update(key, (model) => withWait(model, message));
          },
        },
      );
      asked.delete(key);
      board.update(key, (model) => withAnswer(model, answer));
    } catch (error) {
      ended(key, request, error);
    }
  }

  function ended(key: string, request: ReasonRequest, error: unknown): void {
    const failure = helpedAlong(failureFrom(error), request);
    if (failure.code === 'cancelled') {
      asked.delete(key);
      board.update(key, (model) => withStop(model, Date.now()));
    } else if (board.model(key)?.run === null) {
      // Refused before it began: there is nothing to look at.
      board.remove(key);
      showFailure(failure, () => reason(request));
    } else {
      board.update(key, (model) => withFailure(model, failure, Date.now()));
      if (!display.shows(key)) showFailure(failure, () => reason(request));
    }
  }

  /** Runs of the queue, by their keys on the board: their places in it. */
  const queued = new Map<string, string>();

  async function reasonMany(request: ManyRequest): Promise<void> {
    const { uri, scope, position } = request;
    // Its place is the view, not a toast.
    await window.withProgress({ location: { viewId: queueView } }, async () => {
      const runs = new QueuedRuns(board, uri, queued);
      try {
        await showNote(uri, false);
        void commands.executeCommand(`${queueView}.focus`, { preserveFocus: true });
        const { failures, queued: count } = await server.request(
          reasonManyRequest,
          { textDocument: { uri }, scope, ...(position && { position }) },
          {
            partial: {
              schema: z.array(QueuedStep),
              hear: (steps) => {
                for (const step of steps) if (runs.hear(step, Date.now())) display.reveal();
              },
            },
          },
        );
        const [first] = failures;
        if (first) showFailure(manyFailed(first, failures.length, count));
      } catch (error) {
        showFailure(failureFrom(error), () => reasonMany(request));
      } finally {
        runs.end(Date.now());
      }
    });
  }

  async function reasonManyHere(scope: ManyRequest['scope']): Promise<void> {
    const editor = activeNote();
    if (!editor) {
      showFailure(noNote());
      return;
    }
    const { line, character } = editor.selection.active;
    await reasonMany({ uri: editor.document.uri.toString(), scope, position: { line, character } });
  }

  /** @param ask whether the writer is asked for a question first */
  async function reasonHere(ask: boolean): Promise<void> {
    const editor = activeNote();
    if (!editor) {
      showFailure(noNote());
      return;
    }
    const { line, character } = editor.selection.start;
    const request = { uri: editor.document.uri.toString(), position: { line, character } };
    if (!ask) return reason(request);
    const question = await window.showInputBox({
      title: 'Ask About This Paragraph',
      prompt: 'The question that the model thinks about',
      placeHolder: 'What does this claim take for granted?',
      validateInput: (text) => (text.trim() === '' ? 'Write a question, or press Escape.' : null),
    });
    if (question !== undefined) await reason({ ...request, question: question.trim() });
  }

  async function stopAll(): Promise<void> {
    try {
      await server.request(stopRequest, {});
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  let working = false;
  const unlisten = board.onChange(() => {
    const now = board.active > 0;
    if (now !== working) void commands.executeCommand('setContext', workingContext, now);
    working = now;
  });

  return {
    reason,
    reasonMany,
    stop: (key) => {
      const entry = queued.get(key);
      if (entry !== undefined) {
        server.request(queueRequest, { action: 'cancel', entries: [entry] }).catch((error: unknown) => {
          showFailure(failureFrom(error));
        });
        return;
      }
      const source = asked.get(key)?.source;
      const model = board.model(key);
      if (!source || !model || !isActive(model)) return;
      source.cancel();
      board.update(key, (present) => withStop(present, Date.now()));
    },
    answerNow: (key) => {
      const run = board.model(key)?.run;
      if (run == null) return;
      server.request(answerNowRequest, { run }).catch((error: unknown) => {
        showFailure(failureFrom(error));
      });
    },
    retry: (key) => {
      const uri = board.uriOf(key);
      const run = board.model(key)?.run;
      // One of the queue goes on from what it has done.
      const request = asked.get(key)?.request ?? (uri !== null && run != null && { uri, resume: run });
      if (request) void reason(request);
    },
    commands: {
      'preflexor.reason': () => reasonHere(false),
      'preflexor.ask': () => reasonHere(true),
      'preflexor.reasonSection': () => reasonManyHere('section'),
      'preflexor.reasonNote': () => reasonManyHere('note'),
      'preflexor.stop': stopAll,
    },
    disposables: [{ dispose: unlisten }],
  };
}

/** A note that was never saved can be saved at the press of a button. */
function helpedAlong(failure: Failure, { uri }: ReasonRequest): Failure {
  const unsaved = failure.code === 'note-missing' && uri.startsWith('untitled:');
  return unsaved ? { ...failure, actions: ['save'] } : failure;
}

/** One failure that stands for all of them. */
function manyFailed({ code, message, remedy }: ErrorReport, failed: number, of: number): Failure {
  return failure(code, failed === 1 ? message : `${message} (${failed} of ${of} paragraphs)`, remedy);
}
