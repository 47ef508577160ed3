// The embedder's and the reranker's client against small real host processes (testing/). Their vectors say how long
// each text is, and how many threads it got.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import { ComputeBudget } from '../compute/index.ts';
import { writeGgufFile } from '../models/index.ts';
import { batchesOf, createLlamaEmbedder, createLlamaReranker, type LlamaEmbedderOptions } from './encoder.ts';
import { ManualTimers } from './testing/timers.ts';

const never = new AbortController().signal;
const living: { dispose(): Promise<void> }[] = [];

const found = {
  file: '/models/a.gguf',
  identity: { id: 'a', file: 'a.gguf', sha256: '0'.repeat(64) },
  prefixes: { query: 'query: ', passage: 'p: ' },
  maxTokens: 64,
};

const common = {
  ...{ gpu: 'cpu' as const, threads: 1, idleUnloadMs: 0, platform: 'linux' as const },
  hostModule: join(import.meta.dirname, 'testing', 'encoderHost.ts'),
  onLog: () => undefined,
};

function embedder(options: Partial<LlamaEmbedderOptions> = {}) {
  const made = createLlamaEmbedder({ ...common, resolveModel: () => Promise.resolve(found), ...options });
  living.push(made);
  return made;
}

function reranker() {
  const made = createLlamaReranker({ ...common, resolveModel: () => Promise.resolve(found) });
  living.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(living.splice(0).map((each) => each.dispose()));
});

const withCode = (code: string) => (error: unknown) => error instanceof PreflexorError && error.code === code;

