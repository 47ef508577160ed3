import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import { HashEmbedder } from '../testing/hashEmbedder.ts';
import { RecordingStore } from '../testing/recordingStore.ts';
import { paragraphChunker, plainReader } from '../testing/plainDocuments.ts';
import { MemoryCache, index, plainSettings, put, testParts, workspace } from '../testing/workspace.ts';
import type { IndexProgress } from './parts.ts';
import { WorkspaceWalker, nodeWorkspaceFileSystem } from './workspaceWalker.ts';
import { Gate } from './yielding.ts';

/** `count` paragraphs that no other call gives. */
function paragraphs(name: string, count: number): string {
  return Array.from({ length: count }, (_none, at) => `${name}, paragraph ${at}.`).join('\n\n');
}

/** What a store holds, without the order in which it came. */
function contents(store: RecordingStore): unknown {
  return [...store.entries.values()].sort((a, b) => (a.record.path < b.record.path ? -1 : 1));
}

/** What an index of the same files holds that was made in one go. */
async function freshContents(folder: string): Promise<unknown> {
  const parts = testParts(folder);
  await index(parts);
  return contents(parts.store);
}

test('given new notes, when indexed, then every paragraph is stored with its vector, and the report says so', async (t) => {
  const folder = workspace(t, { 'a.md': paragraphs('a', 3), 'in/b.md': paragraphs('b', 2) });
  const parts = testParts(folder);
  const report = await index(parts);
  assert.deepEqual(report, {
    files: { added: 2, changed: 0, removed: 0, renamed: 0, unchanged: 0, failed: [] },
    chunks: 5,
    embedded: 5,
    seconds: 0,
  });
  const chunks = await parts.store.chunksOf('in/b.md');
  assert.deepEqual(
    chunks.map(({ text }) => text),
    ['b, paragraph 0.', 'b, paragraph 1.'],
  );
  const [vector] = await parts.embedder.embed(['b, paragraph 1.'], 'passage', new AbortController().signal);
  assert.deepEqual(chunks[1]?.vector, vector);
});

test('given an index that is current, when run again, then nothing is read, embedded or written', async (t) => {
  const folder = workspace(t, {
    'a.md': paragraphs('a', 3),
    'main.tex': 'One.\n\n\\input{part.tex}\n\n\\input{missing.tex}',
    'part.tex': 'Two.',
    'locked.md': '%ENCRYPTED',
  });
  const parts = testParts(folder);
  await index(parts);
  const [reads, texts, calls] = [
    parts.reader.reads.length,
    parts.embedder.texts.length,
    parts.store.calls.length,
  ];
  const report = await index(parts);
  assert.deepEqual(
    [parts.reader.reads.length, parts.embedder.texts.length, parts.store.calls.length],
    [reads, texts, calls],
  );
  assert.equal(report.embedded, 0);
  assert.equal(report.files.unchanged, 2);
  assert.deepEqual(
    report.files.failed.map(({ path }) => path),
    ['locked.md'],
  );
});

test('given a changed paragraph in a long note, when indexed, then it alone is embedded', async (t) => {
  const text = paragraphs('a', 30);
  const folder = workspace(t, { 'a.md': text });
  const parts = testParts(folder);
  await index(parts);
  put(folder, 'a.md', text.replace('paragraph 12.', 'paragraph twelve.'));
  const report = await index(parts);
  assert.deepEqual(parts.embedder.texts.slice(30), ['a, paragraph twelve.']);
  assert.equal(report.files.changed, 1);
  assert.deepEqual(contents(parts.store), await freshContents(folder));
});

test('given a note that changed back, or came back, when indexed, then nothing is embedded', async (t) => {
  const folder = workspace(t, { 'a.md': paragraphs('a', 3) });
  const parts = testParts(folder);
  await index(parts);
  put(folder, 'a.md', paragraphs('b', 3));
  await index(parts);
  put(folder, 'a.md', paragraphs('a', 3));
  assert.equal((await index(parts)).embedded, 0);
  rmSync(join(folder, 'a.md'));
  assert.equal((await index(parts)).files.removed, 1);
  put(folder, 'a.md', paragraphs('a', 3));
  assert.equal((await index(parts)).embedded, 0);
  assert.deepEqual(contents(parts.store), await freshContents(folder));
});

