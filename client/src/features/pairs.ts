// Preference pairs: a tree that counts them, with a badge for what waits for review, and the curation board
// (preflexor/pairs, pair, curate, undoCuration). It draws nothing itself: webview/src/board.
import {
  EventEmitter,
  Position,
  Range,
  Selection,
  TextEditorRevealType,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  ViewColumn,
  window,
  workspace,
  type ExtensionContext,
  type TreeDataProvider,
  type TreeView,
  type WebviewPanel,
} from 'vscode';
import {
  BoardFromView,
  BoardToView,
  PairFilter,
  curateRequest,
  pairRequest,
  pairsNotification,
  pairsRequest,
  pairsView,
  undoCurationRequest,
  type ClientCommand,
  type PairCounts,
} from '../../../server/src/protocol/index.ts';
import { sentenceOf } from '../failure.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { isNote, showNote } from '../notes.ts';
import { pairNodes, waitingBadge, type PairNode } from '../pairsModel.ts';
import { failureFrom } from '../showFailure.ts';
import { openPanel } from '../panelPage.ts';
import type { Page } from '../webviewHost.ts';

const declaration = {
  name: 'board',
  title: 'Preference Pairs',
  toView: BoardToView,
  fromView: BoardFromView,
};

/** Which folder is meant; empty: the first one that is open. */
interface Where {
  readonly textDocument?: { readonly uri: string };
}

export function activatePairs(
  context: ExtensionContext,
  server: Server,
): Feature<'preflexor.showPairs' | 'preflexor.showPairsOf'> {
  const board = new Board(context, server);
  const tree = new Pairs(server);
  return {
    commands: {
      'preflexor.showPairs': () => {
        board.show(where(), null);
      },
      'preflexor.showPairsOf': (argument) => {
        const filter = PairFilter.safeParse(argument);
        board.show(where(), filter.data ?? null);
      },
    },
    disposables: [
      board,
      tree,
      server.onStarted(() => {
        void tree.refresh();
      }),
      server.onNotification(pairsNotification, () => {
        board.changed();
        void tree.refresh();
      }),
      window.onDidChangeActiveTextEditor(() => {
        tree.follow();
      }),
    ],
  };
}

/** The folder of the note that the writer is in, where there is more than one or none is open. */
function where(): Where {
  const document = window.activeTextEditor?.document;
  if (!document || document.isUntitled || !isNote(document)) return {};
  return { textDocument: { uri: document.uri.toString() } };
}

class Pairs implements TreeDataProvider<PairNode> {
  readonly #server: Server;
  readonly #view: TreeView<PairNode>;
  readonly #changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  #counts: PairCounts | null = null;
  #folder: string | null = null;

  constructor(server: Server) {
    this.#server = server;
    this.#view = window.createTreeView(pairsView, { treeDataProvider: this });
  }

