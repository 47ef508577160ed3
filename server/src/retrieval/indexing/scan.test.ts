import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import type { IndexedAnswer } from '../../protocol/index.ts';
import { plainSettings, put, workspace } from '../testing/workspace.ts';
import { explain } from './explain.ts';
import type { ScanSettings } from './rules.ts';
import { scan } from './scan.ts';
import { WorkspaceWalker, nodeWorkspaceFileSystem, type WalkerOptions } from './workspaceWalker.ts';
import { giveTurn } from './yielding.ts';

const signal = new AbortController().signal;

async function found(folder: string, settings: Partial<ScanSettings> = {}, options: WalkerOptions = {}) {
  const walker = new WorkspaceWalker(folder, { ...plainSettings, ...settings }, options);
  const { files, failed } = await scan(walker, { signal });
  return { paths: [...files.keys()].sort(), failed };
}

async function why(
  folder: string,
  path: string,
  settings: Partial<ScanSettings> = {},
): Promise<IndexedAnswer> {
  const walker = new WorkspaceWalker(folder, { ...plainSettings, ...settings });
  return await explain(walker, path, () => Promise.resolve(null));
}

/** A workspace whose files hold their own names. */
function files(
  t: TestContext,
  paths: readonly string[],
  rules: Readonly<Record<string, string>> = {},
): string {
  return workspace(t, { ...Object.fromEntries(paths.map((path) => [path, path])), ...rules });
}

test('given notes in folders, when scanned, then each is found with its size and time', async (t) => {
  const folder = workspace(t, { 'a.md': 'one', 'deep/er/b.md': 'four', 'image.png': 'x' });
  const { files: all } = await scan(new WorkspaceWalker(folder, plainSettings), { signal });
  assert.deepEqual([...all.keys()].sort(), ['a.md', 'deep/er/b.md']);
  assert.equal(all.get('deep/er/b.md')?.bytes, 4);
  assert.ok(Number.isInteger(all.get('a.md')?.modified));
});

test('given git, node_modules, hidden and our own folders, when scanned, then none of it is found', async (t) => {
  const folder = files(t, [
    'a.md',
    '.git/x.md',
    'node_modules/x/README.md',
    '.obsidian/x.md',
    '.hidden.md',
    '.preflexor/runs/x.md',
    'deep/node_modules/x.md',
  ]);
  assert.deepEqual((await found(folder)).paths, ['a.md']);
  assert.match((await why(folder, 'node_modules/x/README.md')).reason, /node_modules/);
});

test('given any rule that takes back, when scanned, then git and model-made text still stay out', async (t) => {
  const folder = files(t, ['a.md', '.git/x.md', '.preflexor/runs/x.md', '.obsidian/x.md'], {
    '.preflexorignore': '!.git/\n!.git/x.md\n!.preflexor/\n!.preflexor/runs/x.md\n!.obsidian/\n',
  });
  assert.deepEqual((await found(folder)).paths, ['.obsidian/x.md', 'a.md']);
});

test('given excludes of the editor, when scanned, then only those that are on count', async (t) => {
  const folder = files(t, ['a.md', 'drafts/b.md', 'old/c.md']);
  const editorExcludes = [{ setting: 'files.exclude', globs: { '**/drafts': true, '**/old': false } }];
  assert.deepEqual((await found(folder, { editorExcludes })).paths, ['a.md', 'old/c.md']);
  assert.match(
    (await why(folder, 'drafts/b.md', { editorExcludes })).reason,
    /files\.exclude: \*\*\/drafts$/,
  );
});

test('given ignore files at several levels, when scanned, then the deepest one that speaks of a file decides', async (t) => {
  const folder = files(t, ['a.tmp.md', 'in/b.tmp.md', 'in/c.md'], {
    '.gitignore': '*.tmp.md\n',
    'in/.gitignore': '!*.tmp.md\nc.md\n',
  });
  assert.deepEqual((await found(folder)).paths, ['in/b.tmp.md']);
});

test('given .git/info/exclude, when scanned, then it counts less than a .gitignore', async (t) => {
  const folder = files(t, ['a.md', 'b.md'], { '.git/info/exclude': '*.md\n', '.gitignore': '!b.md\n' });
  assert.deepEqual((await found(folder)).paths, ['b.md']);
});

