import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CurationAction, LedgerRecord, PreferencePair } from '../../protocol/index.ts';
import { PreferencePair as Schema } from '../../protocol/index.ts';
import { decisionOf } from '../../../../test/support/ledgerExamples.ts';
import { CuratedPairs, curatedPairs } from './curatedPairs.ts';
import type { CurationRecord } from './curation.ts';
import { derivePairs } from './derive.ts';

const never = new AbortController().signal;
const id = (n: number) => `01JDF3Z${String(n).padStart(19, '0')}`;

/** The pair of one edited acceptance. */
async function edited(result: string): Promise<PreferencePair> {
  const decision = decisionOf('Why?', { kind: 'accept-edited', run: null });
  const texts = { ...decision.texts, thinking: 'hm', offered: 'Grains are coarse.', result };
  const record: LedgerRecord = {
    ...{ schema: 1, id: id(1), time: '2026-11-24T12:00:00.000Z', device: 'device01', ...decision, texts },
  };
  const history = { records: [record], runs: new Map(), notes: new Map() };
  const [pair] = await derivePairs(history, { now: 0, quietMs: 0, split: { share: 0, since: null } }, never);
  assert.ok(pair);
  return pair;
}

function curation(
  pair: PreferencePair,
  n: number,
  action: CurationAction,
  more: Partial<CurationRecord['curation']> = {},
): CurationRecord {
  const { id: pairId, entries, about } = pair;
  return {
    ...{ schema: 1, id: id(n), time: '2026-11-24T13:00:00.000Z', device: 'device01', ...decisionOf('') },
    kind: 'curate',
    curation: { pair: pairId, entries, about, action, change: id(n), ...more },
  };
}

const text = fc.string({ minLength: 1, maxLength: 12 }).filter((one) => one.trim() !== '');
const action: fc.Arbitrary<CurationAction> = fc.oneof(
  fc.record({ do: fc.constant('edit' as const), side: fc.constantFrom('chosen', 'rejected'), text }),
  fc.record({ do: fc.constant('flip' as const) }),
  fc.record({ do: fc.constant('exclude' as const), reason: fc.string({ maxLength: 5 }) }),
  fc.record({ do: fc.constant('include' as const) }),
  fc.record({ do: fc.constant('tag' as const), tag: fc.constantFrom('a', 'b'), on: fc.boolean() }),
  fc.record({ do: fc.constant('rate' as const), strength: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ do: fc.constant('review' as const) }),
  fc.record({ do: fc.constant('split' as const) }),
  fc.record({ do: fc.constant('revert' as const), to: fc.option(fc.integer({ min: 2, max: 12 }).map(id)) }),
);

test('given any curations, when they are folded in, then every state is a pair, and taking all back gives the derived one', async () => {
  const pair = await edited('Grains are fine.');
  fc.assert(
    fc.property(fc.array(action, { maxLength: 10 }), (actions) => {
      const records = actions.map((one, at) => curation(pair, at + 2, one));
      const curated = new CuratedPairs([pair], records);
      for (const one of curated.all()) for (const state of one.states) Schema.parse(state.pair);
      assert.equal(curated.get(pair.id)?.states.length, actions.length + 1);
      const last = curation(pair, 99, { do: 'revert', to: null });
      const [reverted] = curatedPairs([pair], [...records, last]);
      assert.ok(reverted);
      const { curation: made, ...rest } = reverted;
      assert.deepEqual(rest, pair);
      assert.deepEqual(
        { ...made, entries: made?.entries.length },
        {
          origin: pair.id,
          excluded: null,
          tags: [],
          edited: [],
          flipped: false,
          reviewed: false,
          entries: actions.length + 1,
        },
      );
    }),
  );
});

test('given an excluded pair whose paragraph was rewritten since, when the pairs are derived anew, then it stays excluded', async () => {
  const [before, after] = [await edited('Grains are fine.'), await edited('Grains are very fine.')];
  assert.notEqual(before.id, after.id);
  const [pair] = curatedPairs([after], [curation(before, 2, { do: 'exclude', reason: 'no' })]);
  assert.equal(pair?.curation?.excluded, 'no');
});

test('given a curation that could be of two pairs, when it is folded in, then neither is changed by it', async () => {
  const [lost, one] = [await edited('Grains are fine.'), await edited('Grains are very fine.')];
  const other = { ...(await edited('Grains are finer.')), entries: one.entries };
  const pairs = curatedPairs([one, other], [curation(lost, 2, { do: 'flip' })]);
  assert.deepEqual(pairs, [one, other]);
});

test('given a flipped pair, when it is seen, then spans and iterations went with the texts', async () => {
  const pair = await edited('Grains are fine.');
  const [flipped] = curatedPairs([pair], [curation(pair, 2, { do: 'flip' })]);
  assert.deepEqual([flipped?.chosen, flipped?.rejected], [pair.rejected, pair.chosen]);
  assert.deepEqual(flipped?.spans, { chosen: pair.spans.rejected, rejected: pair.spans.chosen });
  assert.equal(flipped.curation?.flipped, true);
});
