// The runs of a note over a real connection: choosing an iteration, rating it, unfinished runs, deleting. A model that
// replays a script, retrieval in memory.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBlocks } from '../../server/src/notes/index.ts';
import { runsStore } from '../../server/src/preferences/index.ts';
import {
  LedgerRecord,
  Run,
  type ReasonEvent,
  type SectionRating,
  type UnfinishedRun,
  type UnfinishedSummary,
} from '../../server/src/protocol/index.ts';
import { LspClient } from '../support/lspClient.ts';
import { draft, library, storedRun, type Library } from './librarySupport.ts';
import { desk, failure, reason } from './support.ts';

const stored = storedRun();
const first = stored.iterations[0]!;
const block = stored.block;

/** Two iterations, of which the second is the best; the first cites a work that nobody knows. */
function twoIterations(): Run {
  const draftAnswer = { ...first, answer: 'Small grains make it hard [@invented2021].' };
  const second = { ...first, index: 1, thinking: 'Thought anew.', answer: 'Because boundaries stop them.' };
  return storedRun({ iterations: [draftAnswer, second], best: 1, final: second.answer });
}

async function ledgerOf({ folder }: Library): Promise<LedgerRecord[]> {
  const ledger = join(folder, '.preflexor', 'ledger');
  const [file] = (await readdir(ledger)).filter((name) => name.endsWith('.jsonl'));
  const lines = (await readFile(join(ledger, file ?? ''), 'utf8')).trim().split('\n');
  return lines.map((line) => LedgerRecord.parse(JSON.parse(line)));
}

function decide({ client, uri }: Library, as: string, more: object = {}): Promise<{ entry: LedgerRecord }> {
  return client.request('preflexor/decide', { textDocument: { uri }, block, as, ...more });
}

function answerIn({ client, uri }: Library): string | undefined {
  const [shown, ...others] = readBlocks(client.text(uri)).blocks;
  assert.deepEqual(others, []);
  return shown?.sections.find(({ kind }) => kind === 'answer')?.text;
}

test('given a run of two iterations, when the draft is picked, then the block shows its thinking and its answer, and the ledger says what was passed over', async (t) => {
  const at = await library(t, { run: twoIterations() });
  const { entry } = await decide(at, 'pick', { iteration: 0 });
  assert.deepEqual([entry.kind, entry.iteration, entry.over, entry.run], ['pick', 0, 1, stored.id]);
  assert.equal(entry.texts.offered, 'Small grains make it hard [@invented2021].');
  assert.equal(answerIn(at), 'Small grains make it hard [unknown citation: invented2021].');
  assert.match(at.client.text(at.uri), /dislocations stop at the grain boundaries of the alloy/);
  assert.deepEqual(await ledgerOf(at), [entry]);
});

test('given a picked iteration, when another is picked and accepted, then the one that was picked last takes the place of the paragraph', async (t) => {
  const run = twoIterations();
  const at = await library(t, { run });
  await decide(at, 'pick', { iteration: 0 });
  await decide(at, 'pick', { iteration: 1 });
  assert.equal(answerIn(at), 'Because boundaries stop them.');
  await decide(at, 'pick', { iteration: 0 });
  const { entry } = await decide(at, 'accept');
  assert.deepEqual([entry.kind, entry.iteration], ['accept', 0]);
  const marked = 'Small grains make it hard [unknown citation: invented2021].';
  assert.equal(at.client.text(at.uri), draft.replace(run.paragraph, marked));
});

test('given a pick, when the run is asked for, then it keeps what it thought best beside the choice', async (t) => {
  const before = twoIterations();
  const at = await library(t, { run: before });
  await decide(at, 'pick', { iteration: 0 });
  const answer = await at.client.request<{ run: Run }>('preflexor/run', {
    textDocument: { uri: at.uri },
    run: stored.id,
  });
  const { picked, ...rest } = Run.parse(answer.run);
  assert.deepEqual(rest, Run.parse(before));
  assert.deepEqual(picked, {
    iteration: 0,
    final: 'Small grains make it hard [unknown citation: invented2021].',
    unknownCitations: ['invented2021'],
  });
});

test('given a pick that was undone, when the suggestion is accepted, then it is the one that stands in the note again', async (t) => {
  const run = twoIterations();
  const at = await library(t, { run });
  await decide(at, 'pick', { iteration: 1 });
  const before = at.client.text(at.uri);
  await decide(at, 'pick', { iteration: 0 });
  await at.client.replace(at.uri, at.client.text(at.uri), before);
  const { entry } = await decide(at, 'accept');
  assert.deepEqual([entry.iteration, entry.texts.offered], [1, 'Because boundaries stop them.']);
  assert.equal(at.client.text(at.uri), draft.replace(run.paragraph, 'Because boundaries stop them.'));
});

