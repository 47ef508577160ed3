// What every index store has to keep, run against the one in memory and the real ones.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { chunkId } from '../chunkId.ts';
import type { IndexStore, PassageFinder } from '../ports.ts';
import { changeOf, chunkOf, never, recordOf, vectorOf } from './examples.ts';

type Store = IndexStore & PassageFinder;

/** Registers the tests; `open` gives an empty store of 8 dimensions. */
export function storeContract(kind: string, open: (t: TestContext) => Promise<Store>): void {
  const given: Given = (what, work) => {
    void test(`${kind}: given ${what}`, async (t) => {
      await work(await open(t));
    });
  };

  documentsAndChunks(given);
  renames(given);
  searching(given);
  filters(given);
}

type Given = (what: string, work: (store: Store) => Promise<void>) => void;

const pathsOf = (items: readonly { path: string }[]) => items.map(({ path }) => path);
const documentsOf = (items: readonly { document: string }[]) => items.map(({ document }) => document);

/** Texts with all that may go wrong between languages: quotes, percent signs, backslashes, line ends. */
const hostile = [
  "o'brien.md",
  '100%.md',
  'a_b.md',
  'back\\slash.md',
  'Größe 数据 🙂.md',
  "'; DROP TABLE--.md",
  '"q".md',
];

function documentsAndChunks(given: Given): void {
  given('nothing, when read, then nothing is there', async (store) => {
    assert.deepEqual(await store.documents(), []);
    assert.deepEqual(await store.counts(), { documents: 0, chunks: 0 });
    assert.deepEqual(await store.vectorHits(vectorOf('x'), 5, {}, never), []);
    assert.deepEqual(await store.textHits('x', 5, {}, never), []);
    assert.deepEqual(await store.chunksOf('a.md'), []);
  });

  given('a document, when applied, then its record and chunks come back whole', async (store) => {
    const chunk = chunkOf('a.md', '**α** \\beta\n', {
      ...{ source: 'parts/b.tex', kind: 'latex', heading: ['One', 'Two › 3'], page: 7, start: 10, end: 21 },
      ...{
        readable: 'α beta',
        tags: ['Physics', 'näïve'],
        citations: ['knuth84'],
        modified: 1_700_000_000_123,
      },
    });
    const bare = chunkOf('a.md', 'plain', { heading: [] });
    const record = recordOf('a.md', 2, {
      ...{ tags: ['Physics'], defines: ['knuth84'], dependencies: [{ path: 'parts/b.tex', hash: 'h' }] },
    });
    await store.apply([{ record, chunks: [chunk, bare] }]);
    assert.deepEqual(await store.documents(), [record]);
    assert.deepEqual(await store.chunksOf('a.md'), [bare, chunk]);
    assert.deepEqual(await store.chunks([chunk, { id: 'gone' }, bare], never), [chunk, bare]);
  });

  given(
    'a document again with other chunks, when applied, then only the new ones are there',
    async (store) => {
      await store.apply([changeOf('a.md', ['one', 'two', 'three']), changeOf('b.md', ['four'])]);
      const change = changeOf('a.md', ['two', 'five']);
      await store.apply([change]);
      assert.deepEqual(await store.chunksOf('a.md'), change.chunks);
      assert.deepEqual(await store.counts(), { documents: 2, chunks: 3 });
      assert.deepEqual(await store.textHits('three', 5, {}, never), []);
    },
  );

  given('the same batch twice, when applied, then it is there once', async (store) => {
    const batch = [changeOf('a.md', ['one', 'two'])];
    await store.apply(batch);
    await store.apply(batch);
    assert.deepEqual(await store.counts(), { documents: 1, chunks: 2 });
  });

  given('a file that cannot be read, when applied, then it is listed with its reason', async (store) => {
    const refusal = { code: 'encrypted', reason: 'It needs a password.' } as const;
    await store.apply([{ record: recordOf('a.pdf', 0, { refusal }), chunks: [] }, changeOf('b.md', ['x'])]);
    assert.deepEqual(await store.failed(), [{ path: 'a.pdf', ...refusal }]);
    assert.deepEqual(pathsOf(await store.documents()), ['a.pdf', 'b.md']);
  });

  given('documents with hostile names, when removed one by one, then each alone goes', async (store) => {
    await store.apply(hostile.map((path) => changeOf(path, [`text of ${path}`])));
    for (const [at, path] of hostile.entries()) {
      assert.equal((await store.chunksOf(path)).length, 1, path);
      await store.remove([path]);
      assert.equal((await store.chunksOf(path)).length, 0, path);
      assert.equal((await store.counts()).chunks, hostile.length - at - 1, path);
    }
    assert.deepEqual(await store.documents(), []);
  });

  given(
    'stored texts, when their vectors are asked for by hash, then those that are there',
    async (store) => {
      const change = changeOf('a.md', ['one', 'two']);
      await store.apply([change]);
      const [one] = change.chunks;
      assert.ok(one);
      const found = await store.vectorsOf([one.textHash, "none'", one.textHash]);
      assert.deepEqual([...found], [[one.textHash, one.vector]]);
      assert.equal((await store.vectorsOf([])).size, 0);
    },
  );
}

