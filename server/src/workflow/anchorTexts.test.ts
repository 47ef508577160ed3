// Which texts a run is held to: named ones, the workspace's, the one that ships; and what of a note is read.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { applyEdits, insertBlock } from '../notes/index.ts';
import { anchorTexts } from './anchorTexts.ts';

const never = new AbortController().signal;

async function workspace(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'preflexor-anchor-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  return root;
}

async function read(request: Parameters<typeof anchorTexts>[0]): Promise<[string, string, string | null][]> {
  const { sources } = await anchorTexts(request, never);
  return await Promise.all(
    sources.map(async (source): Promise<[string, string, string | null]> => [
      source.from,
      source.file,
      await source.read(never),
    ]),
  );
}

test('given a workspace, when nothing is named, then its texts are read but for what is switched off, and the shipped one', async (t) => {
  const root = await workspace(t, {
    'a.md': 'alpha',
    'private/b.md': 'beta',
    'private/.preflexor-off': '',
    'c.md': '---\npreflexor: off\n---\ngamma',
    'ignored/d.md': 'delta',
    '.preflexorignore': 'ignored/\n',
    'sub/e.txt': 'epsilon',
    'f.pdf': 'no text',
    'shipped/anchor.md': 'shipped',
  });
  await writeFile(path.join(root, '.gitignore'), 'shipped/\n');
  const shipped = path.join(root, 'shipped/anchor.md');
  assert.deepEqual(await read({ named: null, root, shipped }), [
    ['workspace', 'a.md', 'alpha'],
    ['workspace', 'c.md', null],
    ['workspace', 'private/b.md', null],
    ['workspace', 'sub/e.txt', 'epsilon'],
    ['shipped', 'anchor.md', 'shipped'],
  ]);
  assert.deepEqual(await read({ named: null, root: null, shipped }), [['shipped', 'anchor.md', 'shipped']]);
});

test('given a file and a folder by name, when asked, then only they are read, and only with paths of the workspace', async (t) => {
  const root = await workspace(t, { 'notes/a.md': 'alpha', 'notes/b.txt': 'beta', 'c.log': 'gamma' });
  const other = await workspace(t, { 'd.txt': 'delta' });
  const named = [path.join(root, 'notes'), path.join(root, 'c.log'), path.join(other, 'd.txt')];
  assert.deepEqual(await read({ named, root, shipped: 'none' }), [
    ['named', 'notes/a.md', 'alpha'],
    ['named', 'notes/b.txt', 'beta'],
    ['named', 'c.log', 'gamma'],
    ['named', 'd.txt', 'delta'],
  ]);
});

test('given a note with an annotation, when read, then the annotation is left out', async (t) => {
  const note = 'A paragraph.\n';
  const edit = insertBlock(note, note.length, {
    ...{ id: 'abcdefgh', thinking: 'a thought', answer: 'Another one.', iteration: 0, of: 0, model: 'm' },
  });
  const annotated = applyEdits(note, [edit]);
  assert.match(annotated, /a thought/);
  const root = await workspace(t, { 'a.md': annotated });
  assert.equal((await read({ named: [root], root: null, shipped: 'none' }))[0]?.[2], note);
});

test('given what is no text, when asked for, then it is refused by name', async (t) => {
  const root = await workspace(t, { 'empty/x.pdf': 'x', 'latin.txt': '' });
  await writeFile(path.join(root, 'latin.txt'), Buffer.from([0xe4, 0x20]));
  for (const [name, words] of [
    ['missing.md', /missing\.md is not there/],
    ['empty', /empty holds no text/],
    ['latin.txt', /latin\.txt cannot be read as a text/],
  ] as const) {
    await assert.rejects(
      read({ named: [path.join(root, name)], root: null, shipped: 'none' }),
      (error) => PreflexorError.is(error, 'bad-input') && words.test(error.message),
    );
  }
});
