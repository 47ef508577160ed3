import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { offsetAt, readNote, writeNote } from './notes.ts';

for (const [given, text, place, offset] of [
  ['the first line', 'one\ntwo', '1', 0],
  ['a later line', 'one\ntwo', '2', 4],
  ['a column', 'one\ntwo', '2:3', 6],
  ['Windows line ends', 'one\r\ntwo\r\n', '2', 5],
  ['old Mac line ends', 'one\rtwo', '2', 4],
  ['a column past the end of its line', 'one\ntwo', '1:99', 3],
  ['the empty last line', 'one\n', '2', 4],
] as const) {
  test(`given ${given}, when a place is asked for, then it is counted as editors count`, () => {
    assert.equal(offsetAt(text, place), offset);
  });
}

for (const place of ['0', '3', 'x', '1:0', '-1', '1:2:3', '']) {
  test(`given the place "${place}", when the note has two lines, then it is refused`, () => {
    assert.throws(
      () => offsetAt('one\ntwo', place),
      (error) => PreflexorError.is(error, 'bad-input'),
    );
  });
}

test('given a note with a byte order mark, when it is read and written, then its bytes are the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-notes-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'note.md');
  const bytes = Buffer.from('\ufeffé\r\n😀\n');
  await writeFile(file, bytes);
  const note = await readNote(file, undefined);
  await writeNote(note, note.text);
  assert.deepEqual(await readFile(file), bytes);
});

test('given a note that somebody changed meanwhile, when it is written, then it is left alone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-notes-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'note.md');
  await writeFile(file, 'one');
  const note = await readNote(file, undefined);
  await writeFile(file, 'two');
  await assert.rejects(writeNote(note, 'three'), (error) => PreflexorError.is(error, 'note-changed'));
  assert.equal(await readFile(file, 'utf8'), 'two');
});

test('given a file that is not UTF-8, when it is read, then it is refused as not text', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-notes-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'note.md');
  await writeFile(file, Buffer.from([0xff, 0xfe, 0x41, 0x00]));
  await assert.rejects(readNote(file, undefined), (error) => PreflexorError.is(error, 'not-text'));
  await assert.rejects(readNote(join(folder, 'none.md'), undefined), (error) =>
    PreflexorError.is(error, 'note-missing'),
  );
});