test('given the same text in many notes, when indexed, then it is embedded once', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 40; at += 1) put(folder, `${at}.md`, `Same words.\n\n${paragraphs(String(at), 1)}`);
  const parts = testParts(folder);
  const report = await index(parts);
  assert.equal(parts.embedder.texts.filter((text) => text === 'Same words.').length, 1);
  assert.equal(report.embedded, 41);
  assert.equal(report.chunks, 80);
});

test('given a folder that was moved, when indexed, then its notes are renamed, neither read nor embedded', async (t) => {
  const folder = workspace(t, { 'old/a.md': paragraphs('a', 2), 'old/deep/b.md': paragraphs('b', 2) });
  const parts = testParts(folder);
  await index(parts);
  const reads = parts.reader.reads.length;
  renameSync(join(folder, 'old'), join(folder, 'new'));
  const report = await index(parts);
  assert.equal(report.files.renamed, 2);
  assert.deepEqual([report.files.added, report.files.removed, report.embedded], [0, 0, 0]);
  assert.equal(parts.reader.reads.length, reads);
  assert.deepEqual(contents(parts.store), await freshContents(folder));
});

test('given a note whose title is its name, when renamed, then it has the new title and nothing is embedded', async (t) => {
  const folder = workspace(t, { 'old name.md': paragraphs('a', 2) });
  const parts = testParts(folder);
  await index(parts);
  renameSync(join(folder, 'old name.md'), join(folder, 'new name.md'));
  assert.equal((await index(parts)).embedded, 0);
  assert.equal(parts.store.entries.get('new name.md')?.record.title, 'new name');
  assert.deepEqual(contents(parts.store), await freshContents(folder));
});

test('given a note with a new time and the same bytes, when indexed, then it is not read again, and its chunks have the time', async (t) => {
  const folder = workspace(t, { 'a.md': paragraphs('a', 2) });
  const parts = testParts(folder);
  await index(parts);
  const reads = parts.reader.reads.length;
  const time = new Date('2026-03-04T05:06:07Z');
  utimesSync(join(folder, 'a.md'), time, time);
  const report = await index(parts);
  assert.deepEqual([report.files.unchanged, report.files.changed, report.embedded], [1, 0, 0]);
  assert.equal(parts.reader.reads.length, reads);
  assert.equal((await parts.store.chunksOf('a.md'))[0]?.modified, time.getTime());
  assert.deepEqual(contents(parts.store), await freshContents(folder));
});

test('given a change that neither size nor time shows, when it was told of, then it is indexed', async (t) => {
  const folder = workspace(t, { 'a.md': 'one' });
  const parts = testParts(folder);
  await index(parts);
  const before = parts.store.entries.get('a.md')?.record.modified ?? 0;
  put(folder, 'a.md', 'two');
  utimesSync(join(folder, 'a.md'), new Date(before), new Date(before));
  assert.equal((await index(parts)).files.changed, 0);
  assert.equal((await index(parts, { paths: ['a.md'], changed: new Set(['a.md']) })).files.changed, 1);
});

test('given some paths, when only they are run, then files elsewhere are left as they are', async (t) => {
  const folder = workspace(t, { 'a.md': 'a', 'b.md': 'b', 'in/c.md': 'c', 'in/d.md': 'd' });
  const parts = testParts(folder);
  await index(parts);
  for (const path of ['a.md', 'b.md', 'in/c.md']) put(folder, path, `${path} anew`);
  rmSync(join(folder, 'in/d.md'));
  put(folder, 'e.md', 'e');
  const report = await index(parts, { paths: ['a.md', 'in'] });
  assert.deepEqual([report.files.changed, report.files.removed, report.files.added], [2, 1, 0]);
  assert.equal((await parts.store.chunksOf('b.md'))[0]?.text, 'b');
});

// ── Failures ────────────────────────────────────────────────────────────────────────────────────────────────

