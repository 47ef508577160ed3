// The extension comes up as its manifest says.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { clientCommands } from '../../server/src/protocol/index.ts';
import { annotated, lenses, openNote, until } from './support.ts';

describe('given a folder of notes', () => {
  const extension = (): vscode.Extension<unknown> => {
    const found = vscode.extensions.getExtension('preflexor.preflexor');
    assert.ok(found, 'the extension is installed');
    return found;
  };

  it('when a note is opened then the extension becomes active by itself', async () => {
    await openNote('# A note\n');
    await until('the extension to be active', () => extension().isActive);
  });

  it('when it is active then every command of the manifest is registered', async () => {
    await extension().activate();
    const registered = new Set(await vscode.commands.getCommands(true));
    const declared = Object.keys(clientCommands);
    assert.deepEqual(
      declared.filter((command) => !registered.has(command)),
      [],
    );
    const { contributes } = extension().packageJSON as { contributes: { commands: { command: string }[] } };
    assert.deepEqual(contributes.commands.map(({ command }) => command).sort(), declared.sort());
  });

  it('when a note with an annotation is opened then the language server answers', async () => {
    const editor = await openNote(annotated);
    const titles = await until('code lenses', async () => {
      const found = await lenses(editor);
      return found.length > 0 && found;
    });
    assert.deepEqual(titles, ['Accept', 'Review', 'Accept my edit', 'Reject', 'Regenerate', 'Compare']);
  });
});
