// Notes as the editor holds them: which one is meant, and showing one. Reads and changes no text.
import { Uri, window, workspace, type TextDocument, type TextEditor } from 'vscode';
import { failure, type Failure } from './failure.ts';

/** Whether the language server looks after this document. */
export function isNote(document: TextDocument): boolean {
  const { languageId, uri } = document;
  return languageId === 'markdown' && (uri.scheme === 'file' || uri.scheme === 'untitled');
}

/** The editor that a command without arguments is about. */
export function activeNote(): TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors } = window;
  if (activeTextEditor) return isNote(activeTextEditor.document) ? activeTextEditor : undefined;
  // The focus is in a view: what is open beside it is meant, if that is clear.
  const notes = visibleTextEditors.filter(({ document }) => isNote(document));
  return notes.length === 1 ? notes[0] : undefined;
}

export function noNote(): Failure {
  return failure(
    'bad-input',
    'No note is open.',
    'Open a markdown file and put the cursor into a paragraph.',
  );
}

/** Makes sure that a note is open, so that an edit of it is seen. @param focus whether the editor takes the focus */
export async function showNote(uri: string, focus: boolean): Promise<TextEditor> {
  const visible = window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri);
  if (visible && !focus) return visible;
  const document = visible?.document ?? (await workspace.openTextDocument(Uri.parse(uri)));
  const column = visible?.viewColumn;
  return await window.showTextDocument(document, {
    preserveFocus: !focus,
    preview: false,
    ...(column !== undefined && { viewColumn: column }),
  });
}
