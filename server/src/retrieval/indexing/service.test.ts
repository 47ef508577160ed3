import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import type { IndexStatus } from '../../protocol/index.ts';
import { ManualTimers } from '../../engine/llama/testing/timers.ts';
import type { DocumentChange } from '../ports.ts';
import { HashEmbedder } from '../testing/hashEmbedder.ts';
import { RecordingStore } from '../testing/recordingStore.ts';
import { paragraphChunker, plainReader, type PlainReader } from '../testing/plainDocuments.ts';
import { MemoryCache, plainSettings, put, workspace } from '../testing/workspace.ts';
import { IndexService, type ServiceParts } from './service.ts';
import type { OpenedIndex } from './session.ts';

interface Held {
  readonly folder: string;
  readonly service: IndexService;
  readonly timers: ManualTimers;
  readonly reader: PlainReader;
  readonly embedder: HashEmbedder;
  /** Every index that was opened, with whether a rebuild was asked for. */
  readonly opened: { readonly rebuild: boolean; readonly store: RecordingStore; commits: number }[];
}

/** A service over a workspace with small parts; `store` makes the n-th index. */
function held(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<ServiceParts> & {
    readonly serving?: RecordingStore;
    readonly store?: (n: number) => RecordingStore;
    readonly embedder?: HashEmbedder;
  } = {},
): Held {
  const { serving, store = () => new RecordingStore(), embedder = new HashEmbedder(), ...parts } = options;
  const folder = workspace(t, files);
  const [timers, reader, opened]: [ManualTimers, PlainReader, Held['opened']] = [
    new ManualTimers(),
    plainReader(),
    [],
  ];
  const service = new IndexService({
    root: folder,
    settings: plainSettings,
    reader,
    chunker: paragraphChunker,
    embedder,
    openIndex: ({ rebuild }): Promise<OpenedIndex> => {
      const entry = { rebuild, store: store(opened.length), commits: 0 };
      opened.push(entry);
      return Promise.resolve({
        serving: serving ?? null,
        building: entry.store,
        cache: new MemoryCache(),
        embedder: 'hash',
        commit: () => {
          entry.commits += 1;
          return Promise.resolve();
        },
        close: () => entry.store.close(),
      });
    },
    exclusively: (work) => work(),
    timers,
    limits: { batchChunks: 8, textsPerCall: 2, filesAhead: 2, bytesAhead: 1000 },
    ...parts,
  });
  t.after(() => service.dispose());
  return { folder, service, timers, reader, embedder, opened };
}

async function started(
  t: TestContext,
  ...args: Parameters<typeof held> extends [unknown, ...infer R] ? R : never
) {
  const each = held(t, ...args);
  each.service.start();
  await each.service.settled();
  return each;
}

test('given a workspace, when the service starts, then it is indexed and the status says how much', async (t) => {
  const seen: IndexStatus['state'][] = [];
  const { service, folder } = held(t, { 'a.md': 'one\n\ntwo', 'b.md': '%ENCRYPTED' });
  service.onStatus((status) => void seen.push(status.state));
  service.start();
  await service.settled();
  assert.deepEqual(service.status(), {
    root: folder,
    state: 'idle',
    files: 1,
    chunks: 2,
    done: 2,
    total: 2,
    failed: [{ path: 'b.md', code: 'encrypted', reason: 'It needs a password.' }],
    embedder: 'hash',
    message: null,
  });
  assert.deepEqual([...new Set(seen)], ['idle', 'scanning', 'indexing']);
});

test('given changes in a row, when it is quiet for a moment, then they are indexed in one run', async (t) => {
  const { folder, service, timers, opened } = await started(t, { 'a.md': 'a', 'b.md': 'b' });
  const before = opened[0]!.store.calls.length;
  put(folder, 'a.md', 'a anew');
  service.changed(join(folder, 'a.md'));
  timers.advance(300);
  put(folder, 'c.md', 'c');
  service.created('c.md');
  timers.advance(300);
  rmSync(join(folder, 'b.md'));
  service.deleted('b.md');
  assert.equal(opened[0]!.store.calls.length, before);
  timers.advance(400);
  await service.settled();
  assert.deepEqual(
    opened[0]!.store.calls.slice(before).map(({ name, paths }) => [name, paths.toSorted()]),
    [
      ['remove', ['b.md']],
      ['apply', ['a.md', 'c.md']],
      ['optimise', []],
    ],
  );
  assert.deepEqual([service.status().files, service.status().chunks], [2, 2]);
});

test('given changes that never end, when some seconds have passed, then they are indexed all the same', async (t) => {
  const { folder, service, timers, reader } = await started(t, { 'a.md': 'a' });
  put(folder, 'a.md', 'a anew');
  for (let at = 0; at < 26; at += 1) {
    service.changed('a.md');
    timers.advance(200);
  }
  await service.settled();
  assert.equal(reader.reads.length, 2);
});

