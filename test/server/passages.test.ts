// Passages and the index over a real connection, with retrieval in memory. No model is loaded.
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { applyEdits } from '../../server/src/notes/index.ts';
import {
  FoundPassages,
  IndexStatus,
  sourcesRequest,
  type IndexedAnswer,
  type LocatedPassage,
} from '../../server/src/protocol/index.ts';
import { offer } from '../../server/src/workflow/index.ts';
import { uriOf } from '../support/lspClient.ts';
import {
  alloys,
  draft,
  evidence,
  isIdle,
  library,
  passage,
  storedRun,
  untilIndex,
} from './librarySupport.ts';
import { failure } from './support.ts';

/** What stands in the file at the passage's place. */
async function textAt({ uri, start, end }: LocatedPassage): Promise<string> {
  assert.ok(uri);
  return (await readFile(fileURLToPath(uri), 'utf8')).slice(start, end);
}

test('given an indexed folder, when it is searched, then passages come with the address of their file, the best first', async (t) => {
  const { client } = await library(t);
  await untilIndex(client, 'the index', isIdle);
  const found = FoundPassages.parse(
    await client.request('preflexor/search', { query: 'dislocations at grain boundaries' }),
  );
  assert.equal(await textAt(found.passages[0]!), found.passages[0]!.text);
  assert.match(found.passages[0]!.source, /alloys\.md$/);
  assert.equal(found.nothingRelevant, false);
  const scores = found.passages.map(({ score }) => score);
  assert.deepEqual(
    scores,
    [...scores].sort((a, b) => b - a),
  );
});

test('given two folders, when all are searched, then passages of both are there, and a document narrows to its folder', async (t) => {
  const other = await library(t, { files: { 'more.md': 'Zirconium oxide is tough.\n' } });
  const { client, folder, uri } = await library(t, {
    files: { 'also.md': 'Zirconium oxide is white.\n' },
    folders: [],
  });
  await client.stop();
  assert.ok(folder && uri);
  const both = await library(t, { folders: [other.folder, folder] });
  await untilIndex(
    both.client,
    'the first index',
    (status) => status.root === other.folder && isIdle(status),
  );
  await untilIndex(both.client, 'the second index', (status) => status.root === folder && isIdle(status));
  const search = async (more: object): Promise<string[]> => {
    const result: FoundPassages = await both.client.request('preflexor/search', {
      query: 'zirconium oxide',
      ...more,
    });
    return result.passages.map(({ source }) => source).sort();
  };
  assert.deepEqual(await search({}), ['also.md', 'more.md']);
  assert.deepEqual(await search({ textDocument: { uri: uriOf(join(folder, 'draft.md')) } }), ['also.md']);
});

test('given a query that nothing fits, when it is searched for, then it is said that nothing is relevant', async (t) => {
  const { client } = await library(t);
  await untilIndex(client, 'the index', isIdle);
  const found: FoundPassages = await client.request('preflexor/search', { query: 'monetary policy' });
  assert.deepEqual([found.passages, found.nothingRelevant], [[], true]);
});

test('given a paragraph, when what is related is asked for, then passages of other notes come, and none of its own', async (t) => {
  const { client, uri } = await library(t);
  await untilIndex(client, 'the index', isIdle);
  const position = client.positionOf(uri, 'because');
  const related: FoundPassages & { paragraph: unknown } = await client.request('preflexor/related', {
    textDocument: { uri },
    position,
  });
  assert.deepEqual(
    related.passages.map(({ source }) => source),
    ['notes/alloys.md'],
  );
  assert.deepEqual(related.paragraph, {
    start: { line: 2, character: 0 },
    end: { line: 2, character: draft.split('\n')[2]!.length },
  });
});

test('given a place that is no paragraph, when what is related is asked for, then there is no paragraph and no failure', async (t) => {
  const { client, uri } = await library(t);
  const position = { line: 0, character: 1 };
  const related = await client.request<object>('preflexor/related', { textDocument: { uri }, position });
  assert.deepEqual(related, {
    passages: [],
    nothingRelevant: false,
    best: null,
    threshold: 1,
    paragraph: null,
  });
});

