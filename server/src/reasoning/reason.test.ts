import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInPrompts } from '../../../test/support/prompts.ts';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import { PreflexorError } from '../errors.ts';
import { Run, type ReasonEvent } from '../protocol/index.ts';
import { reason, type ReasonTask } from './reason.ts';

const never = new AbortController().signal;

const prompts = await builtInPrompts();

const task: ReasonTask = {
  subject: {
    headingPath: ['Methods', 'Alloys'],
    before: 'Before it.',
    paragraph: 'The alloy is hard.',
    after: 'After it.',
  },
  task: prompts.tasks.mechanisms,
  prompts,
  thinkingSections: 1,
  reflects: true,
  iterations: 0,
  scoring: false,
  thinkingParts: ['hypothesis'],
  sampler: { seed: 7, temperature: 0.1, thinkingTokens: 50, reflectionTokens: 50, answerTokens: 50 },
  note: { path: 'note.md', hash: 'f'.repeat(64), range: { start: 0, end: 18 } },
  block: 'k3v9q2xa',
  version: '0.0.0',
};

async function runOf(model: ScriptedModel, signal = never): Promise<{ events: ReasonEvent[]; run: Run }> {
  const events: ReasonEvent[] = [];
  let time = 1_700_000_000_000;
  const now = (): number => (time += 1000);
  const ports = { model, critic: model, passages: null, sources: null, similarity: null, now };
  const steps = reason(task, ports, signal);
  for (;;) {
    const step = await steps.next();
    if (step.done) return { events, run: step.value };
    events.push(step.value);
  }
}

test('given a model that was never trained on the markers, when it reasons, then the structure is enforced by prefixes', async () => {
  const model = new ScriptedModel(['a thought', 'a doubt', 'an answer']);
  const { run } = await runOf(model);
  assert.deepEqual(
    model.requests.map((request) => request.prefix),
    [
      '<|thinking|>\n',
      '<|thinking|>\na thought\n<|/thinking|>\n\n<|reflect|>\n',
      '<|thinking|>\na thought\n<|/thinking|>\n\n<|reflect|>\na doubt\n<|/reflect|>\n\n',
    ],
  );
  const [draft] = run.iterations;
  assert.deepEqual(
    [draft?.thinking, draft?.reflection, draft?.answer],
    ['a thought', 'a doubt', 'an answer'],
  );
  assert.equal(run.final, 'an answer');
  assert.equal(run.best, 0);
});

test('given a model that writes the markers itself, when it reasons, then they end the sections and are no problem', async () => {
  const model = new ScriptedModel(['a thought <|/thinking|> more', 'a doubt<|/reflect|>', 'an answer']);
  const { run } = await runOf(model);
  assert.deepEqual(
    run.iterations[0]?.segments.map(({ kind, text, problems }) => [kind, text.trim(), problems]),
    [
      ['thinking', 'a thought', []],
      ['reflection', 'a doubt', []],
      ['answer', 'an answer', []],
    ],
  );
});

test('given sections that run out of budget or into each other, when the run ends, then its segments and signals say so', async () => {
  const long = Array.from({ length: 80 }, (_, index) => `word${index}`).join(' ');
  const { run } = await runOf(new ScriptedModel([long, 'a doubt <|thinking|> again', 'an answer']));
  assert.deepEqual(
    run.iterations[0]?.segments.map(({ problems }) => problems),
    [['truncated'], ['nested'], []],
  );
  const truncation = run.iterations[0].signals.find((signal) => signal.name === 'truncation');
  assert.deepEqual(truncation, { name: 'truncation', value: 1, threshold: 1, verdict: 'doubtful' });
});

test('given a run, when its events are told in order, then they are those of the protocol and end with the stored record', async () => {
  const { events, run } = await runOf(new ScriptedModel(['one two', 'three', 'four']));
  assert.deepEqual(
    events.map((event) => ('kind' in event ? `${event.event} ${event.kind}` : event.event)),
    [
      'started',
      'waiting',
      'passages',
      'segment thinking',
      'text thinking',
      'text thinking',
      'segment-end thinking',
      'step',
      'segment reflection',
      'text reflection',
      'segment-end reflection',
      'step',
      'segment answer',
      'text answer',
      'segment-end answer',
      'step',
      'iteration',
      'finished',
    ],
  );
  assert.deepEqual(Run.parse(JSON.parse(JSON.stringify(run))), run);
});

test('given a finished run, when its provenance is read, then model, prompt, sampler and seed are in it', async () => {
  const { run } = await runOf(new ScriptedModel(['a', 'b', 'c']));
  assert.equal(run.provenance.model.id, 'scripted');
  assert.deepEqual(run.provenance.sampler, task.sampler);
  for (const part of [
    'The alloy is hard.',
    'Before it.',
    'After it.',
    'Methods > Alloys',
    task.task.question,
  ]) {
    assert.ok(run.provenance.prompt.includes(part), part);
  }
});

test('given token spans, when they are laid side by side, then each section lies inside its markers and none overlap', async () => {
  const { run } = await runOf(new ScriptedModel(['one two three', 'four five', 'six']));
  const segments = run.iterations[0]?.segments ?? [];
  // One token each: <|thinking|>, <|/thinking|>, <|reflect|>, <|/reflect|> with the line ends before them; and the
  // line ends after a marker where they end the text that is counted.
  assert.deepEqual(
    segments.map(({ tokens }) => tokens.end - tokens.start),
    [3, 2, 1],
  );
  for (const [index, segment] of segments.entries()) {
    assert.ok(
      segment.withMarkers.start <= segment.tokens.start && segment.tokens.end <= segment.withMarkers.end,
    );
    assert.equal(segment.withMarkers.start, segments[index - 1]?.withMarkers.end ?? 0);
  }
});

test('given a run in the middle of its reflection, when it is cancelled, then it ends as cancelled and nothing follows', async () => {
  const controller = new AbortController();
  const model = new ScriptedModel(['a thought', 'a long doubt', 'an answer'], (word) => {
    if (word.trim() === 'long') controller.abort();
  });
  await assert.rejects(runOf(model, controller.signal), (error) => PreflexorError.is(error, 'cancelled'));
  assert.equal(model.requests.length, 2);
});

test('given a paragraph that speaks like an instruction, when the prompt is made, then it stands between the quotes', async () => {
  const model = new ScriptedModel(['a', 'b', 'c']);
  await runOf(model);
  const user = model.requests[0]?.messages.at(-1)?.text ?? '';
  assert.match(user, /The paragraph:\n<<<\nThe alloy is hard\.\n>>>/);
});
