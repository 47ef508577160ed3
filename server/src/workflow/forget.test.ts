import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { decisionOf, labels, runOf } from '../../../test/support/ledgerExamples.ts';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';
import { PreflexorError } from '../errors.ts';
import { exportPairs, ExportRegister, ImportedPairs, openLedger } from '../preferences/index.ts';
import type { AdapterRecord, PreferencePair } from '../protocol/index.ts';
import { homePlaces, workspaceKey, workspacePlaces } from '../state/index.ts';
import { forget, type ForgettingLibrary } from './forget.ts';
import { workspacePairs } from './pairs.ts';
import { Stores } from './stores.ts';

const never = new AbortController().signal;
const secret = 'a secret that must go';
const id = (n: number) => `01JDF3Z${String(n).padStart(19, '0')}`;
const noteOf = (notePath: string) => ({
  path: notePath,
  hash: 'cd'.repeat(32),
  range: { start: 0, end: 10 },
});

/** Hears what is to be forgotten. */
class HeardLibrary implements ForgettingLibrary {
  heard: unknown = null;
  forget: ForgettingLibrary['forget'] = (_root, what) => {
    this.heard = what;
    return Promise.resolve({ documents: 1, owners: 2 });
  };
}

class Adapters {
  readonly marked: string[] = [];
  readonly #records: readonly AdapterRecord[];
  constructor(records: readonly AdapterRecord[] = []) {
    this.#records = records;
  }
  list() {
    return Promise.resolve(this.#records.map((record) => ({ record })));
  }
  markForgotten(one: string) {
    this.marked.push(one);
    return Promise.resolve();
  }
}

/** A workspace with decisions, runs and caches about a.md (secret) and b.md. */
async function setUp(t: TestContext) {
  const folder = temporaryFolder(t);
  const root = path.join(folder, 'workspace');
  const home = path.join(folder, 'home');
  await mkdir(root);
  await mkdir(home);
  const stores = new Stores(home, Date.now);
  const ledger = await stores.ledger(root);
  const texts = { ...decisionOf('x').texts, paragraph: secret };
  await ledger.append(decisionOf('a', { block: 'block1', note: noteOf('a.md'), texts }));
  await ledger.append(decisionOf('b', { block: 'block2', note: noteOf('b.md') }));
  await ledger.append(
    decisionOf('a before it was renamed', { block: 'block1', note: noteOf('old name.md'), texts }),
  );
  const runs = stores.runs(root);
  await runs.save(runOf(id(1), { block: 'block1', note: noteOf('a.md'), paragraph: secret }));
  await runs.save(runOf(id(2), { block: 'block2', note: noteOf('b.md') }));
  await runs.list();
  const places = workspacePlaces(root);
  const cache = path.join(homePlaces(home).cache, await workspaceKey(root));
  await mkdir(path.join(cache, 'vectors'));
  await writeFile(path.join(cache, 'index-epoch'), '1');
  return { folder, root, home, stores, places, cache, library: new HeardLibrary(), adapters: new Adapters() };
}

/** Every file beneath a folder that holds the words. */
async function filesWith(folder: string, words: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const found: string[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    if ((await stat(file)).isFile() && (await readFile(file)).includes(words)) found.push(name);
  }
  return found;
}

test('given a note, when forgotten, then no file holds a word of it, also from when it had another name; other notes stand', async (t) => {
  const { folder, root, home, stores, library, adapters, cache } = await setUp(t);
  assert.notDeepEqual(await filesWith(folder, secret), []);
  const forgotten = await forget({ root, home, note: 'a.md' }, { stores, library, adapters }, never);
  assert.deepEqual(await filesWith(folder, secret), []);
  assert.deepEqual(await filesWith(folder, 'a.md'), []);
  assert.deepEqual(await readdir(cache), ['index-epoch']);
  const { records } = await (await stores.ledger(root)).read();
  assert.deepEqual(labels(records), ['', 'b', '']);
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['forget', 'accept', 'forget'],
  );
  assert.deepEqual(
    (await stores.runs(root).list()).map((run) => run.id),
    [id(2)],
  );
  const { ledger, runs, documents, caches } = forgotten.removed;
  assert.deepEqual([ledger, runs, documents, caches], [2, 1, 1, 2]);
  const decisions = records.filter(({ kind }) => kind === 'forget').map((record) => `decision:${record.id}`);
  assert.deepEqual(library.heard, {
    paths: ['a.md'],
    owners: [`run:${id(1)}`, ...decisions, 'document:a.md'],
  });
});

