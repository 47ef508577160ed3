import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInPrompts } from '../../../test/support/prompts.ts';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import { Run, type GenerateRequest, type Passage, type ReasonEvent, type Step } from '../protocol/index.ts';
import { bestOf, reason, type ReasonPorts, type ReasonTask } from './reason.ts';
import { readMarks, seedOf } from './recursion.ts';

const never = new AbortController().signal;
const prompts = await builtInPrompts();

const task: ReasonTask = {
  subject: {
    headingPath: ['Alloys'],
    before: '',
    paragraph: 'The alloy is hard since its grains are small.',
    after: '',
  },
  task: prompts.tasks.strengthen,
  prompts,
  thinkingParts: ['hypothesis'],
  thinkingSections: 1,
  reflects: true,
  iterations: 2,
  scoring: false,
  sampler: { seed: 7, temperature: 0.1, thinkingTokens: 50, reflectionTokens: 50, answerTokens: 50 },
  note: { path: 'note.md', hash: 'f'.repeat(64), range: { start: 0, end: 18 } },
  block: 'k3v9q2xa',
  version: '0.0.0',
};

const doubt =
  'Nothing proves that smaller grains alone explain hardness; measure dislocation density as well';
const marks = (value: number): string =>
  JSON.stringify({ grounded: value, answers: value, specific: value, consistent: value });

/** One iteration's texts: thinking and answer are told apart by a word. */
const round = (word: string): string[] => [
  `${word} thought about grains`,
  doubt,
  `The alloy is hard since its grains are small, says ${word}, and boundaries stop dislocations.`,
];

interface Told {
  readonly events: ReasonEvent[];
  readonly run: Run;
  readonly model: ScriptedModel;
}

async function runOf(
  script: readonly string[],
  change: Partial<ReasonTask> = {},
  ports: Partial<ReasonPorts> = {},
  onWord?: (word: string) => void,
): Promise<Told> {
  const model = new ScriptedModel(script, onWord);
  const events: ReasonEvent[] = [];
  let time = 1_700_000_000_000;
  const steps = reason(
    { ...task, ...change },
    {
      ...{ model, critic: model, passages: null, sources: null, similarity: null },
      now: () => (time += 1000),
      ...ports,
    },
    never,
  );
  for (;;) {
    const step = await steps.next();
    if (step.done) return { events, run: step.value, model };
    events.push(step.value);
  }
}

function names(run: Run): string[] {
  return (run.steps ?? []).map(({ iteration, name, by }) => `${iteration} ${name} ${by}`);
}

/** All that a request shows the model, as one text. */
function shown({ messages, prefix }: GenerateRequest): string {
  return [...messages.map(({ text }) => text), prefix].join('\n');
}

test('given two rounds, when the run is done, then the critic thinks anew, the reasoner answers, the critic integrates', async () => {
  const { run } = await runOf([...round('first'), ...round('second'), ...round('third'), 'All in one.']);
  assert.deepEqual(names(run), [
    '0 thinking reasoner',
    '0 reflection reasoner',
    '0 answer reasoner',
    '1 thinking critic',
    '1 reflection reasoner',
    '1 answer reasoner',
    '2 thinking critic',
    '2 reflection reasoner',
    '2 answer reasoner',
    '2 integration critic',
  ]);
  assert.equal(run.iterations.length, 3);
  assert.equal(run.final, 'All in one.');
  assert.equal(run.stoppedBecause, 'finished');
  assert.deepEqual(Run.parse(JSON.parse(JSON.stringify(run))), run);
});

test('given a reflection, when the thinking is improved, then the critic sees thinking and reflection, and the answer is begun with the new thinking', async () => {
  const { run, model } = await runOf([...round('first'), ...round('second'), 'One.'], { iterations: 1 });
  const improve = model.requests[3]!;
  assert.equal(improve.messages.length, 4);
  assert.match(improve.messages[2]!.text, /first thought[\s\S]*<\|reflect\|>\nNothing proves/);
  assert.equal(improve.prefix, '<|thinking|>\n');
  const reflect = model.requests[4]!;
  assert.equal(reflect.messages.length, 2);
  assert.equal(reflect.prefix, '<|thinking|>\nsecond thought about grains\n<|/thinking|>\n\n<|reflect|>\n');
  assert.deepEqual(run.iterations[1]?.feedback, { from: 'reflection', text: doubt });
});