test('given changes of files that are not its own, when told, then nothing is done', async (t) => {
  const { folder, service, timers } = await started(t, { 'a.md': 'a' });
  for (const path of ['/elsewhere/x.md', join(folder, '.git/index'), '.preflexor/runs/x.json'])
    service.changed(path);
  assert.deepEqual(timers.waiting, []);
});

test('given a rule file that changes, when told, then files that it leaves out go and others come', async (t) => {
  const { folder, service, timers, opened } = await started(t, {
    'a.md': 'a',
    'b.md': 'b',
    '.gitignore': 'a.md\n',
  });
  put(folder, '.gitignore', 'b.md\n');
  service.changed('.gitignore');
  timers.advance(400);
  await service.settled();
  assert.deepEqual([...opened[0]!.store.entries.keys()], ['a.md']);
});

test('given other settings, when configured, then files that they leave out go and others come', async (t) => {
  const { service, opened } = await started(t, { 'a.md': 'a', 'b.txt': 'b' });
  service.configure({ ...plainSettings, include: ['*.txt'] });
  await service.settled();
  assert.deepEqual([...opened[0]!.store.entries.keys()], ['b.txt']);
});

test('given a pause, when something changes, then nothing happens until it goes on', async (t) => {
  const { folder, service, timers, reader } = await started(t, { 'a.md': 'a' });
  service.pause();
  assert.equal(service.status().state, 'paused');
  put(folder, 'a.md', 'a anew');
  service.changed('a.md');
  timers.advance(5000);
  await service.settled();
  assert.equal(reader.reads.length, 1);
  service.resume();
  await service.settled();
  assert.equal(reader.reads.length, 2);
  assert.equal(service.status().state, 'idle');
});

test('given a window that comes to the front, when told, then it looks again, at most once a minute', async (t) => {
  const { folder, service, timers, opened } = await started(t, { 'a.md': 'a' });
  put(folder, 'b.md', 'b');
  service.focused();
  await service.settled();
  assert.equal(opened[0]!.store.entries.size, 1);
  timers.advance(60_000);
  service.focused();
  await service.settled();
  assert.equal(opened[0]!.store.entries.size, 2);
});

/** A store that is broken from the n-th write on. */
class BreakingStore extends RecordingStore {
  readonly #after: number;

  constructor(after: number) {
    super();
    this.#after = after;
  }

