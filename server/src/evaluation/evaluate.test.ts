// The experiments on a scripted model: what is asked, what is kept, and figures that were worked out by hand.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { builtInPrompts } from '../../../test/support/prompts.ts';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import type { LanguageModel } from '../engine/languageModel.ts';
import { PreflexorError } from '../errors.ts';
import {
  EvaluationReport,
  JournalLine,
  type EvaluationQuestion,
  type EvaluationSetup,
  type LedgerRecord,
  type Run,
} from '../protocol/index.ts';
import { evaluate, type EvaluationProgress } from './evaluate.ts';
import type { Decisions } from './experiment.ts';
import { journalName } from './journal.ts';
import {
  closeTo,
  figureOf,
  JudgingModel,
  marks,
  openQuestion,
  setupExample,
  sumQuestion,
} from './testing.ts';

const never = new AbortController().signal;
const prompts = await builtInPrompts();
const nothingDecided: Decisions = { records: [], runs: new Map() };

const doubt =
  'Nothing proves that smaller grains alone explain hardness; measure dislocation density as well';

/** Completions of a recursion with one round: draft and round of three sections and two readings, integration. */
function recursion(draft: [number, number], round: [number, number], word = 'one'): string[] {
  return [
    ...[
      `Draft thinking about ${word} grains.`,
      doubt,
      `The grains of ${word} are small.`,
      ...draft.map(marks),
    ],
    ...[`Better thinking about the boundaries of ${word}.`, `${doubt} again and more so than before`],
    ...[`The boundaries of ${word} stop dislocations.`, ...round.map(marks)],
    `Boundaries of small ${word} grains stop dislocations.`,
  ];
}

interface Desk {
  readonly folder: string;
  readonly work: (
    model: LanguageModel,
    change?: Partial<EvaluationSetup>,
    options?: {
      decisions?: Decisions;
      critic?: LanguageModel;
      models?: Record<string, LanguageModel>;
      signal?: AbortSignal;
    },
  ) => Promise<{ report: EvaluationReport; progress: EvaluationProgress[] }>;
}

async function desk(t: TestContext, questions: readonly EvaluationQuestion[]): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-eval-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  let time = 1_700_000_000_000;
  return {
    folder,
    work: async (model, change = {}, options = {}) => {
      const { decisions = nothingDecided, critic = model, models, signal = never } = options;
      const count = questions.length;
      const setup = setupExample({ questions: { source: 'q', sha256: 'f', count }, ...change });
      const events = evaluate(
        { setup, questions, folder },
        {
          open: (name) => Promise.resolve(models?.[name] ?? model),
          ...{ critic, prompts, decisions, now: () => (time += 500) },
        },
        signal,
      );
      const progress: EvaluationProgress[] = [];
      for (;;) {
        const step = await events.next();
        if (step.done) return { report: EvaluationReport.parse(step.value), progress };
        progress.push(step.value);
      }
    },
  };
}

test('experiment 5: given two questions, when their rounds are scored, then means, noise and the best iteration are as worked out by hand', async (t) => {
  const { work } = await desk(t, [openQuestion('a'), openQuestion('b')]);
  // a: 0.8 then 0.3 (readings 0.2 and 0.4); b: 0.2 then 0.8.
  const model = new ScriptedModel([
    ...recursion([8, 8], [2, 4], 'iron'),
    ...recursion([2, 2], [8, 8], 'zinc'),
  ]);
  const { report } = await work(model);
  const score = (of: string) => figureOf(report, 'Score of each iteration', of, 'score');
  closeTo(score('0 (draft)').mean, 0.5);
  closeTo(score('1').mean, 0.55);
  closeTo(score('0 (draft)').deviation, Math.sqrt(0.18));
  closeTo(figureOf(report, 'Score of each iteration', '1', 'difference of two readings').mean, 0.1);
  closeTo(figureOf(report, 'The best iteration', '0 (draft)', 'was best').mean, 0.5);
  closeTo(figureOf(report, 'The best iteration', '1', 'was best').mean, 0.5);
  // a fell by 0.5 less the noise of 0.2: degraded, and all rounds were run all the same.
  closeTo(figureOf(report, 'Failure signatures of each iteration', '1', 'degradation').mean, 0.5);
  assert.equal(score('1').n, 2);
  assert.equal(report.units.finished, 2);
});

