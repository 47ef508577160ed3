// The whole way of a paragraph over a real connection, with the real small model.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBlocks, stripBlocks } from '../../server/src/notes/index.ts';
import { LedgerRecord, ReasonEvent, Run, type EngineStatus } from '../../server/src/protocol/index.ts';
import { desk, eventsOf, failure, firstParagraph, note, reason, smallBudgets, type Desk } from './support.ts';

async function ledgerOf({ folder }: Desk): Promise<LedgerRecord[]> {
  const ledger = join(folder, '.preflexor', 'ledger');
  const files = (await readdir(ledger)).filter((name) => name.endsWith('.jsonl'));
  const lines = await Promise.all(files.map((name) => readFile(join(ledger, name), 'utf8')));
  return lines
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LedgerRecord.parse(JSON.parse(line)));
}

test('given a paragraph, when it is reasoned about, then events stream, one edit inserts the block, and the run is stored', async (t) => {
  const at = await desk(t);
  const { client, uri, folder } = at;
  const result = await reason(at, 'Small grains');
  assert.equal(result.placement, 'inserted');
  assert.equal(client.edits.length, 1);

  const events = eventsOf(client).map((event) => ReasonEvent.parse(event));
  assert.equal(events[0]?.event, 'started');
  assert.equal(events.at(-1)?.event, 'finished');
  for (const kind of ['thinking', 'reflection', 'answer'] as const) {
    const streamed = events.filter((event) => event.event === 'text' && event.kind === kind);
    assert.ok(streamed.length > 0, kind);
  }

  const [block] = readBlocks(client.text(uri)).blocks;
  assert.equal(block?.id, result.run.block);
  assert.deepEqual(
    block.sections.map(({ kind }) => kind),
    ['thinking', 'reflection', 'answer'],
  );
  assert.equal(block.sections.at(-1)?.text, result.run.final);
  assert.equal(stripBlocks(client.text(uri)).text, note);

  const stored = await readFile(join(folder, '.preflexor', 'runs', `${result.run.id}.json`), 'utf8');
  assert.deepEqual(Run.parse(JSON.parse(stored)), Run.parse(result.run));
  assert.equal(result.run.note.path, 'note.md');
  assert.match(result.run.provenance.model.sha256, /^[0-9a-f]{64}$/);
  const [draft] = result.run.iterations;
  assert.ok(draft && draft.tokens.reused > 0, 'the later steps reuse the prompt of the first');

  await client.until('the notice that the block was inserted', () =>
    client.notifications('preflexor/didInsertBlock').length === 1 ? true : undefined,
  );
});

test('given the same seed, when a run is repeated in a fresh server, then its texts are the same', async (t) => {
  const first = await reason(await desk(t), 'Small grains');
  const second = await reason(await desk(t), 'Small grains');
  assert.equal(second.run.final, first.run.final);
  assert.equal(second.run.iterations[0]?.thinking, first.run.iterations[0]?.thinking);
});

test('given a finished run, when it is accepted, then the paragraph is the answer and the ledger has it with its provenance', async (t) => {
  const at = await desk(t);
  const { client, uri } = at;
  const { run } = await reason(at, 'Small grains');
  await client.request('preflexor/decide', { textDocument: { uri }, block: run.block, as: 'accept' });
  assert.equal(client.text(uri), note.replace(firstParagraph, run.final));
  assert.equal(client.edits.length, 2);
  const [entry, ...others] = await ledgerOf(at);
  assert.equal(others.length, 0);
  assert.equal(entry?.kind, 'accept');
  assert.equal(entry.run, run.id);
  assert.equal(entry.texts.paragraph, firstParagraph);
  assert.equal(entry.texts.offered, run.final);
  assert.equal(entry.texts.result, run.final);
  assert.deepEqual(entry.provenance, run.provenance);
});

test('given an answer that the writer changed in the block, when the edit is accepted, then what stands there counts', async (t) => {
  const at = await desk(t);
  const { client, uri } = at;
  const { run } = await reason(at, 'Small grains');
  const [block] = readBlocks(client.text(uri)).blocks;
  const answer = block?.sections.at(-1);
  assert.ok(answer);
  const start = client.text(uri).indexOf('> ', client.text(uri).indexOf('\n', answer.start)) + 2;
  const text = client.text(uri);
  const before = text.slice(0, start).split('\n');
  const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
  await client.change(uri, { range: { start: position, end: position }, newText: 'My own word. ' });
  const listed = await client.request<{ blocks: { edited: boolean }[] }>('preflexor/annotations', {
    textDocument: { uri },
  });
  assert.equal(listed.blocks[0]?.edited, true);
  await client.request('preflexor/decide', { textDocument: { uri }, block: run.block, as: 'accept-edited' });
  assert.equal(client.text(uri), note.replace(firstParagraph, `My own word. ${run.final}`));
  const [entry] = await ledgerOf(at);
  assert.equal(entry?.kind, 'accept-edited');
  assert.equal(entry.texts.offered, run.final);
  assert.equal(entry.texts.result, `My own word. ${run.final}`);
});

test('given a finished run, when it is rejected with a reason, then the note is as before and the reason is kept', async (t) => {
  const at = await desk(t);
  const { client, uri } = at;
  const { run } = await reason(at, 'Small grains');
  await client.request('preflexor/decide', {
    textDocument: { uri },
    block: run.block,
    as: 'reject',
    reason: 'Too vague.',
  });
  assert.equal(client.text(uri), note);
  const [entry] = await ledgerOf(at);
  assert.deepEqual([entry?.kind, entry?.texts.reason, entry?.texts.result], ['reject', 'Too vague.', null]);
  const { runs } = await client.request<{ runs: { id: string; decision: string }[] }>('preflexor/runs', {
    textDocument: { uri },
  });
  assert.deepEqual(
    runs.map(({ id, decision }) => [id, decision]),
    [[run.id, 'reject']],
  );
});

