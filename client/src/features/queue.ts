// The Queue view: the runs that go on or wait (preflexor/didChangeQueue), to be moved by hand or by keyboard, and
// to be taken out (preflexor/queue). The order is the server's; what is shown is worked out in queueModel.ts.
import {
  DataTransferItem,
  EventEmitter,
  Range,
  Selection,
  TextEditorRevealType,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  commands,
  window,
  type DataTransfer,
  type TreeDataProvider,
  type TreeDragAndDropController,
  type TreeView,
} from 'vscode';
import { z } from 'zod';
import {
  queueNotification,
  queueRequest,
  queueView,
  type ClientCommand,
  type QueueEntry,
  type QueueParams,
} from '../../../server/src/protocol/index.ts';
import type { CommandHandler, Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { showNote } from '../notes.ts';
import { dropPlace, neighbour, queueNodes, waitingCount, type QueueNode } from '../queueModel.ts';
import { failureFrom, showFailure } from '../showFailure.ts';

type QueueCommand =
  | 'preflexor.showQueue'
  | 'preflexor.queueFirst'
  | 'preflexor.queueUp'
  | 'preflexor.queueDown'
  | 'preflexor.queueRemove'
  | 'preflexor.queueReveal';

const NodeArgument = z.object({ id: z.string() });
const draggedType = 'application/vnd.preflexor.queue';

export function activateQueue(server: Server): Feature<QueueCommand> {
  const view = new QueueView(server);
  /** About the entry whose button was pressed, else those that are selected in the view. */
  const onEntries =
    (act: (ids: readonly string[]) => Promise<void>): CommandHandler =>
    (argument) => {
      const told = NodeArgument.safeParse(argument);
      return act(told.success ? [told.data.id] : view.selected());
    };
  return {
    commands: {
      'preflexor.showQueue': () => commands.executeCommand(`${queueView}.focus`),
      'preflexor.queueFirst': onEntries((ids) => view.moveToFront(ids)),
      'preflexor.queueUp': onEntries((ids) => view.step(ids, -1)),
      'preflexor.queueDown': onEntries((ids) => view.step(ids, 1)),
      'preflexor.queueRemove': onEntries((ids) => view.ask({ action: 'cancel', entries: [...ids] })),
      'preflexor.queueReveal': onEntries((ids) => view.reveal(ids)),
    },
    disposables: [
      view,
      server.onNotification(queueNotification, ({ entries }) => {
        view.show(entries);
      }),
      // A server that starts anew has an empty queue.
      server.onStarted(() => {
        view.show([]);
      }),
    ],
  };
}

class QueueView implements TreeDataProvider<QueueNode>, TreeDragAndDropController<QueueNode> {
  readonly dragMimeTypes = [draggedType];
  readonly dropMimeTypes = [draggedType];
  readonly #server: Server;
  readonly #view: TreeView<QueueNode>;
  readonly #changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  #entries: readonly QueueEntry[] = [];

  constructor(server: Server) {
    this.#server = server;
    this.#view = window.createTreeView(queueView, {
      treeDataProvider: this,
      dragAndDropController: this,
      canSelectMany: true,
    });
  }

  show(entries: readonly QueueEntry[]): void {
    this.#entries = entries;
    const value = waitingCount(entries);
    this.#view.badge = value === 0 ? undefined : { value, tooltip: `${value} paragraphs wait` };
    this.#changed.fire(undefined);
  }

  selected(): string[] {
    return this.#view.selection.map(({ id }) => id);
  }

  getChildren(parent?: QueueNode): QueueNode[] {
    return parent ? [] : queueNodes(this.#entries);
  }

  getTreeItem({ id, label, description, tooltip, icon, state }: QueueNode): TreeItem {
    const item = new TreeItem(label);
    item.id = id;
    item.description = description;
    // A string is shown as it is: never as markdown.
    item.tooltip = tooltip;
    item.iconPath =
      state === 'held' ? new ThemeIcon(icon, new ThemeColor('disabledForeground')) : new ThemeIcon(icon);
    item.contextValue = state;
    item.accessibilityInformation = { label: [label, description].filter((part) => part !== '').join(', ') };
    item.command = {
      command: 'preflexor.queueReveal' satisfies ClientCommand,
      title: 'Show in the Note',
      arguments: [{ id }],
    };
    return item;
  }

  handleDrag(nodes: readonly QueueNode[], transfer: DataTransfer): void {
    transfer.set(draggedType, new DataTransferItem(nodes.map(({ id }) => id)));
  }

  /** Before the entry that they are dropped on; behind all where that is none. */
  async handleDrop(target: QueueNode | undefined, transfer: DataTransfer): Promise<void> {
    const dragged = z.array(z.string()).safeParse(transfer.get(draggedType)?.value);
    if (dragged.success) await this.#move(dragged.data, dropPlace(this.#entries, dragged.data, target?.id));
  }

  async moveToFront(ids: readonly string[]): Promise<void> {
    const [first] = this.#entries.filter(({ state }) => state !== 'running');
    await this.#move(ids, dropPlace(this.#entries, ids, first?.id));
  }

  async #move(ids: readonly string[], before: string | null): Promise<void> {
    for (const entry of ids) await this.ask({ action: 'move', entry, before });
  }

  async step([id, ...others]: readonly string[], by: 1 | -1): Promise<void> {
    if (id === undefined || others.length > 0) return;
    const before = neighbour(this.#entries, id, by);
    if (before !== undefined) await this.#move([id], before);
  }

  async ask(params: QueueParams): Promise<void> {
    try {
      const { entries } = await this.#server.request(queueRequest, params);
      this.show(entries);
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  async reveal([entry]: readonly string[]): Promise<void> {
    if (entry === undefined) return;
    try {
      const uri = this.#entries.find(({ id }) => id === entry)?.uri;
      if (uri === undefined) return;
      const editor = await showNote(uri, false);
      const { place } = await this.#server.request(queueRequest, { action: 'find', entry });
      if (!place) return;
      const { start } = place.range;
      const range = new Range(start.line, start.character, start.line, start.character);
      editor.selection = new Selection(range.start, range.start);
      editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  dispose(): void {
    this.#view.dispose();
    this.#changed.dispose();
  }
}