test('given files that cannot be indexed, when indexed, then each is listed with its reason and the rest is done', async (t) => {
  const folder = workspace(t, {
    'a.md': 'a',
    'broken.md': '%BREAK',
    'empty.md': '\n\n',
    'large.md': 'x'.repeat(1_000_001),
    'locked.md': '%ENCRYPTED',
    'keys.bib': '',
  });
  put(folder, 'keys.bib', '');
  const { files } = await index(testParts(folder));
  assert.equal(files.added, 1);
  assert.deepEqual(
    files.failed.map(({ path, code }) => `${path}: ${code}`),
    [
      'broken.md: damaged',
      'empty.md: empty',
      'keys.bib: empty',
      'large.md: too-large',
      'locked.md: encrypted',
    ],
  );
});

test('given a file that could not be read, when it changes, then it is tried again, and not before', async (t) => {
  const folder = workspace(t, { 'a.md': '%ENCRYPTED' });
  const parts = testParts(folder);
  await index(parts);
  await index(parts);
  assert.deepEqual(parts.reader.reads, ['a.md']);
  put(folder, 'a.md', 'open');
  const { files } = await index(parts);
  assert.deepEqual([files.added, files.failed], [1, []]);
});

test('given notes in a folder that cannot be read for now, when indexed, then what is known of them stays', async (t) => {
  const folder = workspace(t, { 'a.md': 'a', 'share/b.md': 'b' });
  const parts = testParts(folder);
  await index(parts);
  const opendir = (async (path, options) => {
    if (String(path).endsWith('share'))
      throw Object.assign(new Error('EIO: made for a test'), { code: 'EIO' });
    return await nodeWorkspaceFileSystem.opendir(path, options);
  }) as typeof nodeWorkspaceFileSystem.opendir;
  const walker = new WorkspaceWalker(folder, plainSettings, {
    fileSystem: { ...nodeWorkspaceFileSystem, opendir },
  });
  const { files } = await index({ ...parts, walker });
  assert.deepEqual([files.removed, files.failed.map(({ path }) => path)], [0, ['share']]);
  assert.equal((await parts.store.chunksOf('share/b.md')).length, 1);
});

test('given an embedder that breaks midway, when indexed, then its sentence comes out, what was done stays, and the next run goes on', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 30; at += 1) put(folder, `${at}.md`, paragraphs(String(at), 2));
  let calls = 0;
  const failing = new HashEmbedder({
    before: () => {
      calls += 1;
      if (calls === 16) throw new PreflexorError('engine-crashed', 'The engine ended.');
    },
  });
  const parts = testParts(folder, { embedder: failing });
  await assert.rejects(index(parts), (error) => PreflexorError.is(error, 'engine-crashed'));
  assert.ok(parts.store.entries.size > 0);
  const report = await index(parts);
  assert.equal(new Set(failing.texts).size, 60);
  assert.equal(failing.texts.length, 60, 'what was embedded was embedded again');
  assert.equal(report.chunks, 60);
  assert.deepEqual(contents(parts.store), await freshContents(folder));
});

test('given a store that breaks midway, when indexed, then the run ends with its error and leaves nothing running', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 60; at += 1) put(folder, `${at}.md`, paragraphs(String(at), 2));
  const store = new (class extends RecordingStore {
    override apply(changes: Parameters<RecordingStore['apply']>[0]): Promise<void> {
      if (this.calls.length === 3) return Promise.reject(new PreflexorError('index-failed', 'Broken.'));
      return super.apply(changes);
    }
  })();
  const parts = testParts(folder, { store });
  await assert.rejects(index(parts), (error) => PreflexorError.is(error, 'index-failed'));
  const { length } = parts.embedder.texts;
  await delay(20);
  assert.equal(parts.embedder.texts.length, length);
});

test('given a store that breaks while embedding waits for it, when indexed, then nobody waits for ever', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 20; at += 1) put(folder, `${at}.md`, paragraphs(String(at), 7));
  const store = new RecordingStore();
  const parts = testParts(folder, { store });
  store.apply = async () => {
    // Two batches of seven together are more than may be embedded and not stored: embedding waits by now.
    await delay(10);
    throw new PreflexorError('index-failed', 'Broken.');
  };
  await assert.rejects(index(parts), (error) => PreflexorError.is(error, 'index-failed'));
});

