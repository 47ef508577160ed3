// The curation board's requests over a real connection: pages, changes, undo, search by meaning, and what decisions
// made meanwhile do to it. A model that replays a script, retrieval in memory.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { test, type TestContext } from 'node:test';
import { openLedger } from '../../server/src/preferences/index.ts';
import {
  curateRequest,
  exportPairsRequest,
  forgetRequest,
  importPairsRequest,
  pairRequest,
  pairsNotification,
  pairsRequest,
  undoCurationRequest,
} from '../../server/src/protocol/index.ts';
import { decisionOf } from '../support/ledgerExamples.ts';
import { alloys, evidence, isIdle, library, untilIndex, type Library } from './librarySupport.ts';
import { failure } from './support.ts';

/** A library with two decisions on its notes. */
async function curated(t: TestContext): Promise<Library> {
  const at = await library(t);
  const ledger = await openLedger({ workspaceRoot: at.folder, home: join(at.folder, '.home') });
  const decide = async (block: string, path: string, offered: string, start: number): Promise<void> => {
    const { texts } = decisionOf('x');
    await ledger.append(
      decisionOf('x', {
        ...{ block, run: null, kind: 'accept-edited', provenance: null },
        texts: { ...texts, question: `About ${path}`, thinking: '', offered, result: `${offered} Indeed.` },
        note: { path, hash: 'h', range: { start, end: start + evidence.length } },
      }),
    );
  };
  await decide('block01', 'notes/alloys.md', evidence, alloys.indexOf(evidence));
  await decide('block02', 'draft.md', 'Texture is another matter.', 100);
  return at;
}

const pairs = async ({ client }: Library, params: object = {}) =>
  pairsRequest.result.parse(await client.request('preflexor/pairs', params));
const curate = async ({ client }: Library, params: object) =>
  curateRequest.result.parse(await client.request('preflexor/curate', params));

test('given decisions, when the board asks, changes, looks at one and undoes, then each answer fits the protocol and the next page', async (t) => {
  const at = await curated(t);
  const { rows, counts, matching } = await pairs(at, { order: 'oldest', limit: 1 });
  const [row] = rows;
  assert.deepEqual([rows.length, matching, counts.all], [1, 2, 2]);
  assert.equal(row?.note, 'notes/alloys.md');
  const changed = await curate(at, { pairs: { state: 'all' }, action: { do: 'exclude', reason: 'too old' } });
  assert.equal(changed.changed.length, 2);
  assert.equal((await pairs(at)).matching, 0);
  const detail = pairRequest.result.parse(await at.client.request('preflexor/pair', { pair: row.pair }));
  assert.deepEqual(
    detail.history.map(({ action }) => action?.do),
    [undefined, 'exclude'],
  );
  // The answer was never put into the note here; the paragraph's words are looked for where they stand.
  assert.match(detail.place?.uri ?? '', /alloys\.md$/);
  const undone = undoCurationRequest.result.parse(await at.client.request('preflexor/undoCuration', {}));
  assert.deepEqual([undone.undone?.do, undone.changed.length], ['exclude', 2]);
  assert.equal((await pairs(at)).matching, 2);
  const told = at.client.received.filter(({ method }) => method === pairsNotification.method);
  assert.equal(pairsNotification.params.parse(told.at(-1)?.params).counts.kept, 2);
});

test('given an indexed folder, when pairs are searched by meaning, then those about what the notes say of it come first', async (t) => {
  const at = await curated(t);
  await at.client.request('preflexor/index', { action: 'start' });
  await untilIndex(at.client, 'the index', isIdle);
  const { rows, searchProblem } = await pairs(at, {
    filter: { meaning: 'Dislocations stop at grain boundaries' },
  });
  assert.deepEqual([rows[0]?.note, searchProblem], ['notes/alloys.md', null]);
});