test('given an editor that refuses the edit, when an iteration is picked, then neither note, run nor ledger changes', async (t) => {
  const at = await library(t, { run: twoIterations() });
  at.client.refuseEdits = 'read-only';
  await failure(decide(at, 'pick', { iteration: 0 }));
  assert.equal(at.client.text(at.uri), draft);
  assert.equal((await runsStore(at.folder).load(stored.id)).picked, undefined);
  await assert.rejects(readdir(join(at.folder, '.preflexor', 'ledger')));
});

test('given an iteration that there is not, when it is picked or rated, then a sentence says which there are', async (t) => {
  const at = await library(t, { run: twoIterations() });
  const rating = { segment: 'answer', value: 'up' };
  const refused = await Promise.all([
    failure(decide(at, 'pick', { iteration: 2 })),
    failure(decide(at, 'rate', { iteration: 2, rating })),
  ]);
  for (const { data, message } of refused) {
    assert.equal(data?.code, 'bad-input');
    assert.match(message, /no iteration 2/);
  }
});

test('given sections that were rated, when the run is asked for, then the last rating of each is there, the block is not settled and the note is as it was', async (t) => {
  const at = await library(t, { run: twoIterations() });
  const rate = (iteration: number, segment: string, value: string) =>
    decide(at, 'rate', { iteration, rating: { segment, value } });
  const { entry } = await rate(1, 'thinking', 'down');
  assert.deepEqual(entry.rating, { segment: 'thinking', value: 'down' });
  assert.equal(entry.texts.thinking, 'Thought anew.');
  await rate(1, 'thinking', 'up');
  await rate(0, 'answer', 'down');
  const textDocument = { uri: at.uri };
  const { ratings } = await at.client.request<{ ratings: SectionRating[] }>('preflexor/run', {
    textDocument,
    run: stored.id,
  });
  assert.deepEqual(ratings, [
    { iteration: 1, segment: 'thinking', value: 'up' },
    { iteration: 0, segment: 'answer', value: 'down' },
  ]);
  const { runs } = await at.client.request<{ runs: { decision: unknown }[] }>('preflexor/runs', {
    textDocument,
  });
  assert.equal(runs[0]?.decision, null);
  assert.equal(at.client.text(at.uri), draft);
});

/** A server that dies in the middle of a run, and another one on the same folder. */
async function cutOff(t: Parameters<typeof library>[0]): Promise<Library> {
  const script = [
    'A first thought.',
    'The mechanism is named and is not explained.',
    'The draft of an answer.',
  ];
  const settings = { reasoning: { iterations: 1, scoring: false } };
  const at = await library(t, { settings, env: { PREFLEXOR_TEST_SCRIPT: JSON.stringify(script) } });
  // The script ends where the power does.
  await failure(
    at.client.request('preflexor/reason', {
      textDocument: { uri: at.uri },
      position: at.client.positionOf(at.uri, 'Small grains'),
    }),
  );
  return at;
}

test('given a run that was cut off, when the runs of the note are asked for, then it is listed as unfinished, with what is done', async (t) => {
  const at = await cutOff(t);
  const textDocument = { uri: at.uri };
  const { runs, unfinished } = await at.client.request<{
    runs: unknown[];
    unfinished: UnfinishedSummary[];
  }>('preflexor/runs', { textDocument });
  assert.deepEqual(runs, []);
  assert.deepEqual(
    unfinished.map(({ steps }) => steps),
    [3],
  );
  const { run } = await at.client.request<{ run: UnfinishedRun }>('preflexor/unfinishedRun', {
    textDocument,
    run: unfinished[0]!.id,
  });
  assert.deepEqual(
    run.steps.map(({ name, text }) => [name, text]),
    [
      ['thinking', 'A first thought.'],
      ['reflection', 'The mechanism is named and is not explained.'],
      ['answer', 'The draft of an answer.'],
    ],
  );
});

