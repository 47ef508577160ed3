import assert from 'node:assert/strict';
import { appendFile, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { decisionOf } from '../../../test/support/ledgerExamples.ts';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';
import { PreflexorError } from '../errors.ts';
import { exportPairs, type EmbedTexts } from '../preferences/index.ts';
import type { CurationAction, PairFilter, PairPage, PairRow } from '../protocol/index.ts';
import { workspacePlaces } from '../state/index.ts';
import { forget } from './forget.ts';
import { PairBook, type SearchNotes } from './pairBook.ts';
import { workspacePairs } from './pairs.ts';
import { Stores } from './stores.ts';

const never = new AbortController().signal;
const noSearch: SearchNotes = () => Promise.reject(new PreflexorError('no-model', 'No embedding model.'));

const noEmbedder: EmbedTexts = () => Promise.reject(new PreflexorError('no-model', 'No embedding model.'));

/** A folder with one edited acceptance for each text, and the book over it. */
async function setUp(
  t: TestContext,
  offered: readonly string[] = ['The lattice is cubic.', 'Grains are coarse.', 'Slip is easy.'],
  searchNotes = noSearch,
  embed: EmbedTexts = noEmbedder,
) {
  const root = temporaryFolder(t);
  const home = path.join(root, '.home');
  const stores = new Stores(home, Date.now);
  const ledger = await stores.ledger(root);
  for (const [n, text] of offered.entries()) {
    const texts = { ...decisionOf('x').texts, question: `Why ${n}?`, thinking: '', offered: text };
    await ledger.append(
      decisionOf('x', {
        ...{ block: `block0${n}`, run: null, kind: 'accept-edited', provenance: null },
        texts: { ...texts, result: `${text} So they say.` },
        note: { path: `notes/${n}.md`, hash: 'h', range: { start: 0, end: 10 } },
      }),
    );
  }
  const book = new PairBook({ stores, now: Date.now, searchNotes, embed, changed: () => undefined });
  t.after(() => {
    book.dispose();
  });
  const request = { root, now: Date.now(), record: true };
  const page = (filter: PairFilter = {}, limit = 10): Promise<PairPage> =>
    book.page(request, { filter, order: 'oldest', offset: 0, limit }, never);
  const rows = async (filter: PairFilter = {}): Promise<PairRow[]> => (await page(filter)).rows;
  const curate = (pairs: readonly string[], action: CurationAction) =>
    book.curate(request, [...pairs], action, never);
  return { root, home, stores, book, request, page, rows, curate };
}

async function ledgerLines(root: string): Promise<string[]> {
  const { ledger } = workspacePlaces(root);
  const [file = ''] = (await readdir(ledger)).filter((name) => name.endsWith('.jsonl'));
  return (await readFile(path.join(ledger, file), 'utf8')).trimEnd().split('\n');
}

test('given pairs, when one is edited, flipped, tagged, rated and excluded, then each is an entry behind those before, and all doors see the result', async (t) => {
  const { root, request, stores, rows, curate } = await setUp(t);
  const [first, second] = await rows();
  assert.ok(first && second);
  const before = await ledgerLines(root);
  await curate([first.pair], { do: 'edit', side: 'chosen', text: 'The lattice is cubic, as X-rays show.' });
  await curate([first.pair], { do: 'flip' });
  await curate([first.pair], { do: 'tag', tag: 'crystals', on: true });
  await curate([first.pair], { do: 'rate', strength: 0.25 });
  await curate([second.pair], { do: 'exclude', reason: 'a slip of the hand' });
  const after = await ledgerLines(root);
  assert.deepEqual(after.slice(0, before.length), before);
  assert.equal(after.length, before.length + 5);
  const { pairs } = await workspacePairs(request, stores, never);
  const changed = pairs.find(({ curation }) => curation?.origin === first.pair);
  assert.deepEqual(
    [changed?.chosen, changed?.rejected, changed?.strength, changed?.curation?.tags],
    ['The lattice is cubic.', 'The lattice is cubic, as X-rays show.', 0.25, ['crystals']],
  );
  assert.deepEqual([changed?.curation?.flipped, changed?.curation?.edited], [true, ['rejected']]);
  assert.notEqual(changed?.id, first.pair);
  const { exported, leftOut } = await exportPairs(pairs, 'trl', { strict: false }, never);
  assert.equal(exported.length, 2);
  assert.deepEqual(
    leftOut.map(({ reason }) => reason),
    ['you excluded it: a slip of the hand'],
  );
});

test('given a bulk change and another one, when both are undone, then the pairs are as before, by entries of their own', async (t) => {
  const { root, book, request, rows, curate } = await setUp(t);
  const before = await rows();
  const all = before.map(({ pair }) => pair);
  const lines = await ledgerLines(root);
  await curate(all, { do: 'exclude', reason: 'all wrong' });
  assert.deepEqual(await rows(), []);
  await curate(all.slice(0, 1), { do: 'include' });
  assert.equal((await book.undo(request, never)).undone?.do, 'include');
  const second = await book.undo(request, never);
  assert.deepEqual([second.undone?.do, second.changed.length], ['exclude', 3]);
  const plain = ({ curation: _, ...row }: PairRow): unknown => row;
  assert.deepEqual((await rows()).map(plain), before.map(plain));
  assert.equal((await book.undo(request, never)).undone, null);
  assert.equal((await ledgerLines(root)).length, lines.length + 3 + 1 + 1 + 3);
});

test('given a pair that was changed, when its history is seen and reverted, then it is as it was after that entry', async (t) => {
  const { book, request, rows, curate } = await setUp(t);
  const pair = (await rows())[0]?.pair ?? '';
  await curate([pair], { do: 'edit', side: 'chosen', text: 'First.' });
  await curate([pair], { do: 'edit', side: 'chosen', text: 'Second.' });
  const { history } = await book.detail(request, pair, never);
  assert.deepEqual(
    history.map(({ action, chosen }) => [action?.do, chosen]),
    [
      [undefined, 'The lattice is cubic. So they say.'],
      ['edit', 'First.'],
      ['edit', 'Second.'],
    ],
  );
  await curate([pair], { do: 'revert', to: history[1]?.entry ?? null });
  assert.equal((await book.detail(request, pair, never)).pair.chosen, 'First.');
  await curate([pair], { do: 'revert', to: null });
  const { pair: reverted } = await book.detail(request, pair, never);
  assert.deepEqual([reverted.id, reverted.chosen], [pair, 'The lattice is cubic. So they say.']);
});

test('given an edit that makes both sides the same, or an entry that it never had, when curated, then it is refused in words and nothing is kept', async (t) => {
  const { root, rows, curate } = await setUp(t);
  const pair = (await rows())[0]?.pair ?? '';
  const lines = await ledgerLines(root);
  const same = await curate([pair], { do: 'edit', side: 'chosen', text: 'The lattice is cubic.' });
  assert.match(same.refused[0]?.reason ?? '', /same text/);
  const unknown = await curate([pair], { do: 'revert', to: '01JDF3Z0000000000000000000' });
  assert.match(unknown.refused[0]?.reason ?? '', /never been/);
  assert.deepEqual(await ledgerLines(root), lines);
  await assert.rejects(curate(['0'.repeat(32)], { do: 'flip' }), { code: 'bad-input' });
});

test('given filters, when pairs are asked for, then those come that fit all of them', async (t) => {
  const { page, rows, curate } = await setUp(t);
  const [, grains] = await rows();
  assert.ok(grains);
  await curate([grains.pair], { do: 'tag', tag: 'size', on: true });
  const found = async (filter: PairFilter) => (await page(filter)).rows.map(({ note }) => note);
  assert.deepEqual(await found({ text: 'COARSE grains' }), ['notes/1.md']);
  assert.deepEqual(await found({ text: 'coarse cubic' }), []);
  assert.deepEqual(await found({ tag: 'size' }), ['notes/1.md']);
  assert.deepEqual(await found({ note: 'notes/2.md', signals: ['edit'] }), ['notes/2.md']);
  assert.deepEqual(await found({ signals: ['pick'] }), []);
  assert.deepEqual(await found({ state: 'curated' }), ['notes/1.md']);
  const { counts, searchProblem } = await page({ meaning: 'how large crystals are' });
  assert.equal(searchProblem, 'No embedding model.');
  assert.deepEqual(counts.tags, [{ name: 'size', count: 1 }]);
});

test('given what the notes say to a search by meaning, when pairs are searched, then those of these places come, the closest first', async (t) => {
  const { rows } = await setUp(t, undefined, () =>
    Promise.resolve([
      { source: 'notes/2.md', start: 500, end: 600, score: 0.9 },
      { source: 'notes/1.md', start: 5, end: 50, score: 0.6 },
    ]),
  );
  const found = await rows({ meaning: 'how large crystals are' });
  assert.deepEqual(
    found.map(({ note }) => note),
    ['notes/1.md', 'notes/2.md'],
  );
});

test('given a pair with an address in it, when the checks are done, then it waits for review until the writer has looked at it', async (t) => {
  const { page, rows, curate } = await setUp(t, ['Ask ada@example.org for the data.', 'Slip is easy.']);
  await page();
  const waiting = async (): Promise<PairRow[]> => {
    while ((await page()).checking) await new Promise((resolve) => setTimeout(resolve, 5));
    return await rows({ state: 'waiting' });
  };
  const [one, ...others] = await waiting();
  assert.deepEqual([one?.note, one?.findings, others], ['notes/0.md', ['personal-data'], []]);
  await curate([one?.pair ?? ''], { do: 'review' });
  assert.deepEqual(await waiting(), []);
});

test('given an embedder, when the board is looked at, then pairs that mean nearly the same are found, and can be filtered by it', async (t) => {
  const texts: string[] = [];
  const embed: EmbedTexts = (some) => {
    texts.push(...some);
    return Promise.resolve(some.map((text) => Float32Array.from(text.includes('coarse') ? [0, 1] : [1, 0])));
  };
  const { book, request, page, rows } = await setUp(t, undefined, noSearch, embed);
  // Counting alone loads no model.
  await book.page(request, { filter: {}, order: 'oldest', offset: 0, limit: 0 }, never);
  assert.deepEqual(texts, []);
  await page();
  while ((await page()).checking) await new Promise((resolve) => setTimeout(resolve, 5));
  const alike = await rows({ findings: ['near-duplicate'] });
  assert.deepEqual(
    alike.map(({ note }) => note),
    ['notes/0.md', 'notes/2.md'],
  );
  assert.equal(texts.length, 3);
});

test('given a pair, when it is split, a part of it excluded, and both undone, then the parts stand for it as long as it is split', async (t) => {
  const { root, book, request, page, rows, curate } = await setUp(t, ['The lattice is cubic.']);
  const pair = (await rows())[0]?.pair ?? '';
  await curate([pair], { do: 'edit', side: 'chosen', text: 'One lattice is tetragonal.' });
  await curate([pair], { do: 'split' });
  const parts = await rows({ state: 'curated' });
  assert.equal(parts.length, 2);
  assert.ok(parts.every(({ curation }) => curation?.partOf === pair));
  const [part] = parts;
  assert.ok(part);
  await curate([part.pair], { do: 'exclude', reason: 'a matter of taste' });
  const { counts } = await page();
  assert.deepEqual([counts.all, counts.kept, counts.excluded], [2, 1, 1]);
  const { pairs } = await workspacePairs(request, new Stores(path.join(root, '.home'), Date.now), never);
  assert.equal(pairs.length, 2);
  assert.equal((await book.undo(request, never)).undone?.do, 'exclude');
  const undone = await book.undo(request, never);
  assert.deepEqual([undone.undone?.do, undone.changed], ['split', [pair]]);
  assert.deepEqual(
    (await rows()).map((row) => row.pair),
    [pair],
  );
});

test('given a split pair, when one part is merged with another, then the pair is whole again', async (t) => {
  const { book, request, rows, curate } = await setUp(t, ['The lattice is cubic.']);
  const pair = (await rows())[0]?.pair ?? '';
  await curate([pair], { do: 'edit', side: 'chosen', text: 'One lattice is tetragonal.' });
  await curate([pair], { do: 'split' });
  const [first, second] = await rows();
  assert.ok(first && second);
  await curate([first.pair], { do: 'merge', with: second.pair });
  assert.deepEqual(
    (await rows()).map((row) => row.pair),
    [pair],
  );
  await book.undo(request, never);
  assert.equal((await rows()).length, 2);
});

test('given two pairs of different questions, when they are to be merged, then it is refused in words; of one question they become one', async (t) => {
  const { root, home, stores, book, request, rows, curate } = await setUp(t);
  const [one, other] = await rows();
  assert.ok(one && other);
  const result = await curate([one.pair], { do: 'merge', with: other.pair });
  assert.match(result.refused[0]?.reason ?? '', /different questions/);

  const ledger = await stores.ledger(root);
  const said = {
    ...decisionOf('x').texts,
    question: 'Why 0?',
    thinking: '',
    offered: 'It is not.',
    result: null,
  };
  await ledger.append(
    decisionOf('x', {
      ...{ block: 'block99', run: null, kind: 'reject', provenance: null, texts: said },
      note: { path: 'notes/9.md', hash: 'h', range: { start: 0, end: 10 } },
    }),
  );
  book.invalidate();
  const [, , , refused] = await rows();
  assert.ok(refused);
  await curate([one.pair], { do: 'merge', with: refused.pair });
  const { pair } = await book.detail(request, one.pair, never);
  assert.equal(pair.rejected, 'It is not.');
  assert.equal((await rows()).length, 3);
  // Its note's data are asked to go: the other one is what it was.
  const adapters = { list: () => Promise.resolve([]), markForgotten: () => Promise.resolve() };
  await forget({ root, home, note: 'notes/9.md' }, { stores, library: null, adapters }, never);
  const { pairs } = await workspacePairs(request, stores, never);
  assert.ok(!pairs.some(({ rejected }) => rejected === 'It is not.'));
  assert.equal(
    pairs.find(({ curation }) => curation?.origin === one.pair)?.rejected,
    'The lattice is cubic.',
  );
});

test('given curated pairs, when their note is forgotten, then what the writer wrote of them is gone too', async (t) => {
  const { root, home, stores, rows, curate } = await setUp(t);
  const pair = (await rows())[0]?.pair ?? '';
  await curate([pair], { do: 'edit', side: 'chosen', text: 'A secret of the lattice.' });
  const adapters = { list: () => Promise.resolve([]), markForgotten: () => Promise.resolve() };
  await forget({ root, home, note: 'notes/0.md' }, { stores, library: null, adapters }, never);
  const lines = await ledgerLines(root);
  assert.deepEqual(
    lines.filter((line) => line.includes('lattice')),
    [],
  );
});

test('given entries of a newer version among the curations, when pairs are derived, then those are set aside and the others stand', async (t) => {
  const { root, request, stores, rows, curate } = await setUp(t);
  const pair = (await rows())[0]?.pair ?? '';
  await curate([pair], { do: 'exclude', reason: '' });
  const { ledger } = workspacePlaces(root);
  const [file = ''] = await readdir(ledger);
  const last = (await ledgerLines(root)).at(-1) ?? '';
  const newer = last.replace('"schema":1', '"schema":2');
  await appendFile(path.join(ledger, file), `${newer}\n${last.replace('"exclude"', '"dissolve"')}\n`);
  const { pairs, problems } = await workspacePairs(request, stores, never);
  assert.equal(problems.length, 2);
  assert.equal(pairs.filter(({ curation }) => curation?.excluded === '').length, 1);
});
