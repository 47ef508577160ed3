// The writer's own data: preference pairs out to a file and in from one, and taking back what is known of a note or of
// a folder (preflexor/exportPairs, importPairs, forget). What that means is the server's.
import { Uri, commands, window, workspace } from 'vscode';
import { exportPairsRequest, forgetRequest, importPairsRequest } from '../../../server/src/protocol/index.ts';
import type { Feature } from '../feature.ts';
import { exportWords, forgottenWords, formatChoices, importWords } from '../keepingWords.ts';
import type { Server } from '../languageClient.ts';
import { activeNote, noNote } from '../notes.ts';
import { failureFrom, showFailure } from '../showFailure.ts';

type KeepingCommand =
  'preflexor.exportPairs' | 'preflexor.importPairs' | 'preflexor.forgetNote' | 'preflexor.forgetAll';

export function activateKeeping(server: Server): Feature<KeepingCommand> {
  async function exportPairs(): Promise<void> {
    const picked = await window.showQuickPick(formatChoices, {
      title: 'Export Preference Pairs',
      placeHolder: 'For which tool?',
    });
    if (!picked) return;
    const { format, extension } = picked;
    const place = await placeFor(extension);
    if (!place) return;
    const done = await server.request(exportPairsRequest, { ...where(), place: place.toString(), format });
    const [first] = done.files;
    const pressed = await window.showInformationMessage(
      exportWords(done),
      ...(first !== undefined && extension !== null ? ['Open'] : []),
    );
    if (pressed === 'Open') await commands.executeCommand('vscode.open', place);
  }

  async function importPairs(): Promise<void> {
    const [place] =
      (await window.showOpenDialog({
        title: 'Import Preference Pairs',
        openLabel: 'Import',
        filters: { 'Preference pairs': ['jsonl', 'json', 'csv', 'parquet'], 'All files': ['*'] },
      })) ?? [];
    if (!place) return;
    const done = await server.request(importPairsRequest, { ...where(), place: place.toString() });
    for (const { file, line, reason } of done.refused) {
      server.log.warn(`${file}, line ${line}: refused, ${reason}.`);
    }
    const pressed = await window.showInformationMessage(
      importWords(done),
      ...(done.refused.length > 0 ? ['Show Log'] : []),
    );
    if (pressed === 'Show Log') server.log.show();
  }

  /** @param uri of the note; null: everything in the folder */
  async function forget(uri: Uri | null): Promise<void> {
    const what = uri ? `what is known of ${workspace.asRelativePath(uri)}` : 'everything in this folder';
    const sure = 'Forget';
    const pressed = await window.showWarningMessage(
      `Forget ${what}?`,
      {
        modal: true,
        detail:
          'Decisions, runs, pairs, index and graph of it are removed, and adapters that were trained on it are marked. The notes themselves stay. It cannot be undone.',
      },
      sure,
    );
    if (pressed !== sure) return;
    const meant = uri ? { textDocument: { uri: uri.toString() } } : where();
    const { message, detail } = forgottenWords(
      await server.request(forgetRequest, { ...meant, all: uri === null }),
    );
    server.log.info([message, detail].join('\n'));
    const more = 'What Stays';
    const asked = await window.showInformationMessage(message, ...(detail === '' ? [] : [more]));
    if (asked === more) await window.showInformationMessage(message, { modal: true, detail });
  }

  const shown =
    (work: (argument: unknown) => Promise<void>) =>
    async (argument: unknown): Promise<void> => {
      try {
        await work(argument);
      } catch (error) {
        showFailure(failureFrom(error), () => shown(work)(argument));
      }
    };

  return {
    commands: {
      'preflexor.exportPairs': shown(exportPairs),
      'preflexor.importPairs': shown(importPairs),
      'preflexor.forgetNote': shown(async (argument) => {
        // From the explorer the file that was pressed, else the note in the editor.
        const uri = argument instanceof Uri ? argument : activeNote()?.document.uri;
        if (uri) await forget(uri);
        else showFailure(noNote());
      }),
      'preflexor.forgetAll': shown(() => forget(null)),
    },
    disposables: [],
  };
}

/** The folder of the note that the writer is in; the first one that is open otherwise. */
function where(): { readonly textDocument?: { readonly uri: string } } {
  const document = activeNote()?.document;
  return document && !document.isUntitled ? { textDocument: { uri: document.uri.toString() } } : {};
}

/** A file to be written, or for `null` a folder to be filled. */
async function placeFor(extension: string | null): Promise<Uri | undefined> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const title = 'Export Preference Pairs';
  if (extension !== null) {
    return await window.showSaveDialog({
      title,
      ...(folder && { defaultUri: Uri.joinPath(folder, `pairs.${extension}`) }),
      filters: { 'Preference pairs': [extension] },
    });
  }
  const chosen = await window.showOpenDialog({
    title,
    openLabel: 'Export Here',
    canSelectFiles: false,
    canSelectFolders: true,
    ...(folder && { defaultUri: folder }),
  });
  return chosen?.[0];
}