test('given a folder that .gitignore leaves out, when .preflexorignore names a file in it, then that file alone is taken in', async (t) => {
  const folder = files(t, ['drafts/keep.md', 'drafts/other.md', 'drafts/deep/x.md'], {
    '.gitignore': 'drafts/\n',
    '.preflexorignore': '# mine\n!drafts/keep.md\n',
  });
  assert.deepEqual((await found(folder)).paths, ['drafts/keep.md']);
  assert.match((await why(folder, 'drafts/other.md')).reason, /\.gitignore, line 1: drafts\/$/);
});

test('given a folder that .gitignore leaves out, when .preflexorignore takes the folder back, then all of it is taken in', async (t) => {
  const folder = files(t, ['drafts/a.md', 'drafts/deep/b.md'], {
    '.gitignore': 'drafts/\n',
    '.preflexorignore': '!drafts/\n',
  });
  assert.deepEqual((await found(folder)).paths, ['drafts/a.md', 'drafts/deep/b.md']);
});

test('given patterns with wildcards that lead into left-out folders, when scanned, then they are followed', async (t) => {
  const folder = files(t, ['old/2024/notes/a.md', 'old/2024/b.md'], {
    '.gitignore': 'old\n',
    '.preflexorignore': '!old/**/notes/*.md\n',
  });
  assert.deepEqual((await found(folder)).paths, ['old/2024/notes/a.md']);
});

test('given a .gitignore that takes back every note, when scanned, then node_modules stays out', async (t) => {
  const folder = files(t, ['a.md', 'b.txt', 'node_modules/x.md'], { '.gitignore': '*\n!*/\n!*.md\n' });
  assert.deepEqual((await found(folder)).paths, ['a.md']);
});

test('given the setting retrieval.exclude, when scanned, then it outweighs .gitignore and yields to .preflexorignore', async (t) => {
  const folder = files(t, ['a.md', 'b.md', 'c.md', 'private/d.md', 'private/e.md'], {
    '.gitignore': 'a.md\n',
    '.preflexorignore': '!c.md\n',
  });
  const exclude = ['*.md', 'private', '!a.md', '!private/e.md'];
  assert.deepEqual((await found(folder, { exclude })).paths, ['a.md', 'c.md']);
  assert.match((await why(folder, 'b.md', { exclude })).reason, /preflexor\.retrieval\.exclude: \*\.md$/);
});

test('given two rules, when a file is asked about, then the reason names file, line and text of the one that decided', async (t) => {
  const folder = files(t, ['notes/a.md'], { 'notes/.gitignore': '# one\n\nb.md\n/a.md\n' });
  const answer = await why(folder, 'notes/a.md');
  assert.equal(answer.indexed, false);
  assert.equal(answer.code, 'excluded');
  assert.ok(answer.reason.endsWith('notes/.gitignore, line 4: /a.md'), answer.reason);
});

test('given a file that no glob takes in, one that is too large and one that is not there, when asked about, then each has its reason', async (t) => {
  const folder = workspace(t, { 'a.docx': 'x', 'b.md': 'x'.repeat(100), 'C.MD': 'x' });
  const settings = { maxFileBytes: 99 };
  assert.match((await why(folder, 'a.docx', settings)).reason, /retrieval\.include/);
  assert.equal((await why(folder, 'b.md', settings)).code, 'too-large');
  assert.match((await why(folder, 'no.md')).reason, /no such file/);
  assert.match((await why(folder, '../x.md')).reason, /does not lie in/);
  assert.deepEqual(await found(folder, settings), {
    paths: ['C.MD'],
    failed: [{ path: 'b.md', code: 'too-large', reason: (await why(folder, 'b.md', settings)).reason }],
  });
});

test('given links in a ring, back into the workspace and to nowhere, when scanned, then it ends, and each file counts once', async (t) => {
  const folder = files(t, ['a/x.md', 'drafts/secret.md'], { '.gitignore': 'drafts/\n' });
  symlinkSync('..', join(folder, 'a', 'up'));
  symlinkSync('drafts', join(folder, 'way-round'));
  symlinkSync('nowhere', join(folder, 'lost.md'));
  symlinkSync('a/x.md', join(folder, 'again.md'));
  symlinkSync('/', join(folder, 'all'));
  assert.deepEqual(await found(folder), { paths: ['a/x.md'], failed: [] });
  assert.match((await why(folder, 'again.md')).reason, /link to a\/x\.md/);
});