test('given a stored run, when its sources are asked for by run or by block, then each section has its passages', async (t) => {
  const run = storedRun();
  const { client, uri } = await library(t, { run });
  const ask = async (which: object) =>
    sourcesRequest.result.parse(
      await client.request('preflexor/sources', { textDocument: { uri }, ...which }),
    );
  const byRun = await ask({ run: run.id });
  assert.deepEqual(await ask({ block: run.block }), byRun);
  assert.equal(await textAt(byRun.passages[0]!), evidence);
  const supported = byRun.sections.map(({ kind, passages }) => [kind, passages.map(({ id }) => id)]);
  assert.deepEqual(supported, [
    ['thinking', ['p1']],
    ['reflection', []],
    ['answer', ['p1']],
  ]);
});

test('given a run whose passage names a file outside the folder, when its sources are asked for, then it has no address', async (t) => {
  const outside = [
    passage('p1', '../../etc/passwd', alloys, evidence),
    passage('p2', '/etc/passwd', alloys, evidence),
  ];
  const run = storedRun({ passages: outside });
  const { client, uri } = await library(t, { run });
  const { passages } = await client.request<{ passages: LocatedPassage[] }>('preflexor/sources', {
    textDocument: { uri },
    run: run.id,
  });
  assert.deepEqual(
    passages.map((one) => one.uri),
    [null, null],
  );
});

test('given a block without a run, when its sources are asked for, then it says that the run is not here', async (t) => {
  const { client, uri } = await library(t);
  const { data } = await failure(
    client.request('preflexor/sources', { textDocument: { uri }, block: 'k3v9q2xa' }),
  );
  assert.equal(data?.code, 'unknown-run');
});

test('given an annotation, when its lines are hovered over, then the passages behind each are shown in plain text', async (t) => {
  const run = storedRun();
  const offered = offer(draft, run);
  assert.ok('edits' in offered);
  const { client, uri } = await library(t, { run, files: { 'draft.md': applyEdits(draft, offered.edits) } });
  const hover = async (words: string): Promise<string> => {
    const position = client.positionOf(uri, words);
    const { contents } = await client.request<{ contents: { kind: string; value: string } }>(
      'textDocument/hover',
      {
        textDocument: { uri },
        position,
      },
    );
    assert.equal(contents.kind, 'plaintext');
    return contents.value;
  };
  assert.match(
    await hover('The dislocations stop'),
    /^Behind this line:\n• notes\/alloys\.md › Alloys › Grain size: “Dislocations stop at grain/,
  );
  assert.match(await hover('Nothing else is known'), /^Behind this section:\n• /);
  assert.doesNotMatch(await hover('It is short'), /Behind/);
  assert.match(await hover('It is short'), /Question: How can this/);
});

test('given a folder that is opened, when it is indexed, then its states are told, and the last one is idle', async (t) => {
  const { client, folder } = await library(t);
  const status = await client.until('an idle index', () =>
    client
      .notifications('preflexor/didChangeIndex')
      .map((params) => IndexStatus.parse(params))
      .find(isIdle),
  );
  assert.equal(status.root, folder);
  assert.ok(status.chunks >= 3);
});

test('given a slow index, when it is paused, then it stays so while files change, and goes on when it is resumed', async (t) => {
  const files = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`many/${index}.md`, `Note ${index}.\n`]),
  );
  const { client, folder } = await library(t, { files, env: { PREFLEXOR_TEST_FILE_MS: '40' } });
  await untilIndex(client, 'the first files', ({ files: known }) => known > 2);
  const { folders } = await client.request<{ folders: IndexStatus[] }>('preflexor/index', {
    action: 'pause',
  });
  assert.equal(folders[0]?.state, 'paused');
  const known = folders[0].files;
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', {
    changes: [{ uri: uriOf(join(folder, 'notes/alloys.md')), type: 2 }],
  });
  const later = await client.request<{ folders: IndexStatus[] }>('preflexor/indexStatus', {});
  assert.equal(later.folders[0]?.state, 'paused');
  assert.ok(later.folders[0].files <= known + 1);
  await client.request('preflexor/index', { action: 'resume' });
  const done = await untilIndex(client, 'the end', ({ state }) => state === 'idle');
  assert.equal(done.files, 33);
});

test('given a rebuild with a work-done token, when it goes on, then its progress is reported to its end', async (t) => {
  const { client } = await library(t);
  await untilIndex(client, 'the index', isIdle);
  const { folders } = await client.request<{ folders: IndexStatus[] }>('preflexor/index', {
    action: 'rebuild',
    workDoneToken: 'work',
  });
  assert.equal(folders[0]?.state, 'idle');
  const steps = client.progress('work') as { kind: string; message?: string }[];
  assert.deepEqual([steps[0]?.kind, steps.at(-1)?.kind], ['begin', 'end']);
  assert.ok(steps.some(({ message }) => /\d+ of 3 files/.test(message ?? '')));
});

