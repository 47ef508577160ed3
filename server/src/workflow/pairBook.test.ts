import assert from 'node:assert/strict';
import { appendFile, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { decisionOf } from '../../../test/support/ledgerExamples.ts';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';
import { PreflexorError } from '../errors.ts';
import { exportPairs } from '../preferences/index.ts';
import type { CurationAction, PairFilter, PairPage, PairRow } from '../protocol/index.ts';
import { workspacePlaces } from '../state/index.ts';
import { forget } from './forget.ts';
import { PairBook, type SearchNotes } from './pairBook.ts';
import { workspacePairs } from './pairs.ts';
import { Stores } from './stores.ts';

const never = new AbortController().signal;
const noSearch: SearchNotes = () => Promise.reject(new PreflexorError('no-model', 'No embedding model.'));

/** A folder with one edited acceptance for each text, and the book over it. */
async function setUp(
  t: TestContext,
  offered: readonly string[] = ['The lattice is cubic.', 'Grains are coarse.', 'Slip is easy.'],
  searchNotes = noSearch,
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
  const book = new PairBook({ stores, now: Date.now, searchNotes, changed: () => undefined });
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