test('given a forgotten note, when pairs are derived and it is forgotten again, then there is nothing of it', async (t) => {
  const { root, home, stores, library, adapters } = await setUp(t);
  const request = { root, home, note: 'a.md' };
  await forget(request, { stores, library, adapters }, never);
  const { pairs } = await workspacePairs({ root, now: Date.now(), record: true }, stores, never);
  assert.deepEqual(
    pairs.map(({ note }) => note?.path),
    ['b.md'],
  );
  const again = await forget(request, { stores, library, adapters }, never);
  assert.deepEqual([again.removed.ledger, again.removed.runs], [0, 0]);
});

test('given a copy of the ledger that a synchronising program brings back, when read, then the tombstones stand over it', async (t) => {
  const { root, home, stores, library, adapters, places } = await setUp(t);
  const [name] = await readdir(places.ledger);
  const copy = path.join(root, 'copy');
  await copyFile(path.join(places.ledger, name ?? ''), copy);
  await forget({ root, home, note: 'a.md' }, { stores, library, adapters }, never);
  for (const back of ['0 earlier.jsonl', 'z conflicted.jsonl']) {
    await copyFile(copy, path.join(places.ledger, back));
    const { records, problems } = await (await openLedger({ workspaceRoot: root, home })).read();
    assert.deepEqual([records.map(({ kind }) => kind), problems], [['forget', 'accept', 'forget'], []]);
  }
});

test('given damaged lines, when a note is forgotten, then those that name it go and the others stay, byte for byte', async (t) => {
  const { root, home, stores, library, adapters, places } = await setUp(t);
  const [name = ''] = await readdir(places.ledger);
  const file = path.join(places.ledger, name);
  await appendFile(file, `{"torn":"a.md","text":"${secret}\n<<<<<<< HEAD\n`);
  const forgotten = await forget({ root, home, note: 'a.md' }, { stores, library, adapters }, never);
  assert.equal(forgotten.removed.damagedLines, 1);
  const text = await readFile(file, 'utf8');
  assert.ok(!text.includes(secret) && text.endsWith('<<<<<<< HEAD\n'));
  assert.ok(forgotten.remaining.some((sentence) => sentence.startsWith('1 lines of the ledger')));
  const all = await forget({ root, home, note: null }, { stores, library, adapters }, never);
  assert.equal(all.removed.damagedLines, 1);
});

test('given a workspace, when all is forgotten, then neither decisions nor runs are left, and later ones are kept again', async (t) => {
  const { root, home, stores, library, adapters, places } = await setUp(t);
  await writeFile(path.join(places.runs, `${id(7)}.json`), `damaged ${secret}`);
  const forgotten = await forget({ root, home, note: null }, { stores, library, adapters }, never);
  assert.deepEqual([forgotten.removed.ledger, forgotten.removed.runs], [3, 3]);
  assert.equal(library.heard, 'all');
  assert.deepEqual(await readdir(places.runs), []);
  const ledger = await stores.ledger(root);
  await ledger.append(decisionOf('new'));
  assert.deepEqual(labels((await ledger.read()).records), ['', '', '', 'new']);
});

test('given an index that cannot be reached, when a note is forgotten, then the rest goes, and it is said', async (t) => {
  const { folder, root, home, stores, adapters } = await setUp(t);
  const library = {
    forget: () => Promise.reject(new PreflexorError('offline', 'The index is out of reach.')),
  };
  const { remaining } = await forget({ root, home, note: 'a.md' }, { stores, library, adapters }, never);
  assert.ok(remaining.some((sentence) => sentence.includes('The index is out of reach.')));
  assert.deepEqual(await filesWith(folder, secret), []);
});

function adapterOf(name: string, sha256: string): AdapterRecord {
  const counts = {
    file: 'pairs.jsonl',
    sha256,
    records: 1,
    refused: [],
    truncatedPrompts: 0,
    truncatedCompletions: 0,
    tokens: 1,
  };
  return {
    id: name,
    origin: { kind: 'trained', run: { pairs: counts, heldout: null } },
  } as unknown as AdapterRecord;
}