function renames(given: Given): void {
  given(
    'a document, when renamed, then path, source and ids are new and the vectors the same',
    async (store) => {
      const change = changeOf('a.md', ['one', 'two']);
      const included = chunkOf('a.md', 'inc', { source: 'z.tex', start: 5, end: 8 });
      await store.apply([{ record: recordOf('a.md', 3), chunks: [...change.chunks, included] }]);
      const to = recordOf("new/o'b.md", 3, { modified: 5 });
      await store.rename([{ from: 'a.md', to }]);
      assert.deepEqual(await store.documents(), [to]);
      assert.deepEqual(await store.chunksOf('a.md'), []);
      const moved = await store.chunksOf(to.path);
      const expected = change.chunks.map((chunk) => {
        const placed = { ...chunk, document: to.path, source: to.path, modified: 5 };
        return { ...placed, id: chunkId(placed) };
      });
      assert.deepEqual(moved, [...expected, { ...included, document: to.path, modified: 5 }]);
      assert.deepEqual(await store.counts(), { documents: 1, chunks: 3 });
    },
  );

  given('two documents, when their names are swapped, then each has what the other had', async (store) => {
    await store.apply([changeOf('a.md', ['one']), changeOf('b.md', ['two'])]);
    await store.rename([
      { from: 'a.md', to: recordOf('b.md', 1) },
      { from: 'b.md', to: recordOf('a.md', 1) },
    ]);
    assert.deepEqual(
      (await store.chunksOf('b.md')).map(({ text }) => text),
      ['one'],
    );
    assert.deepEqual(
      (await store.chunksOf('a.md')).map(({ text }) => text),
      ['two'],
    );
    assert.deepEqual(await store.counts(), { documents: 2, chunks: 2 });
  });

  given('a document, when renamed over another, then the other is gone', async (store) => {
    await store.apply([changeOf('a.md', ['one']), changeOf('b.md', ['two', 'three'])]);
    await store.rename([{ from: 'a.md', to: recordOf('b.md', 1) }]);
    assert.deepEqual(
      (await store.chunksOf('b.md')).map(({ text }) => text),
      ['one'],
    );
    assert.deepEqual(await store.counts(), { documents: 1, chunks: 1 });
  });
}

function searching(given: Given): void {
  given('a vector, when searched, then the nearest first with their cosine similarity', async (store) => {
    const texts = ['one', 'two', 'three', 'four'];
    await store.apply([changeOf('a.md', texts)]);
    const query = vectorOf('two');
    const found = await store.vectorSearch(query, 3, {}, never);
    const [first] = found;
    assert.ok(first);
    assert.equal(first.chunk.text, 'two');
    assert.ok(Math.abs(first.score - 1) < 1e-5);
    const all = await store.vectorSearch(query, 9, {}, never);
    assert.equal(all.length, texts.length);
    for (const { chunk, score } of all) {
      const cosine = chunk.vector.reduce((sum, value, at) => sum + value * (query[at] ?? 0), 0);
      assert.ok(Math.abs(score - cosine) < 1e-5, `${score} for ${cosine}`);
    }
    assert.deepEqual(found, all.slice(0, 3));
  });

  given('words in any case, accent or heading, when searched, then found; others are not', async (store) => {
    await store.apply([
      {
        record: recordOf('a.md', 1),
        chunks: [chunkOf('a.md', 'Müller grinds', { heading: ['Grain boundaries'] })],
      },
      changeOf('b.md', ['something else']),
    ]);
    for (const query of ['MULLER', 'müller', 'boundaries unknownword'])
      assert.deepEqual(documentsOf(await store.textHits(query, 5, {}, never)), ['a.md'], query);
    assert.deepEqual(await store.textHits('mull', 5, {}, never), []);
  });

  given('what would be syntax elsewhere, when searched, then it is text', async (store) => {
    await store.apply([changeOf('a.md', ['alpha beta'])]);
    const queries = [
      '"',
      '(alpha',
      'alpha AND OR NOT',
      'alpha^2~',
      '\\',
      "'; DROP",
      '+-*/:',
      '{"match":1}',
      '🙂',
      '\0',
      '',
    ];
    for (const query of queries) {
      const found = documentsOf(await store.textHits(query, 5, {}, never));
      assert.deepEqual(found, query.includes('alpha') ? ['a.md'] : [], JSON.stringify(query));
    }
  });

  given('rows before and after optimising, when searched, then all are found', async (store) => {
    await store.apply([changeOf('a.md', ['alpha one'])]);
    await store.optimise(never);
    await store.apply([changeOf('b.md', ['alpha two'])]);
    const search = async () => new Set(documentsOf(await store.textHits('alpha', 5, {}, never)));
    assert.deepEqual(await search(), new Set(['a.md', 'b.md']));
    await store.optimise(never);
    await store.optimise(never);
    assert.deepEqual(await search(), new Set(['a.md', 'b.md']));
    assert.deepEqual(await store.counts(), { documents: 2, chunks: 2 });
  });

  given(
    'hits, when the index is rewritten before they are read, then still the chunks that were hit',
    async (store) => {
      for (const name of ['a.md', 'b.md', 'c.md', 'd.md'])
        await store.apply([changeOf(name, [`alpha ${name}`])]);
      const hits = await store.textHits('alpha', 9, {}, never);
      const others = hits.filter(({ document }) => document !== 'a.md');
      await store.apply([changeOf('a.md', ['beta'])]);
      await store.optimise(never);
      await store.apply([changeOf('e.md', ['gamma'])]);
      await store.optimise(never);
      const chunks = await store.chunks(hits, never);
      assert.deepEqual(
        chunks.map(({ id }) => id),
        others.map(({ id }) => id),
      );
    },
  );

  given('a stopped signal, when searched or optimised, then cancelled', async (store) => {
    const stopped = AbortSignal.abort();
    const cancelled = (error: unknown) => PreflexorError.is(error, 'cancelled');
    await assert.rejects(async () => store.vectorHits(vectorOf('x'), 1, {}, stopped), cancelled);
    await assert.rejects(async () => store.textHits('x', 1, {}, stopped), cancelled);
    await assert.rejects(async () => store.chunks([{ id: 'x' }], stopped), cancelled);
    await assert.rejects(async () => store.optimise(stopped), cancelled);
  });
}

