import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  copyFile,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ModelListing, type DownloadProgress } from '../../protocol/index.ts';
import { thinkTagMarkers, type CatalogueModel } from './catalogue.ts';
import { ModelStore } from './store.ts';
import {
  entryFor,
  FileServer,
  never,
  quickPolicy,
  sha256,
  temporaryFolder,
  tinyMetadata,
  tinyModel,
  tinyTensors,
  writeGguf,
} from './testing.ts';

const content = tinyModel('Tiny', 4000);
const signal = never;

interface Bench {
  readonly server: FileServer;
  readonly home: string;
  readonly store: ModelStore;
  readonly file: string;
}

async function setUp(context: TestContext, entry: CatalogueModel = entryFor(content)): Promise<Bench> {
  const server = await FileServer.start(context, content);
  const home = await temporaryFolder(context);
  return { server, home, store: storeIn(home, server, entry), file: join(home, 'models', entry.file) };
}

function storeIn(home: string, server: FileServer, entry: CatalogueModel): ModelStore {
  const environment = { ...process.env, HF_ENDPOINT: server.address, HF_TOKEN: '' };
  const availableMemory = (): Promise<number> => Promise.resolve(8e9);
  return new ModelStore({ home, catalogue: [entry], environment, policy: quickPolicy, availableMemory });
}

test('given an empty home, when models are listed, then the catalogue is there, not installed', async (t) => {
  const { store } = await setUp(t);
  const [listing, ...others] = await store.listModels();
  assert.deepEqual(others, []);
  assert.equal(ModelListing.parse(listing).installed, false);
  assert.equal(listing?.file, 'tiny.gguf');
  assert.equal(listing.fits, true);
});

test('given a model that is not here, when it is looked for, then the error names both ways to get it', async (t) => {
  const { store } = await setUp(t);
  await assert.rejects(store.findModel('tiny', { signal }), {
    code: 'no-model',
    remedy: /"preflexor models get tiny".*"PRefLexOR: Choose Model"/,
  });
  await assert.rejects(store.findModel('huge', { signal }), {
    code: 'unknown-model',
    remedy: /Known are tiny\./,
  });
  await assert.rejects(store.getModel('huge', { signal }), { code: 'unknown-model' });
});

test('given a server, when a model is got, then it is found, listed, and nothing but it and its record is left', async (t) => {
  const { store, file, home } = await setUp(t);
  const events: DownloadProgress[] = [];
  const listing = await store.getModel('tiny', { signal, onProgress: (event) => events.push(event) });
  assert.deepEqual(await readFile(file), content);
  assert.deepEqual(listing, (await store.listModels())[0]);
  assert.equal(listing.installed, true);
  assert.equal(listing.file, file);
  assert.deepEqual((await readdir(join(home, 'models'))).sort(), ['tiny.gguf', 'tiny.gguf.verified.json']);
  assert.deepEqual([...new Set(events.map(({ event }) => event))], ['progress', 'verifying', 'done']);
  const model = await store.findModel('tiny', { signal });
  assert.deepEqual(model.identity, { id: 'tiny', file: 'tiny.gguf', sha256: sha256(content) });
  assert.equal(model.file, file);
});

test('given a model that is here, when it is got again or offline, then nothing is fetched', async (t) => {
  const { store, server } = await setUp(t);
  await store.getModel('tiny', { signal });
  await store.getModel('tiny', { signal, offline: true });
  assert.equal(server.requests.length, 1);
});

test('given a model that is not here, when it is got offline, then nothing is fetched and it says so', async (t) => {
  const { store, server } = await setUp(t);
  await assert.rejects(store.getModel('tiny', { signal, offline: true }), {
    code: 'offline',
    remedy: /preflexor models add FILE/,
  });
  assert.equal(server.requests.length, 0);
});

test('given a server that sends wrong bytes, when a model is got, then it does not count as here', async (t) => {
  const { store, server, file } = await setUp(t);
  server.content = Buffer.from(content).reverse();
  await assert.rejects(store.getModel('tiny', { signal }), { code: 'checksum-mismatch' });
  await assert.rejects(store.findModel('tiny', { signal }), { code: 'no-model' });
  await assert.rejects(readFile(`${file}.part`), { code: 'ENOENT' });
  server.content = content;
  assert.equal((await store.getModel('tiny', { signal })).installed, true);
});