test('given an embedder with vectors of another size, when indexed, then the run ends with a sentence', async (t) => {
  const folder = workspace(t, { 'a.md': 'a' });
  const embedder = new HashEmbedder({ dimensions: 4 });
  embedder.identity = () => new HashEmbedder({ dimensions: 8 }).identity();
  await assert.rejects(index(testParts(folder, { embedder })), (error) =>
    PreflexorError.is(error, 'engine-failed'),
  );
});

// ── Stopping and pausing ────────────────────────────────────────────────────────────────────────────────────

test('given an embedder that never answers, when stopped, then the run ends all the same and keeps what was stored', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 20; at += 1) put(folder, `${at}.md`, paragraphs(String(at), 2));
  const controller = new AbortController();
  let calls = 0;
  const embedder = new HashEmbedder({
    before: async () => {
      calls += 1;
      if (calls < 8) return;
      controller.abort();
      await new Promise(() => undefined);
    },
  });
  const parts = testParts(folder, { embedder });
  await assert.rejects(index(parts, {}, controller.signal), (error) => PreflexorError.is(error, 'cancelled'));
  assert.ok(parts.store.entries.size > 0);
});

test('given a run that is paused, when time passes, then nothing is embedded until it is resumed', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 20; at += 1) put(folder, `${at}.md`, paragraphs(String(at), 2));
  const gate = new Gate();
  const { promise: paused, resolve } = Promise.withResolvers<undefined>();
  let calls = 0;
  const embedder = new HashEmbedder({
    before: () => {
      calls += 1;
      if (calls !== 3) return;
      gate.pause();
      resolve(undefined);
    },
  });
  const running = index(testParts(folder, { embedder, gate }));
  await paused;
  await delay(20);
  assert.equal(calls, 3);
  gate.resume();
  assert.equal((await running).chunks, 40);
});

test('given files that are open, when indexed, then they come first, then what was edited last', async (t) => {
  const folder = workspace(t);
  for (const name of ['oldest', 'old', 'new', 'open']) put(folder, `${name}.md`, name);
  for (let at = 0; at < 5; at += 1) put(folder, `${at}.md`, paragraphs(String(at), 1));
  const limits = { batchChunks: 8, textsPerCall: 2, filesAhead: 1, bytesAhead: 1 };
  const parts = testParts(folder, { limits });
  await index(parts, { urgent: () => ['nowhere.md', 'oldest.md', 'open.md'] });
  assert.deepEqual(parts.reader.reads.slice(0, 4), ['oldest.md', 'open.md', '4.md', '3.md']);
  assert.deepEqual(parts.reader.reads.slice(-2), ['new.md', 'old.md']);
});

test('given a run, when it goes on, then progress counts up to all of its files', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 20; at += 1) put(folder, `${at}.md`, paragraphs(String(at), 2));
  const steps: IndexProgress[] = [];
  await index(testParts(folder, { onProgress: (step) => void steps.push(step) }));
  assert.equal(steps[0]?.state, 'scanning');
  assert.deepEqual(steps.at(-1), { state: 'indexing', done: 20, total: 20, files: 20, chunks: 40 });
  const done = steps.map((step) => step.done);
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  );
  assert.ok(new Set(done).size > 4);
});

// ── LaTeX ───────────────────────────────────────────────────────────────────────────────────────────────────

const thesis = {
  'main.tex': '# Thesis\n\nOne.\n\n\\input{parts/a.tex}',
  'parts/a.tex': 'Two.\n\n\\input{parts/b.tex}',
  'parts/b.tex': 'Three.',
  'note.tex': 'Alone.',
};

test('given a document that takes in others, when indexed, then they stand under it and not by themselves', async (t) => {
  const parts = testParts(workspace(t, thesis));
  const report = await index(parts);
  assert.equal(report.files.added, 2);
  const chunks = await parts.store.chunksOf('main.tex');
  assert.deepEqual(
    chunks.map(({ source, text }) => `${source}: ${text}`),
    ['main.tex: # Thesis', 'main.tex: One.', 'parts/a.tex: Two.', 'parts/b.tex: Three.'],
  );
  assert.equal(report.chunks, 5);
  assert.match(parts.store.entries.get('parts/a.tex')?.record.refusal?.reason ?? '', /part of main\.tex/);
});

