// Adapters (preflexor/adapters, useAdapter, rollBackAdapter) and their blind comparison on the paragraph under the cursor
// (preflexor/compareAdapters, judgeComparison).
import { ProgressLocation, window, type QuickPickItem } from 'vscode';
import {
  adaptersRequest,
  compareAdaptersRequest,
  judgeComparisonRequest,
  rollBackAdapterRequest,
  useAdapterRequest,
  type AdaptersState,
  type BlindComparison,
} from '../../../server/src/protocol/index.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { activeNote, noNote } from '../notes.ts';
import { failureFrom, showFailure } from '../showFailure.ts';
import { adapterName, adapterWords, inUseText } from '../teachingWords.ts';
import type { Compare } from './compare.ts';

/** What other features ask for. */
export interface AdapterActions {
  use(adapter: string | null): Promise<void>;
  /** Against what is in use. */
  compare(adapter: string | null): Promise<void>;
}

export type AdapterCommand = 'preflexor.adapters' | 'preflexor.compareAdapters' | 'preflexor.rollBackAdapter';

interface AdapterItem extends QuickPickItem {
  readonly adapter: string | null;
}

export function activateAdapters(server: Server, texts: Compare): Feature<AdapterCommand> & AdapterActions {
  async function use(adapter: string | null): Promise<void> {
    try {
      await told(await server.request(useAdapterRequest, { adapter }));
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  async function rollBack(): Promise<void> {
    try {
      await told(await server.request(rollBackAdapterRequest, {}));
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  /** With the way back. */
  async function told(state: AdaptersState): Promise<void> {
    const back = state.before === undefined ? [] : ['Roll Back'];
    const pressed = await window.showInformationMessage(inUseText(state), ...back);
    if (pressed === 'Roll Back') await rollBack();
  }

  async function choose(title: string, wanted: (item: AdapterItem, state: AdaptersState) => boolean) {
    const state = await server.request(adaptersRequest, {});
    const without: AdapterItem = {
      label: `$(${state.active === null ? 'check' : 'blank'}) Without Adapter`,
      ...{ description: state.model.id, adapter: null },
    };
    const items = [...state.adapters.map((one) => ({ ...adapterWords(one), adapter: one.id })), without];
    return await window.showQuickPick(
      items.filter((item) => wanted(item, state)),
      { title, placeHolder: state.problem ?? `Adapters of ${state.model.id}` },
    );
  }

  async function list(): Promise<void> {
    try {
      const picked = await choose('Adapters', () => true);
      if (picked) await use(picked.adapter);
    } catch (error) {
      showFailure(failureFrom(error), list);
    }
  }

  async function compareAny(): Promise<void> {
    try {
      const picked = await choose('Compare What Is in Use With', ({ adapter }, { active, adapters }) => {
        const fits = adapter === null || adapters.some(({ id, fits: own }) => id === adapter && own);
        return fits && adapter !== active;
      });
      if (picked) await compare(picked.adapter);
    } catch (error) {
      showFailure(failureFrom(error), compareAny);
    }
  }

  async function compare(adapter: string | null): Promise<void> {
    const editor = activeNote();
    if (!editor) {
      showFailure(noNote());
      return;
    }
    const { document, selection } = editor;
    const { line, character } = selection.active;
    const params = {
      textDocument: { uri: document.uri.toString() },
      position: { line, character },
      adapter,
    };
    const options = {
      location: ProgressLocation.Notification,
      title: 'Writing two answers',
      cancellable: true,
    };
    try {
      const comparison = await window.withProgress(options, (_progress, token) =>
        server.request(compareAdaptersRequest, params, { token }),
      );
      await judge(comparison);
    } catch (error) {
      showFailure(failureFrom(error), () => compare(adapter));
    }
  }

  async function judge({ id, question, first, second }: BlindComparison): Promise<void> {
    if (first.trim() === second.trim()) {
      void window.showInformationMessage('Both answers say the same: there is nothing to choose between.');
      return;
    }
    // The list below lies over the first lines, and a notification would be gone before both answers are read.
    const below = (answer: string): string =>
      `${question}\n\nTwo answers, in an order that chance gave.\n\n---\n\n${answer}`;
    await texts.show('Which Answer Is Better?', id, ['First', below(first)], ['Second', below(second)]);
    const picked = await window.showQuickPick(
      [
        { label: 'The First Is Better', better: 'first' as const },
        { label: 'The Second Is Better', better: 'second' as const },
        { label: 'Neither', better: 'neither' as const },
      ],
      { title: 'Which Answer Is Better?', placeHolder: question, ignoreFocusOut: true },
    );
    if (!picked) return;
    const { better } = picked;
    const revealed = await server.request(judgeComparisonRequest, { comparison: id, better });
    const { recorded, warning } = revealed;
    if (warning !== null) void window.showWarningMessage(warning);
    const kept = recorded ? ' It is kept as a preference pair.' : '';
    const names = `The first is of ${adapterName(revealed.first)}, the second of ${adapterName(revealed.second)}.`;
    const preferred = better === 'neither' ? null : revealed[better];
    const state = await server.request(adaptersRequest, {});
    const wanted = better !== 'neither' && preferred !== state.active;
    const pressed = await window.showInformationMessage(
      `${names}${kept}`,
      ...(wanted ? ['Activate the Better One'] : []),
    );
    if (pressed !== undefined) await use(preferred);
  }

  return {
    use,
    compare,
    commands: {
      'preflexor.adapters': list,
      'preflexor.compareAdapters': compareAny,
      'preflexor.rollBackAdapter': rollBack,
    },
    disposables: [],
  };
}
