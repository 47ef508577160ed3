// Pausing what is kept of the writer's decisions (setting preflexor.preferences.record), and the page that says in
// plain words what is stored where.
import { ConfigurationTarget, Uri, commands, window, workspace, type ExtensionContext } from 'vscode';
import type { Feature } from '../feature.ts';

const section = 'preflexor';
const key = 'preferences.record';
const page = 'docs/privacy.md';

export function activateRecording(
  context: ExtensionContext,
): Feature<'preflexor.pauseRecording' | 'preflexor.resumeRecording' | 'preflexor.showStored'> {
  async function record(on: boolean): Promise<void> {
    const target = workspace.workspaceFolders ? ConfigurationTarget.Workspace : ConfigurationTarget.Global;
    const uri = window.activeTextEditor?.document.uri;
    await workspace.getConfiguration(section, uri).update(key, on, target);
    // A folder of a multi-root workspace, or the user's own settings, may say otherwise: they have the last word.
    if (isRecording() === on) return;
    const what = on ? 'Recording is still switched off' : 'Recording is still switched on';
    const open = 'Open Settings';
    const pressed = await window.showWarningMessage(`${what} by another setting.`, open);
    if (pressed === open)
      await commands.executeCommand('workbench.action.openSettings', `@id:${section}.${key}`);
  }

  return {
    commands: {
      'preflexor.pauseRecording': () => record(false),
      'preflexor.resumeRecording': () => record(true),
      'preflexor.showStored': () =>
        commands.executeCommand('markdown.showPreview', Uri.joinPath(context.extensionUri, page)),
    },
    disposables: [],
  };
}

/** Whether decisions on the note in the active editor are recorded, by the settings alone. */
export function isRecording(): boolean {
  const uri = window.activeTextEditor?.document.uri;
  return workspace.getConfiguration(section, uri).get<unknown>(key) !== false;
}
