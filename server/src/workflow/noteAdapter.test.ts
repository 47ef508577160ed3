// Adapters by folder and by kind of note.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapterForNote } from './noteAdapter.ts';

const note = (path: string, head = '') => ({
  ...{ root: '/notes', file: `/notes/${path}`, text: `${head}Small grains make an alloy hard.\n` },
});
const rules = [
  { files: 'drafts/**', kind: 'letter', adapter: 'base' as const },
  { kind: 'essay', adapter: 'exo-essays' },
  { files: 'drafts/**', adapter: 'exo-drafts' },
];

test('given rules by folder and kind, when a note is reasoned about, then the first that fits names its adapter', () => {
  assert.equal(adapterForNote(note('lab.md'), rules), null);
  assert.equal(adapterForNote(note('drafts/deep/alloys.md'), rules), 'exo-drafts');
  assert.equal(adapterForNote(note('drafts/alloys.md', '---\nkind: letter\n---\n\n'), rules), 'base');
  assert.equal(
    adapterForNote(note('alloys.md', "---\ntitle: A\ntype: 'essay'\n---\n\n"), rules),
    'exo-essays',
  );
  assert.equal(adapterForNote(note('alloys.md', 'kind: essay\n\n'), rules), null);
});

test('given a rule that names nothing, when a note is reasoned about, then it fits none', () => {
  assert.equal(adapterForNote(note('alloys.md'), [{ adapter: 'exo-all' }]), null);
});