test('given a part whose bytes went bad on the disk, when it goes on, then it is fetched once more from nothing', async (t) => {
  const { store, server, file } = await setUp(t);
  const stop = new AbortController();
  server.next({ kind: 'stall', after: 50_000 });
  const onProgress = ({ received }: DownloadProgress): void => {
    if (received > 0) stop.abort();
  };
  await assert.rejects(store.getModel('tiny', { signal: stop.signal, onProgress }), { code: 'cancelled' });
  const part = await readFile(`${file}.part`);
  await writeFile(`${file}.part`, part.fill(7));
  await store.getModel('tiny', { signal });
  assert.deepEqual(await readFile(file), content);
});

test('given a file without a record, when it is looked for, then it is verified and remembered', async (t) => {
  const { store, server, file, home } = await setUp(t);
  await store.getModel('tiny', { signal });
  await rm(`${file}.verified.json`);
  assert.equal((await store.listModels())[0]?.installed, false);
  const events: DownloadProgress[] = [];
  await store.findModel('tiny', { signal, onProgress: (event) => events.push(event) });
  assert.equal(events.at(-1)?.event, 'verifying');
  assert.equal((await store.listModels())[0]?.installed, true);
  assert.equal(server.requests.length, 1);
  const again: DownloadProgress[] = [];
  await storeIn(home, server, entryFor(content)).findModel('tiny', {
    signal,
    onProgress: (event) => again.push(event),
  });
  assert.deepEqual(again, []);
});

test('given a downloaded file that was changed, when it is looked for, then it is refused, and getting it heals it', async (t) => {
  const { store, file } = await setUp(t);
  await store.getModel('tiny', { signal });
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  await writeFile(file, bytes);
  assert.equal((await store.listModels())[0]?.installed, false);
  await assert.rejects(store.findModel('tiny', { signal }), {
    code: 'checksum-mismatch',
    remedy: /preflexor models get tiny/,
  });
  await store.getModel('tiny', { signal });
  assert.deepEqual(await readFile(file), content);
});

test('given a file changed behind the back of its record, when it is checked, then the fault shows', async (t) => {
  const { store, file } = await setUp(t);
  await store.getModel('tiny', { signal });
  assert.equal(await store.checkModel('tiny', { signal }), true);
  const record = JSON.parse(await readFile(`${file}.verified.json`, 'utf8')) as { mtimeMs: number };
  await writeFile(file, Buffer.from(content).fill(1));
  await utimes(file, new Date(record.mtimeMs), new Date(record.mtimeMs));
  const seconds = Math.trunc(record.mtimeMs);
  await writeFile(`${file}.verified.json`, JSON.stringify({ ...record, mtimeMs: seconds }));
  assert.equal(await store.checkModel('tiny', { signal }), false);
});

test('given an entry without a hash, when it is first got, then its hash is shown and holds from then on', async (t) => {
  const { store, server, file } = await setUp(
    t,
    entryFor(content, { sha256: null, bytes: content.length + 999 }),
  );
  const listing = await store.getModel('tiny', { signal });
  assert.equal(listing.sha256, sha256(content));
  assert.equal(listing.bytes, content.length);
  server.content = tinyModel('Other', 4000);
  await rm(file);
  await assert.rejects(store.getModel('tiny', { signal }), { code: 'checksum-mismatch' });
  server.content = content;
  assert.equal((await store.getModel('tiny', { signal })).sha256, sha256(content));
});

test('given an entry without a hash and a server that sends a web page, when it is got, then it is refused', async (t) => {
  const { store, server } = await setUp(t, entryFor(content, { sha256: null }));
  server.content = Buffer.from('<!doctype html><title>Sign in</title>');
  await assert.rejects(store.getModel('tiny', { signal }), { code: 'bad-model', message: /web page/ });
});

test('given a folder that cannot be written, when a model is got, then it says so', async (t) => {
  if (process.platform === 'win32' || process.getuid?.() === 0) {
    t.skip('permissions bind nobody here');
    return;
  }
  const { store, home } = await setUp(t);
  await chmod(home, 0o500);
  await assert.rejects(store.getModel('tiny', { signal }), { code: 'read-only' });
  await chmod(home, 0o700);
});

test('given a home that is a file, when a model is got, then it is an error in words', async (t) => {
  const { server, home } = await setUp(t);
  await writeFile(join(home, 'file'), '');
  const store = storeIn(join(home, 'file'), server, entryFor(content));
  await assert.rejects(store.getModel('tiny', { signal }), { name: 'PreflexorError' });
});