function filters(given: Given): void {
  const day = (date: string) => Date.parse(`${date}T00:00:00Z`);
  const placed = (path: string, more: Parameters<typeof chunkOf>[2]) => ({
    record: recordOf(path, 1),
    chunks: [chunkOf(path, `alpha in ${path}`, more)],
  });
  const filled = async (store: Store) => {
    await store.apply([
      placed('notes/a.md', { tags: ['Physics'], modified: day('2026-01-01') }),
      placed('notes/sub/b.md', { tags: ['physics', 'x'], modified: day('2026-02-01') }),
      placed('notes2/c.pdf', { kind: 'pdf', tags: ["it's"], modified: day('2026-03-01') }),
      placed("o'b%_/d.md", { modified: day('2026-04-01') }),
      placed('top.md', { modified: day('2026-05-01') }),
    ]);
    return async (filter: Parameters<Store['textHits']>[2]) => {
      const byText = documentsOf(await store.textHits('alpha', 9, filter, never)).sort();
      const byVector = documentsOf(await store.vectorHits(vectorOf('alpha'), 9, filter, never)).sort();
      assert.deepEqual(byText, byVector);
      return byText;
    };
  };

  given('folders, when searched, then only what lies below one of them', async (store) => {
    const search = await filled(store);
    assert.deepEqual(await search({ folders: ['notes'] }), ['notes/a.md', 'notes/sub/b.md']);
    assert.deepEqual(await search({ folders: ['notes/sub/', "o'b%_"] }), ['notes/sub/b.md', "o'b%_/d.md"]);
    assert.deepEqual(await search({ folders: ['o_b%_', 'note%', 'notes/a.md'] }), []);
    assert.deepEqual(await search({ folders: [] }), []);
    assert.equal((await search({ folders: ['.'] })).length, 5);
  });

  given('tags, when searched, then those that have one of them, without case', async (store) => {
    const search = await filled(store);
    assert.deepEqual(await search({ tags: ['PHYSICS'] }), ['notes/a.md', 'notes/sub/b.md']);
    assert.deepEqual(await search({ tags: ['#x', "it's"] }), ['notes/sub/b.md', 'notes2/c.pdf']);
    assert.deepEqual(await search({ tags: ['phys'] }), []);
    assert.deepEqual(await search({ tags: [] }), []);
  });

  given('kinds and dates, when searched, then from the first moment to before the second', async (store) => {
    const search = await filled(store);
    assert.deepEqual(await search({ kinds: ['pdf', 'html'] }), ['notes2/c.pdf']);
    assert.deepEqual(await search({ since: '2026-02-01T00:00:00Z', until: '2026-04-01T00:00:00Z' }), [
      'notes/sub/b.md',
      'notes2/c.pdf',
    ]);
  });

  given(
    'sources that are left out, when searched, then the others, with the other filters',
    async (store) => {
      const search = await filled(store);
      assert.deepEqual(await search({ notSources: ["o'b%_/d.md", 'top.md', 'none'] }), [
        'notes/a.md',
        'notes/sub/b.md',
        'notes2/c.pdf',
      ]);
      assert.deepEqual(await search({ folders: ['notes'], tags: ['physics'], notSources: ['notes/a.md'] }), [
        'notes/sub/b.md',
      ]);
    },
  );
}
