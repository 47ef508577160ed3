// The concepts of the five papers against the reviewed list of test/fixtures/graph.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyPhrasesOf } from '../../server/src/graph/index.ts';
import { markdownDocument } from '../../server/src/graph/testing/papers.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const golden = JSON.parse(readFileSync(join(fixtures, 'graph', 'concepts.json'), 'utf8')) as Record<
  string,
  string[]
>;

for (const [paper, labels] of Object.entries(golden)) {
  test(`given the paper ${paper}, when its concepts are taken, then the best are the reviewed ones`, async () => {
    const text = readFileSync(join(fixtures, 'corpus', paper), 'utf8');
    const { phrases } = await keyPhrasesOf(markdownDocument(paper, text), new AbortController().signal);
    assert.deepEqual(
      phrases
        .filter(({ strong }) => strong)
        .slice(0, labels.length)
        .map(({ label }) => label),
      labels,
    );
  });
}

test('given the reviewed list, when its papers are counted, then there are five', () => {
  assert.equal(Object.keys(golden).length, 5);
});