test('given a reflection that finds nothing, when the next round begins, then the critic is asked for a critique first', async () => {
  const script = [
    'first thought',
    'fine',
    'An answer about grains.',
    'It proves nothing.',
    ...round('second'),
    'One.',
  ];
  const { run, model } = await runOf(script, { iterations: 1 });
  assert.deepEqual(names(run).slice(3, 5), ['1 critique critic', '1 thinking critic']);
  assert.match(shown(model.requests[4]!), /A reviewer says[\s\S]*It proves nothing\./);
  assert.deepEqual(run.iterations[1]?.feedback, { from: 'critic', text: 'It proves nothing.' });
});

test('given the mode from thinking alone, when it runs, then no reflection is written and the critic gives the feedback', async () => {
  const script = ['one', 'An answer.', 'A critique.', 'two', 'Another answer.', 'Both.'];
  const { run, model } = await runOf(script, { iterations: 1, reflects: false });
  assert.deepEqual(
    names(run).map((name) => name.split(' ')[1]),
    ['thinking', 'answer', 'critique', 'thinking', 'answer', 'integration'],
  );
  assert.ok(!model.requests.some((request) => shown(request).includes('<|reflect|>')));
  assert.ok(!run.iterations[0]?.signals.some(({ name }) => name === 'empty-reflection'));
});

test('given any step, when its prompt is looked at, then it begins with the very messages of the draft', async () => {
  const { model } = await runOf([...round('first'), ...round('second'), ...round('third'), 'One.']);
  const opening = model.requests[0]!.messages;
  for (const { messages } of model.requests) assert.deepEqual(messages.slice(0, 2), opening);
});

test('given several thinking sections, when an iteration is written, then each goes on from the ones before', async () => {
  const { run, model } = await runOf(['one', 'two', doubt, 'An answer.'], {
    iterations: 0,
    thinkingSections: 2,
  });
  assert.equal(model.requests[1]?.prefix, '<|thinking|>\none\n<|/thinking|>\n\n<|thinking|>\n');
  assert.equal(run.iterations[0]?.thinking, 'one\n\ntwo');
  assert.equal(run.iterations[0].segments.length, 4);
});

test('given another critic, when it runs, then only the critic is asked to improve, score and integrate', async () => {
  const critic = new ScriptedModel([marks(5), marks(5), round('second')[0]!, marks(6), marks(6), 'All.']);
  const script = [...round('first'), ...round('second').slice(1)];
  const { run, model } = await runOf(script, { iterations: 1, scoring: true }, { critic });
  assert.equal(model.requests.length, 5);
  assert.equal(critic.requests.length, 6);
  assert.equal(run.final, 'All.');
});

test('given scores, when the second round is worse, then the run ends as degraded and the best iteration is kept', async () => {
  const script = [
    ...[...round('first'), marks(5), marks(5)],
    ...[...round('second'), marks(8), marks(8)],
    ...[...round('third'), marks(2), marks(2)],
    'All.',
  ];
  const { run } = await runOf(script, { iterations: 5, scoring: true });
  assert.equal(run.stoppedBecause, 'degraded');
  assert.deepEqual(
    run.iterations.map(({ score }) => score),
    [0.5, 0.8, 0.2],
  );
  assert.equal(run.best, 1);
});

test('given readings that lie far apart, when a score falls by less than that, then it is no degradation', async () => {
  const script = [
    ...[...round('first'), marks(9), marks(5)],
    ...[...round('second'), marks(7), marks(4)],
    'All.',
  ];
  const { run } = await runOf(script, { iterations: 1, scoring: true });
  const signal = run.iterations[1]?.signals.find(({ name }) => name === 'degradation');
  assert.equal(signal?.verdict, 'fine');
  assert.equal(run.best, 1);
});