test('given a file that is taken in, when it changes, then its document is read again, by a whole run and by its own path', async (t) => {
  for (const request of [{}, { paths: ['parts/b.tex'] }]) {
    const folder = workspace(t, thesis);
    const parts = testParts(folder);
    await index(parts);
    put(folder, 'parts/b.tex', 'Three and a half.');
    const report = await index(parts, request);
    assert.deepEqual([report.files.changed, report.embedded], [1, 1]);
    assert.equal((await parts.store.chunksOf('main.tex')).at(-1)?.text, 'Three and a half.');
    assert.deepEqual(contents(parts.store), await freshContents(folder));
  }
});

test('given a file that is not taken in any more, when indexed, then it is a document of its own; and back again', async (t) => {
  const folder = workspace(t, thesis);
  const parts = testParts(folder);
  await index(parts);
  put(folder, 'parts/a.tex', 'Two.');
  assert.equal((await index(parts)).embedded, 0);
  assert.equal((await parts.store.chunksOf('parts/b.tex')).length, 1);
  assert.deepEqual(contents(parts.store), await freshContents(folder));
  put(folder, 'note.tex', 'Alone.\n\n\\input{parts/b.tex}');
  assert.equal((await index(parts)).embedded, 0);
  assert.deepEqual(contents(parts.store), await freshContents(folder));
});

test('given an \\input of a file that is missing, when the file comes, then its document is read again', async (t) => {
  const folder = workspace(t, { 'main.tex': 'One.\n\n\\input{later.tikz}' });
  const parts = testParts(folder);
  await index(parts);
  put(folder, 'later.tikz', 'Two.');
  assert.equal((await index(parts)).embedded, 1);
  assert.equal((await index(parts)).files.unchanged, 1);
  rmSync(join(folder, 'later.tikz'));
  await index(parts);
  assert.deepEqual(contents(parts.store), await freshContents(folder));
});

test('given files that take in each other, when indexed, then the first by name is the document', async (t) => {
  const parts = testParts(workspace(t, { 'b.tex': 'B.\n\n\\input{a.tex}', 'a.tex': 'A.\n\n\\input{b.tex}' }));
  assert.equal((await index(parts)).files.added, 1);
  assert.equal((await parts.store.chunksOf('a.tex')).length, 2);
});

test('given an \\input of what the rules leave out or of what lies outside, when indexed, then it is not taken in', async (t) => {
  const folder = workspace(t, {
    'in/main.tex': 'One.\n\n\\input{private/a.tex}\n\n\\input{../out.tex}\n\n\\input{/etc/passwd}',
    'private/a.tex': 'Secret.',
    '.preflexorignore': 'private/\n',
  });
  put(dirname(folder), 'out.tex', 'Outside.');
  t.after(() => rmSync(join(dirname(folder), 'out.tex')));
  const parts = testParts(folder);
  await index(parts);
  assert.deepEqual(parts.embedder.texts, ['One.']);
});

// ── Any sequence of edits ───────────────────────────────────────────────────────────────────────────────────

const anyPath = fc.constantFrom(
  'a.md',
  'b.md',
  'in/c.md',
  'in/deep/d.md',
  'main.tex',
  'in/part.tex',
  'x.txt',
);
const anyText = fc
  .array(fc.constantFrom('One.', 'Two.', 'Three.', '# Title', '\\input{in/part.tex}', '\\input{main.tex}'), {
    maxLength: 5,
  })
  .map((lines) => lines.join('\n\n'));
type Edit =
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'move'; readonly from: string; readonly to: string }
  | { readonly kind: 'ignore'; readonly lines: readonly string[] };
const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), path: anyPath, text: anyText }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), path: anyPath }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('move' as const),
      from: fc.constantFrom('a.md', 'in', 'in/c.md', 'main.tex'),
      to: fc.constantFrom('b.md', 'moved', 'moved.tex', 'in/deep/d.md'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('ignore' as const),
      lines: fc.array(fc.constantFrom('in/', '*.tex', '!in/c.md', 'a.md'), { maxLength: 2 }),
    }),
  },
);