test('given adapters, when a note is forgotten, then those trained on an export with it are marked, and unknown ones named', async (t) => {
  const { root, home, stores, library } = await setUp(t);
  const { pairs } = await workspacePairs({ root, now: Date.now(), record: true }, stores, never);
  const register = new ExportRegister(home);
  const time = '2026-11-24T12:00:00.000Z';
  const exported = async (own: readonly PreferencePair[], workspace: string) => {
    const { files } = await exportPairs(own, 'kto', { strict: false }, never);
    const notes = new Set(own.flatMap(({ note }) => note?.path ?? []));
    for (const { content } of files) await register.add(content, { workspace, notes, time });
  };
  const key = await workspaceKey(root);
  await exported(
    pairs.filter(({ note }) => note?.path !== 'b.md'),
    key,
  );
  const [withA] = await register.list();
  await exported(
    pairs.filter(({ note }) => note?.path === 'b.md'),
    key,
  );
  const withB = (await register.list()).find(({ sha256 }) => sha256 !== withA?.sha256);
  assert.ok(withA && withB);
  const adapters = new Adapters([
    adapterOf('aaa', withA.sha256),
    adapterOf('bbb', withB.sha256),
    adapterOf('ccc', 'ef'.repeat(32)),
  ]);
  const forgotten = await forget({ root, home, note: 'a.md' }, { stores, library, adapters }, never);
  assert.deepEqual(adapters.marked, ['aaa']);
  assert.deepEqual(forgotten.adapters, { marked: ['aaa'], unknown: ['ccc'] });
});

test('given adapters that were held to notes, when one is forgotten, then those of it and of this workspace are marked', async (t) => {
  const { root, home, stores, library } = await setUp(t);
  const heldTo = (name: string, file: string, workspace: string): AdapterRecord => {
    const record = adapterOf(name, 'ef'.repeat(32));
    assert.ok(record.origin.kind === 'trained');
    const anchor = { workspace, texts: [{ from: 'workspace', file, sha256: '' }] };
    return {
      ...record,
      origin: { ...record.origin, run: { ...record.origin.run, anchor } },
    } as AdapterRecord;
  };
  const key = await workspaceKey(root);
  const adapters = new Adapters([
    heldTo('aaa', 'a.md', key),
    heldTo('bbb', 'b.md', key),
    heldTo('ccc', 'a.md', 'another'),
  ]);
  await forget({ root, home, note: 'a.md' }, { stores, library, adapters }, never);
  assert.deepEqual(adapters.marked, ['aaa']);
});

test('given imported pairs, when a note is forgotten, then its own go and the others stay', async (t) => {
  const { root, home, stores, library, adapters } = await setUp(t);
  const { pairs } = await workspacePairs({ root, now: Date.now(), record: true }, stores, never);
  const imported = new ImportedPairs(root);
  await imported.add(pairs);
  await forget({ root, home, note: 'a.md' }, { stores, library, adapters }, never);
  assert.deepEqual(
    (await imported.list(never)).pairs.map(({ note }) => note?.path),
    ['b.md'],
  );
});

test('given a note with recording off, or a folder, when pairs are listed, then their consent is withdrawn', async (t) => {
  const { root, stores } = await setUp(t);
  const consentOf = async (name: string, record = true) => {
    const { pairs } = await workspacePairs({ root, now: Date.now(), record }, stores, never);
    return pairs.filter(({ note }) => note?.path === name).map(({ consent }) => consent);
  };
  await writeFile(path.join(root, 'b.md'), 'Text.\n');
  assert.deepEqual(await consentOf('b.md'), ['given']);
  assert.deepEqual(await consentOf('b.md', false), ['withdrawn']);
  await writeFile(path.join(root, 'b.md'), '---\npreflexor: off\n---\n');
  assert.deepEqual(await consentOf('b.md'), ['withdrawn']);
  assert.deepEqual(await consentOf('old name.md'), ['given']);
  await writeFile(path.join(root, '.preflexor-off'), '');
  assert.deepEqual(await consentOf('old name.md'), ['withdrawn']);
});
