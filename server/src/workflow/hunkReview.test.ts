// A suggestion reviewed change by change: what is decided, what is planned, and what is learned from it.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runOf } from '../../../test/support/ledgerExamples.ts';
import { PreflexorError } from '../errors.ts';
import { applyEdits, insertBlock, paragraphAt } from '../notes/index.ts';
import type { LedgerRecord } from '../protocol/index.ts';
import {
  beginReview,
  decideHunk,
  decideRest,
  followNote,
  goFrom,
  hunkAt,
  planReview,
  recordDecisions,
  Stores,
  workspacePairs,
  type HunkReview,
  type Note,
} from './index.ts';

const paragraph = 'Small grains make an alloy hard, as boundaries stop dislocations.';
const answer = 'Tiny grains make an alloy strong, as boundaries block dislocations.';
const plain = `# Alloys\n\n${paragraph}\n\nAnother paragraph.\n`;
const block = 'k3v9q2';
const run = runOf('01JDF3Z0000000000000000001', {
  ...{ block, paragraph, final: answer },
  note: { path: 'note.md', hash: 'ab'.repeat(32), range: { start: 10, end: 10 + paragraph.length } },
});

interface Desk {
  readonly note: Note;
  readonly stores: Stores;
  readonly review: HunkReview;
}

/** A note with the block of a stored run, and the review of it. */
async function desk(t: TestContext, shownAnswer = answer): Promise<Desk> {
  const root = await mkdtemp(join(tmpdir(), 'preflexor review '));
  t.after(() => rm(root, { recursive: true }));
  const stores = new Stores(join(root, 'home'), () => 0);
  await stores.runs(root).save(run);
  const { insertAt } = paragraphAt(plain, plain.indexOf(paragraph));
  const content = { id: block, thinking: 'T', answer: shownAnswer, iteration: 0, of: 0, model: 'M' };
  const text = applyEdits(plain, [insertBlock(plain, insertAt, content)]);
  const note = { text, root, file: join(root, 'note.md') };
  return { note, stores, review: await beginReview(note, block, stores) };
}

function afterwards({ note }: Desk, review: HunkReview): string {
  return applyEdits(note.text, planReview(note, review).edits);
}

test('given three changes of which two are taken, when planned, then the note has those two, and each decision its line', async (t) => {
  const at = await desk(t);
  const review = decideHunk(decideHunk(decideHunk(at.review, 0, 'taken'), 1, 'left'), 2, 'taken');
  const mixed = 'Tiny grains make an alloy hard, as boundaries block dislocations.';
  assert.equal(afterwards(at, review), plain.replace(paragraph, mixed));
  const { entries } = planReview(at.note, review);
  assert.deepEqual(
    entries.map(({ kind, hunk }) => [kind, hunk?.index, hunk?.of, hunk?.accepted, hunk?.before, hunk?.after]),
    [
      ['hunk', 0, 3, true, 'Small', 'Tiny'],
      ['hunk', 1, 3, false, 'hard', 'strong'],
      ['hunk', 2, 3, true, 'stop', 'block'],
    ],
  );
  const { texts } = entries[0];
  assert.deepEqual([texts.paragraph, texts.offered, texts.result], [paragraph, answer, mixed]);
});

for (const [given, state, last, result] of [
  ['all changes are taken', 'taken', 'accept', answer],
  ['all changes are left', 'left', 'reject', null],
] as const) {
  test(`given ${given}, when planned, then the whole is recorded too, as ${last}`, async (t) => {
    const at = await desk(t);
    const review = decideRest(at.review, state);
    assert.equal(afterwards(at, review), plain.replace(paragraph, result ?? paragraph));
    const { entries } = planReview(at.note, review);
    assert.deepEqual(
      entries.map(({ kind }) => kind),
      ['hunk', 'hunk', 'hunk', last],
    );
    assert.equal(entries.at(-1)?.texts.result, result);
  });
}

test('given a suggestion that the writer changed in the block, when all is taken, then it is an edit of theirs', async (t) => {
  const mine = answer.replace('Tiny', 'Minute');
  const at = await desk(t, mine);
  const { entries } = planReview(at.note, decideRest(at.review, 'taken'));
  const { kind, texts } = entries.at(-1) ?? entries[0];
  assert.deepEqual([kind, texts.offered, texts.result], ['accept-edited', answer, mine]);
});