  getChildren(parent?: PairNode): PairNode[] {
    return parent ? [...parent.children] : pairNodes(this.#counts);
  }

  getTreeItem({ id, label, description, icon, filter, children }: PairNode): TreeItem {
    const state = children.length === 0 ? TreeItemCollapsibleState.None : TreeItemCollapsibleState.Collapsed;
    const item = new TreeItem(label, state);
    item.id = id;
    item.description = description;
    item.tooltip = label;
    item.iconPath = new ThemeIcon(icon);
    item.accessibilityInformation = { label: `${label}, ${description}` };
    item.command = {
      command: 'preflexor.showPairsOf' satisfies ClientCommand,
      title: 'Show on the Board',
      arguments: [filter],
    };
    return item;
  }

  /** Another folder may be meant now. */
  follow(): void {
    const uri = window.activeTextEditor?.document.uri;
    const folder = uri ? (workspace.getWorkspaceFolder(uri)?.uri.toString() ?? null) : this.#folder;
    if (folder === this.#folder) return;
    this.#folder = folder;
    void this.refresh();
  }

  /** The server has derived them already, or does so in the background. */
  async refresh(): Promise<void> {
    const meant = where();
    if (!meant.textDocument && !workspace.workspaceFolders) return;
    try {
      const { counts } = await this.#server.request(pairsRequest, { ...meant, limit: 0 });
      this.#counts = counts;
      // Typed as it is, the property has to be there to be cleared.
      Object.assign(this.#view, { badge: waitingBadge(counts) ?? undefined });
      this.#changed.fire(undefined);
    } catch (error) {
      this.#server.log.debug(`The pairs could not be counted: ${failureFrom(error).message}`);
    }
  }

  dispose(): void {
    this.#view.dispose();
    this.#changed.dispose();
  }
}

class Board {
  readonly #context: ExtensionContext;
  readonly #server: Server;
  #panel: WebviewPanel | null = null;
  #page: Page<BoardToView> | null = null;
  #ready = false;
  #where: Where = {};
  /** To be shown as soon as the page listens. */
  #filter: PairFilter | null = null;

  constructor(context: ExtensionContext, server: Server) {
    this.#context = context;
    this.#server = server;
  }

  show(meant: Where, filter: PairFilter | null): void {
    const other = JSON.stringify(meant) !== JSON.stringify(this.#where);
    // The board itself has the focus when it is asked for again: then it stays with its folder.
    if (meant.textDocument || !this.#panel) this.#where = meant;
    this.#filter = filter;
    if (!this.#panel) this.#open();
    this.#panel?.reveal();
    if (this.#ready) this.#begin();
    if (this.#ready && other) this.changed();
  }

  changed(): void {
    this.#send({ type: 'changed' });
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
        this.#ready = false;
      },
    );
    this.#panel = panel;
    this.#page = page;
    panel.onDidChangeViewState(() => {
      if (!panel.visible) this.#ready = false;
    });
  }

  async #hear(message: BoardFromView): Promise<void> {
    try {
      await this.#answer(message);
    } catch (error) {
      const failed = failureFrom(error);
      if (failed.code !== 'cancelled') this.#send({ type: 'failed', message: sentenceOf(failed) });
    }
  }

  async #answer(message: BoardFromView): Promise<void> {
    switch (message.type) {
      case 'ready':
        // It is made anew each time that it was hidden.
        this.#ready = true;
        this.#begin();
        return;
      case 'didAsk': {
        const { type: _, query, ...asked } = message;
        const page = await this.#server.request(pairsRequest, { ...this.#where, ...asked });
        if (this.#panel) this.#panel.title = `${declaration.title}: ${page.folder}`;
        this.#send({ type: 'page', query, page });
        return;
      }
      case 'didFocus': {
        const detail = await this.#server.request(pairRequest, { ...this.#where, pair: message.pair });
        this.#send({ type: 'detail', detail });
        return;
      }
      case 'didCurate': {
        const { pairs, action } = message;
        const result = await this.#server.request(curateRequest, { ...this.#where, pairs, action });
        this.#send({ type: 'done', action, undo: false, result });
        return;
      }
      case 'didPressUndo': {
        const { undone, ...result } = await this.#server.request(undoCurationRequest, this.#where);
        this.#send({ type: 'done', action: undone, undo: true, result });
        return;
      }
      case 'didPressPlace':
        await this.#openPlace(message.pair);
        return;
      case 'didFail':
        this.#server.log.error(`The curation board: ${message.message}`);
    }
  }

  /** The note, at the place that the pair came from. */
  async #openPlace(pair: string): Promise<void> {
    const { place } = await this.#server.request(pairRequest, { ...this.#where, pair });
    if (!place) {
      this.#send({ type: 'failed', message: 'Its note is not there, or it came in with a file.' });
      return;
    }
    const editor = await showNote(place.uri, true);
    const { start, end } = place.range;
    const range = editor.document.validateRange(
      new Range(new Position(start.line, start.character), new Position(end.line, end.character)),
    );
    editor.selection = new Selection(range.start, range.start);
    editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
  }

  #begin(): void {
    if (this.#filter) this.#send({ type: 'filter', filter: this.#filter });
    this.#filter = null;
  }

  #send(message: BoardToView): void {
    if (this.#ready) this.#page?.send(message);
  }

  dispose(): void {
    this.#panel?.dispose();
  }
}