test('experiment 5: given a ledger, when choices are read, then a pick counts, an accepted integration does not, and agreement is with the critic', async (t) => {
  const { work } = await desk(t, [openQuestion('a')]);
  const run = (id: string, best: number): Run =>
    ({
      ...{ id, best },
      iterations: [
        { index: 0, answer: 'first', score: 0.5 },
        { index: 1, answer: 'second', score: 0.7 },
      ],
    }) as Run;
  const record = (kind: LedgerRecord['kind'], id: string, iteration: number, offered: string): LedgerRecord =>
    ({ kind, run: id, iteration, texts: { offered } }) as LedgerRecord;
  const decisions: Decisions = {
    records: [
      record('pick', 'r1', 0, 'first'),
      record('pick', 'r1', 1, 'second'),
      record('accept', 'r2', 0, 'first'),
      record('accept', 'r3', 1, 'an integration'),
      record('reject', 'r4', 1, 'second'),
      record('pick', 'unknown', 1, 'second'),
    ],
    runs: new Map([run('r1', 1), run('r2', 1), run('r3', 1), run('r4', 1)].map((one) => [one.id, one])),
  };
  const { report } = await work(new ScriptedModel(recursion([5, 5], [5, 5])), {}, { decisions });
  const title = 'The writer’s own choices';
  assert.deepEqual(
    ['0 (draft)', '1'].map((of) => figureOf(report, title, of, 'preferred')).map(({ n, mean }) => [n, mean]),
    [
      [2, 0.5],
      [2, 0.5],
    ],
  );
  closeTo(figureOf(report, title, 'all', 'critic agrees').mean, 0.5);
});

test('given a run that is stopped in the middle, when it is started again, then finished questions are not asked again and the report is whole', async (t) => {
  const { work, folder } = await desk(t, [openQuestion('a'), openQuestion('b')]);
  const controller = new AbortController();
  const halting = new ScriptedModel(
    [...recursion([8, 8], [4, 4], 'iron'), 'Draft STOP thinking.'],
    (word) => {
      if (word.includes('STOP')) controller.abort();
    },
  );
  await assert.rejects(work(halting, {}, { signal: controller.signal }), (error) =>
    PreflexorError.is(error, 'cancelled'),
  );
  const rest = new ScriptedModel(recursion([2, 2], [8, 8], 'zinc'));
  const { report, progress } = await work(rest);
  assert.deepEqual(
    progress.map(({ unit }) => unit),
    ['ask b', null],
  );
  assert.equal(report.units.finished, 2);
  closeTo(figureOf(report, 'Score of each iteration', '1', 'score').mean, 0.6);
  // A third start only writes the report again.
  const { report: again } = await work(new ScriptedModel([]));
  assert.deepEqual(again, report);
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')), report);
});

test('given a finished experiment, when its folder is read, then every plot that the report names is there and markdown and journal say what it says', async (t) => {
  const { work, folder } = await desk(t, [openQuestion('a')]);
  const { report } = await work(new ScriptedModel(recursion([8, 8], [4, 4])));
  const names = await readdir(folder);
  const plots = report.sections.flatMap(({ plot }) => (plot === null ? [] : [plot]));
  assert.ok(plots.length >= 3);
  assert.deepEqual([...names].sort(), [...plots, journalName, 'report.json', 'report.md'].sort());
  const markdown = await readFile(join(folder, 'report.md'), 'utf8');
  for (const plot of plots) assert.ok(markdown.includes(`](${plot})`), plot);
  for (const said of ['Seed: 7', 'temperature 0.1, critic 0.2', '000000000000', 'One question is few'])
    assert.ok(markdown.includes(said), said);
  const lines = (await readFile(join(folder, journalName), 'utf8')).trim().split('\n');
  assert.deepEqual(
    lines.map((line) => JournalLine.parse(JSON.parse(line)).line),
    ['setup', 'unit'],
  );
});

test('given a model of a few parameters that judges itself, when it is reported on, then the report says what does not follow', async (t) => {
  const { work } = await desk(t, [openQuestion('a')]);
  const { report } = await work(new ScriptedModel(recursion([8, 8], [4, 4])));
  assert.ok(report.cautions.some((caution) => caution.includes('nothing about the quality')));
  assert.ok(report.cautions.some((caution) => caution.includes('marks its own texts')));
});

test('experiment 1: given a model that writes the markers once in two, when structure is counted, then shares are those, and enforced sections are all there', async (t) => {
  const { work } = await desk(t, [openQuestion('a'), openQuestion('b')]);
  const sections = ['Thinking about it.<|/thinking|>', 'A doubt.', 'The answer.'];
  const model = new ScriptedModel([
    '<|thinking|>Thought.<|/thinking|><|reflect|>Doubt.<|/reflect|>Answer.',
    ...sections,
    'An answer without any structure.',
    ...['Thinking. '.repeat(80), 'A doubt.', 'The answer.'],
  ]);
  const { report } = await work(model, { experiment: 'structure' });
  const free = (what: string) => figureOf(report, 'Structure found', 'by itself', what).mean;
  assert.deepEqual(['thinking', 'reflection', 'answer', 'all three'].map(free), [0.5, 0.5, 1, 0.5]);
  assert.equal(figureOf(report, 'Structure found', 'enforced', 'all three').mean, 1);
  // One thinking was ended by its marker, the other one by its budget of 60 tokens.
  const closed = (of: string) =>
    figureOf(report, 'Sections that end by themselves', of, 'closed by the model').mean;
  assert.deepEqual(['thinking', 'reflection', 'answer'].map(closed), [0.5, 1, 1]);
  // Both ways are asked the very same.
  assert.deepEqual(model.requests[0]?.messages, model.requests[1]?.messages);
  assert.equal(model.requests[0]?.prefix, '');
});

