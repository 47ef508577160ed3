// What the editor shows of annotations and does with them. No model is needed.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import {
  annotated,
  answer,
  argumentOf,
  before,
  block,
  ledger,
  lenses,
  openNote,
  paragraph,
  placeCursor,
  provided,
  replace,
  undo,
  until,
} from './support.ts';

const accepted = before.replace(paragraph, answer);

/** A note with an annotation that the language server has read. */
async function annotatedNote(): Promise<vscode.TextEditor> {
  const editor = await openNote(annotated);
  await until('the language server', async () => (await lenses(editor)).length > 0);
  return editor;
}

function textOf({ document }: vscode.TextEditor): string {
  return document.getText();
}

describe('given a note with an annotation', () => {
  it('when folds are asked for then the block and its sections fold', async () => {
    const editor = await annotatedNote();
    const ranges = await provided<vscode.FoldingRange>(
      'vscode.executeFoldingRangeProvider',
      editor.document.uri,
    );
    const starts = ranges.map(({ start }) => editor.document.lineAt(start).text);
    for (const start of [`<!-- preflexor ${block} begin -->`, '> [!thinking]-', '> [!reflection]-']) {
      assert.ok(
        starts.some((line) => line.startsWith(start)),
        `${start} does not fold, only: ${starts.join(' | ')}`,
      );
    }
  });

  it('when the outline and a hover are asked for then they name the block', async () => {
    const editor = await annotatedNote();
    const symbols = await until('an annotation in the outline', async () => {
      const all = await provided<vscode.DocumentSymbol>(
        'vscode.executeDocumentSymbolProvider',
        editor.document.uri,
      );
      return all.find(({ name }) => name.includes(block));
    });
    assert.deepEqual(
      symbols.children.map(({ name }) => name),
      ['Thinking', 'Reflection', 'Suggestion'],
    );
    const hovers = await provided<vscode.Hover>(
      'vscode.executeHoverProvider',
      editor.document.uri,
      symbols.range.start,
    );
    const texts = hovers.flatMap(({ contents }) =>
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- the old form of a hover's text is one of the types
      contents.map((content) => (typeof content === 'string' ? content : content.value)),
    );
    assert.ok(
      texts.some((text) => text.includes(block)),
      texts.join(' | '),
    );
  });

  it('when actions are asked for in a paragraph then rewriting by reasoning is one of them', async () => {
    const editor = await annotatedNote();
    placeCursor(editor, paragraph);
    const actions = await provided<vscode.CodeAction>(
      'vscode.executeCodeActionProvider',
      editor.document.uri,
      editor.selection,
      vscode.CodeActionKind.RefactorRewrite.value,
    );
    assert.ok(actions.some(({ title }) => title === 'Reason about this paragraph'));
  });

  it('when it is rendered for the preview then thinking is closed, the suggestion open, and the comments invisible', async () => {
    const { document } = await annotatedNote();
    const html = await vscode.commands.executeCommand<string>('markdown.api.render', document);
    assert.equal(html.match(/<details\b[^>]*>/g)?.length, 3);
    assert.match(html, /<details[^>]*preflexor-thinking[^>]*>\s*<summary>\s*Thinking/);
    assert.doesNotMatch(html, /<details[^>]*preflexor-thinking[^>]*\bopen\b/);
    assert.match(html, /<details[^>]*preflexor-answer[^>]*\bopen\b/);
    assert.doesNotMatch(html, /&lt;!-- preflexor/);
  });

  it('when it is accepted then the answer takes the place of the paragraph, one undo brings all back, and it is on record', async () => {
    const editor = await annotatedNote();
    await vscode.commands.executeCommand('preflexor.accept', argumentOf(editor));
    assert.equal(textOf(editor), accepted);
    await undo(editor);
    assert.equal(textOf(editor), annotated);
    const entry = (await ledger()).at(-1);
    assert.deepEqual([entry?.kind, entry?.block, entry?.texts.result], ['accept', block, answer]);
  });

  it('when it is accepted from the palette then the block at the cursor is meant', async () => {
    const editor = await annotatedNote();
    placeCursor(editor, paragraph);
    await vscode.commands.executeCommand('preflexor.accept');
    assert.equal(textOf(editor), accepted);
  });

  it('when it is reviewed by the keys’ commands then nothing changes before it is applied, and one undo brings all back', async () => {
    const editor = await annotatedNote();
    placeCursor(editor, paragraph);
    await vscode.commands.executeCommand('preflexor.review');
    for (const command of ['takeChange', 'leaveChange', 'takeRest'])
      await vscode.commands.executeCommand(`preflexor.${command}`);
    assert.equal(editor.selection.active.character, paragraph.indexOf('their'));
    assert.equal(textOf(editor), annotated);
    await vscode.commands.executeCommand('preflexor.applyChanges');
    const mixed = 'Tiny grains make an alloy hard, because dislocations stop at each boundary.';
    assert.equal(textOf(editor), before.replace(paragraph, mixed));
    const entry = (await ledger()).at(-1);
    assert.deepEqual([entry?.kind, entry?.texts.result], ['hunk', mixed]);
    await undo(editor);
    assert.equal(textOf(editor), annotated);
  });

  it('when its review is given up then the note and the ledger are as they were', async () => {
    const editor = await annotatedNote();
    const earlier = (await ledger()).length;
    await vscode.commands.executeCommand('preflexor.review', argumentOf(editor));
    await vscode.commands.executeCommand('preflexor.takeChange');
    await vscode.commands.executeCommand('preflexor.giveUpReview');
    assert.equal(textOf(editor), annotated);
    assert.equal((await ledger()).length, earlier);
  });

  it('when its answer is edited and the edit accepted then the edited text is taken', async () => {
    const editor = await annotatedNote();
    await replace(editor, `> ${answer}`, '> My own words,\n> on two lines.');
    await vscode.commands.executeCommand('preflexor.acceptEdited', argumentOf(editor));
    assert.equal(textOf(editor), before.replace(paragraph, 'My own words,\non two lines.'));
  });

  it('when it is compared then a diff of the paragraph and the suggestion opens', async () => {
    const editor = await annotatedNote();
    await vscode.commands.executeCommand('preflexor.compare', argumentOf(editor));
    const diff = await until('a diff', () => {
      const { input } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
      return input instanceof vscode.TabInputTextDiff && input;
    });
    const [left, right] = await Promise.all(
      [diff.original, diff.modified].map((uri) => vscode.workspace.openTextDocument(uri)),
    );
    assert.equal(left?.getText().trim(), paragraph);
    assert.equal(right?.getText().trim(), answer);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('when all annotations are removed then the note is as it was before, and one undo brings them back', async () => {
    const editor = await annotatedNote();
    await vscode.commands.executeCommand('preflexor.strip');
    assert.equal(textOf(editor), before);
    await undo(editor);
    assert.equal(textOf(editor), annotated);
  });
});
