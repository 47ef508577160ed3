// Pages of PDFs, read-only, with a passage marked on them: one panel per file. It draws nothing itself:
// webview/src/pdf. A button hands the file over to whatever the system opens it with.
import {
  Uri,
  ViewColumn,
  env,
  window,
  workspace,
  type ExtensionContext,
  type LogOutputChannel,
} from 'vscode';
import { PdfFromView, PdfToView, type LocatedPassage } from '../../../server/src/protocol/index.ts';
import { openPage } from '../webviewHost.ts';

const viewType = 'preflexor.pdfPage';

const declaration = {
  name: 'pdf',
  title: 'Page',
  toView: PdfToView,
  fromView: PdfFromView,
  fetches: true,
};

interface OpenFile {
  show(page: number, passage: string | null): void;
  close(): void;
}

export class PdfPages {
  readonly #context: ExtensionContext;
  readonly #log: LogOutputChannel;
  readonly #open = new Map<string, OpenFile>();

  constructor(context: ExtensionContext, log: LogOutputChannel) {
    this.#context = context;
    this.#log = log;
  }

  /** Shows the page that a passage is on. @throws whatever reading the file throws */
  async open(uri: Uri, { page, text, readable }: LocatedPassage): Promise<void> {
    const key = uri.toString();
    const passage = readable ?? text;
    // Read before the panel is made: a file that is gone needs none.
    if (!this.#open.has(key))
      this.#open.set(key, this.#make(uri, new Uint8Array(await workspace.fs.readFile(uri))));
    this.#open.get(key)?.show(page ?? 1, passage);
  }

  #make(uri: Uri, data: Uint8Array<ArrayBuffer>): OpenFile {
    const name = uri.path.split('/').at(-1) ?? '';
    const panel = window.createWebviewPanel(viewType, name, ViewColumn.Active);
    let shown: { page: number; passage: string | null } = { page: 1, passage: null };
    /** The page listens, and has the file. */
    let ready = false;
    const page = openPage(
      panel.webview,
      declaration,
      {
        extensionUri: this.#context.extensionUri,
        language: env.language,
        warn: (problem) => {
          this.#log.warn(problem);
        },
      },
      (message) => {
        if (message.type === 'ready') {
          // It is made anew each time that it was hidden.
          ready = true;
          page.send({ type: 'document', name, data, resources: page.address('pdf/'), ...shown });
        } else if (message.type === 'didTurn') {
          shown = { ...shown, page: message.page };
        } else if (message.type === 'didPressOpen') {
          void env.openExternal(uri);
        } else {
          this.#log.error(`${name} could not be shown: ${message.message}`);
        }
      },
    );
    panel.onDidChangeViewState(() => {
      if (!panel.visible) ready = false;
    });
    panel.onDidDispose(() => {
      page.listening.dispose();
      this.#open.delete(uri.toString());
    });
    return {
      show: (number, passage) => {
        shown = { page: number, passage };
        panel.reveal();
        if (ready) page.send({ type: 'page', ...shown });
      },
      close: () => {
        panel.dispose();
      },
    };
  }

  dispose(): void {
    for (const file of [...this.#open.values()]) file.close();
  }
}
