// The experiments that make samples or train, and the one that compares the two ways to a better answer: what is done,
// what is kept, and figures that were worked out by hand.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { builtInPrompts } from '../../../test/support/prompts.ts';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import { PreflexorError } from '../errors.ts';
import {
  EvaluationReport,
  type DatasetDiversity,
  type DatasetSample,
  type EvaluationQuestion,
  type EvaluationSetup,
  type MaskOptions,
  type UnitMakers,
} from '../protocol/index.ts';
import { evaluate, type EvaluationPorts } from './evaluate.ts';
import type { SampleMaker, TrainingBench } from './experiment.ts';
import type { Measured } from './experiments/measured.ts';
import { closeTo, figureOf, JudgingModel, openQuestion, setupExample } from './testing.ts';

const never = new AbortController().signal;
const prompts = await builtInPrompts();

async function desk(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-eval-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return async (
    change: Partial<EvaluationSetup>,
    ports: Partial<EvaluationPorts>,
    questions: readonly EvaluationQuestion[] = [],
  ): Promise<EvaluationReport> => {
    const model = new ScriptedModel([]);
    const events = evaluate(
      { setup: setupExample(change), questions, folder },
      {
        ...{ open: () => Promise.resolve(model), critic: model, prompts, now: () => 0 },
        decisions: { records: [], runs: new Map() },
        ...ports,
      },
      never,
    );
    for (;;) {
      const step = await events.next();
      if (step.done) return EvaluationReport.parse(step.value);
    }
  };
}

const diversity: DatasetDiversity = {
  documents: { used: 1, of: 4 },
  chunks: { used: 2, of: 10 },
  ...{ duplicateShare: 0, meanNearest: null, meanDifference: null, meanGrounded: null },
  ...{ chosenWords: 4, rejectedWords: 2, longerChosen: 1 },
};

function sample(at: number, kept: boolean): DatasetSample {
  return {
    ...{ attempt: at, time: '2026-01-01T00:00:00.000Z', split: 'train', kept },
    note: { path: 'n.md', hash: '', range: { start: 0, end: 0 } },
    ...{ question: `Why, ${at}?`, prompt: [], evidence: [], askedFrom: 1, reference: '' },
    chosen: `<|thinking|>notes<|/thinking|>good ${at}`,
    rejected: `bad ${at}`,
    checks: {
      problems: kept ? [] : ['duplicate'],
      ...{ grounded: 0.5, repetition: 0, difference: 0.75, nearest: 0.25 },
    },
    ...{ seconds: 2, generated: 30 },
  };
}

/** One in two samples is kept. */
class HalvingMaker implements SampleMaker {
  readonly wanted: number[] = [];

  upTo(kept: number) {
    this.wanted.push(kept);
    const samples = Array.from({ length: 2 * kept }, (_, at) => sample(at, at % 2 === 1));
    return Promise.resolve({ samples, diversity, end: { why: 'enough' as const, message: 'Enough.' } });
  }
}