test('given a stop in the middle, when a model is got again, then it goes on', async (t) => {
  const { store, server } = await setUp(t);
  const stop = new AbortController();
  server.next({ kind: 'stall', after: 50_000 });
  const onProgress = ({ received }: DownloadProgress): void => {
    if (received > 0) stop.abort();
  };
  await assert.rejects(store.getModel('tiny', { signal: stop.signal, onProgress }), { code: 'cancelled' });
  await store.getModel('tiny', { signal });
  assert.equal(server.requests.length, 2);
  assert.match(server.requests[1]?.headers.range ?? '', /^bytes=[1-9]/);
});

// Files of the user's own

test('given a GGUF of the user, when it is added, then it stays where it is and is found by id and by path', async (t) => {
  const { store, home } = await setUp(t);
  const own = join(home, 'My Model (v2).gguf');
  await writeFile(own, tinyModel('Mine'));
  const listing = await store.addModel(own, { signal });
  assert.equal(listing.id, 'my-model-v2');
  assert.equal(listing.name, 'Mine');
  assert.equal(listing.license, 'mit');
  assert.equal(listing.file, own);
  assert.deepEqual(
    (await store.listModels()).map(({ id }) => id),
    ['tiny', 'my-model-v2'],
  );
  const byId = await store.findModel('my-model-v2', { signal });
  assert.deepEqual(byId, await store.findModel(own, { signal }));
  assert.equal(byId.identity.sha256, sha256(tinyModel('Mine')));
  assert.equal(byId.markers.id, 'preflexor');
  assert.equal(byId.chatTemplate, 'embedded');
});

test('given two files of one name and an id of the catalogue, when they are added, then ids stay unique', async (t) => {
  const { store, home } = await setUp(t);
  const names = ['tiny.gguf', 'Tiny.GGUF', 'tiny-2.gguf'];
  const ids: string[] = [];
  for (const [index, name] of names.entries()) {
    const path = join(await temporaryFolder(t), name);
    await writeFile(path, tinyModel(`Model ${index}`));
    ids.push((await store.addModel(path, { signal })).id);
  }
  assert.deepEqual(ids, ['tiny-2', 'tiny-3', 'tiny-2-2']);
  assert.equal((await store.listModels()).length, 4);
  assert.ok((await readdir(join(home, 'models'))).includes('models.json'));
});

test('given a file added twice, or moved and added, when models are listed, then it is there once', async (t) => {
  const { store, home } = await setUp(t);
  await writeFile(join(home, 'a.gguf'), tinyModel('Mine'));
  await store.addModel(join(home, 'a.gguf'), { signal });
  await store.addModel(join(home, 'a.gguf'), { signal });
  await rename(join(home, 'a.gguf'), join(home, 'b.gguf'));
  await assert.rejects(store.findModel('a', { signal }), { code: 'no-model', message: /is gone/ });
  assert.equal((await store.addModel(join(home, 'b.gguf'), { signal })).id, 'a');
  assert.equal((await store.listModels()).length, 2);
  assert.equal((await store.findModel('a', { signal })).file, join(home, 'b.gguf'));
});

test('given a file that the catalogue knows, when it is added, then it is that model, without a download', async (t) => {
  const { store, home, server } = await setUp(t);
  const stick = join(home, 'from-a-stick.gguf');
  await writeFile(stick, content);
  assert.equal((await store.addModel(stick, { signal })).id, 'tiny');
  assert.equal((await store.getModel('tiny', { signal, offline: true })).installed, true);
  assert.equal((await store.findModel('tiny', { signal })).file, stick);
  assert.equal(server.requests.length, 0);
});

test('given an added file that changed, when it is looked for, then its new hash is its identity', async (t) => {
  const { store, home } = await setUp(t);
  const own = join(home, 'own.gguf');
  await writeFile(own, tinyModel('Mine'));
  await store.addModel(own, { signal });
  await writeFile(own, tinyModel('Mine, longer'));
  assert.equal((await store.listModels())[1]?.installed, false);
  assert.equal((await store.findModel('own', { signal })).identity.sha256, sha256(tinyModel('Mine, longer')));
  await truncate(own, (await readFile(own)).length - 33);
  await assert.rejects(store.findModel('own', { signal }), {
    code: 'bad-model',
    message: /bytes are missing/,
  });
});

