import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decisionOf } from '../../../test/support/ledgerExamples.ts';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import { derivePairs, exportPairs } from '../preferences/index.ts';
import type { LedgerRecord, PreferencePair } from '../protocol/index.ts';
import { drawRejected } from './drawRejected.ts';

const never = new AbortController().signal;

/** Lone accepts of these texts, and a rejection. */
async function derived(...offered: readonly string[]): Promise<PreferencePair[]> {
  const records = [...offered, 'It is red.'].map((text, n): LedgerRecord => {
    const kind = n === offered.length ? 'reject' : 'accept';
    const decision = decisionOf('x', { kind, block: `block0${n}`, run: null, provenance: null });
    const texts = { ...decision.texts, question: `Why ${n}?`, thinking: 'hm', offered: text, result: text };
    return {
      ...{ schema: 1, id: `01JDF3Z${String(n).padStart(19, '0')}`, time: '2026-11-24T12:00:00.000Z' },
      ...{ device: 'device01', ...decision, texts },
    };
  });
  const history = { records, runs: new Map(), notes: new Map() };
  return derivePairs(history, { now: 0, quietMs: 0, split: { share: 0, since: null } }, never);
}

const options = { temperature: 0.1, seed: 7, onStep: () => undefined };

test('given lone accepts, when a set is built, then the current model answers their prompts, and they are pairs that every loss can use', async () => {
  const pairs = await derived('By its grains.', 'By its texture.');
  const model = new ScriptedModel(['<|thinking|>Colour?<|/thinking|>By its colour.', 'By its weight.']);
  const steps: string[] = [];
  const onStep = (done: number, of: number): void => void steps.push(`${done}/${of}`);
  const drawn = await drawRejected(pairs, model, { ...options, onStep }, never);
  assert.deepEqual(
    drawn.map(({ chosen, rejected, wants }) => [chosen === null, rejected?.split('\n').at(-1), wants]),
    [
      [false, 'By its colour.', null],
      [false, 'By its weight.', null],
      [true, 'It is red.', null],
    ],
  );
  assert.match(drawn[0]?.rejected ?? '', /^<\|thinking\|>\nColour\?\n<\|\/thinking\|>/);
  assert.deepEqual(steps, ['0/2', '1/2', '2/2']);
  assert.match(model.requests[0]?.messages.at(-1)?.text ?? '', /Why 0\?/);
  assert.equal((await exportPairs(drawn, 'trl', { strict: true }, never)).exported.length, 2);
});

test('given a model that says nothing, or the very text that was accepted, when a set is built, then the accept stays alone', async () => {
  const pairs = await derived('By its grains.', 'By its texture.');
  const same = pairs[1]?.chosen ?? '';
  assert.deepEqual(await drawRejected(pairs, new ScriptedModel(['', same]), options, never), pairs);
});

test('given an accept that was excluded or whose note is off, or a stop, when a set is built, then nothing is asked', async () => {
  const [first, second] = await derived('By its grains.', 'By its texture.');
  assert.ok(first && second);
  const curation = {
    ...{ excluded: 'no', tags: [], edited: [], flipped: false, reviewed: true, entries: [] },
  };
  const pairs: PreferencePair[] = [
    { ...first, curation: { ...curation, origin: first.id } },
    { ...second, consent: 'withdrawn' },
  ];
  const model = new ScriptedModel([]);
  assert.deepEqual(await drawRejected(pairs, model, options, never), pairs);
  await assert.rejects(drawRejected([first], model, options, AbortSignal.abort()), { code: 'cancelled' });
  assert.deepEqual(model.requests, []);
});