test('given a link to a folder outside, when scanned, then its files are found under the link, and links in it are not followed', async (t) => {
  const outside = files(t, ['paper.md', 'inner/p.md']);
  symlinkSync(outside, join(outside, 'ring'));
  const folder = files(t, ['a.md']);
  symlinkSync(outside, join(folder, 'papers'));
  assert.deepEqual((await found(folder)).paths, ['a.md', 'papers/inner/p.md', 'papers/paper.md']);
});

test('given names with any characters, when scanned, then they come back as they are', async (t) => {
  const names = [
    'ein Žofie 🙂.md',
    'a\\b.md',
    '[x](y) *?.md',
    '#1.md',
    '!no.md',
    'quo\'te".md',
    'zeile\n2.md',
  ];
  const folder = files(t, names);
  assert.deepEqual((await found(folder)).paths, [...names].sort());
});

test('given Windows, when a path comes in, then separators become forward slashes and other drives are outside', () => {
  const walker = new WorkspaceWalker('C:\\notes', plainSettings, { platform: 'win32' });
  assert.equal(walker.relative('C:\\notes\\deep\\a.md'), 'deep/a.md');
  assert.equal(walker.relative('deep\\a.md'), 'deep/a.md');
  assert.equal(walker.relative('D:\\notes\\a.md'), null);
  assert.equal(walker.relative('C:\\other\\a.md'), null);
  assert.equal(walker.absolute('deep/a.md'), 'C:\\notes\\deep\\a.md');
});

/** The real file system, where reading some paths is refused. */
function forbidding(folder: string, ...paths: string[]): WalkerOptions {
  const forbidden = new Set(paths.map((path) => join(folder, path)));
  const refuse = (path: unknown): void => {
    if (forbidden.has(String(path)))
      throw Object.assign(new Error('EACCES: made for a test'), { code: 'EACCES' });
  };
  const fileSystem = {
    ...nodeWorkspaceFileSystem,
    opendir: (async (path, options) => {
      refuse(path);
      return await nodeWorkspaceFileSystem.opendir(path, options);
    }) as typeof nodeWorkspaceFileSystem.opendir,
    readFile: (async (path: string, options: 'utf8') => {
      refuse(path);
      return await nodeWorkspaceFileSystem.readFile(path, options);
    }) as typeof nodeWorkspaceFileSystem.readFile,
  };
  return { fileSystem };
}

test('given a folder that may not be read, when scanned, then it is listed and the rest is found', async (t) => {
  const folder = files(t, ['a.md', 'closed/b.md']);
  const { paths, failed } = await found(folder, {}, forbidding(folder, 'closed'));
  assert.deepEqual(paths, ['a.md']);
  assert.deepEqual(
    failed.map(({ path, code }) => [path, code]),
    [['closed', 'unreadable']],
  );
});

test('given folders that are left out, when scanned, then none of them is read', async (t) => {
  const folder = files(t, ['a.md', 'out/b.md', 'node_modules/c.md', 'deep/out/d.md'], {
    '.gitignore': 'out/\n',
    '.preflexorignore': 'out/keep/*.md\n!elsewhere/x.md\n!*.md\n',
  });
  const { failed } = await found(folder, {}, forbidding(folder, 'out', 'node_modules', 'deep/out'));
  assert.deepEqual(failed, []);
});

test('given a rule file that may not be read, when scanned, then its folder is not looked into', async (t) => {
  const folder = files(t, ['a.md', 'secret/b.md'], { 'secret/.preflexorignore': 'b.md\n' });
  const { paths, failed } = await found(folder, {}, forbidding(folder, 'secret/.preflexorignore'));
  assert.deepEqual(paths, ['a.md']);
  assert.match(failed[0]?.reason ?? '', /secret\/\.preflexorignore cannot be read/);
});

