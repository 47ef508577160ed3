// What the extension-host tests share: notes with and without an annotation, and waiting for conditions.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';

export const before = [
  '# Alloys',
  '',
  'Small grains make an alloy hard, because dislocations stop at their boundaries.',
  '',
  'Another paragraph, which nobody asked about.',
  '',
].join('\n');

export const paragraph = 'Small grains make an alloy hard, because dislocations stop at their boundaries.';
export const answer = 'Tiny grains make an alloy hard: dislocations stop at each boundary.';
export const block = 'k3v9q2';

/** The note with an annotation under its first paragraph, as design.md shows one. */
export const annotated = before.replace(
  `${paragraph}\n`,
  `${paragraph}

<!-- preflexor ${block} begin -->
> [!thinking]- Thinking · iteration 0 · SmolLM2-135M-Instruct
> The claim needs its mechanism.
> Hall and Petch gave one.

> [!reflection]- Reflection · iteration 0 · SmolLM2-135M-Instruct
> The mechanism is named,
> but not how strong it is.

> [!answer]+ Suggestion · integrates 0
> ${answer}
<!-- preflexor ${block} end -->
`,
);

let count = 0;

/** Writes a note into the open folder and shows it. */
export async function openNote(text: string): Promise<vscode.TextEditor> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'a folder is open');
  count += 1;
  const file = path.join(folder.uri.fsPath, `note-${String(count)}.md`);
  await writeFile(file, text);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  return vscode.window.showTextDocument(document);
}

/** The same file by the address that the workbench knows it by. */
export function argumentOf({ document }: vscode.TextEditor): { uri: string; block: string } {
  return { uri: document.uri.toString(), block };
}

/** Puts the cursor at the start of some words. */
export function placeCursor(editor: vscode.TextEditor, words: string): void {
  const offset = editor.document.getText().indexOf(words);
  assert.ok(offset >= 0, `not in the note: ${words}`);
  const position = editor.document.positionAt(offset);
  editor.selection = new vscode.Selection(position, position);
}

/** Types text over the first occurrence of `found`. */
export async function replace(editor: vscode.TextEditor, found: string, text: string): Promise<void> {
  const { document } = editor;
  const start = document.getText().indexOf(found);
  assert.ok(start >= 0, `not in the note: ${found}`);
  const range = new vscode.Range(document.positionAt(start), document.positionAt(start + found.length));
  assert.ok(await editor.edit((edit) => edit.replace(range, text)));
}

export async function undo(editor: vscode.TextEditor): Promise<void> {
  await vscode.window.showTextDocument(editor.document);
  await vscode.commands.executeCommand('undo');
}

/** Asks VS Code itself, as the editor does. The server answers once it is up. */
export async function provided<T>(
  command: string,
  uri: vscode.Uri,
  ...more: readonly unknown[]
): Promise<T[]> {
  return (await vscode.commands.executeCommand<T[] | undefined>(command, uri, ...more)) ?? [];
}

export async function lenses({ document }: vscode.TextEditor): Promise<string[]> {
  const found = await provided<vscode.CodeLens>('vscode.executeCodeLensProvider', document.uri);
  return found.flatMap(({ command }) => (command ? [command.title] : []));
}

/** Waits until `look` gives something, and says what was waited for when it never does. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeout = 30_000,
): Promise<T> {
  const end = Date.now() + timeout;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    assert.ok(Date.now() < end, `waited ${String(timeout / 1000)} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface LedgerEntry {
  readonly kind: string;
  readonly block: string;
  readonly texts: { readonly offered: string; readonly result: string | null };
}

/** All lines of the ledger of the open folder. */
export async function ledger(): Promise<LedgerEntry[]> {
  const files = await vscode.workspace.findFiles('.preflexor/ledger/*.jsonl', null);
  const texts = await Promise.all(files.map(({ fsPath }) => readFile(fsPath, 'utf8')));
  const lines = texts.join('').trim().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as LedgerEntry);
}
