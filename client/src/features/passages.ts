// Passages: opens the file at the very place of one, or the page of a PDF, and searches for them
// (preflexor/search) in a list that follows what is typed.
import {
  CancellationTokenSource,
  Range,
  Selection,
  TextEditorRevealType,
  Uri,
  window,
  workspace,
  type QuickPickItem,
} from 'vscode';
import { LocatedPassage, searchRequest } from '../../../server/src/protocol/index.ts';
import { failure } from '../failure.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { placeOf } from '../passagePlace.ts';
import { failureFrom, showFailure } from '../showFailure.ts';
import { closeness, shortPlace } from '../sourcesModel.ts';
import type { PdfPages } from './pdfPages.ts';

const typingPauseMs = 200;

interface FoundItem extends QuickPickItem {
  readonly passage?: LocatedPassage;
}

export function activatePassages(
  server: Server,
  pages: PdfPages,
): Feature<'preflexor.openPassage' | 'preflexor.searchPassages'> {
  async function open(argument: unknown): Promise<void> {
    const decoded = LocatedPassage.safeParse(argument);
    if (!decoded.success) return;
    const { uri, source, page } = decoded.data;
    try {
      if (uri === null) {
        showFailure(failure('bad-input', `${source} is not in this folder.`, null));
      } else if (page !== null) {
        await pages.open(Uri.parse(uri), decoded.data);
      } else {
        await openText(Uri.parse(uri), decoded.data);
      }
    } catch (error) {
      const { message } = failureFrom(error);
      showFailure(failure('unexpected', `${source} could not be opened. ${message}`, null));
    }
  }

  async function openText(uri: Uri, passage: LocatedPassage): Promise<void> {
    const document = await workspace.openTextDocument(uri);
    const place = placeOf(document.getText(), passage);
    const editor = await window.showTextDocument(document, { preview: true });
    const { start, end } = place ?? { start: passage.start, end: passage.start };
    const range = new Range(document.positionAt(start), document.positionAt(end));
    editor.selection = new Selection(range.start, range.end);
    editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
    if (place) return;
    void window.showWarningMessage(
      `${passage.source} has changed since it was indexed: this passage is no longer in it.`,
    );
  }

  function search(): void {
    const picker = window.createQuickPick<FoundItem>();
    picker.title = 'Search My Notes and Papers';
    picker.placeholder = 'What are you looking for? Whole questions work well.';
    let typed: NodeJS.Timeout | undefined;
    let source: CancellationTokenSource | null = null;

    async function look(query: string): Promise<void> {
      source?.cancel();
      const mine = new CancellationTokenSource();
      source = mine;
      if (query.trim() === '') {
        picker.items = [];
        picker.busy = false;
        return;
      }
      picker.busy = true;
      try {
        const found = await server.request(searchRequest, { query }, { token: mine.token });
        if (source !== mine) return;
        picker.items = found.passages.map((passage) => itemOf(passage, found.threshold));
        if (found.passages.length === 0)
          picker.items = [{ label: 'Nothing relevant in your notes and papers.', alwaysShow: true }];
      } catch (error) {
        const { code, message } = failureFrom(error);
        if (source === mine && code !== 'cancelled') picker.items = [{ label: message, alwaysShow: true }];
      } finally {
        if (source === mine) picker.busy = false;
        mine.dispose();
      }
    }

    picker.onDidChangeValue((query) => {
      clearTimeout(typed);
      typed = setTimeout(() => void look(query), typingPauseMs);
    });
    picker.onDidAccept(() => {
      const [item] = picker.selectedItems;
      if (!item?.passage) return;
      picker.hide();
      void open(item.passage);
    });
    picker.onDidHide(() => {
      clearTimeout(typed);
      source?.cancel();
      picker.dispose();
    });
    picker.show();
  }

  return {
    commands: { 'preflexor.openPassage': open, 'preflexor.searchPassages': search },
    disposables: [],
  };
}

function itemOf(passage: LocatedPassage, threshold: number): FoundItem {
  return {
    label: shortPlace(passage),
    description: closeness(passage.scores?.vector ?? null, threshold),
    detail: (passage.readable ?? passage.text).replace(/\s+/g, ' ').trim().slice(0, 200),
    // What was found is decided by the search, not by the letters of the label.
    alwaysShow: true,
    passage,
  };
}
