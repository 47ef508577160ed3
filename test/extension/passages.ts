// A passage that is opened: the file at its very place, or the page of a PDF. No index is needed for it.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { pdfFile } from '../support/pdfFile.ts';
import { until } from './support.ts';

const text = 'Copper is red.\n\nSmall grains make an alloy hard.\n';
const words = 'Small grains make an alloy hard.';

async function written(name: string, content: string | Uint8Array): Promise<vscode.Uri> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'a folder is open');
  const file = path.join(folder.uri.fsPath, name);
  await writeFile(file, content);
  return vscode.Uri.file(file);
}

function passage(uri: vscode.Uri | null, page: number | null = null): Record<string, unknown> {
  const start = text.indexOf(words);
  return {
    id: 'p1',
    source: 'passage.md',
    heading: [],
    page,
    start,
    end: start + words.length,
    text: words,
    score: 1,
    uri: uri?.toString() ?? null,
  };
}

const selected = (): string | undefined => {
  const editor = vscode.window.activeTextEditor;
  return editor?.document.getText(editor.selection);
};

describe('given a passage', () => {
  it('when it is opened then its file is shown with exactly its text selected', async () => {
    const uri = await written('passage-1.md', text);
    await vscode.commands.executeCommand('preflexor.openPassage', passage(uri));
    await until('the file', () => vscode.window.activeTextEditor?.document.uri.path === uri.path);
    assert.equal(selected(), words);
  });

  it('when text was put before it meanwhile then it is still the one that is selected', async () => {
    const uri = await written('passage-2.md', `A new beginning.\n\n${text}`);
    await vscode.commands.executeCommand('preflexor.openPassage', passage(uri));
    await until('the file', () => vscode.window.activeTextEditor?.document.uri.path === uri.path);
    assert.equal(selected(), words);
  });

  it('when it is no longer in its file then the file is shown with nothing selected', async () => {
    const uri = await written('passage-3.md', 'Gold is yellow.\n');
    await vscode.commands.executeCommand('preflexor.openPassage', passage(uri));
    await until('the file', () => vscode.window.activeTextEditor?.document.uri.path === uri.path);
    assert.equal(selected(), '');
  });

  it('when it is on the page of a PDF then one panel shows that file, also for the next passage of it', async () => {
    const uri = await written('paper.pdf', pdfFile([['Copper is red.'], [words]]));
    const tabs = (): vscode.Tab[] =>
      vscode.window.tabGroups.all
        .flatMap(({ tabs: all }) => all)
        .filter(({ label }) => label === 'paper.pdf');
    await vscode.commands.executeCommand('preflexor.openPassage', passage(uri, 2));
    await until('the page', () => tabs().length > 0);
    assert.ok(tabs()[0]?.input instanceof vscode.TabInputWebview);
    await vscode.commands.executeCommand('preflexor.openPassage', passage(uri, 1));
    assert.equal(tabs().length, 1);
    await vscode.window.tabGroups.close(tabs());
  });

  it('when its source is not in the folder then nothing is opened', async () => {
    const before = vscode.window.activeTextEditor?.document.uri.toString();
    await vscode.commands.executeCommand('preflexor.openPassage', passage(null));
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), before);
  });
});
