import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import type { Embedder, Reranker, StoredChunk } from './ports.ts';
import { queryText, search, type SearchOptions, type SearchParts } from './search.ts';
import { MemoryStore } from './testing/memoryStore.ts';
import { chunkOf, never, recordOf } from './testing/examples.ts';

const unit = (...values: number[]): Float32Array => {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
};

/** Says what each text means: a direction; what it does not know lies in the last one. */
function embedderOf(meanings: Readonly<Record<string, Float32Array>>): Embedder {
  return {
    identity: () => Promise.resolve({ id: 'scripted', sha256: 'x', dimensions: 4, maxTokens: 512 }),
    embed: (texts) => Promise.resolve(texts.map((text) => meanings[text] ?? unit(0, 0, 0, 1))),
    countTokens: (texts) => Promise.resolve(texts.map((text) => text.length)),
  };
}

async function storeOf(chunks: readonly StoredChunk[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  const documents = [...new Set(chunks.map(({ document }) => document))];
  await store.apply(
    documents.map((document) => {
      const own = chunks.filter((chunk) => chunk.document === document);
      return { record: recordOf(document, own.length), chunks: own };
    }),
  );
  return store;
}

const at = (document: string, text: string, vector: Float32Array) => chunkOf(document, text, { vector });

function ask(parts: SearchParts, query: string, more: Partial<SearchOptions> = {}) {
  return search(parts, query, { k: 3, signal: never, threshold: 0.3, ...more });
}

const grain = unit(1, 0, 0, 0);
const yeast = unit(0, 1, 0, 0);

test('given passages near in meaning and passages with the words, when searched, then those that are both come first', async () => {
  const store = await storeOf([
    at('meaning.md', 'texture of polycrystals', unit(1, 0, 0.3, 0)),
    at('both.md', 'grain boundaries in metals', unit(1, 0.3, 0, 0)),
    at('words.md', 'a grain of salt', unit(0.5, 0, 1, 0)),
    at('neither.md', 'yeast and bread', yeast),
  ]);
  const { passages, nothingRelevant } = await ask(
    { store, embedder: embedderOf({ 'grain boundaries': grain }) },
    'grain boundaries',
  );
  assert.equal(passages[0]?.source, 'both.md');
  assert.deepEqual(
    new Set(passages.map(({ source }) => source)),
    new Set(['both.md', 'meaning.md', 'words.md']),
  );
  assert.equal(nothingRelevant, false);
});

test('given a passage, when found, then its score is the cosine similarity, and it says where each score is from', async () => {
  const store = await storeOf([at('a.md', 'grain', unit(1, 1, 0, 0)), at('b.md', 'metal', grain)]);
  const { passages, best } = await ask({ store, embedder: embedderOf({ grain }) }, 'grain');
  const a = passages.find(({ source }) => source === 'a.md');
  const b = passages.find(({ source }) => source === 'b.md');
  assert.ok(Math.abs((a?.score ?? 0) - Math.SQRT1_2) < 1e-6);
  assert.equal(a?.scores?.vector, a?.score);
  assert.equal(a?.scores?.text, 1);
  assert.deepEqual([b?.scores?.text, b?.scores?.rerank], [null, null]);
  assert.ok(Math.abs((best ?? 0) - 1) < 1e-6);
});

test('given nothing near enough, when searched, then no passage at all, and it is said with best and threshold', async () => {
  const store = await storeOf([at('a.md', 'yeast and bread', unit(0.2, 1, 0, 0))]);
  const result = await ask(
    { store, embedder: embedderOf({ 'grain boundaries': grain }) },
    'grain boundaries',
  );
  assert.deepEqual(result.passages, []);
  assert.equal(result.nothingRelevant, true);
  assert.equal(result.threshold, 0.3);
  assert.ok(Math.abs((result.best ?? 0) - 0.2 / Math.hypot(0.2, 1)) < 1e-6);
});

test('given weak passages beside a strong one, when searched, then only the strong one', async () => {
  const store = await storeOf([at('a.md', 'metal', grain), at('b.md', 'yeast', unit(0.2, 1, 0, 0))]);
  const { passages } = await ask({ store, embedder: embedderOf({ polycrystal: grain }) }, 'polycrystal');
  assert.deepEqual(
    passages.map(({ source }) => source),
    ['a.md'],
  );
});

test('given a rare name that the embedder does not know, when a passage holds it, then it counts at a lower similarity', async () => {
  const weak = unit(0.25, 0, 1, 0);
  const store = await storeOf([
    at('name.md', 'The Hall–Petch relation by Zachariasen', weak),
    at('other.md', 'The relation of other things', weak),
  ]);
  const { passages } = await ask(
    { store, embedder: embedderOf({ 'Zachariasen relation': grain }) },
    'Zachariasen relation',
  );
  assert.deepEqual(
    passages.map(({ source }) => source),
    ['name.md'],
  );
});

test('given words that hold without any likeness in meaning, when searched, then they do not count', async () => {
  const store = await storeOf([at('a.md', 'grain', unit(0, 0, 1, 0))]);
  assert.equal((await ask({ store, embedder: embedderOf({ grain }) }, 'grain')).nothingRelevant, true);
});

test('given a reranker, when searched, then its order and its scores', async () => {
  const store = await storeOf([
    at('a.md', 'first by vector', unit(1, 0.1, 0, 0)),
    at('b.md', 'second by vector', unit(1, 0, 0.6, 0)),
  ]);
  const reranker: Reranker = {
    rank: (_query, texts) => Promise.resolve(texts.map((text) => (text.startsWith('second') ? 0.9 : 0.4))),
  };
  const { passages } = await ask({ store, reranker, embedder: embedderOf({ q: grain }) }, 'q');
  assert.deepEqual(
    passages.map(({ source, score, scores }) => [source, score, scores?.rerank]),
    [
      ['b.md', 0.9, 0.9],
      ['a.md', 0.4, 0.4],
    ],
  );
});

test('given a note that is left out, when searched, then none of its passages', async () => {
  const store = await storeOf([at('a.md', 'grain', grain), at('b.md', 'grains', unit(1, 0.5, 0, 0))]);
  const { passages } = await ask({ store, embedder: embedderOf({ grain }) }, 'grain', {
    filter: { notSources: ['a.md'] },
  });
  assert.deepEqual(
    passages.map(({ source }) => source),
    ['b.md'],
  );
});

test('given k, when searched, then no more than k; given 0 or an empty query, none and nothing is embedded', async () => {
  const store = await storeOf(
    [1, 2, 3].map((n) =>
      at(`${n}.md`, `metal ${n}`, unit(1, n === 1 ? 0.6 : 0, n === 2 ? 0.6 : 0, n === 3 ? 0.6 : 0)),
    ),
  );
  const embedder = embedderOf({ q: grain });
  assert.equal((await ask({ store, embedder }, 'q', { k: 2 })).passages.length, 2);
  const broken: Embedder = { ...embedder, embed: () => Promise.reject(new Error('embedded')) };
  assert.deepEqual((await ask({ store, embedder: broken }, 'q', { k: 0 })).passages, []);
  assert.equal((await ask({ store, embedder: broken }, '  \n')).nothingRelevant, true);
});

test('given the same index, when asked twice, then the same answer, ties included', async () => {
  const chunks = ['d', 'b', 'c', 'a'].map((name, n) =>
    at(`${name}.md`, `grain ${name}`, unit(1, 0, n % 2, 0.2 * n)),
  );
  const parts = { embedder: embedderOf({ grain }) };
  const one = await ask({ ...parts, store: await storeOf(chunks) }, 'grain');
  const two = await ask({ ...parts, store: await storeOf(chunks.toReversed()) }, 'grain');
  assert.deepEqual(one, two);
});

test('given a stopped search, when it goes on, then cancelled', async () => {
  const store = await storeOf([at('a.md', 'grain', grain)]);
  const stop = new AbortController();
  const embedder: Embedder = {
    ...embedderOf({ grain }),
    embed: () => {
      stop.abort();
      return Promise.resolve([grain]);
    },
  };
  await assert.rejects(ask({ store, embedder }, 'grain', { signal: stop.signal }), (error) =>
    PreflexorError.is(error, 'cancelled'),
  );
});

test('given any text, when full text is asked, then only words are left, each once, and no more than the limit', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.integer({ min: 1, max: 10 }),
      (text, limit) => {
        const words = queryText(text, limit).split(' ').filter(Boolean);
        assert.ok(words.length <= limit);
        assert.equal(new Set(words).size, words.length);
        for (const word of words) assert.match(word, /^[\p{L}\p{N}\p{M}]+$/u);
      },
    ),
  );
});

test('given a long query, when full text is asked, then the long words in their order', () => {
  assert.equal(queryText('of the grain in boundaries AND (texture', 3), 'grain boundaries texture');
});
