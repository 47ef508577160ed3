// Teaching in the background (preflexor/teach, teachingStatus, teachingEstimate, didChangeTeaching): commands, a status
// item that says what it does, and the offer of a better adapter.
import {
  StatusBarAlignment,
  ThemeColor,
  Uri,
  commands,
  window,
  type ProgressOptions,
  ProgressLocation,
} from 'vscode';
import {
  clientCommands,
  teachingContext,
  teachingEstimateRequest,
  teachingNotification,
  teachingStatusRequest,
  teachRequest,
  type ClientCommand,
  type TeachingAction,
  type TeachingOffer,
  type TeachingStatus,
} from '../../../server/src/protocol/index.ts';
import { failure } from '../failure.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { activeNote } from '../notes.ts';
import { failureFrom, showFailure } from '../showFailure.ts';
import { moodOf, startQuestion, teachingWords } from '../teachingWords.ts';
import type { AdapterActions } from './adapters.ts';

export type TeachingCommand =
  | 'preflexor.teachNow'
  | 'preflexor.pauseTeaching'
  | 'preflexor.resumeTeaching'
  | 'preflexor.cancelTeaching'
  | 'preflexor.showTeaching';

export function activateTeaching(server: Server, adapters: AdapterActions): Feature<TeachingCommand> {
  let status: TeachingStatus | null = null;
  /** The adapter that was last offered here, so that an offer is made once. */
  let offered: string | null = null;
  const item = window.createStatusBarItem('preflexor.teaching', StatusBarAlignment.Left, -1);
  item.name = 'PRefLexOR: Learning';
  item.command = 'preflexor.showTeaching' satisfies ClientCommand;

  function show(next: TeachingStatus): void {
    if (status === null || moodOf(status) !== moodOf(next))
      void commands.executeCommand('setContext', teachingContext, moodOf(next));
    status = next;
    const words = teachingWords(next);
    if (words) {
      item.text = words.text;
      item.tooltip = words.spoken;
      item.accessibilityInformation = { label: words.spoken, role: 'button' };
      item.backgroundColor = words.warns ? new ThemeColor('statusBarItem.warningBackground') : undefined;
      item.show();
    } else item.hide();
    const { offer } = next;
    if (!offer || offer.later || offer.adapter === offered) return;
    offered = offer.adapter;
    void propose(offer);
  }

  async function propose(offer: TeachingOffer): Promise<void> {
    const message = 'A better adapter is ready: the model has learnt from your notes and decisions.';
    const pressed = await window.showInformationMessage(message, 'Activate', 'Compare', 'Later');
    if (pressed === 'Activate') await adapters.use(offer.adapter);
    else {
      // It stays in the menu.
      await act('later');
      if (pressed === 'Compare') await adapters.compare(offer.adapter);
    }
  }

  async function ask(): Promise<void> {
    try {
      show(await server.request(teachingStatusRequest, {}));
    } catch {
      // It is in the log; the next change of state tells itself.
    }
  }

  async function act(action: TeachingAction): Promise<void> {
    try {
      show(await server.request(teachRequest, { ...folder(), action }));
    } catch (error) {
      showFailure(failureFrom(error), () => act(action));
    }
  }

  async function teach(): Promise<void> {
    try {
      const options: ProgressOptions = {
        location: ProgressLocation.Notification,
        title: 'Looking at what teaching would take',
        cancellable: true,
      };
      const estimate = await window.withProgress(options, (_progress, token) =>
        server.request(teachingEstimateRequest, folder(), { token }),
      );
      if (estimate.refusal !== null) {
        showFailure(failure('out-of-memory', estimate.refusal, 'Choose a smaller model.'));
        return;
      }
      const { message, detail } = startQuestion(estimate);
      const pressed = await window.showInformationMessage(message, { modal: true, detail }, 'Teach');
      if (pressed === 'Teach') await act('start');
    } catch (error) {
      showFailure(failureFrom(error), teach);
    }
  }

  async function menu(): Promise<void> {
    await ask();
    const mood = status && moodOf(status);
    const offer = status?.offer ?? null;
    const known = [
      ...(mood === 'idle' ? ['preflexor.teachNow' as const] : []),
      ...(mood === 'busy' ? ['preflexor.pauseTeaching' as const] : []),
      ...(mood === 'paused' || mood === 'held' || mood === 'failed'
        ? ['preflexor.resumeTeaching' as const]
        : []),
      ...(mood === null || mood === 'idle' || mood === 'off' ? [] : ['preflexor.cancelTeaching' as const]),
      'preflexor.adapters' as const,
    ];
    const picked = await window.showQuickPick(
      [
        ...(offer ? offerItems(offer) : []),
        ...known.map((command) => ({
          label: `$(${clientCommands[command].icon}) ${clientCommands[command].title}`,
          run: () => commands.executeCommand(command),
        })),
      ],
      { title: 'Learning', placeHolder: status?.says ?? 'What teaching does' },
    );
    await picked?.run();
  }

  function offerItems({ adapter, report, why }: TeachingOffer) {
    return [
      {
        label: '$(check) Activate the Better Adapter',
        description: adapter,
        run: () => adapters.use(adapter),
      },
      { label: '$(eye-closed) Compare It Blindly', run: () => adapters.compare(adapter) },
      ...(report === null ? [] : [showReport(report, why)]),
    ];
  }

  return {
    commands: {
      'preflexor.teachNow': teach,
      'preflexor.pauseTeaching': () => act('pause'),
      'preflexor.resumeTeaching': () => act('resume'),
      'preflexor.cancelTeaching': () => act('cancel'),
      'preflexor.showTeaching': menu,
    },
    disposables: [
      item,
      server.onStarted(() => void ask()),
      server.onNotification(teachingNotification, show),
    ],
  };
}

function showReport(report: string, why: string) {
  return {
    ...{ label: '$(graph) Show Its Report', detail: why },
    run: () => commands.executeCommand('markdown.showPreview', Uri.file(report)),
  };
}

/** The folder of the active note, where there is one. */
function folder(): { textDocument?: { uri: string } } {
  const uri = activeNote()?.document.uri;
  return uri?.scheme === 'file' ? { textDocument: { uri: uri.toString() } } : {};
}
