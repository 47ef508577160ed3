import { createComputeBudget } from '../composition.ts';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { IndexReport, type FailedFile } from '../protocol/index.ts';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';
import type { Context, GlobalOptions } from './context.ts';
import { indexCommand, type OpenRetrieval } from './indexing.ts';

interface Asked {
  readonly root: string;
  readonly paths: readonly string[] | null;
}

const locked: FailedFile = { path: 'locked.pdf', code: 'encrypted', reason: 'It needs a password.' };

/** Runs the command with an index that only notes what it is asked. */
async function run(
  t: TestContext,
  arrange: (folder: string) => {
    folders?: string[];
    why?: string;
    options?: GlobalOptions;
    failed?: FailedFile[];
  },
) {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'vault', '.preflexor'), { recursive: true });
  mkdirSync(join(folder, 'vault', 'papers'));
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'vault', 'a.md'), '');
  const { folders = [], why, options = {}, failed = [] } = arrange(folder);
  const asked: Asked[] = [];
  const printed = { data: undefined as unknown, text: '', progress: [] as string[], closed: 0 };
  const open = (root: string): Promise<OpenRetrieval> =>
    Promise.resolve({
      index: (paths, onStep) => {
        asked.push({ root, paths });
        onStep({ state: 'scanning', done: 0, total: 0, chunks: 0 });
        onStep({ state: 'indexing', done: 3, total: 4, chunks: 12 });
        const files = { added: 3, changed: 0, removed: 1, renamed: 0, unchanged: 0, failed };
        return Promise.resolve({ files, chunks: 12, embedded: 10, seconds: 1.25 });
      },
      explain: (file) =>
        Promise.resolve({
          path: file,
          indexed: false,
          chunks: 0,
          code: 'excluded',
          reason: `Asked in ${root}.`,
        }),
      close: () => {
        printed.closed += 1;
        return Promise.resolve();
      },
    });
  const context: Context = {
    output: {
      json: false,
      result: (data, text) => Object.assign(printed, { data, text }),
      progress: (text) => void printed.progress.push(text),
      line: () => {},
      write: () => {},
      say: () => {},
    },
    options,
    signal: new AbortController().signal,
    home: join(folder, 'home'),
    compute: createComputeBudget(join(folder, 'home')),
  };
  await indexCommand(folders, why === undefined ? {} : { why }, context, open);
  return { folder, asked, printed };
}

test('given a folder of its own, when indexed, then all of it is, and the report is the one of the protocol', async (t) => {
  const { folder, asked, printed } = await run(t, (at) => ({ folders: [join(at, 'other')] }));
  assert.deepEqual(asked, [{ root: join(folder, 'other'), paths: null }]);
  assert.equal(IndexReport.parse(printed.data).embedded, 10);
  assert.equal(
    printed.text,
    'Files: 3 new, 1 removed.\n12 passages in the index; 10 embedded now, in 1.3 s.',
  );
  assert.equal(printed.closed, 1);
});

test('given folders and a file of one workspace, when indexed, then only they are, in its index', async (t) => {
  const { folder, asked } = await run(t, (at) => ({
    folders: [join(at, 'vault/papers'), join(at, 'vault/a.md')],
  }));
  assert.deepEqual(asked, [{ root: join(folder, 'vault'), paths: ['papers', 'a.md'] }]);
});

test('given folders of two workspaces, when indexed, then the report counts both and names files in full', async (t) => {
  const { folder, asked, printed } = await run(t, (at) => ({
    folders: [join(at, 'vault'), join(at, 'other')],
    failed: [locked],
  }));
  assert.equal(asked.length, 2);
  const report = IndexReport.parse(printed.data);
  assert.equal(report.chunks, 24);
  assert.deepEqual(
    report.files.failed.map(({ path }) => path),
    [join(folder, 'vault', 'locked.pdf'), join(folder, 'other', 'locked.pdf')],
  );
});

test('given a workspace by option, when a folder lies outside of it, then that is refused', async (t) => {
  await assert.rejects(
    run(t, (at) => ({ folders: [join(at, 'other')], options: { workspace: join(at, 'vault') } })),
    (error) => PreflexorError.is(error, 'bad-input'),
  );
});

test('given a folder that is not there, when indexed, then that is refused', async (t) => {
  await assert.rejects(
    run(t, (at) => ({ folders: [join(at, 'none')] })),
    (error) => PreflexorError.is(error, 'bad-input'),
  );
});

test('given files that cannot be indexed, when told to a person, then each has its reason, and a long list is cut', async (t) => {
  const failed = Array.from({ length: 23 }, () => locked);
  const { printed } = await run(t, (at) => ({ folders: [join(at, 'other')], failed }));
  const lines = printed.text.split('\n');
  assert.equal(lines.filter((line) => line === '  locked.pdf: It needs a password.').length, 20);
  assert.equal(lines.at(-1), '  and 3 more (--json lists all)');
});

test('given a run, when it goes on, then a bar shows how far it is', async (t) => {
  const { printed } = await run(t, (at) => ({ folders: [join(at, 'other')] }));
  assert.equal(printed.progress[1], `${'█'.repeat(18)}${'░'.repeat(6)} 3 of 4 files, 12 passages`);
});

test('given --why, when asked, then the workspace of the file answers and nothing is indexed', async (t) => {
  const { folder, asked, printed } = await run(t, (at) => ({ why: join(at, 'vault/papers/x.pdf') }));
  assert.deepEqual(asked, []);
  assert.equal(printed.text, `${join(folder, 'vault/papers/x.pdf')}: Asked in ${join(folder, 'vault')}.`);
});
