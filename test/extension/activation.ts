// The extension comes up as its manifest says.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('given the workbench on a folder of notes', () => {
  it('then hello', () => {
    assert.ok(vscode.version);
  });
});