test('given a workspace that is not there, when scanned, then a sentence says so', async (t) => {
  const folder = workspace(t);
  await assert.rejects(found(join(folder, 'none')), (error) => PreflexorError.is(error, 'bad-input'));
  await assert.rejects(found(folder, {}, forbidding(folder, '')), (error) =>
    PreflexorError.is(error, 'bad-input'),
  );
});

test('given some paths, when only they are scanned, then folders among them are walked and others are not', async (t) => {
  const folder = files(t, ['a.md', 'in/b.md', 'in/deep/c.md', 'other/d.md', 'out/e.md'], {
    '.gitignore': 'out\n',
  });
  const walker = new WorkspaceWalker(folder, plainSettings);
  const { files: some } = await scan(walker, { signal, paths: ['a.md', 'in', 'gone.md', 'out/e.md'] });
  assert.deepEqual([...some.keys()].sort(), ['a.md', 'in/b.md', 'in/deep/c.md']);
});

test('given a large flat folder, when scanned, then the event loop gets a turn every few entries', async (t) => {
  const folder = workspace(t);
  for (let index = 0; index < 2000; index += 1) writeFileSync(join(folder, `${index}.md`), '');
  let turns = 0;
  const turn = (): Promise<void> => {
    turns += 1;
    return giveTurn();
  };
  const walker = new WorkspaceWalker(folder, plainSettings);
  const { files: all } = await scan(walker, { signal, giveTurn: turn });
  assert.equal(all.size, 2000);
  assert.ok(turns >= 2000 / 100, `${turns} turns`);
});

test('given a scan that is stopped, when it goes on, then it ends as cancelled', async (t) => {
  const folder = files(t, ['a.md']);
  const stopped = AbortSignal.abort();
  await assert.rejects(scan(new WorkspaceWalker(folder, plainSettings), { signal: stopped }), (error) =>
    PreflexorError.is(error, 'cancelled'),
  );
});

// ── Against git itself ──────────────────────────────────────────────────────────────────────────────────────

const names = ['a', 'b', 'ab', 'a b'];
const segment = fc.constantFrom(...names);
const notePath = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => `${segments.join('/')}.md`);
const pattern = fc
  .record({
    negated: fc.boolean(),
    anchored: fc.boolean(),
    segments: fc.array(fc.constantFrom(...names, '*', '**', 'a*', '?', '[ab]', '*.md', 'a.md', '\\a'), {
      minLength: 1,
      maxLength: 3,
    }),
    folder: fc.boolean(),
    space: fc.boolean(),
  })
  .map(
    ({ negated, anchored, segments, folder, space }) =>
      `${negated ? '!' : ''}${anchored ? '/' : ''}${segments.join('/')}${folder ? '/' : ''}${space ? ' ' : ''}`,
  );
const ignoreFile = fc.array(fc.oneof(pattern, fc.constantFrom('', '# a', '\\#a', '!')), { maxLength: 6 });

test('given any notes and .gitignore files, when scanned, then the files are those that git sees', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(notePath, { minLength: 1, maxLength: 12 }),
      fc.dictionary(fc.constantFrom('', 'a/', 'b/', 'a/b/'), ignoreFile, { maxKeys: 3 }),
      async (paths, ignores) => {
        const folder = mkdtempSync(join(tmpdir(), 'preflexor-git-'));
        try {
          execFileSync('git', ['init', '-q', folder]);
          for (const path of paths) put(folder, path, path);
          for (const [at, lines] of Object.entries(ignores)) {
            mkdirSync(join(folder, at), { recursive: true });
            put(folder, `${at}.gitignore`, lines.join('\n'));
          }
          const asked = [
            '-C',
            folder,
            '-c',
            'core.excludesFile=',
            'ls-files',
            '-z',
            '--others',
            '--exclude-standard',
          ];
          const seen = execFileSync('git', asked, { encoding: 'utf8' }).split('\0');
          assert.deepEqual((await found(folder)).paths, seen.filter((path) => path.endsWith('.md')).sort());
          const walker = new WorkspaceWalker(folder, plainSettings);
          for (const path of paths) {
            const { code } = await explain(walker, path, () => Promise.resolve(null));
            assert.equal(code === null, seen.includes(path), path);
          }
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 25 },
  );
});
