// What a blind comparison leaves in the ledger, and when it leaves nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../protocol/index.ts';
import { runOf } from '../../../test/support/ledgerExamples.ts';
import { comparisonEntry } from './compare.ts';

const note = { root: '/notes', file: '/notes/a.md', text: 'Grains are small.\n' };
const on = { 'preferences.record': true };
const random = () => 0.5;
const run = (final: string, adapter: string | null): Run => ({
  ...runOf('01JDF3Z0000000000000000001'),
  final,
  adapter,
});

test('given two answers, when one is preferred, then its line holds both, and whose each was', async () => {
  const entry = await comparisonEntry(note, run('Better.', 'exo-1'), run('Worse.', null), on, random);
  assert.equal(entry?.kind, 'compare');
  assert.deepEqual(
    [entry.texts.offered, entry.compared?.answer, entry.compared?.adapter],
    ['Better.', 'Worse.', null],
  );
  assert.notEqual(entry.provenance, null);
});

test('given nothing to learn or a writer who wants none of it kept, when one is preferred, then there is no line', async () => {
  assert.equal(await comparisonEntry(note, run('Same.', 'a-1'), run(' Same.', null), on, random), null);
  const off = { 'preferences.record': false };
  assert.equal(await comparisonEntry(note, run('Better.', 'a-1'), run('Worse.', null), off, random), null);
  const private_ = { ...note, text: `---\npreflexor: off\n---\n\n${note.text}` };
  assert.equal(await comparisonEntry(private_, run('Better.', 'a-1'), run('Worse.', null), on, random), null);
});