  override apply(changes: readonly DocumentChange[]): Promise<void> {
    if (this.calls.length >= this.#after)
      return Promise.reject(new PreflexorError('index-failed', 'It is broken.'));
    return super.apply(changes);
  }
}

test('given an index that breaks, when it does, then it is rebuilt and the service goes on', async (t) => {
  const store = (n: number) => (n === 0 ? new BreakingStore(2) : new RecordingStore());
  const { folder, service, timers, opened } = await started(t, { 'a.md': 'a', 'b.md': 'b' }, { store });
  put(folder, 'a.md', 'a anew');
  service.changed('a.md');
  timers.advance(400);
  await service.settled();
  assert.deepEqual(
    opened.map(({ rebuild }) => rebuild),
    [false, true],
  );
  assert.equal(opened[0]!.store.closed, true);
  assert.deepEqual([...opened[1]!.store.entries.keys()].sort(), ['a.md', 'b.md']);
  assert.deepEqual([service.status().state, service.status().message], ['idle', null]);
});

test('given an index that cannot even be rebuilt, when that was tried, then the status says so and the next change tries again', async (t) => {
  const store = (n: number) => (n < 3 ? new BreakingStore(0) : new RecordingStore());
  const { service, timers, opened } = await started(t, { 'a.md': 'a' }, { store });
  assert.equal(opened.length, 3);
  assert.deepEqual([service.status().state, service.status().message], ['failed', 'It is broken.']);
  service.changed('a.md');
  timers.advance(400);
  await service.settled();
  assert.equal(opened.length, 4);
  assert.deepEqual([service.status().state, service.status().chunks], ['idle', 1]);
});

test('given no embedding model, when started, then its sentence is the status, and a rescan tries again', async (t) => {
  let missing = true;
  const embedder = new HashEmbedder({
    before: () => {
      if (missing) throw new PreflexorError('no-model', 'There is no model.', { remedy: 'Fetch one.' });
    },
  });
  const { service } = await started(t, { 'a.md': 'a' }, { embedder });
  assert.deepEqual(
    [service.status().state, service.status().message],
    ['failed', 'There is no model. Fetch one.'],
  );
  missing = false;
  service.rescan();
  await service.settled();
  assert.deepEqual([service.status().state, service.status().chunks], ['idle', 1]);
});

test('given a change whose run failed, when another file changes, then both are indexed', async (t) => {
  let broken = false;
  const embedder = new HashEmbedder({
    before: () => {
      if (broken) throw new PreflexorError('engine-crashed', 'It ended.');
    },
  });
  const { folder, service, timers, opened } = await started(t, { 'a.md': 'a', 'b.md': 'b' }, { embedder });
  for (const path of ['a.md', 'b.md']) {
    broken = path === 'a.md';
    put(folder, path, `${path} anew`);
    service.changed(path);
    timers.advance(400);
    await service.settled();
  }
  const texts = [...opened[0]!.store.entries.values()].flatMap(({ chunks }) =>
    chunks.map(({ text }) => text),
  );
  assert.deepEqual(texts.sort(), ['a.md anew', 'b.md anew']);
});

test('given an index of another embedder, when started, then the old one serves until the new one is whole', async (t) => {
  const serving = new RecordingStore();
  const during: unknown[] = [];
  const embedder: HashEmbedder = new HashEmbedder({ before: () => void during.push(each.service.serving()) });
  const each: Held = held(t, { 'a.md': 'a', 'b.md': 'b' }, { serving, embedder });
  each.service.changed('a.md');
  each.timers.advance(400);
  await each.service.settled();
  assert.deepEqual([...new Set(during)], [serving]);
  assert.equal(each.opened[0]!.commits, 1);
  assert.equal(each.service.serving(), each.opened[0]!.store);
  assert.equal(each.opened[0]!.store.entries.size, 2, 'what is built beside must be whole');
  each.service.rescan();
  await each.service.settled();
  assert.equal(each.opened[0]!.commits, 1);
});

test('given an index that is built beside another one and breaks off, when it ends, then the old one still serves', async (t) => {
  const serving = new RecordingStore();
  const embedder = new HashEmbedder({
    before: () => {
      throw new PreflexorError('engine-crashed', 'It ended.');
    },
  });
  const { service, opened } = await started(t, { 'a.md': 'a' }, { serving, embedder });
  assert.equal(service.serving(), serving);
  assert.equal(opened[0]!.commits, 0);
});

test('given a rebuild, when asked for, then an empty index is filled, with no text of the old one', async (t) => {
  const { service, opened, embedder } = await started(t, { 'a.md': 'a' });
  service.rebuild();
  await service.settled();
  assert.deepEqual(
    opened.map(({ rebuild }) => rebuild),
    [false, true],
  );
  assert.deepEqual(embedder.texts, ['a', 'a']);
  assert.equal(opened[1]!.commits, 1);
});

test('given a run that goes on, when the service ends, then it stops, and the index is closed', async (t) => {
  const { promise: embedding, resolve } = Promise.withResolvers<undefined>();
  const embedder = new HashEmbedder({
    before: () => {
      resolve(undefined);
      return new Promise(() => undefined);
    },
  });
  const { service, opened } = held(t, { 'a.md': 'a' }, { embedder });
  service.start();
  await embedding;
  await service.dispose();
  assert.equal(opened[0]!.store.closed, true);
  assert.equal(service.serving(), null);
});

test('given files that fail in different ways, when another file changes, then the status still lists them', async (t) => {
  const settings = { ...plainSettings, maxFileBytes: 20 };
  const { folder, service, timers } = await started(
    t,
    { 'a.md': 'a', 'large.md': 'x'.repeat(21), 'locked.md': '%ENCRYPTED' },
    { settings },
  );
  put(folder, 'a.md', 'a anew');
  service.changed('a.md');
  timers.advance(400);
  await service.settled();
  assert.deepEqual(
    service
      .status()
      .failed.map(({ path }) => path)
      .sort(),
    ['large.md', 'locked.md'],
  );
  put(folder, 'large.md', 'short');
  service.changed('large.md');
  timers.advance(400);
  await service.settled();
  assert.deepEqual(
    service.status().failed.map(({ path }) => path),
    ['locked.md'],
  );
});

test('given indexed, refused and left-out files, when asked why, then the answer is that of the rules and of the index', async (t) => {
  const { service } = await started(t, {
    'a.md': 'one\n\ntwo',
    'locked.md': '%ENCRYPTED',
    'out.md': 'x',
    'main.tex': '\\input{part.tex}\n\nMain.',
    'part.tex': 'Part.',
    '.preflexorignore': 'out.md\n',
  });
  assert.deepEqual(await service.explain('a.md'), {
    path: 'a.md',
    indexed: true,
    chunks: 2,
    code: null,
    reason: 'It is indexed: 2 passages.',
  });
  assert.equal((await service.explain('locked.md')).reason, 'It needs a password.');
  assert.match((await service.explain('out.md')).reason, /\.preflexorignore, line 1: out\.md$/);
  assert.match((await service.explain('part.tex')).reason, /part of main\.tex/);
});

test('given an open file that is named while a run goes on, when the next file is taken, then it is that one', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 30 }, (_none, at) => [`${at}.md`, `${at}`]));
  const embedder: HashEmbedder = new HashEmbedder({ before: () => each.service.prioritise(['0.md']) });
  const each: Held = held(t, files, { embedder });
  each.service.start();
  await each.service.settled();
  assert.ok(each.reader.reads.indexOf('0.md') < 25, each.reader.reads.join(' '));
});
