// The Graph view, an editor panel: parts of the knowledge graph, and where its links can be read (preflexor/graph,
// graphEvidence). It draws nothing itself: webview/src/graph. Evidence is opened like any passage.
import {
  ViewColumn,
  commands,
  window,
  type ExtensionContext,
  type TextEditor,
  type WebviewPanel,
} from 'vscode';
import {
  GraphFromView,
  GraphToView,
  graphEvidenceRequest,
  graphRequest,
  type ClientCommand,
  type EvidencePlace,
  type LocatedPassage,
} from '../../../server/src/protocol/index.ts';
import { sentenceOf } from '../failure.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { isNote } from '../notes.ts';
import { failureFrom } from '../showFailure.ts';
import { openPanel } from '../panelPage.ts';
import type { Page } from '../webviewHost.ts';

const declaration = { name: 'graph', title: 'Knowledge Graph', toView: GraphToView, fromView: GraphFromView };

/** The cursor has to rest this long. */
const restMs = 400;

/** The paragraph that the writer is in, or was in last. */
interface Cursor {
  readonly textDocument: { readonly uri: string };
  readonly position: { readonly line: number; readonly character: number };
}

export function activateGraph(context: ExtensionContext, server: Server): Feature<'preflexor.showGraph'> {
  const panel = new GraphPanel(context, server);
  return {
    commands: {
      'preflexor.showGraph': () => {
        panel.show();
      },
    },
    disposables: [
      panel,
      window.onDidChangeActiveTextEditor((editor) => {
        panel.cursorMoved(editor);
      }),
      window.onDidChangeTextEditorSelection(({ textEditor }) => {
        panel.cursorMoved(textEditor);
      }),
    ],
  };
}

class GraphPanel {
  readonly #context: ExtensionContext;
  readonly #server: Server;
  #panel: WebviewPanel | null = null;
  #page: Page<GraphToView> | null = null;
  #cursor: Cursor | null = null;
  #resting: NodeJS.Timeout | undefined;
  /** What was told of the node that is selected: the view names a place of these by its number. */
  #evidence: { readonly node: string; readonly places: readonly EvidencePlace[] } | null = null;

  constructor(context: ExtensionContext, server: Server) {
    this.#context = context;
    this.#server = server;
  }

  show(): void {
    this.cursorMoved(window.activeTextEditor);
    if (!this.#panel) this.#open();
    this.#panel?.reveal();
  }

  cursorMoved(editor: TextEditor | undefined): void {
    if (!editor || !isNote(editor.document) || editor.document.isUntitled) return;
    const { line, character } = editor.selection.active;
    this.#cursor = {
      textDocument: { uri: editor.document.uri.toString() },
      position: { line, character },
    };
    clearTimeout(this.#resting);
    if (!this.#panel?.visible) return;
    this.#resting = setTimeout(() => this.#page?.send({ type: 'cursor' }), restMs);
  }

  #open(): void {
    const { panel, page } = openPanel(
      declaration,
      ViewColumn.Beside,
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

  async #hear(message: GraphFromView): Promise<void> {
    try {
      await this.#answer(message);
    } catch (error) {
      const failed = failureFrom(error);
      if (failed.code !== 'cancelled') this.#page?.send({ type: 'said', message: sentenceOf(failed) });
    }
  }

  async #answer(message: GraphFromView): Promise<void> {
    const where = this.#cursor ? { textDocument: this.#cursor.textDocument } : {};
    switch (message.type) {
      case 'ready':
        // It asks for what it shows by itself.
        return;
      case 'didAsk': {
        const { query, wish, aroundCursor } = message;
        const meant = aroundCursor && this.#cursor ? this.#cursor : where;
        const graph = await this.#server.request(graphRequest, { ...meant, wish });
        this.#page?.send({ type: 'graph', query, graph });
        return;
      }
      case 'didAskEvidence': {
        const { node } = message;
        const { places } = await this.#server.request(graphEvidenceRequest, { ...where, node });
        this.#evidence = { node, places };
        this.#page?.send({ type: 'evidence', node, places });
        return;
      }
      case 'didPressPlace': {
        const known = this.#evidence?.node === message.node ? this.#evidence.places : [];
        const place = known[message.place];
        if (place) await openPlace(place);
        return;
      }
      case 'didFail':
        this.#server.log.error(`The Graph view: ${message.message}`);
    }
  }

  dispose(): void {
    clearTimeout(this.#resting);
    this.#panel?.dispose();
  }
}

/** As a passage: that is checked, and looked for where the file has changed. Of a PDF the page is not known. */
async function openPlace({ source, uri, start, end, text }: EvidencePlace): Promise<void> {
  const command: ClientCommand = 'preflexor.openPassage';
  const page = source.toLowerCase().endsWith('.pdf') ? 1 : null;
  const passage: LocatedPassage = { id: '', heading: [], score: 0, page, source, uri, start, end, text };
  await commands.executeCommand(command, passage);
}