test('given an answer and a thinking that no longer change, when the round is done, then the run has converged', async () => {
  const { run } = await runOf([...round('first'), ...round('first'), 'All.'], { iterations: 5 });
  assert.equal(run.stoppedBecause, 'converged');
  assert.equal(run.iterations.length, 2);
});

test('given an embedder that finds the same meaning, when the words differ, then the run has converged too', async () => {
  const similarity = (): Promise<number> => Promise.resolve(0.999);
  const { run } = await runOf(
    [...round('first'), ...round('second'), 'All.'],
    { iterations: 5 },
    { similarity },
  );
  assert.equal(run.stoppedBecause, 'converged');
});

test('given a critic that writes no JSON, when it scores, then there is no score and the run goes on', async () => {
  const script = [...round('first'), 'good', marks(7), ...round('second'), '', '{"grounded": 1}', 'All.'];
  const { run } = await runOf(script, { iterations: 1, scoring: true });
  assert.deepEqual(
    run.iterations.map(({ score }) => score),
    [0.7, null],
  );
});

test('given "answer now" in the middle of the thinking, when it is said, then the answer follows and nothing else', async () => {
  const controller = new AbortController();
  const { run } = await runOf(
    ['a long thought', 'The answer.'],
    { iterations: 3 },
    { answerNow: controller.signal },
    (word) => {
      if (word.trim() === 'long') controller.abort();
    },
  );
  assert.equal(run.stoppedBecause, 'answer-now');
  assert.deepEqual(names(run), ['0 thinking reasoner', '0 answer reasoner']);
  assert.equal(run.final, 'The answer.');
  assert.ok(run.iterations[0]?.segments[0]?.problems.includes('truncated'));
});

test('given a run that was cut off after any step, when it is gone on with, then it ends as the unbroken one', async () => {
  const script = [...round('first'), ...round('second'), ...round('third'), 'All.'];
  const whole = await runOf(script);
  const steps = whole.run.steps ?? [];
  for (let done = 0; done <= steps.length; done += 1) {
    const from = { run: whole.run.id, passages: [], nothingRelevant: false, steps: steps.slice(0, done) };
    const { run, model, events } = await runOf(script.slice(done), { from });
    assert.equal(model.requests.length, steps.length - done);
    assert.equal(run.id, whole.run.id);
    assert.deepEqual(texts(run), texts(whole.run));
    assert.equal(events.filter(({ event }) => event === 'step').length, steps.length - done);
  }
});

function texts(run: Run): unknown {
  const iterations = run.iterations.map(({ thinking, reflection, answer, segments, feedback }) => {
    return { thinking, reflection, answer, segments, feedback };
  });
  return { iterations, final: run.final, best: run.best, stoppedBecause: run.stoppedBecause };
}

test('given recorded steps of another shape, when a run begins with them, then they are taken only as far as they fit', async () => {
  const { run } = await runOf([...round('first'), 'All.'], { iterations: 0 });
  const steps: Step[] = (run.steps ?? []).map((step) => ({
    ...step,
    part: step.name === 'answer' ? 1 : step.part,
  }));
  const from = { run: null, passages: [], nothingRelevant: false, steps };
  const again = await runOf(['New answer.'], { iterations: 0, from });
  assert.equal(again.run.iterations[0]?.answer, 'New answer.');
});

const passage = (id: string, score: number, words: number): Passage => ({
  ...{ id, source: `${id}.md`, heading: [], page: null, start: 0, end: 10, score },
  text: 'grains '.repeat(words),
});

test('given more passages than the context holds, when the run begins, then the lowest scores are left out and it is said', async () => {
  const passages = [passage('a', 0.9, 1500), passage('b', 0.1, 1500), passage('c', 0.5, 1500)];
  const { run, model } = await runOf(
    [...round('first')],
    { iterations: 0 },
    {
      passages: () => Promise.resolve({ passages, nothingRelevant: false, best: 0.9, threshold: 0.3 }),
    },
  );
  assert.deepEqual(
    run.passages.map(({ id }) => id),
    ['a', 'c'],
  );
  assert.match(run.omitted?.[0] ?? '', /lowest score did not fit/);
  assert.ok(!shown(model.requests[0]!).includes('b.md'));
});