test('experiment 2: given samples of which half are kept, when their sides are marked, then shares and marks are as worked out by hand, and only answers are shown', async (t) => {
  const work = await desk(t);
  const samples = new HalvingMaker();
  const critic = new JudgingModel(
    new Map([
      ...[...(['good 1', 'good 3'] as const)].map((text) => [text, 8] as const),
      ['bad 1', 2],
      ['bad 3', 9],
    ]),
  );
  const setup = {
    ...{ experiment: 'dataset' as const, work: { partTokens: 8 } },
    questions: { source: 'passages', sha256: 'f', count: 2 },
  };
  const report = await work(setup, { samples, critic });
  assert.deepEqual([report.number, samples.wanted], [2, [1, 2]]);
  const passed = (of: string) => figureOf(report, 'Samples that pass their checks', of, 'share');
  assert.deepEqual([passed('kept').n, passed('kept').mean, passed('duplicate').mean], [4, 0.5, 0.5]);
  closeTo(figureOf(report, 'The critic on both sides', 'chosen', 'score').mean, 0.8);
  closeTo(figureOf(report, 'The critic on both sides', 'pairs', 'chosen is better').mean, 0.5);
  closeTo(figureOf(report, 'The critic on both sides', 'pairs', 'difference').mean, (0.6 - 0.1) / 2);
  closeTo(figureOf(report, 'Diversity of the questions', 'notes', 'asked from').mean, 0.25);
  closeTo(figureOf(report, 'Chosen beside rejected', 'answers', 'differ').mean, 0.75);
  closeTo(figureOf(report, 'Cost', 'a sample', 'tokens').mean, 30);
  assert.ok(!critic.seen.join(' ').includes('notes'), 'the thinking would give the chosen side away');
  // What is done is read from the journal.
  assert.deepEqual(await work(setup, { samples: new HalvingMaker(), critic: new ScriptedModel([]) }), report);
});

const identity = { id: 'small', file: 'small.gguf', sha256: 'a'.repeat(64) };
const makers: UnitMakers = {
  ...{ model: identity, parameters: 135e6, adapter: null, backend: 'the trainer' },
  ...{ critic: identity, criticAdapter: null },
};

/** Each held-out pair gains what the mask makes of it. */
class Bench implements TrainingBench {
  readonly makers = makers;
  readonly masks: (Pick<MaskOptions, 'kind' | 'share'> & { readonly name: string })[] = [];
  readonly #gains: (mask: Pick<MaskOptions, 'kind' | 'share'>) => readonly number[];

  constructor(gains: (mask: Pick<MaskOptions, 'kind' | 'share'>) => readonly number[]) {
    this.#gains = gains;
  }

  trained(name: string, mask: Pick<MaskOptions, 'kind' | 'share'>) {
    this.masks.push({ name, ...mask });
    const pairs = this.#gains(mask).map((gain) => ({
      before: { chosen: -1, rejected: -1 },
      after: { chosen: gain - 1, rejected: -1 },
    }));
    const measured: Measured = {
      ...{ answers: pairs, wholes: pairs },
      adoption: [{ before: 0, after: mask.kind === 'none' ? 1 : 0.5 }],
      perplexity: [{ before: 10, after: 11 }],
    };
    return Promise.resolve({ measured, steps: 4, loss: 0.5 });
  }
}

const onPairs = { questions: { source: 'heldout.jsonl', sha256: 'f', count: 2 } };

test('experiment 3: given three masks, when each was trained with, then gains are compared pair by pair with unmasked training', async (t) => {
  const work = await desk(t);
  const bench = new Bench(({ kind }) =>
    kind === 'none' ? [0.1, -0.2] : kind === 'answer-only' ? [0.3, 0.2] : [0.2, 0.1],
  );
  const report = await work({ experiment: 'masking', ...onPairs }, { bench });
  assert.deepEqual(
    bench.masks.map(({ kind, share }) => [kind, share]),
    [
      ['none', 1],
      ['thinking+reflection', 1],
      ['answer-only', 1],
    ],
  );
  closeTo(figureOf(report, 'Gain of the held-out margin', 'unmasked', 'answers alone').mean, -0.05);
  const difference = 'gain less that of unmasked training';
  const masked = figureOf(
    report,
    'Difference to unmasked training',
    'thinking and reflection masked',
    difference,
  );
  closeTo(masked.mean, 0.2);
  closeTo(figureOf(report, 'Difference to unmasked training', 'answer only', difference).mean, 0.3);
  closeTo(figureOf(report, 'Held-out accuracy', 'unmasked', 'right').mean, 0.5);
  closeTo(figureOf(report, 'What else changed', 'answer only', 'perplexity ratio').mean, 1.1);
  // Nobody was asked and nobody judged: there is no critic to be cautious about.
  assert.ok(!report.cautions.join(' ').includes('critic'));
  assert.ok(report.cautions.some((caution) => caution.includes('2 pairs are few')));
});