test('given a block, when it is regenerated, then another block stands in its place and the old one is on record', async (t) => {
  const at = await desk(t);
  const { client, uri } = at;
  const { run } = await reason(at, 'Small grains');
  const again = await client.request<{ run: Run }>('preflexor/reason', {
    textDocument: { uri },
    replaces: run.block,
    seed: 8,
  });
  assert.deepEqual(
    readBlocks(client.text(uri)).blocks.map(({ id }) => id),
    [again.run.block],
  );
  assert.equal(again.run.paragraph, firstParagraph);
  assert.equal(client.edits.length, 2);
  const entries = await ledgerOf(at);
  assert.deepEqual(
    entries.map(({ kind, block }) => [kind, block]),
    [['regenerate', run.block]],
  );
});

test('given the commands of code lenses, when any editor executes them, then they do what the methods do', async (t) => {
  const at = await desk(t);
  const { client, uri } = at;
  const position = client.positionOf(uri, 'Small grains');
  const { run } = await client.request<{ run: Run }>('workspace/executeCommand', {
    command: 'preflexor.paragraph.reason',
    arguments: [{ uri, position }],
  });
  assert.equal(readBlocks(client.text(uri)).blocks[0]?.id, run.block);
  const compared = await client.request<{ paragraph: string; answer: string }>('workspace/executeCommand', {
    command: 'preflexor.block.compare',
    arguments: [{ uri, block: run.block }],
  });
  assert.deepEqual([compared.paragraph, compared.answer], [firstParagraph, run.final]);
  await client.request('workspace/executeCommand', {
    command: 'preflexor.block.reject',
    arguments: [{ uri, block: run.block }],
  });
  assert.equal(client.text(uri), note);

  // A lens that was clicked in the moment in which its annotation went.
  const late = client.request('workspace/executeCommand', {
    command: 'preflexor.block.accept',
    arguments: [{ uri, block: run.block }],
  });
  await assert.rejects(late, new RegExp(`no annotation ${run.block}`));
  assert.equal(client.text(uri), note);
});

test('given storage in the sidecar, when a run ends and is accepted, then only the accepted text touches the note', async (t) => {
  const settings = { ...smallBudgets, annotations: { storage: 'sidecar' } };
  const at = await desk(t, note, { settings });
  const { run, placement } = await reason(at, 'Small grains');
  assert.equal(placement, 'sidecar');
  assert.equal(at.client.text(at.uri), note);
  await at.client.request('preflexor/decide', {
    textDocument: { uri: at.uri },
    block: run.block,
    as: 'accept',
  });
  assert.equal(at.client.text(at.uri), note.replace(firstParagraph, run.final));
});

test('given an untitled note, when reasoning is asked for, then it asks to save it first', async (t) => {
  const { client } = await desk(t);
  const uri = await client.openText('untitled:Untitled-1', note);
  const position = { line: 2, character: 0 };
  const { data, message } = await failure(
    client.request('preflexor/reason', { textDocument: { uri }, position }),
  );
  assert.equal(data?.code, 'note-missing');
  assert.match(message, /[Ss]ave/);
});

for (const [given, text, words, code] of [
  ['an empty note', '', '', 'not-a-paragraph'],
  ['a cursor in front matter', '---\ntitle: x\n---\n\nText.\n', 'title', 'not-a-paragraph'],
  ['a cursor in a code fence', 'Text.\n\n```js\nlet x = 1;\n```\n', 'let x', 'not-a-paragraph'],
  ['a cursor in a table', 'Text.\n\n| a | b |\n|---|---|\n| c | d |\n', 'c | d', 'not-a-paragraph'],
  ['a cursor in a heading', '# Title\n\nText.\n', 'Title', 'not-a-paragraph'],
  ['a binary note', `\u0000\u0001\u0002${'\u0000'.repeat(100)}`, '\u0001', 'not-text'],
  ['a note of 10 MB', `Text to think about.\n\n${'word '.repeat(2_100_000)}\n`, 'Text to', 'note-too-large'],
] as const) {
  test(`given ${given}, when reasoning is asked for, then a sentence says why not and nothing changes`, async (t) => {
    const at = await desk(t, text);
    const { data, message } = await failure(reason(at, words));
    assert.equal(data?.code, code, message);
    assert.ok(message.length > 20 && message.length < 400, message);
    assert.equal(at.client.text(at.uri), text);
  });
}

test('given a run, when the engine works, then its state is told with model, backend, threads and speed', async (t) => {
  const at = await desk(t);
  await reason(at, 'Small grains');
  const states = at.client.notifications('preflexor/didChangeStatus') as EngineStatus[];
  assert.ok(states.some(({ state }) => state === 'loading'));
  const last = states.filter(({ state }) => state === 'generating' || state === 'ready').at(-1);
  assert.ok(last?.backend && last.threads && (last.tokensPerSecond ?? 0) > 0, JSON.stringify(last));
  await at.client.request('preflexor/unload', {});
  await at.client.until(
    'the model to be gone',
    () =>
      (at.client.notifications('preflexor/didChangeStatus') as EngineStatus[]).at(-1)?.state === 'unloaded',
  );
});
