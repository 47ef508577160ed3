// A suggestion reviewed change by change over a real connection. The note has its annotation: no model is needed.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CodeLens } from 'vscode-languageserver/node';
import { stripBlocks } from '../../server/src/notes/index.ts';
import { LedgerRecord, reviewNotification, type Review } from '../../server/src/protocol/index.ts';
import { desk, failure, firstParagraph, note, type Desk } from './support.ts';

const block = 'k3v9q2';
const answer = 'Tiny grains make an alloy strong, because dislocations stop at their many boundaries.';
const annotated = note.replace(
  `${firstParagraph}\n`,
  `${firstParagraph}\n\n<!-- preflexor ${block} begin -->\n> [!answer]+ Suggestion\n> ${answer}\n<!-- preflexor ${block} end -->\n`,
);

interface Reviewed {
  readonly review: Review | null;
  readonly decision: { readonly entry: LedgerRecord; readonly warning: string | null } | null;
}

function step({ client, uri }: Desk, action: string, more: object = {}): Promise<Reviewed> {
  return client.request<Reviewed>('preflexor/review', { textDocument: { uri }, action, ...more });
}

async function ledgerOf({ folder }: Desk): Promise<LedgerRecord[]> {
  const ledger = join(folder, '.preflexor', 'ledger');
  const files = (await readdir(ledger)).filter((name) => name.endsWith('.jsonl'));
  const lines = await Promise.all(files.map((name) => readFile(join(ledger, name), 'utf8')));
  const all = lines.join('').trim().split('\n');
  return all.map((line) => LedgerRecord.parse(JSON.parse(line)));
}

async function lensesOf({ client, uri }: Desk): Promise<(string | undefined)[]> {
  const lenses = await client.request<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } });
  return lenses.map(({ command }) => command?.title);
}

function lastTold({ client }: Desk): { review: Review | null; ended: string | null } | undefined {
  const told = client
    .notifications(reviewNotification.method)
    .map((params) => reviewNotification.params.parse(params));
  return told.at(-1);
}

test('given a suggestion, when some of its changes are taken and applied, then it is one edit, and each decision is on record', async (t) => {
  const at = await desk(t, annotated);
  const { review } = await step(at, 'begin', { block });
  assert.deepEqual(
    review?.hunks.map(({ before, after, state }) => [before, after, state]),
    [
      ['Small', 'Tiny', 'open'],
      ['hard', 'strong', 'open'],
      ['', 'many ', 'open'],
    ],
  );
  await step(at, 'take');
  await step(at, 'leave');
  const position = at.client.positionOf(at.uri, 'boundaries');
  const last = await step(at, 'take', { position });
  assert.deepEqual(
    last.review?.hunks.map(({ state }) => state),
    ['taken', 'left', 'taken'],
  );
  assert.equal(at.client.text(at.uri), annotated, 'nothing changes before it is applied');
  const { review: over, decision } = await step(at, 'apply');
  assert.deepEqual([over, decision?.entry.kind], [null, 'hunk']);
  const mixed = firstParagraph.replace('Small', 'Tiny').replace('their', 'their many');
  assert.equal(at.client.text(at.uri), note.replace(firstParagraph, mixed));
  assert.equal(at.client.edits.length, 1);
  const entries = await ledgerOf(at);
  assert.deepEqual(
    entries.map(({ kind, hunk, texts }) => [kind, hunk?.accepted, texts.result]),
    [true, false, true].map((accepted) => ['hunk', accepted, mixed]),
  );
  assert.deepEqual(lastTold(at), { uri: at.uri, review: null, ended: 'applied' });
});

test('given a review, when it is given up, then the note and the ledger are as before, and its lenses are gone', async (t) => {
  const at = await desk(t, annotated);
  await at.client.request('workspace/executeCommand', {
    command: 'preflexor.block.review',
    arguments: [{ uri: at.uri, block }],
  });
  await at.client.request('workspace/executeCommand', {
    command: 'preflexor.review.step',
    arguments: [{ uri: at.uri, action: 'take' }],
  });
  const during = await lensesOf(at);
  assert.deepEqual(during.slice(0, 4), [
    'Change 2 of 3: “hard” → “strong”',
    'Take',
    'Leave',
    'Take the rest',
  ]);
  assert.ok(during.includes('Apply (1 of 3 taken)'));
  await step(at, 'give-up');
  assert.ok(!(await lensesOf(at)).includes('Give up'));
  assert.equal(at.client.text(at.uri), annotated);
  await assert.rejects(ledgerOf(at), { code: 'ENOENT' });
  assert.equal((await failure(step(at, 'take'))).data?.code, 'bad-input');
});

test('given a review, when the note is edited elsewhere, then it goes on; when the block goes, then it is over', async (t) => {
  const at = await desk(t, annotated);
  await step(at, 'begin', { block });
  await step(at, 'take');
  await at.client.replace(at.uri, '# Alloys', '# Alloys\n\nTyped meanwhile.');
  await at.client.until(
    'the changes at their new place',
    () => lastTold(at)?.review?.paragraph.start.line === 4,
  );
  assert.equal(lastTold(at)?.review?.hunks[0]?.state, 'taken');
  await at.client.request('preflexor/strip', { textDocument: { uri: at.uri } });
  await at.client.until('the end of the review', () => lastTold(at)?.ended === 'overtaken');
  assert.equal(at.client.text(at.uri), stripBlocks(at.client.text(at.uri)).text);
});
