// The index: its state (preflexor/indexStatus, preflexor/didChangeIndex) for the views and menus, its actions
// (preflexor/index), and why a file is not in it (preflexor/whyNotIndexed).
import { Uri, commands, window } from 'vscode';
import {
  indexContext,
  indexNotification,
  indexRequest,
  indexStatusRequest,
  sourcesView,
  whyNotIndexedRequest,
  type IndexAction,
} from '../../../server/src/protocol/index.ts';
import { failure } from '../failure.ts';
import type { Feature } from '../feature.ts';
import { shareDone, type IndexBoard } from '../indexBoard.ts';
import type { Server } from '../languageClient.ts';
import { failureFrom, showFailure } from '../showFailure.ts';

export type IndexCommand =
  | 'preflexor.indexNow'
  | 'preflexor.pauseIndexing'
  | 'preflexor.resumeIndexing'
  | 'preflexor.rebuildIndex'
  | 'preflexor.whyNotIndexed';

export function activateIndexing(server: Server, board: IndexBoard): Feature<IndexCommand> {
  let mood = '';
  let finishProgress: (() => void) | null = null;

  /** While files are indexed the view says so, not a toast. */
  function follow(): void {
    if (board.mood !== mood) {
      mood = board.mood;
      void commands.executeCommand('setContext', indexContext, mood);
    }
    if (mood !== 'busy') {
      finishProgress?.();
      finishProgress = null;
    } else if (!finishProgress) {
      const ended = new Promise<void>((resolve) => (finishProgress = resolve));
      void window.withProgress({ location: { viewId: sourcesView } }, async (progress) => {
        const tell = (): void => {
          const share = shareDone(board.statuses);
          if (share !== null) progress.report({ message: `${String(Math.round(share * 100))} %` });
        };
        const forget = board.onChange(tell);
        tell();
        await ended;
        forget();
      });
    }
  }

  async function ask(): Promise<void> {
    try {
      board.replace((await server.request(indexStatusRequest, {})).folders);
    } catch {
      // It is in the log; the next change of state tells itself.
    }
  }

  async function act(action: IndexAction): Promise<void> {
    try {
      for (const status of (await server.request(indexRequest, { action })).folders) board.set(status);
    } catch (error) {
      showFailure(failureFrom(error), () => act(action));
    }
  }

  async function explain(argument: unknown): Promise<void> {
    const uri = argument instanceof Uri ? argument : window.activeTextEditor?.document.uri;
    if (uri?.scheme !== 'file') {
      showFailure(failure('bad-input', 'No file is meant.', 'Open one, or choose it in the Explorer.'));
      return;
    }
    try {
      const answer = await server.request(whyNotIndexedRequest, { uri: uri.toString() });
      const state = answer.indexed ? 'is indexed' : 'is not indexed';
      // The writer asked, and waits for this answer.
      void window.showInformationMessage(`${answer.path} ${state}. ${answer.reason}`);
    } catch (error) {
      showFailure(failureFrom(error), () => explain(uri));
    }
  }

  follow();
  return {
    commands: {
      'preflexor.indexNow': () => act('start'),
      'preflexor.pauseIndexing': () => act('pause'),
      'preflexor.resumeIndexing': () => act('resume'),
      'preflexor.rebuildIndex': () => act('rebuild'),
      'preflexor.whyNotIndexed': explain,
    },
    disposables: [
      { dispose: board.onChange(follow) },
      { dispose: () => finishProgress?.() },
      server.onStarted(() => void ask()),
      server.onNotification(indexNotification, (status) => {
        board.set(status);
      }),
    ],
  };
}