test('given two decisions that say nearly the same, when the board looks, then both are found, and split and merge are answered', async (t) => {
  const at = await curated(t);
  const ledger = await openLedger({ workspaceRoot: at.folder, home: join(at.folder, '.home') });
  const { texts } = decisionOf('x');
  await ledger.append(
    decisionOf('x', {
      ...{ block: 'block03', run: null, kind: 'accept-edited', provenance: null },
      texts: {
        ...{ ...texts, question: 'And?', thinking: '', offered: 'Texture is another matter.' },
        result: 'Indeed: texture is another matter.',
      },
      note: { path: 'draft.md', hash: 'h', range: { start: 100, end: 120 } },
    }),
  );
  const looked = async () => {
    const end = Date.now() + 10_000;
    for (;;) {
      const page = await pairs(at, { filter: { findings: ['near-duplicate'] } });
      if (!page.checking || Date.now() > end) return page;
      await delay(20);
    }
  };
  await pairs(at, { refresh: true });
  const [one, other, ...more] = (await looked()).rows;
  assert.ok(one && other);
  assert.deepEqual([one.note, other.note, more], ['draft.md', 'draft.md', []]);
  const merged = await curate(at, { pairs: [one.pair], action: { do: 'merge', with: other.pair } });
  assert.match(merged.refused[0]?.reason ?? '', /different questions/);
  const split = await curate(at, { pairs: [one.pair], action: { do: 'split' } });
  assert.match(split.refused[0]?.reason ?? '', /one place only/);
});

test('given the board, when the writer decides meanwhile, then the next page has the new pair', async (t) => {
  const at = await curated(t);
  assert.equal((await pairs(at)).matching, 2);
  const begin = '<!-- preflexor k3v9q2zz begin -->';
  const block = `\n${begin}\n> [!answer]+ Suggestion\n> Copper is red.\n<!-- preflexor k3v9q2zz end -->\n`;
  const words = 'Texture is another matter [@kocks1998texture; @nobody2020].\n';
  await at.client.replace(at.uri, words, `${words}${block}`);
  await at.client.request('preflexor/decide', {
    ...{ textDocument: { uri: at.uri }, block: 'k3v9q2zz', as: 'reject', reason: 'it is not about texture' },
  });
  const end = Date.now() + 10_000;
  while ((await pairs(at)).matching < 3 && Date.now() < end) await delay(20);
  const { rows } = await pairs(at, { order: 'newest', limit: 1 });
  assert.deepEqual([rows[0]?.signal, rows[0]?.chosen], ['reject', null]);
});

test('given a folder with pairs, when they are exported, imported elsewhere and their note forgotten, then each request does what it says', async (t) => {
  const at = await curated(t);
  const file = join(at.folder, 'out', 'pairs.jsonl');
  const place = pathToFileURL(file).href;
  const exported = exportPairsRequest.result.parse(
    await at.client.request('preflexor/exportPairs', { place, format: 'trl' }),
  );
  assert.deepEqual(exported, { files: [file], exported: 2, leftOut: [] });
  const imported = importPairsRequest.result.parse(
    await at.client.request('preflexor/importPairs', { place }),
  );
  assert.deepEqual([imported.imported + imported.known, imported.refused], [2, []]);
  await pairs(at, { refresh: true });
  const forgotten = forgetRequest.result.parse(
    await at.client.request('preflexor/forget', { textDocument: { uri: at.uri }, all: false }),
  );
  assert.deepEqual([forgotten.note, forgotten.removed.ledger], ['draft.md', 1]);
  const left = await pairs(at, { refresh: true });
  assert.deepEqual(
    left.rows.map(({ note }) => note),
    ['notes/alloys.md'],
  );
  const all = forgetRequest.result.parse(await at.client.request('preflexor/forget', { all: true }));
  assert.equal(all.note, null);
  assert.equal((await pairs(at, { refresh: true })).matching, 0);
  const nowhere = await failure(
    at.client.request('preflexor/exportPairs', { place: 'untitled:Untitled-1', format: 'trl' }),
  );
  assert.equal(nowhere.data?.code, 'bad-input');
});

test('given what is no pair or no action, when the board asks for it, then it is refused in words', async (t) => {
  const at = await curated(t);
  const pair = '0'.repeat(32);
  const unknown = await failure(
    at.client.request('preflexor/curate', { pairs: [pair], action: { do: 'flip' } }),
  );
  assert.equal(unknown.data?.code, 'bad-input');
  const wrong = await failure(
    at.client.request('preflexor/curate', { pairs: ['../x'], action: { do: 'burn' } }),
  );
  assert.match(wrong.message, /preflexor\/curate/);
});
