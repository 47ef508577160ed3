// The whole way of a paragraph in the extension host, on the real small model.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { before, ledger, lenses, openNote, paragraph, placeCursor, replace, undo, until } from './support.ts';

/** Budgets that keep a run within seconds. */
const budgets = { iterations: 0, thinkingTokens: 32, reflectionTokens: 24, answerTokens: 32, temperature: 0 };

async function configure(values: Record<string, unknown>): Promise<void> {
  const reasoning = vscode.workspace.getConfiguration('preflexor.reasoning');
  for (const [key, value] of Object.entries(values)) {
    await reasoning.update(key, value, vscode.ConfigurationTarget.Global);
  }
}

describe('given a note and the small model', () => {
  beforeEach(() => configure(budgets));

  it('when a paragraph is reasoned about then a block appears below it, and one undo takes it away again', async () => {
    const editor = await openNote(before);
    const { document } = editor;
    placeCursor(editor, paragraph);
    await vscode.commands.executeCommand('preflexor.reason');
    const text = document.getText();
    const added = text.slice(text.indexOf(paragraph) + paragraph.length);
    assert.match(added, /^\n\n<!-- preflexor [0-9a-z]{6,} begin -->\n> \[!thinking\]- /);
    await until('code lenses', async () => (await lenses(editor)).includes('Accept'));
    await undo(editor);
    assert.equal(document.getText(), before);
  });

  it('when a suggestion is accepted then the paragraph is the suggestion, and the decision is on record with its run', async () => {
    const editor = await openNote(before);
    placeCursor(editor, paragraph);
    await vscode.commands.executeCommand('preflexor.reason');
    await vscode.commands.executeCommand('preflexor.accept');
    const entry = (await ledger()).at(-1);
    assert.equal(entry?.kind, 'accept');
    assert.equal(editor.document.getText(), before.replace(paragraph, entry.texts.result ?? ''));
  });

  it('when the suggestion is edited and the edit accepted then both texts are on record', async () => {
    const editor = await openNote(before);
    placeCursor(editor, paragraph);
    await vscode.commands.executeCommand('preflexor.reason');
    const [, header] = /(> \[!answer\]\+[^\n]*\n> )/.exec(editor.document.getText()) ?? [];
    assert.ok(header, 'a suggestion is in the note');
    await replace(editor, header, `${header}In my words: `);
    await vscode.commands.executeCommand('preflexor.acceptEdited');
    const entry = (await ledger()).at(-1);
    assert.equal(entry?.kind, 'accept-edited');
    assert.equal(entry.texts.result, `In my words: ${entry.texts.offered}`);
    assert.equal(editor.document.getText(), before.replace(paragraph, entry.texts.result));
  });

  it('when it is stopped in the middle then the note is unchanged and the next run works', async () => {
    await configure({ thinkingTokens: 2000 });
    const editor = await openNote(before);
    placeCursor(editor, paragraph);
    let ended = false;
    const run = vscode.commands.executeCommand('preflexor.reason').then(() => (ended = true));
    // It is stopped as often as it takes: the first request may come before there is a run.
    await until('the run to end', async () => {
      await vscode.commands.executeCommand('preflexor.stop');
      return ended;
    });
    await run;
    assert.equal(editor.document.getText(), before);

    await configure(budgets);
    placeCursor(editor, paragraph);
    await vscode.commands.executeCommand('preflexor.reason');
    assert.notEqual(editor.document.getText(), before);
  });
});