test('experiment 4: given sections and shares, when each was trained with, then nothing masked is trained once and begins both lines', async (t) => {
  const work = await desk(t);
  const bench = new Bench(({ kind, share }) => [kind === 'none' ? 0 : share]);
  const report = await work({ experiment: 'mask-share', ...onPairs }, { bench });
  assert.equal(bench.masks.length, 9);
  assert.equal(new Set(bench.masks.map(({ name }) => name)).size, 9);
  assert.equal(bench.masks.filter(({ kind }) => kind === 'none').length, 1);
  const title = 'Gain of the answers’ margin over the masked share';
  for (const sections of ['thinking', 'thinking and reflection'])
    for (const [share, gain] of [
      ['0 %', 0],
      ['25 %', 0.25],
      ['100 %', 1],
    ] as const)
      closeTo(figureOf(report, title, share, sections).mean, gain, `${sections} ${share}`);
  closeTo(figureOf(report, 'Form over the masked share', '50 %', 'thinking').mean, 0.5);
});

test('given an experiment that trains and no trainer, when it is run, then it fails before anything is done', async (t) => {
  const work = await desk(t);
  await assert.rejects(work({ experiment: 'masking', ...onPairs }, {}), /without a trainer/);
});

const doubt =
  'Nothing proves that smaller grains alone explain hardness; measure dislocation density as well';

test('experiment 9: given a model and its adapter, when both answer with and without recursion, then each difference is that of the same question', async (t) => {
  const work = await desk(t);
  const answers = (name: string) => [
    ...[`Thinking of ${name} here.`, doubt, `Draft of ${name}.`],
    ...[`${doubt} and more than before`, `Second of ${name}.`],
  ];
  const [base, adapter] = [new ScriptedModel(answers('base')), new ScriptedModel(answers('adapter'))];
  const critic = new JudgingModel(
    new Map([
      ['Draft of base.', 2],
      ['Whole of base.', 5],
      ['Draft of adapter.', 6],
      ['Whole of adapter.', 7],
    ]),
    5,
    [
      'Better thinking about boundaries.',
      'Whole of base.',
      'Better thinking about defects.',
      'Whole of adapter.',
    ],
  );
  const report = await work(
    { experiment: 'training', models: ['base', 'orpo-1'], critic: 'small', adapter: 'orpo-1', iterations: 1 },
    { critic, open: (name) => Promise.resolve(name === 'base' ? base : adapter) },
    [openQuestion('a')],
  );
  const score = (of: string) => figureOf(report, 'Score with and without each', of, 'score').mean;
  closeTo(score('without adapter, 0 iterations'), 0.2);
  closeTo(score('with adapter, 1 iterations'), 0.7);
  const added = (of: string) => figureOf(report, 'What each adds', of, 'difference of scores').mean;
  closeTo(added('recursion, without adapter'), 0.3);
  closeTo(added('training, without recursion'), 0.4);
  closeTo(added('both together'), 0.5);
  closeTo(added('recursion on top of training'), 0.1);
  closeTo(added('training less recursion'), 0.1);
  assert.ok(!report.cautions.some((caution) => caution.startsWith('Parts were made')));
  assert.ok(!critic.seen.join(' ').includes('orpo-1'), 'the critic does not know who answered');
});

test('given a journal of another mask experiment, when it is gone on with, then it is refused', async (t) => {
  const work = await desk(t);
  const bench = new Bench(() => [1]);
  await work({ experiment: 'masking', ...onPairs, work: { steps: 4 } }, { bench });
  await assert.rejects(
    work({ experiment: 'masking', ...onPairs, work: { steps: 5 } }, { bench }),
    (error) => PreflexorError.is(error, 'bad-input') && error.message.includes('work'),
  );
});
