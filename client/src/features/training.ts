// The Training view, an editor panel: runs of training and their curves (preflexor/trainingRuns, trainingRun,
// trainingPairs, trainingPair). It draws nothing itself: webview/src/training. What the view asks is handed on, and what
// it wants saved is saved where the writer says.
import {
  Position,
  Range,
  Selection,
  TextEditorRevealType,
  Uri,
  ViewColumn,
  commands,
  window,
  workspace,
  type ExtensionContext,
  type WebviewPanel,
} from 'vscode';
import {
  TrainingFromView,
  TrainingToView,
  trainingPairRequest,
  trainingPairsRequest,
  trainingRunRequest,
  trainingRunsRequest,
  type ClientCommand,
  type PairFilter,
  type TrainingPairPlace,
} from '../../../server/src/protocol/index.ts';
import { sentenceOf } from '../failure.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { isNote, showNote } from '../notes.ts';
import { failureFrom } from '../showFailure.ts';
import { openPanel } from '../panelPage.ts';
import type { Page } from '../webviewHost.ts';

const declaration = {
  name: 'training',
  title: 'Training',
  toView: TrainingToView,
  fromView: TrainingFromView,
};

const formatNames = { svg: 'SVG picture', png: 'PNG picture', csv: 'CSV table' } as const;

/** Which folder is meant; empty: the first one that is open. */
interface Where {
  readonly textDocument?: { readonly uri: string };
}

export function activateTraining(
  context: ExtensionContext,
  server: Server,
): Feature<'preflexor.showTraining'> {
  const panel = new TrainingPanel(context, server);
  return {
    commands: {
      'preflexor.showTraining': () => {
        panel.show();
      },
    },
    disposables: [panel],
  };
}

class TrainingPanel {
  readonly #context: ExtensionContext;
  readonly #server: Server;
  #panel: WebviewPanel | null = null;
  #page: Page<TrainingToView> | null = null;
  #where: Where = {};

  constructor(context: ExtensionContext, server: Server) {
    this.#context = context;
    this.#server = server;
  }

  show(): void {
    const document = window.activeTextEditor?.document;
    if (document && !document.isUntitled && isNote(document))
      this.#where = { textDocument: { uri: document.uri.toString() } };
    if (!this.#panel) this.#open();
    this.#panel?.reveal();
  }

  #open(): void {
    const { panel, page } = openPanel(
      declaration,
      ViewColumn.Active,
      { context: this.#context, server: this.#server },
      (message) => void this.#hear(message),
      () => {
        this.#panel = null;
        this.#page = null;
      },
    );
    this.#panel = panel;
    this.#page = page;
  }

  async #hear(message: TrainingFromView): Promise<void> {
    try {
      await this.#answer(message);
    } catch (error) {
      const failed = failureFrom(error);
      if (failed.code !== 'cancelled') this.#page?.send({ type: 'said', message: sentenceOf(failed) });
    }
  }

  async #answer(message: TrainingFromView): Promise<void> {
    const where = this.#where;
    switch (message.type) {
      case 'ready':
        // It asks for what it shows by itself.
        return;
      case 'didAskRuns': {
        const { folder, runs } = await this.#server.request(trainingRunsRequest, where);
        if (this.#panel) this.#panel.title = `${declaration.title}: ${folder}`;
        this.#page?.send({ type: 'runs', folder, runs });
        return;
      }
      case 'didAskRun': {
        const { run, known } = message;
        const detail = await this.#server.request(trainingRunRequest, { ...where, run, known });
        this.#page?.send({ type: 'run', detail });
        return;
      }
      case 'didAskPairs': {
        const { type: _, ...asked } = message;
        const page = await this.#server.request(trainingPairsRequest, { ...where, ...asked });
        this.#page?.send({ type: 'pairs', run: message.run, part: message.part, page });
        return;
      }
      case 'didPressPair': {
        const { type: _, ...asked } = message;
        const { board, place } = await this.#server.request(trainingPairRequest, { ...where, ...asked });
        if (board !== null) await showOnBoard(board);
        else if (place) await showPlace(place);
        else this.#page?.send({ type: 'said', message: 'Its note is not there, or it came in with a file.' });
        return;
      }
      case 'didExport':
        await this.#save(message);
        return;
      case 'didFail':
        this.#server.log.error(`The Training view: ${message.message}`);
    }
  }

  async #save({ format, name, data }: Extract<TrainingFromView, { type: 'didExport' }>): Promise<void> {
    const folder = workspace.workspaceFolders?.[0]?.uri;
    const file = `${name}.${format}`;
    const chosen = await window.showSaveDialog({
      title: 'Save Curves',
      filters: { [formatNames[format]]: [format] },
      ...(folder && { defaultUri: Uri.joinPath(folder, file) }),
    });
    if (!chosen) return;
    await workspace.fs.writeFile(chosen, data);
    this.#page?.send({ type: 'said', message: `Saved as ${chosen.fsPath}.` });
  }

  dispose(): void {
    this.#panel?.dispose();
  }
}

async function showOnBoard(text: string): Promise<void> {
  const command: ClientCommand = 'preflexor.showPairsOf';
  await commands.executeCommand(command, { state: 'all', text } satisfies PairFilter);
}

async function showPlace({
  uri,
  range: { start, end },
}: NonNullable<TrainingPairPlace['place']>): Promise<void> {
  const editor = await showNote(uri, true);
  const range = editor.document.validateRange(
    new Range(new Position(start.line, start.character), new Position(end.line, end.character)),
  );
  editor.selection = new Selection(range.start, range.start);
  editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
}
