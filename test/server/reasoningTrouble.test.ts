// What goes wrong or changes while the model thinks, over a real connection, with the real small model.
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBlocks, stripBlocks } from '../../server/src/notes/index.ts';
import { desk, eventsOf, failure, firstParagraph, note, reason, smallBudgets, type Desk } from './support.ts';

const slow = { ...smallBudgets, reasoning: { ...smallBudgets.reasoning, thinkingTokens: 400 } };

/** Starts a run and waits until the model has begun to write. */
async function begun(at: Desk, signal?: AbortSignal): Promise<{ ended: Promise<unknown> }> {
  const ended = reason(at, 'Small grains', {}, signal);
  ended.catch(() => undefined);
  await at.client.until('the first text', () => eventsOf(at.client).some(({ event }) => event === 'text'));
  return { ended };
}

test('given a run in the middle, when it is cancelled, then it ends as cancelled and the note is untouched', async (t) => {
  const at = await desk(t, note, { settings: slow });
  const controller = new AbortController();
  const { ended } = await begun(at, controller.signal);
  controller.abort();
  const { code } = await failure(ended);
  assert.equal(code, -32800, 'RequestCancelled of the Language Server Protocol');
  assert.equal(at.client.text(at.uri), note);
  assert.equal(at.client.edits.length, 0);
  await at.client.configure(smallBudgets);
  const again = await reason(at, 'second paragraph', { partialResultToken: 'again' });
  assert.equal(again.placement, 'inserted');
});

test('given one run and one waiting, when all is stopped, then both end as cancelled', async (t) => {
  const at = await desk(t, note, { settings: slow });
  const { ended } = await begun(at);
  const waiting = reason(at, 'second paragraph', { partialResultToken: 'second' });
  waiting.catch(() => undefined);
  await at.client.until('both to be in line', () => true);
  const { stopped } = await at.client.request<{ stopped: number }>('preflexor/stop', {});
  assert.ok(stopped >= 1);
  await failure(ended);
  if (stopped === 2) await failure(waiting);
  else await at.client.request('preflexor/stop', {}).then(() => waiting.catch(() => undefined));
  assert.equal(at.client.text(at.uri), note);
});

test('given the engine host is killed in the middle, when the run ends, then it says so and the next run works', async (t) => {
  const at = await desk(t, note, { settings: slow });
  const { ended } = await begun(at);
  const children = await readFile(
    `/proc/${at.client.process.pid}/task/${at.client.process.pid}/children`,
    'utf8',
  );
  const host = children.trim().split(/\s+/).map(Number)[0];
  assert.ok(host, 'the server has a child process');
  process.kill(host, 'SIGKILL');
  const { data, message } = await failure(ended);
  assert.equal(data?.code, 'engine-crashed', message);
  assert.equal(at.client.text(at.uri), note);
  await at.client.configure(smallBudgets);
  const again = await reason(at, 'Small grains', { partialResultToken: 'again' });
  assert.equal(again.placement, 'inserted');
});

test('given text typed above while the model thinks, when the run ends, then the block is below its paragraph all the same', async (t) => {
  const at = await desk(t);
  const { ended } = await begun(at);
  await at.client.replace(at.uri, '# Alloys', '# Alloys\n\nA new paragraph, typed meanwhile.');
  assert.deepEqual(await ended, {
    ...((await ended) as object),
    placement: 'inserted',
  });
  const text = at.client.text(at.uri);
  const [block] = readBlocks(text).blocks;
  assert.ok(block && text.slice(0, block.start).trimEnd().endsWith(firstParagraph));
});

test('given the paragraph itself is rewritten meanwhile, when the run ends, then nothing is written over it', async (t) => {
  const at = await desk(t);
  const { ended } = await begun(at);
  const mine = 'Something else altogether, which I wrote while it was thinking.';
  await at.client.replace(at.uri, firstParagraph, mine);
  const { placement, reason: why } = (await ended) as { placement: string; reason: string };
  assert.equal(placement, 'sidebar');
  assert.match(why, /changed/);
  assert.equal(at.client.text(at.uri), note.replace(firstParagraph, mine));
});

test('given the writer types at the very moment of the edit, when the editor refuses it, then it is worked out again', async (t) => {
  const at = await desk(t);
  let typed = false;
  at.client.beforeEdit = async () => {
    if (typed) return;
    typed = true;
    await at.client.replace(at.uri, '# Alloys', '# Alloys and more');
  };
  const result = await reason(at, 'Small grains');
  assert.equal(result.placement, 'inserted');
  assert.equal(at.client.edits.length, 2);
  assert.equal(stripBlocks(at.client.text(at.uri)).text, note.replace('# Alloys', '# Alloys and more'));
});

test('given a read-only note, when the run ends, then it stays in the sidebar with a sentence', async (t) => {
  const at = await desk(t);
  at.client.refuseEdits = 'the file is read-only';
  const result = await reason(at, 'Small grains');
  assert.equal(result.placement, 'sidebar');
  assert.match(result.reason ?? '', /read-only/);
  assert.equal(at.client.text(at.uri), note);
});

test('given a note that is closed or deleted meanwhile, when the run ends, then nothing is written and it says so', async (t) => {
  const at = await desk(t);
  const { ended } = await begun(at);
  await rm(join(at.folder, 'note.md'));
  await at.client.close(at.uri);
  const outcome = await Promise.resolve(ended).then(
    (result) => (result as { placement: string }).placement,
    (error: unknown) => (error as { data: { code: string } }).data.code,
  );
  assert.ok(['sidebar', 'note-missing'].includes(outcome), outcome);
  assert.equal(at.client.edits.length, 0);
});