test('given a search that finds nothing relevant, when the model is asked, then it is told so', async () => {
  const { run, model } = await runOf(
    [...round('first')],
    { iterations: 0 },
    {
      passages: () => Promise.resolve({ passages: [], nothingRelevant: true, best: 0.1, threshold: 0.3 }),
    },
  );
  assert.equal(run.nothingRelevant, true);
  assert.match(shown(model.requests[0]!), /hold nothing relevant/);
});

test('given a search that fails, when the run goes on, then it has no passages and says why', async () => {
  const { run } = await runOf(
    [...round('first')],
    { iterations: 0 },
    {
      passages: () => Promise.reject(new Error('the index is gone')),
    },
  );
  assert.match(run.omitted?.[0] ?? '', /could not be searched\. the index is gone/);
});

test('given an integration that is cut off, when the run ends, then the best answer stands for it', async () => {
  const long = Array.from({ length: 80 }, (_, index) => `word${index}`).join(' ');
  const { run } = await runOf([...round('first'), ...round('second'), long], { iterations: 1 });
  assert.equal(run.final, run.iterations[run.best]?.answer);
  assert.match(run.omitted?.at(-1) ?? '', /integration of all answers was cut off/);
});

test('given marks off the scale or of the wrong kind, when they are read, then they are drawn to it or refused', () => {
  assert.deepEqual(readMarks('{"grounded":12,"answers":-1,"specific":5,"consistent":5}'), {
    ...{ grounded: 10, answers: 0, specific: 5, consistent: 5 },
  });
  for (const text of ['', 'null', '[]', '{"grounded":"5"}', '{"grounded":5'])
    assert.equal(readMarks(text), null);
});

test('given the steps of a run, when their seeds are compared, then the draft has its own and no two rounds share one', () => {
  const seeds = [0, 1, 2, 3].flatMap((iteration) =>
    [0, 1].map((part) => seedOf(7, iteration, 'thinking', part)),
  );
  assert.equal(seeds[0], 7);
  assert.equal(new Set(seeds).size, seeds.length);
});

test('given an answer that loops or was cut off, when the best is chosen, then one without that comes first', () => {
  const iteration = (index: number, verdict: 'fine' | 'failed') => ({
    ...{ index, thinking: '', reflection: '', answer: '', score: null, segments: [], seconds: 0 },
    signals: [{ name: 'truncation' as const, value: 1, threshold: 1, verdict }],
    tokens: { prompt: 0, reused: 0, generated: 0 },
  });
  assert.equal(bestOf([iteration(0, 'fine'), iteration(1, 'failed')]), 0);
  assert.equal(bestOf([iteration(0, 'failed'), iteration(1, 'fine'), iteration(2, 'fine')]), 2);
});

test('given an experiment that needs all rounds, when the score falls and nothing changes, then all rounds are run', async () => {
  const marked = [marks(9), marks(9)];
  const fallen = [marks(1), marks(1)];
  const script = [
    ...round('first'),
    ...marked,
    ...round('first'),
    ...fallen,
    ...round('first'),
    ...fallen,
    'All in one.',
  ];
  const stopped = await runOf(script, { scoring: true });
  assert.notEqual(stopped.run.stoppedBecause, 'finished');
  const { run } = await runOf(script, { scoring: true, runsAllRounds: true });
  assert.equal(run.stoppedBecause, 'finished');
  assert.deepEqual(
    run.iterations.map(({ index }) => index),
    [0, 1, 2],
  );
});

test('given a section that ends with its marker, when it is asked for, then that marker is the first of those to stop at', async () => {
  const { model } = await runOf(round('only'), { iterations: 0 });
  assert.deepEqual(
    model.requests.map(({ stop }) => stop[0]),
    ['<|/thinking|>', '<|/reflect|>', model.requests[2]?.stop[0]],
  );
  for (const { stop } of model.requests) assert.equal(new Set(stop).size, 6);
});