test('given a long pass, when its request is cancelled, then it ends as cancelled and the server goes on', async (t) => {
  const { client } = await library(t, { env: { PREFLEXOR_TEST_FILE_MS: '200' } });
  const controller = new AbortController();
  const pass = failure(client.request('preflexor/index', { action: 'rebuild' }, controller.signal));
  controller.abort();
  assert.equal((await pass).code, -32800);
  assert.ok(await client.request('preflexor/indexStatus', {}));
});

test('given files that change, are made and go, when the editor tells so, then the index follows', async (t) => {
  const { client, folder, write } = await library(t);
  await untilIndex(client, 'the index', isIdle);
  const tell = (file: string, type: number) =>
    client.connection.sendNotification('workspace/didChangeWatchedFiles', {
      changes: [{ uri: uriOf(join(folder, file)), type }],
    });
  const sources = async (query: string): Promise<string[]> => {
    const { passages } = await client.request<FoundPassages>('preflexor/search', { query });
    return passages.map(({ source }) => source);
  };
  await write('new.md', 'Zirconium oxide is tough.\n');
  await tell('new.md', 1);
  await untilIndex(client, 'the new file', (status) => status.files === 4);
  assert.deepEqual(await sources('zirconium oxide'), ['new.md']);
  await rm(join(folder, 'new.md'));
  await tell('new.md', 3);
  await untilIndex(client, 'the file to go', (status) => status.files === 3);
  assert.deepEqual(await sources('zirconium oxide'), []);
});

test('given the include globs, when the folder is opened, then the editor is asked to watch them and the ignore files', async (t) => {
  const { client, folder } = await library(t, { settings: { retrieval: { include: ['papers/**/*.pdf'] } } });
  const watchers = await client.until('the watchers', () => {
    const registrations = client.asked
      .filter(({ method }) => method === 'client/registerCapability')
      .flatMap(
        ({ params }) =>
          (params as { registrations: { method: string; registerOptions: unknown }[] }).registrations,
      );
    const found = registrations.find(({ method }) => method === 'workspace/didChangeWatchedFiles');
    return (
      found?.registerOptions as
        { watchers: { globPattern: { baseUri: string; pattern: string } }[] } | undefined
    )?.watchers;
  });
  assert.deepEqual(
    watchers.map(({ globPattern }) => globPattern.pattern),
    ['papers/**/*.pdf', '**/.gitignore', '**/.preflexorignore', '**/*.bib'],
  );
  assert.ok(watchers.every(({ globPattern }) => globPattern.baseUri === uriOf(folder)));
});

test('given the editor’s own excludes, when it is asked why a file is not indexed, then the glob is named', async (t) => {
  const { client, folder } = await library(t, {
    editorSettings: {
      'files.exclude': { 'notes/**': true, 'draft.md': false },
      'search.exclude': { '**/old': true },
    },
  });
  await untilIndex(client, 'the index', isIdle);
  const why = (file: string): Promise<IndexedAnswer> =>
    client.request('preflexor/whyNotIndexed', { uri: uriOf(join(folder, file)) });
  const excluded = await why('notes/alloys.md');
  assert.deepEqual([excluded.path, excluded.indexed, excluded.code], ['notes/alloys.md', false, 'excluded']);
  assert.match(excluded.reason, /notes\/\*\*/);
  assert.equal((await why('draft.md')).indexed, true);
});

test('given retrieval is switched off, when the index is asked for, then it is off; switched on, it is built', async (t) => {
  const { client } = await library(t, { settings: { retrieval: { enabled: false } } });
  await untilIndex(client, 'the index to be off', ({ state }) => state === 'off');
  await client.configure({ retrieval: { enabled: true } });
  await untilIndex(client, 'the index', isIdle);
});

test('given no folder, when an index is asked for, then it says that a folder is needed', async (t) => {
  const { client, uri } = await library(t, { folders: [] });
  const { data } = await failure(client.request('preflexor/index', { action: 'start' }));
  assert.equal(data?.code, 'bad-input');
  assert.deepEqual(await client.request('preflexor/indexStatus', {}), { folders: [] });
  assert.ok(uri);
});
