import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PairCounts } from '../../server/src/protocol/index.ts';
import { pairNodes, waitingBadge } from './pairsModel.ts';

const counts: PairCounts = {
  ...{ all: 5, kept: 4, waiting: 2, excluded: 1, curated: 0 },
  signals: [
    { name: 'edit', count: 3 },
    { name: 'pick', count: 1 },
  ],
  findings: [{ name: 'personal-data', count: 2 }],
  splits: [{ name: 'train', count: 4 }],
  notes: [{ name: 'a.md', count: 5 }],
  tags: [{ name: '$(eye) <b>', count: 1 }],
};

test('given pairs, when the view shows them, then each press leads to those that were counted, and what has none is left out', () => {
  const nodes = pairNodes(counts);
  assert.deepEqual(
    nodes.map(({ label, description }) => [label, description]),
    [
      ['Waiting for review', '2'],
      ['In training', '4'],
      ['Excluded', '1'],
      ['$(eye) <b>', '1'],
    ],
  );
  assert.deepEqual(nodes[0]?.children[0]?.filter, { state: 'kept', findings: ['personal-data'] });
  assert.deepEqual(
    nodes[1]?.children.map(({ filter }) => filter.signals),
    [['edit'], ['pick']],
  );
});

test('given no pairs, or none that wait, when the view shows them, then its welcome and no badge are seen', () => {
  assert.deepEqual(pairNodes(null), []);
  assert.deepEqual(pairNodes({ ...counts, all: 0 }), []);
  assert.equal(waitingBadge(null), null);
  assert.equal(waitingBadge({ ...counts, waiting: 0 }), null);
  assert.deepEqual(waitingBadge({ ...counts, waiting: 1 }), {
    value: 1,
    tooltip: '1 preference pair waits for review',
  });
});