test('given a model that thinks between tags, when it is added, then its own tags are its markers', async (t) => {
  const { store, home } = await setUp(t);
  const metadata = { ...tinyMetadata, 'tokenizer.chat_template': '{{ messages }}<think>' };
  await writeFile(join(home, 'thinker.gguf'), writeGguf(metadata, tinyTensors));
  await store.addModel(join(home, 'thinker.gguf'), { signal });
  assert.deepEqual((await store.findModel('thinker', { signal })).markers, thinkTagMarkers);
});

test('given what is no language model, when it is added, then it is refused and nothing is entered', async (t) => {
  const { store, home } = await setUp(t);
  await writeFile(
    join(home, 'adapter.gguf'),
    writeGguf({ ...tinyMetadata, 'general.type': 'adapter' }, tinyTensors),
  );
  await assert.rejects(store.addModel(join(home, 'adapter.gguf'), { signal }), { code: 'bad-model' });
  await assert.rejects(store.addModel(join(home, 'none.gguf'), { signal }), { code: 'no-model' });
  await assert.rejects(store.findModel('/none/at/all.gguf', { signal }), { code: 'no-model' });
  assert.equal((await store.listModels()).length, 1);
});

test('given models, when they are removed, then downloads are deleted and files of the user stay', async (t) => {
  const { store, home, file } = await setUp(t);
  const own = join(home, 'own.gguf');
  await writeFile(own, tinyModel('Mine'));
  await store.addModel(own, { signal });
  await store.getModel('tiny', { signal });
  await store.removeModel('own', signal);
  await store.removeModel('tiny', signal);
  assert.deepEqual(await readFile(own), tinyModel('Mine'));
  await assert.rejects(readFile(file), { code: 'ENOENT' });
  await assert.rejects(store.removeModel('own', signal), { code: 'unknown-model' });
  assert.deepEqual(
    (await store.listModels()).map(({ installed }) => installed),
    [false],
  );
});

test('given a list of own models that cannot be understood, when models are listed, then nothing is overwritten', async (t) => {
  const { store, home } = await setUp(t);
  await store.getModel('tiny', { signal });
  await writeFile(join(home, 'models', 'models.json'), '{"schema": 1, "models": [');
  await assert.rejects(store.listModels(), { code: 'bad-input', message: /models\.json/ });
  const own = join(home, 'own.gguf');
  await copyFile(join(home, 'models', 'tiny.gguf'), own);
  await assert.rejects(store.addModel(own, { signal }), { code: 'bad-input' });
  assert.match(await readFile(join(home, 'models', 'models.json'), 'utf8'), /"models": \[$/);
});

// Several processes

/** A process of its own that gets the model, as another window would. */
function getInAnotherProcess(context: TestContext, { home, server }: Bench): ChildProcess {
  const script = `
    import { ModelStore } from ${JSON.stringify(new URL('store.ts', import.meta.url).href)};
    const { home, entry, policy } = JSON.parse(process.env.BENCH);
    const store = new ModelStore({ home, catalogue: [entry], policy });
    const listing = await store.getModel(entry.id, { signal: new AbortController().signal });
    process.stdout.write(listing.sha256);
  `;
  const bench = JSON.stringify({
    home,
    entry: entryFor(content),
    policy: { ...quickPolicy, stallMs: 60_000 },
  });
  const env = { ...process.env, BENCH: bench, HF_ENDPOINT: server.address, HF_TOKEN: '' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => child.kill('SIGKILL'));
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
  await once(child, 'close');
  return output;
}

test('given two processes that want the same model, when both get it, then it is fetched once and right for both', async (t) => {
  const bench = await setUp(t);
  const outputs = await Promise.all(
    [getInAnotherProcess(t, bench), getInAnotherProcess(t, bench)].map(outputOf),
  );
  assert.deepEqual(outputs, [sha256(content), sha256(content)]);
  assert.equal(bench.server.requests.length, 1);
  assert.deepEqual(await readFile(bench.file), content);
});

test('given a process killed in the middle of a download, when the model is got again, then it goes on', async (t) => {
  const bench = await setUp(t);
  bench.server.next({ kind: 'stall', after: 70_000 });
  const child = getInAnotherProcess(t, bench);
  await bench.server.received(1);
  for (let bytes = 0; bytes < 70_000; await new Promise((resolve) => setTimeout(resolve, 20))) {
    bytes = (await readFile(`${bench.file}.part`).catch(() => Buffer.alloc(0))).length;
  }
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal((await bench.store.listModels())[0]?.installed, false);
  await bench.store.getModel('tiny', { signal });
  assert.equal(bench.server.requests[1]?.headers.range, 'bytes=70000-');
  assert.deepEqual(await readFile(bench.file), content);
});
