// Reasoning: asks the server to reason about a paragraph (preflexor/reason) and passes what it streams to the
// run board, which the Iterations view shows. What a paragraph is and where the block goes is the server's.
import { CancellationTokenSource, commands, window } from 'vscode';
import { z } from 'zod';
import {
  answerNowRequest,
  ReasonEvent,
  reasonRequest,
  stopRequest,
  type Position,
  type StepName,
} from '../../../server/src/protocol/index.ts';
import type { Failure } from '../failure.ts';
import { iterationsViewId, workingContext, type Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { activeNote, noNote, showNote } from '../notes.ts';
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

export interface Reasoning extends Feature<'preflexor.reason' | 'preflexor.ask' | 'preflexor.stop'> {
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
    stop: (key) => {
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
      const request = asked.get(key)?.request;
      if (request) void reason(request);
    },
    commands: {
      'preflexor.reason': () => reasonHere(false),
      'preflexor.ask': () => reasonHere(true),
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
