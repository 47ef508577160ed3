// A run with citations: what the model made up is marked in what comes to the writer, and kept where it is kept.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { builtInPrompts } from '../../../test/support/prompts.ts';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import { applyEdits } from '../notes/index.ts';
import { defaultSettings, type ReasonEvent, type Run } from '../protocol/index.ts';
import { offer, reasonInNote, Stores, type Services } from './index.ts';

const note = 'Small grains make an alloy hard [@own].\n';
const answer = 'Small grains stop dislocations [@real; @made2020; @own].';

/** A model that is its own critic, without an index. */
function own(
  script: readonly string[],
  onWord?: (word: string) => void,
): Pick<Services, 'model' | 'critic' | 'grounding' | 'prompts'> {
  const model = new ScriptedModel(script, onWord);
  return { model, critic: model, grounding: null, prompts: () => builtInPrompts() };
}

interface Outcome {
  readonly run: Run;
  readonly events: readonly ReasonEvent[];
  readonly stored: Run;
}

async function reasonWith(
  t: TestContext,
  script: readonly string[],
  knownCitations: Services['knownCitations'] = () => Promise.resolve(new Set(['real'])),
): Promise<Outcome> {
  const root = await mkdtemp(join(tmpdir(), 'preflexor workflow '));
  t.after(() => rm(root, { recursive: true }));
  const services: Services = {
    ...own(script),
    stores: new Stores(join(root, 'home'), () => 0),
    now: () => 0,
    random: () => 0.5,
    version: '0',
    knownCitations,
  };
  const file = join(root, 'note.md');
  const signal = new AbortController().signal;
  const running = reasonInNote(
    { text: note, file, root },
    { offset: 3, iterations: 0 },
    defaultSettings(),
    services,
    { cancel: signal },
  );
  const events: ReasonEvent[] = [];
  for (;;) {
    const step = await running.next();
    if (!step.done) {
      events.push(step.value);
      continue;
    }
    const { run } = step.value;
    return { run, events, stored: await services.stores.runs(root).load(run.id) };
  }
}

test('given an answer that cites a work that nobody knows, when the run is done, then its final text marks it and its iteration keeps the model’s words', async (t) => {
  const { run } = await reasonWith(t, ['A thought.', 'A doubt.', answer]);
  assert.equal(run.final, 'Small grains stop dislocations [@real; @own] [unknown citation: made2020].');
  assert.equal(run.iterations[0]?.answer, answer);
  assert.deepEqual(run.unknownCitations, ['made2020']);
});

test('given an unknown work, when the run is done, then stream and store tell the same run', async (t) => {
  const { run, events, stored } = await reasonWith(t, ['A thought.', 'A doubt.', answer]);
  const last = events.at(-1);
  assert.deepEqual(last?.event === 'finished' && last.result, run);
  assert.deepEqual(stored, run);
});

test('given no bibliography at all, when the run is done, then only the keys of the note itself are known', async (t) => {
  const { run } = await reasonWith(t, ['A thought.', 'A doubt.', answer], () => Promise.resolve(new Set()));
  assert.deepEqual(run.unknownCitations, ['real', 'made2020']);
});

test('given only real works, when the run is done, then nothing is changed or told', async (t) => {
  const { run } = await reasonWith(t, ['A thought.', 'A doubt.', 'So it is [@real] [@own].']);
  assert.equal(run.final, 'So it is [@real] [@own].');
  assert.equal(run.unknownCitations, undefined);
});

test('given unknown works in thinking and reflection, when the block is offered, then nothing in it cites them', async (t) => {
  const { run } = await reasonWith(t, ['As @ghost1999 says.', 'But [@ghost2000].', 'So it is.']);
  assert.deepEqual(run.unknownCitations, ['ghost1999', 'ghost2000']);
  const offered = offer(note, run);
  const text = 'edits' in offered ? applyEdits(note, offered.edits) : '';
  assert.match(text, /As \[unknown citation: ghost1999\] says/);
  assert.match(text, /But \[unknown citation: ghost2000\]/);
  assert.doesNotMatch(text, /@ghost/);
});

test('given a run that is stopped by its listener, when it ends early, then the model is stopped too', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'preflexor workflow '));
  t.after(() => rm(root, { recursive: true }));
  const heard: string[] = [];
  const services: Services = {
    ...own(['one two three', 'x', 'y'], (word) => heard.push(word)),
    stores: new Stores(join(root, 'home'), () => 0),
    now: () => 0,
    random: () => 0.5,
    version: '0',
    knownCitations: () => Promise.resolve(new Set()),
  };
  const place = { text: note, file: join(root, 'note.md'), root };
  const signal = new AbortController().signal;
  const running = reasonInNote(place, { offset: 3 }, defaultSettings(), services, { cancel: signal });
  for await (const event of running) if (event.event === 'text') break;
  assert.deepEqual(heard, ['one']);
});