/** Waits for something that becomes true by messages; the test's own time limit ends a wait in vain. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('given nothing was asked, when an embedder is made, then no process runs', () => {
  assert.equal(embedder().hostPid, null);
});

test('given texts for many batches, when they are embedded, then each gets its own vector in their order', async () => {
  const texts = Array.from({ length: 50 }, (_, index) => 'x'.repeat(index * 10));
  const vectors = await embedder().embed(texts, 'passage', never);
  assert.deepEqual(
    vectors.map((vector) => vector[0]),
    texts.map((text) => 'p: '.length + text.length),
  );
  assert.ok(vectors.every((vector) => vector.length === 2));
});

test('given a query, when it is embedded, then its own prefix stands before it', async () => {
  const [vector] = await embedder().embed(['abc'], 'query', never);
  assert.equal(vector?.[0], 'query: abc'.length);
});

test('given no texts, when they are embedded, counted or ranked, then nothing is started', async () => {
  const made = embedder();
  assert.deepEqual(await made.embed([], 'passage', never), []);
  assert.deepEqual(await made.countTokens([], never), []);
  assert.equal(made.hostPid, null);
  assert.deepEqual(await reranker().rank('q', [], never), []);
});

test('given texts, when their tokens are counted, then in one message and without prefixes', async () => {
  assert.deepEqual(await embedder().countTokens(['a', 'abc', ''], never), [1, 3, 0]);
});

test('given texts, when they are ranked, then their scores are in their order', async () => {
  const scores = await reranker().rank('q', ['a', 'abc', 'ab'], never);
  assert.deepEqual(scores, [1 - 1 / 2, 1 - 1 / 4, 1 - 1 / 3]);
});

test('given the settings name a number of threads, when it embeds, then it gets so many', async () => {
  const [vector] = await embedder({ threads: 3 }).embed(['a'], 'passage', never);
  assert.equal(vector?.[1], 3);
});

test('given a writer who waits for a model, when passages are embedded, then they wait and queries do not', async () => {
  const timers = new ManualTimers();
  const signs = { raise: () => undefined, lower: () => undefined, others: () => Promise.resolve(0) };
  const compute = new ComputeBudget({ cores: 4, signs, timers });
  const made = embedder({ compute, threads: 0 });
  const end = compute.foreground(4);
  let embedded = false;
  const passages = made.embed(['a'], 'passage', never).then((vectors) => {
    embedded = true;
    return vectors;
  });
  assert.equal((await made.embed(['a'], 'query', never)).length, 1);
  assert.equal(embedded, false);
  end();
  timers.advance(1000);
  await passages;
});

test('given a generator that leaves a thread, when passages are embedded, then they get that one', async () => {
  const signs = { raise: () => undefined, lower: () => undefined, others: () => Promise.resolve(0) };
  const compute = new ComputeBudget({ cores: 4, signs, timers: new ManualTimers() });
  compute.foreground(3);
  const [vector] = await embedder({ compute, threads: 0 }).embed(['a'], 'passage', never);
  assert.equal(vector?.[1], 1);
});

const bare = { ...found, prefixes: { query: '', passage: '' } };

test('given a running batch, when it is cancelled, then it ends and the host goes on to serve', async () => {
  const made = embedder({ resolveModel: () => Promise.resolve(bare) });
  await made.embed(['a'], 'passage', never);
  const pid = made.hostPid;
  const controller = new AbortController();
  const stuck = made.embed(['wait'], 'passage', controller.signal);
  setTimeout(() => {
    controller.abort();
  }, 50);
  await assert.rejects(stuck, withCode('cancelled'));
  assert.equal((await made.embed(['abc'], 'passage', never))[0]?.[0], 3);
  assert.equal(made.hostPid, pid);
});

test('given a host that dies in a batch, when it does, then that batch fails and the next one works', async () => {
  const made = embedder({ resolveModel: () => Promise.resolve(bare) });
  await made.embed(['a'], 'passage', never);
  const first = made.hostPid;
  await assert.rejects(made.embed(['die'], 'passage', never), withCode('engine-crashed'));
  assert.equal((await made.embed(['abc'], 'passage', never))[0]?.[0], 3);
  assert.notEqual(made.hostPid, first);
});

test('given a host that gives too few numbers, when it does, then the batch fails with a sentence', async () => {
  const made = embedder({ resolveModel: () => Promise.resolve(bare) });
  await assert.rejects(made.embed(['few'], 'passage', never), withCode('engine-failed'));
  await assert.rejects(reranker().rank('few', ['a'], never), withCode('engine-failed'));
});

test('given nobody uses the model, when the idle time has passed, then its process ends', async () => {
  const timers = new ManualTimers();
  const made = embedder({ timers, idleUnloadMs: 60_000 });
  await made.embed(['a'], 'passage', never);
  const lease = made.acquire();
  timers.advance(120_000);
  assert.notEqual(made.hostPid, null);
  lease.release();
  timers.advance(60_000);
  await until(() => made.hostPid === null);
});

test('given it was shut down, when something is asked, then it says so', async () => {
  const made = embedder();
  await made.dispose();
  await assert.rejects(made.embed(['a'], 'passage', never), withCode('engine-failed'));
  await assert.rejects(made.countTokens(['a'], never), withCode('engine-failed'));
});

async function encoderFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-encoder-'));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'a.gguf');
  const metadata = new Map([
    ['general.architecture', { type: 'string' as const, value: 'bert' }],
    ['bert.embedding_length', { type: 'uint32' as const, value: 384 }],
    ['bert.context_length', { type: 'uint32' as const, value: 512 }],
  ]);
  await writeGgufFile(file, { metadata, tensors: [] }, never);
  return file;
}

test('given a model file, when the embedder is asked who it is, then by the header and without a process', async (t) => {
  const file = await encoderFile(t);
  const short = embedder({ resolveModel: () => Promise.resolve({ ...found, file }) });
  assert.deepEqual(await short.identity(never), {
    ...{ id: 'a', sha256: '0'.repeat(64), dimensions: 384, maxTokens: 64 },
  });
  assert.equal(short.hostPid, null);
  const long = embedder({ resolveModel: () => Promise.resolve({ ...found, file, maxTokens: 9999 }) });
  assert.equal((await long.identity(never)).maxTokens, 512);
});

test('given any texts, when they are put into batches, then each is in one, in order, and batches are short', () => {
  const lengths = fc.array(fc.oneof(fc.nat(500), fc.nat(9000)), { maxLength: 60 });
  fc.assert(
    fc.property(lengths, (made) => {
      const texts = made.map((length) => 'x'.repeat(length));
      const batches = batchesOf(texts);
      assert.deepEqual(
        batches.flatMap(([from, to]) => texts.slice(from, to)),
        texts,
      );
      for (const [from, to] of batches) {
        const characters = texts.slice(from, to).join('').length;
        assert.ok(to > from && to - from <= 16);
        assert.ok(to - from === 1 || characters <= 4096);
      }
    }),
  );
});
