// The small embedding model, really: its tokens and vectors against those of sentence-transformers (committed by
// scripts/reference/embeddings.py), and its life in a process.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { describeGguf, type LlamaEmbedder } from '../../server/src/engine/index.ts';
import { PreflexorError } from '../../server/src/errors.ts';
import { embedderEntry, testEmbedder, testEmbedderFile } from '../support/testEmbedder.ts';
import { testModelFile } from '../support/testModel.ts';

const never = new AbortController().signal;

const Reference = z.object({
  weightsSha256: z.string(),
  maxTokens: z.int(),
  texts: z.array(
    z.object({
      name: z.string(),
      text: z.string(),
      /** With special tokens, cut at `maxTokens`. */
      ids: z.array(z.int()),
      /** Without special tokens, not cut. */
      tokens: z.int(),
      vector: z.array(z.number()),
    }),
  ),
});
const fixture = join(import.meta.dirname, '../fixtures/embedding/all-minilm-l6-v2.json');
const reference = Reference.parse(JSON.parse(readFileSync(fixture, 'utf8')));
const texts = reference.texts.map(({ text }) => text);

let embedder: LlamaEmbedder;
before(() => {
  embedder = testEmbedder();
});
after(() => embedder.dispose());

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, first, second] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index] ?? NaN, b[index] ?? NaN];
    product += x * y;
    first += x * x;
    second += y * y;
  }
  return product / Math.sqrt(first * second);
}

test('given the reference, when its weights are compared, then they are those that the catalogue pins', () => {
  const pinned = embedderEntry().sources.flatMap((source) =>
    'weights' in source ? [source.weights.sha256] : [],
  );
  assert.ok(pinned.length > 0 && pinned.every((sha256) => sha256 === reference.weightsSha256));
  assert.equal(embedderEntry().maxTokens, reference.maxTokens);
  assert.ok(reference.texts.length >= 12);
});

test('given the model’s file, when its header is read, then the catalogue says the same', async () => {
  const entry = embedderEntry();
  const description = await describeGguf(testEmbedderFile(), never);
  assert.equal(description.kind, 'embedding-model');
  assert.equal(description.pooling, entry.pooling);
  assert.equal(description.fileBytes, entry.bytes);
  assert.deepEqual(
    Object.fromEntries(Object.entries(description).filter(([key]) => Object.hasOwn(entry.shape, key))),
    { ...entry.shape },
  );
  const { id, dimensions, maxTokens } = await embedder.identity(never);
  assert.deepEqual([id, dimensions, maxTokens], [entry.id, entry.dimensions, entry.maxTokens]);
});

for (const { name, text, ids, tokens } of reference.texts) {
  test(`given ${name}, when it is tokenised, then the ids are those of BERT's own tokenizer`, async () => {
    const own = await embedder.tokenize(text, never);
    assert.equal(own.length, tokens);
    assert.deepEqual(own.slice(0, reference.maxTokens - 2), ids.slice(1, -1));
  });
}

test('given texts, when their tokens are counted, then as many as BERT’s own tokenizer gives', async () => {
  assert.deepEqual(
    await embedder.countTokens(texts, never),
    reference.texts.map(({ tokens }) => tokens),
  );
});

for (const { name, text, vector } of reference.texts) {
  test(`given ${name}, when it is embedded, then the vector is that of sentence-transformers`, async () => {
    const [own] = await embedder.embed([text], 'passage', never);
    assert.ok(own);
    assert.equal(own.length, embedderEntry().dimensions);
    const similarity = cosine(own, vector);
    assert.ok(similarity >= 0.999, `cosine ${similarity}`);
    assert.ok(Math.abs(Math.hypot(...own) - 1) < 1e-5);
  });
}

test('given many texts, when they are embedded together, then each has the vector that it has alone', async () => {
  const together = await embedder.embed(texts, 'passage', never);
  for (const [index, text] of texts.entries()) {
    const [alone] = await embedder.embed([text], 'passage', never);
    assert.deepEqual(together[index], alone, reference.texts[index]?.name);
  }
});