test('given a run that was cut off, when it is gone on with on another server, then its steps are told again, it ends, and is unfinished no more', async (t) => {
  const { folder, client, uri } = await cutOff(t);
  const { unfinished } = await client.request<{ unfinished: UnfinishedSummary[] }>('preflexor/runs', {
    textDocument: { uri },
  });
  await client.stop();
  const rest = [
    'The mechanism is missing.',
    'Better thought.',
    'Numbers are missing in all of this.',
    'The better answer.',
    'Both answers in one.',
  ];
  const again = await LspClient.start({
    folders: [folder],
    entry: join(import.meta.dirname, '..', 'support', 'retrievalServer.ts'),
    settings: { reasoning: { iterations: 1, scoring: false } },
    env: { PREFLEXOR_HOME: join(folder, '.home'), PREFLEXOR_TEST_SCRIPT: JSON.stringify(rest) },
  });
  t.after(() => again.stop());
  const opened = await again.open(join(folder, 'draft.md'));
  const { run } = await again.request<{ run: Run }>('preflexor/reason', {
    textDocument: { uri: opened },
    resume: unfinished[0]!.id,
    partialResultToken: 'events',
  });
  assert.equal(run.id, unfinished[0]!.id);
  assert.deepEqual(
    run.iterations.map(({ answer }) => answer),
    ['The draft of an answer.', 'The better answer.'],
  );
  assert.deepEqual(run.iterations[1]?.feedback, { from: 'critic', text: 'The mechanism is missing.' });
  const events = again.progress('events').flat() as ReasonEvent[];
  assert.ok(events.some((event) => event.event === 'text' && event.text === 'A first thought.'));
  const after = await again.request<{ runs: { id: string }[]; unfinished: unknown[] }>('preflexor/runs', {
    textDocument: { uri: opened },
  });
  assert.deepEqual([after.runs.map(({ id }) => id), after.unfinished], [[run.id], []]);
});

test('given a finished run, when it is regenerated from its second iteration, then the first is kept, one block stands in the note, and the ledger says what was replaced', async (t) => {
  const round = (words: string): string[] => [
    `${words} thought.`,
    `${words} reflection.`,
    `${words} answer.`,
  ];
  const end = (words: string): string[] => [`${words} critique.`, ...round(words), `${words} integration.`];
  const script = [...round('First'), ...end('Second'), ...end('Third')];
  const settings = { reasoning: { iterations: 1, scoring: false } };
  const at = await library(t, { settings, env: { PREFLEXOR_TEST_SCRIPT: JSON.stringify(script) } });
  const textDocument = { uri: at.uri };
  const position = at.client.positionOf(at.uri, 'Small grains');
  const { run } = await at.client.request<{ run: Run }>('preflexor/reason', { textDocument, position });
  const branch = { run: run.id, iteration: 1, step: 'critique' };
  const { run: again } = await at.client.request<{ run: Run }>('preflexor/reason', {
    ...{ textDocument, branch, replaces: run.block },
  });
  assert.deepEqual(
    again.iterations.map(({ answer }) => answer),
    ['First answer.', 'Third answer.'],
  );
  assert.deepEqual(again.branchOf, { run: run.id, steps: 3 });
  assert.deepEqual(
    readBlocks(at.client.text(at.uri)).blocks.map(({ id }) => id),
    [again.block],
  );
  assert.deepEqual(
    (await ledgerOf(at)).map(({ kind, block: of }) => [kind, of]),
    [['regenerate', run.block]],
  );
});

test('given finished and unfinished runs, when they are deleted, then nothing of them is left on disk, and a second time says so', async (t) => {
  const at = await cutOff(t);
  await runsStore(at.folder).save(storedRun());
  const textDocument = { uri: at.uri };
  const { unfinished } = await at.client.request<{ unfinished: UnfinishedSummary[] }>('preflexor/runs', {
    textDocument,
  });
  for (const run of [stored.id, unfinished[0]!.id]) {
    assert.deepEqual(await at.client.request('preflexor/deleteRun', { textDocument, run }), {
      deleted: true,
    });
    assert.deepEqual(await at.client.request('preflexor/deleteRun', { textDocument, run }), {
      deleted: false,
    });
  }
  const left = await readdir(join(at.folder, '.preflexor', 'runs'));
  assert.deepEqual(
    left.filter((name) => name.endsWith('.json')),
    [],
  );
});

test('given a key for one address, when the server at that address and another are asked, then the key goes to the first only, until it is forgotten', async (t) => {
  const heard: string[] = [];
  const model = createServer((request, response) => {
    heard.push(request.headers.authorization ?? 'none');
    response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => model.close(resolve)));
  const address = model.address();
  assert.ok(address && typeof address === 'object');
  const url = `http://127.0.0.1:${address.port}`;
  const entry = join(import.meta.dirname, '..', '..', 'server', 'src', 'languageServer.ts');
  const at = await desk(t, undefined, { entry, settings: { engine: { url } } });

  await at.client.request('preflexor/setKey', { address: 'http://127.0.0.1:1', key: 'sk-of-another' });
  await failure(reason(at, 'Small grains'));
  assert.deepEqual([...new Set(heard)], ['none']);
  heard.length = 0;
  await at.client.request('preflexor/setKey', { address: `${url}/v1`, key: 'sk-of-this-one' });
  await failure(reason(at, 'Small grains'));
  assert.deepEqual([...new Set(heard)], ['Bearer sk-of-this-one']);
  heard.length = 0;
  await at.client.request('preflexor/setKey', { address: url, key: null });
  await failure(reason(at, 'Small grains'));
  assert.deepEqual([...new Set(heard)], ['none']);
});
