import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';
import { isFolderOff, offFileName, recordingAllowed } from './consent.ts';

const on = { record: true, folderOff: false };

test('given front matter that switches recording off, in any spelling, when asked, then it is not allowed', () => {
  for (const value of ['off', 'OFF', '"off"', "'off'", 'false', 'no', 'never', 'off # for now', ' off '])
    assert.equal(recordingAllowed(`---\ntitle: T\npreflexor: ${value}\n---\nText.\n`, on), false, value);
  assert.equal(recordingAllowed('+++\npreflexor = "off"\n+++\nText.\n', on), false);
  assert.equal(recordingAllowed('---\r\nPreflexor: off\r\n---\r\n', on), false);
  // Damaged YAML around it changes nothing.
  assert.equal(recordingAllowed('---\n{{: [\npreflexor: off\n---\nText.\n', on), false);
});

test('given a note that says nothing of it, or says it elsewhere, when asked, then it is allowed', () => {
  for (const note of [
    'Text.\n',
    '---\ntitle: preflexor off\n---\n',
    '---\npreflexor: on\n---\n',
    'preflexor: off\n',
    '---\ntitle: T\n---\npreflexor: off\n',
    '---\nnot-preflexor: off\n---\n',
    '---\npreflexor: official\n---\n',
  ])
    assert.equal(recordingAllowed(note, on), true, note);
});

test('given recording off by the setting or a folder, when asked, then no note switches it on', () => {
  const note = '---\npreflexor: on\n---\n';
  assert.equal(recordingAllowed(note, { record: false, folderOff: false }), false);
  assert.equal(recordingAllowed(note, { record: true, folderOff: true }), false);
});

test('given an off file in a folder, when asked, then it holds for all beneath it and for nothing beside it', async (t) => {
  const root = temporaryFolder(t);
  await mkdir(path.join(root, 'private', 'deep'), { recursive: true });
  await mkdir(path.join(root, 'open'));
  await writeFile(path.join(root, 'private', offFileName), '');
  const off = (note: string) => isFolderOff(root, note);
  assert.deepEqual(await Promise.all(['private/a.md', 'private/deep/b.md'].map(off)), [true, true]);
  assert.deepEqual(await Promise.all(['open/a.md', 'a.md', 'privately/a.md'].map(off)), [
    false,
    false,
    false,
  ]);
  await writeFile(path.join(root, offFileName), '');
  assert.equal(await off('open/a.md'), true);
});
