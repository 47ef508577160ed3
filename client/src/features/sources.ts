// The Sources view: the passages behind the run that the Iterations view shows (preflexor/sources), those related
// to the paragraph under the cursor (preflexor/related), and the index. What it shows is worked out in
// sourcesModel.ts; it asks only while it is visible.
import {
  CancellationTokenSource,
  EventEmitter,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  Uri,
  commands,
  window,
  type TreeDataProvider,
  type TreeView,
} from 'vscode';
import {
  relatedRequest,
  sourcesRequest,
  sourcesView,
  type ClientCommand,
} from '../../../server/src/protocol/index.ts';
import type { Feature } from '../feature.ts';
import type { IndexBoard } from '../indexBoard.ts';
import type { Server } from '../languageClient.ts';
import { isNote } from '../notes.ts';
import type { RunBoard } from '../runBoard.ts';
import { failureFrom } from '../showFailure.ts';
import { sourceNodes, type RelatedPassages, type RunSources, type SourceNode } from '../sourcesModel.ts';

/** The cursor has to rest this long. */
const restMs = 400;

export function activateSources(
  server: Server,
  runs: RunBoard,
  indexes: IndexBoard,
): Feature<'preflexor.showSources'> {
  const sources = new Sources(server, runs, indexes);
  return {
    commands: { 'preflexor.showSources': () => commands.executeCommand(`${sourcesView}.focus`) },
    disposables: [
      sources,
      { dispose: runs.onChange(({ text }) => text ?? sources.runChanged()) },
      { dispose: indexes.onChange(() => sources.indexChanged()) },
      window.onDidChangeActiveTextEditor(() => sources.cursorMoved()),
      window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === window.activeTextEditor) sources.cursorMoved();
      }),
      server.onStarted(() => sources.refresh()),
    ],
  };
}

class Sources implements TreeDataProvider<SourceNode> {
  readonly #server: Server;
  readonly #runs: RunBoard;
  readonly #indexes: IndexBoard;
  readonly #view: TreeView<SourceNode>;
  readonly #changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  /** The note that the writer is in, or was in last. */
  #note: string | null = null;
  #run: { readonly id: string; readonly sources: RunSources } | null = null;
  #asking: string | null = null;
  #related: RelatedPassages | null = null;
  #resting: NodeJS.Timeout | undefined;
  #looking: CancellationTokenSource | null = null;
  #wasBusy = false;

  constructor(server: Server, runs: RunBoard, indexes: IndexBoard) {
    this.#server = server;
    this.#runs = runs;
    this.#indexes = indexes;
    this.#view = window.createTreeView(sourcesView, { treeDataProvider: this, showCollapseAll: true });
    this.#view.onDidChangeVisibility(() => {
      this.refresh();
    });
    this.cursorMoved();
  }

  getChildren(parent?: SourceNode): SourceNode[] {
    if (parent) return [...parent.children];
    const shown = this.#shownRun();
    return sourceNodes({
      run: this.#run && this.#run.id === shown ? this.#run.sources : null,
      related: this.#related,
      indexes: this.#indexes.statuses,
    });
  }

  getTreeItem(node: SourceNode): TreeItem {
    const { id, kind, label, description, tooltip, icon, open, children, passage, path } = node;
    const state =
      children.length === 0
        ? TreeItemCollapsibleState.None
        : open
          ? TreeItemCollapsibleState.Expanded
          : TreeItemCollapsibleState.Collapsed;
    const item = new TreeItem(label, state);
    item.id = id;
    item.description = description;
    // A string is shown as it is: never as markdown.
    item.tooltip = tooltip || label;
    item.iconPath = new ThemeIcon(icon);
    item.contextValue = kind;
    item.accessibilityInformation = { label: [label, description].filter((part) => part !== '').join(', ') };
    const command = (name: ClientCommand, title: string, argument: unknown): void => {
      item.command = { command: name, title, arguments: [argument] };
    };
    if (passage) command('preflexor.openPassage', 'Open Passage', passage);
    else if (path !== null) command('preflexor.whyNotIndexed', 'Why Is It Not Indexed?', Uri.file(path));
    return item;
  }

  /** Everything may have changed, or the view is seen again. */
  refresh(): void {
    this.runChanged();
    this.cursorMoved();
  }

  runChanged(): void {
    this.#changed.fire(undefined);
    const id = this.#shownRun();
    if (id === null || !this.#view.visible || this.#run?.id === id || this.#asking === id) return;
    void this.#askForRun(id);
  }

  indexChanged(): void {
    this.#changed.fire(undefined);
    const isBusy = this.#indexes.mood === 'busy';
    // What is related may be another passage now.
    if (this.#wasBusy && !isBusy) this.cursorMoved();
    this.#wasBusy = isBusy;
  }

  cursorMoved(): void {
    const editor = window.activeTextEditor;
    if (!editor || !isNote(editor.document)) return;
    const uri = editor.document.uri.toString();
    if (uri !== this.#note) {
      this.#note = uri;
      this.#related = null;
      this.runChanged();
    }
    clearTimeout(this.#resting);
    if (this.#view.visible) this.#resting = setTimeout(() => void this.#askForRelated(), restMs);
  }

  /** The finished run that the Iterations view shows for this note, by its id. */
  #shownRun(): string | null {
    const key = this.#note === null ? null : this.#runs.shownKey(this.#note);
    const model = key === null ? null : this.#runs.model(key);
    return model?.state === 'finished' || model?.state === 'stopped' ? model.run : null;
  }

  async #askForRun(id: string): Promise<void> {
    const note = this.#note;
    if (note === null) return;
    this.#asking = id;
    try {
      const sources = await this.#server.request(sourcesRequest, { textDocument: { uri: note }, run: id });
      this.#run = { id, sources };
      this.#changed.fire(undefined);
    } catch (error) {
      this.#server.log.debug(`The sources of ${id}: ${failureFrom(error).message}`);
    } finally {
      this.#asking = null;
    }
  }

  async #askForRelated(): Promise<void> {
    const editor = window.activeTextEditor;
    if (!editor || !isNote(editor.document) || editor.document.isUntitled) return;
    this.#looking?.cancel();
    const mine = new CancellationTokenSource();
    this.#looking = mine;
    const { line, character } = editor.selection.active;
    const uri = editor.document.uri.toString();
    try {
      const params = { textDocument: { uri }, position: { line, character } };
      const related = await this.#server.request(relatedRequest, params, { token: mine.token });
      if (this.#looking !== mine) return;
      this.#related = related;
      this.#changed.fire(undefined);
    } catch (error) {
      const { code, message } = failureFrom(error);
      if (code !== 'cancelled') this.#server.log.debug(`What is related to ${uri}: ${message}`);
    } finally {
      mine.dispose();
    }
  }

  dispose(): void {
    clearTimeout(this.#resting);
    this.#looking?.cancel();
    this.#view.dispose();
    this.#changed.dispose();
  }
}