test('given changes that are open, when planned, then they stay as they are and have no line', async (t) => {
  const at = await desk(t);
  const { entries } = planReview(at.note, decideHunk(at.review, 1, 'taken'));
  assert.deepEqual(
    entries.map(({ hunk }) => hunk?.index),
    [1],
  );
});

test('given nothing taken and something open, when planned, then it is refused with a way out', async (t) => {
  const at = await desk(t);
  for (const review of [at.review, decideHunk(at.review, 0, 'left')]) {
    assert.throws(
      () => planReview(at.note, review),
      (error) => PreflexorError.is(error, 'bad-input') && error.remedy !== null,
    );
  }
});

test('given a decision, when it is made, then the next open change is current, around the end', async (t) => {
  const { review } = await desk(t);
  const second = decideHunk(review, 0, 'taken');
  const around = decideHunk(goFrom(second, 1, 1), 2, 'left');
  const done = decideHunk(around, 1, 'left');
  assert.deepEqual([second.current, around.current, done.current], [1, 1, 1]);
  assert.deepEqual(
    [goFrom(review, 2, 1), goFrom(review, 0, -1)].map(({ current }) => current),
    [0, 2],
  );
});

test('given a cursor in a change, when one is meant, then it is that one, and elsewhere the current one', async (t) => {
  const { note, review } = await desk(t);
  const at = (words: string): number => hunkAt(review, note.text.indexOf(words));
  assert.deepEqual([at('hard'), at('stop'), at('Another'), hunkAt(review, undefined)], [1, 2, 0, 0]);
});

test('given text typed above, when the review follows, then its changes stand where their words stand now', async (t) => {
  const { note, review } = await desk(t);
  const text = note.text.replace('# Alloys', '# Alloys and more');
  const followed = followNote(decideHunk(review, 0, 'taken'), text);
  assert.deepEqual(
    followed.found.hunks.map(({ range }) => text.slice(range.start, range.end)),
    ['Small', 'hard', 'stop'],
  );
  assert.deepEqual([followed.states, followed.current], [['taken', 'open', 'open'], 1]);
});

test('given the paragraph changed meanwhile, when the review follows, then changes that are still the same keep their decision', async (t) => {
  const { note, review } = await desk(t);
  const decided = decideHunk(decideHunk(review, 0, 'taken'), 2, 'left');
  const followed = followNote(decided, note.text.replace('alloy hard', 'alloy strong'));
  assert.deepEqual(followed.states, ['taken', 'left']);
});

test('given the block is gone or the paragraph is the suggestion by now, when the review follows, then it is over', async (t) => {
  const { note, review } = await desk(t);
  for (const text of [plain, note.text.replace(paragraph, answer)])
    assert.throws(() => followNote(review, text), PreflexorError);
});

test('given a review with some changes refused, when pairs are derived, then the mixed text is chosen over the suggestion', async (t) => {
  const { note, stores, review } = await desk(t);
  const pairs = async (of: HunkReview): Promise<unknown[]> => {
    await recordDecisions(stores, note.root, planReview(note, of).entries);
    const request = { root: note.root, now: Date.now(), record: true };
    const { pairs: found } = await workspacePairs(request, stores, new AbortController().signal);
    return found.map(({ signal }) => signal);
  };
  assert.deepEqual(await pairs(decideRest(decideHunk(review, 0, 'taken'), 'left')), ['hunk']);
  // Undone, and then all of it was taken: that is the last word.
  assert.deepEqual(await pairs(decideRest(review, 'taken')), ['accept']);
  assert.deepEqual(await pairs(decideRest(review, 'left')), ['reject']);
});

test('given decisions made together, when recorded, then the ledger has them in their order, and the last is what became of the block', async (t) => {
  const { note, stores, review } = await desk(t);
  const { entries } = planReview(note, decideRest(decideHunk(review, 1, 'taken'), 'left'));
  const { record } = await recordDecisions(stores, note.root, entries);
  const ledger = await stores.ledger(note.root);
  const { records } = await ledger.read();
  const indexes = (all: readonly LedgerRecord[]): unknown[] => all.map(({ hunk }) => hunk?.index);
  assert.deepEqual(indexes(records), [0, 1, 2]);
  assert.deepEqual((await ledger.lastDecision(block))?.id, record.id);
});
