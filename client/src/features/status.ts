// The status item (preflexor/didChangeStatus): model, state and speed; its menu says the rest and holds Stop.
import {
  QuickPickItemKind,
  StatusBarAlignment,
  ThemeColor,
  commands,
  window,
  workspace,
  type QuickPickItem,
} from 'vscode';
import {
  clientCommands,
  statusNotification,
  statusRequest,
  unloadRequest,
  type ClientCommand,
  type EngineStatus,
} from '../../../server/src/protocol/index.ts';
import type { Feature } from '../feature.ts';
import { indexLine, stateInWords, type IndexBoard } from '../indexBoard.ts';
import type { Server } from '../languageClient.ts';
import type { RunBoard } from '../runBoard.ts';
import { serverAddress } from '../serverAddress.ts';
import { failureFrom, showFailure } from '../showFailure.ts';
import { statusFacts, statusWords } from '../statusWords.ts';
import { isRecording } from './recording.ts';

interface MenuItem extends QuickPickItem {
  readonly run?: () => unknown;
}

export function activateStatus(
  server: Server,
  board: RunBoard,
  indexes: IndexBoard,
): Feature<'preflexor.showMenu' | 'preflexor.unload' | 'preflexor.showLog'> {
  let status: EngineStatus | null = null;
  const item = window.createStatusBarItem('preflexor.status', StatusBarAlignment.Left, 0);
  item.name = 'PRefLexOR';
  item.command = 'preflexor.showMenu' satisfies ClientCommand;

  function show(): void {
    const words = statusWords(status, board.active, serverHost(), isRecording());
    const { text, failed } = words;
    const index = indexLine(indexes.statuses);
    const spoken = index === null ? words.spoken : `${words.spoken}\n${index}`;
    // The board changes with every word of a run; the item does not.
    if (item.text === text && item.tooltip === spoken) return;
    item.text = text;
    item.tooltip = spoken;
    item.accessibilityInformation = { label: spoken, role: 'button' };
    item.backgroundColor = failed ? new ThemeColor('statusBarItem.warningBackground') : undefined;
    item.show();
  }

  async function ask(): Promise<void> {
    try {
      status = await server.request(statusRequest, {});
      show();
    } catch {
      // It is in the log; the next change of state tells itself.
    }
  }

  async function menu(): Promise<void> {
    const picked = await window.showQuickPick(menuItems(), {
      title: 'PRefLexOR',
      placeHolder: 'What the model is doing, and what you can do',
      matchOnDescription: true,
    });
    await picked?.run?.();
  }

  function menuItems(): MenuItem[] {
    const working = board.active > 0 || status?.state === 'generating';
    const loaded = status?.state === 'ready' || status?.state === 'generating';
    return [
      ...(working ? [action('preflexor.stop')] : []),
      ...(serverHost() === null ? [action('preflexor.chooseModel')] : [action('preflexor.setKey')]),
      ...(loaded ? [action('preflexor.unload')] : []),
      action('preflexor.showIterations'),
      action('preflexor.showSources'),
      action('preflexor.showPairs'),
      action(isRecording() ? 'preflexor.pauseRecording' : 'preflexor.resumeRecording'),
      action('preflexor.showStored'),
      ...indexActions(indexes),
      action('preflexor.showLog'),
      { label: 'State', kind: QuickPickItemKind.Separator },
      ...(status ? statusFacts(status, serverHost()) : []).map(({ leadsTo, ...fact }) => ({
        ...fact,
        run: () => lead(leadsTo),
      })),
      ...indexes.statuses.map((index) => ({
        label: 'Notes and papers',
        description: stateInWords(index),
        detail: index.message ?? index.root,
        run: () => commands.executeCommand('preflexor.showSources' satisfies ClientCommand),
      })),
    ];
  }

  async function unload(): Promise<void> {
    try {
      await server.request(unloadRequest, {});
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  show();
  return {
    commands: {
      'preflexor.showMenu': menu,
      'preflexor.unload': unload,
      'preflexor.showLog': () => {
        server.log.show();
      },
    },
    disposables: [
      item,
      { dispose: board.onChange(show) },
      { dispose: indexes.onChange(show) },
      server.onStarted(() => void ask()),
      window.onDidChangeActiveTextEditor(show),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('preflexor.engine.url')) show();
        if (change.affectsConfiguration('preflexor.preferences.record')) show();
      }),
      server.onNotification(statusNotification, (changed) => {
        status = changed;
        show();
      }),
    ],
  };
}

/** Of the model server that text goes to; null: none is set. */
function serverHost(): string | null {
  return serverAddress(workspace.getConfiguration('preflexor').get<unknown>('engine.url'))?.host ?? null;
}

function action(command: ClientCommand): MenuItem {
  const { icon, title } = clientCommands[command];
  return { label: `$(${icon}) ${title}`, run: () => commands.executeCommand(command) };
}

function indexActions({ mood }: IndexBoard): MenuItem[] {
  if (mood === 'busy') return [action('preflexor.pauseIndexing')];
  return mood === 'paused' ? [action('preflexor.resumeIndexing')] : [];
}

/** To a command, or to a setting in the settings editor. */
function lead(to: string): Thenable<unknown> {
  if (to === 'chooseModel') return commands.executeCommand('preflexor.chooseModel');
  if (to === 'showLog') return commands.executeCommand('preflexor.showLog');
  return commands.executeCommand('workbench.action.openSettings', `@id:${to}`);
}