test('given prefixes, when queries and passages are embedded, then each has its own before it', async () => {
  const [query, passage] = ['a query with a prefix', 'a passage with a prefix'].map(
    (name) => reference.texts.find((each) => each.name === name) ?? assert.fail(name),
  );
  assert.ok(query && passage);
  const prefixes = { query: 'query: ', passage: 'passage: ' };
  const prefixed = testEmbedder({ found: { prefixes } });
  try {
    const asQuery = await prefixed.embed([query.text.slice(prefixes.query.length)], 'query', never);
    const asPassage = await prefixed.embed([passage.text.slice(prefixes.passage.length)], 'passage', never);
    assert.ok(cosine(asQuery[0] ?? [], query.vector) >= 0.999);
    assert.ok(cosine(asPassage[0] ?? [], passage.vector) >= 0.999);
    const [other] = await prefixed.embed([query.text.slice(prefixes.query.length)], 'passage', never);
    assert.notDeepEqual(other, asQuery[0]);
  } finally {
    await prefixed.dispose();
  }
});

test('given sentences of like meaning, when they are embedded, then they are nearer than others', async () => {
  const [query] = await embedder.embed(['How can a crack be stopped?'], 'query', never);
  const [near, far] = await embedder.embed(
    ['Tough interfaces arrest fractures.', 'The museum is closed on Mondays.'],
    'passage',
    never,
  );
  assert.ok(query && near && far);
  assert.ok(cosine(query, near) > cosine(query, far) + 0.2);
});

test('given more or fewer threads, when a text is embedded, then its vector is the same', async () => {
  const other = testEmbedder({ threads: 2 });
  try {
    const [text] = texts.slice(2);
    const [one] = await embedder.embed([text ?? ''], 'passage', never);
    const [two] = await other.embed([text ?? ''], 'passage', never);
    assert.ok(cosine(one ?? [], two ?? []) > 0.999_999);
  } finally {
    await other.dispose();
  }
});

test('given a long run, when it is cancelled in the middle, then it stops within a second and the next works', async () => {
  const long = Array.from({ length: 400 }, (_, index) => `${texts[3] ?? ''} ${index}`);
  const controller = new AbortController();
  const running = embedder.embed(long, 'passage', controller.signal);
  let stopped = 0;
  setTimeout(() => {
    stopped = performance.now();
    controller.abort();
  }, 300);
  await assert.rejects(running, (error) => PreflexorError.is(error, 'cancelled'));
  assert.ok(performance.now() - stopped < 1000);
  assert.equal((await embedder.embed(['after it'], 'passage', never)).length, 1);
});

test('given a host that is killed in a batch, when it is, then that run fails and the next one works', async () => {
  const made = testEmbedder();
  try {
    await made.embed(['load it'], 'passage', never);
    const pid = made.hostPid ?? assert.fail('no host');
    const running = made.embed(new Array<string>(200).fill(texts[3] ?? ''), 'passage', never);
    setTimeout(() => process.kill(pid, 'SIGKILL'), 200);
    await assert.rejects(running, (error) => PreflexorError.is(error, 'engine-crashed'));
    const [again] = await made.embed([texts[1] ?? ''], 'passage', never);
    assert.ok(cosine(again ?? [], reference.texts[1]?.vector ?? []) >= 0.999);
    assert.notEqual(made.hostPid, pid);
  } finally {
    await made.dispose();
  }
});

test('given an embedder at work, when its process is looked at, then everything else comes first', async () => {
  await embedder.embed(['load it'], 'passage', never);
  assert.ok(getPriority(embedder.hostPid ?? assert.fail('no host')) > getPriority());
});

test('given a language model’s file, when it is to embed, then it is refused with a sentence', async () => {
  const made = testEmbedder({ found: { file: testModelFile() } });
  try {
    await assert.rejects(made.embed(['x'], 'passage', never), (error) => {
      assert.ok(PreflexorError.is(error, 'bad-model'));
      assert.match(error.message, /a language model, and an embedding model is needed/);
      return true;
    });
  } finally {
    await made.dispose();
  }
});
