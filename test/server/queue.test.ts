// Several paragraphs in the queue over a real connection, with the real small model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { readBlocks, stripBlocks } from '../../server/src/notes/index.ts';
import {
  QueuedStep,
  queueNotification,
  type queueRequest,
  type reasonManyRequest,
  type QueueEntry,
  type QueueParams,
} from '../../server/src/protocol/index.ts';
import { desk, failure, firstParagraph, note, reason, smallBudgets, type Desk } from './support.ts';

const second = 'The second paragraph speaks of texture [@kocks1998texture] and of nothing else.';
const third = 'A third paragraph tells of polymers and of their long chains.';
/** A model that is loaded on a busy machine takes its time. */
const modelPatience = 120_000;
const three = `${note}\n${third}\n`;

function entries({ client }: Desk): QueueEntry[] {
  const told = client.notifications(queueNotification.method).at(-1);
  return told === undefined ? [] : queueNotification.params.parse(told).entries;
}

async function ask({ client }: Desk, params: QueueParams): Promise<z.infer<typeof queueRequest.result>> {
  return client.request('preflexor/queue', params);
}

function steps({ client }: Desk): QueuedStep[] {
  return client.progress('many').flatMap((batch) => QueuedStep.array().parse(batch));
}

/** The paragraph that a block stands below. */
function paragraphOf(block: { readonly start: number }, text: string): string {
  const above = stripBlocks(text.slice(0, block.start)).text.trimEnd();
  return above.slice(above.lastIndexOf('\n') + 1);
}

test('given three paragraphs in the queue, when one is cancelled and asked for by hand instead, and text is typed above, then it goes first, and all have their suggestions', async (t) => {
  // The first run has to go on for a while.
  const reasoning = { ...smallBudgets.reasoning, thinkingTokens: 100 };
  const at = await desk(t, three, { settings: { ...smallBudgets, reasoning } });
  const { client, uri } = at;
  const textDocument = { uri };
  const many = client.request<z.infer<typeof reasonManyRequest.result>>('preflexor/reasonMany', {
    ...{ textDocument, scope: 'note', seed: 7, partialResultToken: 'many' },
  });
  const hasText = (): boolean =>
    steps(at).some((step) => step.step === 'event' && step.event.event === 'text');
  await client.until('the first text of the first run', hasText, modelPatience);
  assert.deepEqual(
    entries(at).map(({ paragraph, priority, state }) => [paragraph, priority, state]),
    [
      [firstParagraph, 'note', 'running'],
      [second, 'note', 'waiting'],
      [third, 'note', 'waiting'],
    ],
  );
  const [, cancelled, last] = entries(at);
  assert.ok(cancelled && last);
  await ask(at, { action: 'cancel', entries: [cancelled.id] });
  const byHand = reason(at, 'The second paragraph');
  await client.until('its place in the queue', () => entries(at)[1]?.priority === 'paragraph');
  await client.replace(uri, '# Alloys', '# Alloys\n\nTyped meanwhile.');
  const { entries: waiting } = await ask(at, { action: 'list' });
  assert.deepEqual(
    waiting.map(({ paragraph }) => paragraph),
    [firstParagraph, second, third],
  );
  const { place } = await ask(at, { action: 'find', entry: last.id });
  assert.deepEqual(place?.range.start, client.positionOf(uri, third));

  const [{ run }, result] = await Promise.all([byHand, many]);
  assert.deepEqual(result, { queued: 3, skipped: 0, finished: 2, stopped: 1, failures: [] });
  const placed = steps(at).flatMap((step) => (step.step === 'placed' ? [step.result.run] : []));
  assert.deepEqual(
    placed.map(({ paragraph }) => paragraph),
    [firstParagraph, third],
  );
  const ids = [placed[0]?.id, run.id, placed[1]?.id];
  assert.deepEqual(ids, ids.toSorted(), 'the one asked for by hand came between them');
  const text = client.text(uri);
  assert.deepEqual(
    readBlocks(text).blocks.map((block) => paragraphOf(block, text)),
    [firstParagraph, second, third],
  );
  assert.equal(stripBlocks(text).text, three.replace('# Alloys', '# Alloys\n\nTyped meanwhile.'));
  await client.until('an empty queue', () => entries(at).length === 0);

  const again = await failure(client.request('preflexor/reasonMany', { textDocument, scope: 'note' }));
  assert.equal(again.data?.code, 'not-a-paragraph');
});

test('given a model that is not there, when a note is reasoned about, then it is said once, and the others do not try', async (t) => {
  const at = await desk(t, three, { settings: { ...smallBudgets, model: '/no/such/model.gguf' } });
  const result = await at.client.request<z.infer<typeof reasonManyRequest.result>>('preflexor/reasonMany', {
    ...{ textDocument: { uri: at.uri }, scope: 'note' },
  });
  assert.deepEqual([result.finished, result.stopped, result.failures.length], [0, 2, 1]);
  assert.equal(at.client.text(at.uri), three);
});

test('given a note that is closed while its paragraphs wait, when it is opened again, then they have their turns', async (t) => {
  const at = await desk(t, three);
  const { client, uri } = at;
  const many = client.request<z.infer<typeof reasonManyRequest.result>>('preflexor/reasonMany', {
    ...{ textDocument: { uri }, scope: 'section', position: client.positionOf(uri, third) },
    ...{ iterations: 0, partialResultToken: 'many' },
  });
  await client.until('a run', () => steps(at).length > 0, modelPatience);
  await client.close(uri);
  await client.until('those that wait to be held', () => entries(at).some(({ state }) => state === 'held'));
  await client.openText(uri, three);
  const { finished, failures } = await many;
  // The one that went on as the note was closed may have found it closed at its end.
  assert.ok(finished >= 2 && finished + failures.length === 3, JSON.stringify(failures));
});