function carryOut(folder: string, edit: Edit): void {
  try {
    if (edit.kind === 'write') put(folder, edit.path, edit.text);
    if (edit.kind === 'delete') rmSync(join(folder, edit.path), { force: true });
    if (edit.kind === 'ignore') put(folder, '.preflexorignore', edit.lines.join('\n'));
    if (edit.kind !== 'move') return;
    mkdirSync(dirname(join(folder, edit.to)), { recursive: true });
    renameSync(join(folder, edit.from), join(folder, edit.to));
  } catch {
    // It is not there, or something else is in the way: no edit then.
  }
}

/** What a watcher tells of an edit; null where everything is to be looked at. */
function touchedBy(edit: Edit): readonly string[] | null {
  if (edit.kind === 'ignore') return null;
  return edit.kind === 'move' ? [edit.from, edit.to] : [edit.path];
}

test('given any edits between any runs, when indexed, then the index is that of a fresh run, and no text was embedded twice', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ edits: fc.array(anyEdit, { minLength: 1, maxLength: 5 }), watched: fc.boolean() }),
        { minLength: 1, maxLength: 6 },
      ),
      fc.integer({ min: 1, max: 9 }),
      async (rounds, batchChunks) => {
        const folder = workspace(t);
        const limits = { batchChunks, textsPerCall: 3, filesAhead: 2, bytesAhead: 100 };
        const parts = testParts(folder, { limits });
        for (const { edits, watched } of rounds) {
          for (const edit of edits) carryOut(folder, edit);
          const told = edits.map(touchedBy);
          const paths = watched && !told.includes(null) ? told.flatMap((each) => each ?? []) : null;
          await index(parts, { paths });
          const fresh = testParts(folder);
          await index(fresh);
          assert.deepEqual(contents(parts.store), contents(fresh.store));
          const again = await index(parts);
          assert.equal(again.files.changed + again.files.added + again.files.removed + again.embedded, 0);
        }
        assert.equal(new Set(parts.embedder.texts).size, parts.embedder.texts.length);
      },
    ),
    { numRuns: 80 },
  );
});

test('given a document longer than a batch, when its run breaks off, then the next one embeds no text twice', async (t) => {
  const folder = workspace(t, { 'long.md': paragraphs('long', 100) });
  let calls = 0;
  const embedder = new HashEmbedder({
    before: () => {
      calls += 1;
      if (calls === 30) throw new PreflexorError('engine-crashed', 'The engine ended.');
    },
  });
  const cache = new MemoryCache();
  const parts = testParts(folder, { embedder, cache });
  await assert.rejects(index(parts));
  await index(parts);
  assert.equal(embedder.texts.length, 100);
});

test('given a fast reader and a slow store, when indexed, then never more than a batch of embedded texts waits to be stored', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 40; at += 1) put(folder, `${at}.md`, paragraphs(String(at), (at % 5) + 1));
  const store = new RecordingStore();
  const apply = store.apply.bind(store);
  store.apply = async (changes) => {
    await delay(2);
    await apply(changes);
  };
  let most = 0;
  const embedder: HashEmbedder = new HashEmbedder({
    before: async (texts) => {
      const { chunks } = await store.counts();
      most = Math.max(most, embedder.texts.length + texts.length - chunks);
    },
  });
  await index(testParts(folder, { store, embedder }));
  assert.ok(most <= 8, `${most} texts were embedded and not stored`);
  assert.ok(most > 2, 'embedding and storing do not overlap');
});

test('given a reader that is slower than its files, when indexed, then several are read at a time, bounded in bytes', async (t) => {
  const folder = workspace(t);
  for (let at = 0; at < 12; at += 1) put(folder, `${at}.md`, 'x'.repeat(100));
  let now = 0;
  let most = 0;
  let other: (() => void) | null = null;
  const plain = plainReader();
  const reader = {
    ...plain,
    read: async (...args: Parameters<typeof plain.read>) => {
      now += 1;
      most = Math.max(most, now);
      // Nobody goes on before a second one is here: reading one at a time would never end.
      await new Promise<void>((resolve) => {
        if (other) for (const goOn of [other, resolve]) goOn();
        other = other ? null : resolve;
      });
      now -= 1;
      return await plain.read(...args);
    },
  };
  const limits = { batchChunks: 8, textsPerCall: 2, filesAhead: 5, bytesAhead: 250 };
  await index(testParts(folder, { reader, limits, chunker: paragraphChunker }));
  assert.equal(most, 2);
});
