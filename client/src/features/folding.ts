// Folds the thinking and reflection of a block that was just inserted (preflexor/didInsertBlock), unless the
// setting says no. Only in such blocks: what else is folded is the writer's business.
import { commands, window, workspace, type FoldingRange, type TextEditor } from 'vscode';
import { annotationsRequest, blockInsertedNotification } from '../../../server/src/protocol/index.ts';
import { linesToFold } from '../blocks.ts';
import type { Releasable } from '../feature.ts';
import type { Server } from '../languageClient.ts';

/** The editor works out folding ranges some time after an edit; after this long it is left as it is. */
const tries = 20;
const pauseMs = 150;

export function activateFolding(server: Server): { readonly disposables: readonly Releasable[] } {
  /** Blocks whose note was not in the active editor, by note. `editor.fold` works there only. */
  const waiting = new Map<string, Set<string>>();

  async function inserted(uri: string, block: string): Promise<void> {
    const editor = window.activeTextEditor;
    if (editor?.document.uri.toString() === uri) await foldBlock(server, editor, block);
    else waiting.set(uri, (waiting.get(uri) ?? new Set()).add(block));
  }

  async function becameActive(editor: TextEditor | undefined): Promise<void> {
    const uri = editor?.document.uri.toString() ?? '';
    const blocks = waiting.get(uri);
    if (!editor || !blocks) return;
    waiting.delete(uri);
    for (const block of blocks) await foldBlock(server, editor, block);
  }

  const logged = (work: Promise<void>): void => {
    void work.catch((error: unknown) => {
      server.log.warn(`An annotation was not folded: ${String(error)}`);
    });
  };

  return {
    disposables: [
      server.onNotification(blockInsertedNotification, ({ uri, block }) => {
        logged(inserted(uri, block));
      }),
      window.onDidChangeActiveTextEditor((editor) => {
        logged(becameActive(editor));
      }),
      workspace.onDidCloseTextDocument(({ uri }) => {
        waiting.delete(uri.toString());
      }),
    ],
  };
}

async function foldBlock(server: Server, editor: TextEditor, block: string): Promise<void> {
  const { document } = editor;
  const settings = workspace.getConfiguration('preflexor', document);
  if (!settings.get<boolean>('annotations.foldOnInsert', true)) return;
  const editing = workspace.getConfiguration('editor', document);
  // Folding by indentation knows nothing of our sections.
  if (!editing.get<boolean>('folding', true) || editing.get('foldingStrategy') === 'indentation') return;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const lines = await foldableLines(server, editor, block);
    // The writer went elsewhere: nothing is folded behind their back.
    if (lines === null || window.activeTextEditor !== editor) return;
    if (lines.length > 0) {
      // `down` with one level collapses what starts at these lines, and leaves what is collapsed as it is.
      await commands.executeCommand('editor.fold', { selectionLines: lines, levels: 1, direction: 'down' });
      await pause();
      if (lines.every((line) => !bodyIsVisible(editor, line))) return;
    } else {
      await pause();
    }
  }
}

/** Header lines of the block that the editor can fold by now. null: there is nothing to be folded. */
async function foldableLines(
  server: Server,
  { document }: TextEditor,
  block: string,
): Promise<number[] | null> {
  const textDocument = { uri: document.uri.toString() };
  const { blocks } = await server.request(annotationsRequest, { textDocument });
  const found = blocks.find(({ id }) => id === block);
  const lines = found ? linesToFold(found) : [];
  if (lines.length === 0) return null;
  const ranges = await commands.executeCommand<FoldingRange[] | undefined>(
    'vscode.executeFoldingRangeProvider',
    document.uri,
  );
  const starts = new Set(ranges?.map(({ start }) => start));
  // All or none: folding a line that starts no range would fold the chapter around it.
  return lines.every((line) => starts.has(line)) ? lines : [];
}

/** Whether the line below a header is on screen although the header is: the editor leaves folded lines out. */
function bodyIsVisible({ visibleRanges }: TextEditor, header: number): boolean {
  return visibleRanges.some(({ start, end }) => start.line <= header && end.line > header);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}