test('experiment 7: given answers right and wrong, when they are matched, then accuracy is exact match for each way', async (t) => {
  const { work } = await desk(t, [sumQuestion('a', '42'), sumQuestion('b', '7')]);
  const oneRound = (draft: string, final: string): string[] => [
    ...['Thinking one.', doubt, draft, marks(5), marks(5)],
    ...[
      'Other thoughts entirely.',
      `${doubt} once more and differently`,
      'A quite different answer.',
      marks(5),
      marks(5),
    ],
    final,
  ];
  const model = new ScriptedModel([
    ...['It is #### 42', ...oneRound('Say 41', 'Thus #### 42')],
    ...['No idea.', ...oneRound('#### 7', '6 + 1 = 7')],
  ]);
  const { report } = await work(model, { experiment: 'benchmark' });
  const right = (of: string) => figureOf(report, 'Right answers', of, 'right').mean;
  assert.deepEqual(['plain prompt', 'thinking and reflection', 'recursion'].map(right), [0.5, 0.5, 1]);
  assert.equal(figureOf(report, 'Right answers', 'plain prompt', 'answer found').mean, 0.5);
  assert.match(model.requests[0]?.messages.at(-1)?.text ?? '', /####/);
});

test('experiment 7: given a question without an answer, when it is asked for, then it is refused before anything is written', async (t) => {
  const { work, folder } = await desk(t, [openQuestion('a')]);
  await assert.rejects(work(new ScriptedModel([]), { experiment: 'benchmark' }), /needs answers/);
  assert.deepEqual(await readdir(folder), []);
});

test('experiment 6: given one good rationale, when methods are compared, then it is the other question’s example alone, and judging is blind and shuffled', async (t) => {
  const { work } = await desk(t, [openQuestion('a'), openQuestion('b')]);
  const reasoner = new ScriptedModel([
    // Rationales: a's is kept, b's is not.
    'Small grains have many boundaries.\nAnswer: Boundaries stop dislocations.',
    'No reason.\nAnswer: Who knows.',
    // a: plain and recursion; no other rationale was kept.
    ...['Plain answer A.', 'Thinking one.', doubt, 'Draft answer A.'],
    // b: plain, example, recursion.
    ...['Plain answer B.', 'So it is.\nAnswer: Example answer B.', 'Thinking two.', doubt, 'Draft answer B.'],
  ]);
  const judged = new Map<string, number>([
    ['Boundaries stop dislocations.', 9],
    ['Who knows.', 1],
    ['Plain answer A.', 4],
    ['Plain answer B.', 6],
    ['Example answer B.', 8],
    ['Draft answer A.', 5],
    ['Draft answer B.', 5],
  ]);
  const critic = new JudgingModel(judged);
  const change = { experiment: 'methods', iterations: 0 } as const;
  const { report } = await work(reasoner, change, { critic });
  const score = (of: string) => figureOf(report, 'Score of each method', of, 'score');
  closeTo(score('plain prompt').mean, 0.5);
  closeTo(score('chain of thought').mean, 0.5);
  assert.deepEqual([score('STaR-style examples').n, score('STaR-style examples').mean], [1, 0.8]);
  const difference = figureOf(
    report,
    'Difference to the plain prompt',
    'thinking and reflection',
    'score less that of the plain prompt',
  );
  // 0.5 − 0.4 and 0.5 − 0.6.
  closeTo(difference.mean, 0);
  closeTo(difference.deviation, Math.sqrt(0.02));

  const exampled = reasoner.requests.filter(({ messages }) =>
    messages.some(({ role }) => role === 'assistant'),
  );
  assert.equal(exampled.length, 1);
  assert.match(exampled[0]?.messages.at(-1)?.text ?? '', /Why, b\?/);
  assert.match(exampled[0]?.messages[1]?.text ?? '', /Why, a\?/);
  // The critic sees answers, never the reasoning nor a method's name.
  const seen = critic.seen.join('\n');
  for (const hidden of ['Thinking one', 'No reason', 'chain', 'STaR', 'plain', 'recursion'])
    assert.ok(!seen.includes(hidden), hidden);
});

test('experiment 8: given a reflection that names a sentence, when the next thinking is without it, then it counts; a sentence that is nowhere does not', async (t) => {
  const { work } = await desk(t, [openQuestion('a'), openQuestion('b')]);
  const thinking = 'Grains are small here. Nothing else matters at all. Heat does not count.';
  const next = 'Grains are small here. Dislocations matter as well.';
  const run = [thinking, doubt, 'Answer one.', next, `${doubt} again`, 'Answer two.', 'Integration.'];
  const quoted = JSON.stringify({ sentence: '“Nothing else matters at all.”' });
  const invented = JSON.stringify({ sentence: 'The moon is made of cheese.' });
  const model = new ScriptedModel([...run, quoted, ...run, invented]);
  const { report } = await work(model, { experiment: 'reflections' });
  const title = 'Defects named and removed';
  closeTo(figureOf(report, title, 'all', 'names a defect that is removed').mean, 0.5);
  closeTo(figureOf(report, title, 'all', 'names a defect (a real quotation)').mean, 0.5);
  const removed = figureOf(report, title, 'all', 'named sentence removed');
  assert.deepEqual([removed.n, removed.mean], [1, 1]);
  // a: of two other sentences one is gone; b: of all three, two.
  closeTo(figureOf(report, title, 'all', 'other sentences removed').mean, (1 / 2 + 2 / 3) / 2);
  const asked = model.requests.find(({ jsonSchema }) => jsonSchema !== undefined);
  assert.ok(asked?.messages.at(-1)?.text.includes(doubt));
});

test('experiment 8: given ratings in the ledger, when they are read, then the share that is up is given by section', async (t) => {
  const { work } = await desk(t, [openQuestion('a')]);
  const rate = (segment: 'reflection' | 'answer', value: 'up' | 'down'): LedgerRecord =>
    ({ kind: 'rate', iteration: 0, rating: { segment, value } }) as LedgerRecord;
  const records = [rate('reflection', 'down'), rate('reflection', 'up'), rate('answer', 'up')];
  const run = [
    'Thinking one here.',
    doubt,
    'Answer one.',
    'Other thinking here.',
    doubt,
    'Answer two.',
    'Both.',
  ];
  const model = new ScriptedModel([...run, JSON.stringify({ sentence: '' })]);
  const decisions = { records, runs: new Map() };
  const { report } = await work(model, { experiment: 'reflections' }, { decisions });
  const title = 'The writer’s own ratings';
  closeTo(figureOf(report, title, 'reflection', 'rated up').mean, 0.5);
  assert.equal(figureOf(report, title, 'answer', 'rated up').n, 1);
});

test('experiment 10: given two models, when each has answered, then one critic marks drafts and finals of both without their names', async (t) => {
  const { work } = await desk(t, [sumQuestion('a', '42')]);
  const one = new ScriptedModel(['Thinking.', doubt, 'Small says #### 41']);
  const other = new ScriptedModel(['Thinking.', doubt, 'Large says #### 42']);
  const critic = new JudgingModel(
    new Map([
      ['Small says #### 41', 2],
      ['Large says #### 42', 9],
    ]),
  );
  const { report } = await work(
    one,
    { experiment: 'models', models: ['small', 'large'], critic: 'judge', iterations: 0 },
    { critic, models: { small: one, large: other } },
  );
  closeTo(figureOf(report, 'Score of each model', 'small', 'after the recursion').mean, 0.2);
  closeTo(figureOf(report, 'Score of each model', 'large', 'draft').mean, 0.9);
  const right = (of: string) => figureOf(report, 'Right answers', of, 'right').mean;
  assert.deepEqual([right('small'), right('large')], [0, 1]);
  assert.ok(!critic.seen.join(' ').includes('small'));
});

test('given a question that the context can’t hold, when it fails, then it is set aside with its reason and the others go on', async (t) => {
  const { work } = await desk(t, [openQuestion('a'), openQuestion('b')]);
  const scripted = new ScriptedModel(recursion([8, 8], [4, 4]));
  const model: LanguageModel = {
    load: (signal) => scripted.load(signal),
    tokenize: (text) => scripted.tokenize(text),
    generate: (request, signal) => {
      if (request.messages.some(({ text }) => text.includes('Why, a?')))
        throw new PreflexorError('context-too-small', 'The prompt does not fit.');
      return scripted.generate(request, signal);
    },
  };
  const { report } = await work(model);
  assert.deepEqual(report.units, { finished: 1, failed: 1 });
  assert.deepEqual(report.failures, [{ unit: 'ask a', why: 'The prompt does not fit.' }]);
  assert.equal(figureOf(report, 'Score of each iteration', '1', 'score').n, 1);
});
