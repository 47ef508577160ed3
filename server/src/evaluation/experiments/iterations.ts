// Experiment 5: which of the iterations 0…N does the critic prefer, and which does the writer? All rounds are run:
// with the early stop, the iterations that it leaves out would be missing where they are worst.
import { z } from 'zod';
import {
  StoppedBecause,
  type Figure,
  type LedgerRecord,
  type Run,
  type Signal,
} from '../../protocol/index.ts';
import { answerByRecursion } from '../asking.ts';
import { unitsOf, type Done, type Experiment, type Reading } from '../experiment.ts';
import { chartOf, figure, type Finding } from '../figures.ts';
import { iterationName, IterationRecord, iterationRecord } from './iterationRecord.ts';

const IterationsResult = z.object({
  iterations: z.array(IterationRecord),
  best: z.int().nonnegative(),
  final: z.string(),
  stoppedBecause: StoppedBecause,
});
type IterationsResult = z.infer<typeof IterationsResult>;

export const iterations: Experiment<IterationsResult> = {
  name: 'iterations',
  title: 'Iterations 0 to N: which one is best',
  result: IterationsResult,
  measures: 'questions',
  needsAnswers: false,
  ownCritic: false,
  units: (questions, models) => unitsOf(questions, models, 'ask'),

  async run({ question }, { asking, iterations: count }, signal) {
    const rounds = { iterations: count, scoring: true, runsAllRounds: true };
    const run = await answerByRecursion(asking, question, rounds, signal);
    const { best, final, stoppedBecause } = run;
    return { iterations: run.iterations.map(iterationRecord), best, final, stoppedBecause };
  },

  findings(done, reading) {
    const last = reading.setup.iterations;
    const indices = Array.from({ length: last + 1 }, (_, index) => index);
    return [
      scores(done, indices, reading),
      best(done, indices, reading),
      signals(done, indices, reading),
      writersChoice(indices, reading),
    ];
  },
};

function scores(done: readonly Done<IterationsResult>[], indices: number[], { estimate }: Reading): Finding {
  const at = (index: number): IterationRecord[] =>
    done.flatMap(({ result }) => result.iterations.filter((iteration) => iteration.index === index));
  const scored = (index: number): number[] =>
    at(index).flatMap(({ score }) => (score === null ? [] : [score]));
  const figures = indices.map((index) => figure(iterationName(index), 'score', estimate(scored(index))));
  const noise = indices.map((index) =>
    figure(
      iterationName(index),
      'difference of two readings',
      estimate(at(index).flatMap(({ score, spread }) => (score === null ? [] : [spread]))),
    ),
  );
  return {
    title: 'Score of each iteration',
    text: 'The critic’s marks (grounded, answers, specific, consistent), 0 to 1, mean of two readings. How far two readings of one text differ is the noise of the critic: differences between iterations below it mean nothing.',
    figures: [...figures, ...noise],
    chart: chartOf(figures, {
      ...{ kind: 'lines', title: 'Score of each iteration', range: [0, 1] },
      ...{ xLabel: 'Iteration', yLabel: 'Mean score, 95 % interval' },
    }),
  };
}

function best(done: readonly Done<IterationsResult>[], indices: number[], { share }: Reading): Finding {
  const figures = indices.map((index) =>
    figure(iterationName(index), 'was best', share(done.map(({ result }) => result.best === index))),
  );
  return {
    title: 'The best iteration',
    text: 'Share of runs in which this iteration was the best: by the score, where an earlier one is taken only beyond the critic’s noise, and answers that were cut off or loop come last.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'The best iteration', range: [0, 1] },
      ...{ xLabel: 'Iteration', yLabel: 'Share of runs, 95 % interval' },
    }),
  };
}

function signals(done: readonly Done<IterationsResult>[], indices: number[], { share }: Reading): Finding {
  const figures = indices.flatMap((index) => {
    const seen = done.flatMap(({ result }) =>
      result.iterations.flatMap((iteration) => (iteration.index === index ? iteration.signals : [])),
    );
    const names = [...new Set(seen.map(({ name }) => name))];
    return names.map((name) =>
      figure(iterationName(index), name, share(verdicts(seen, name).map((verdict) => verdict === 'failed'))),
    );
  });
  return {
    title: 'Failure signatures of each iteration',
    text: 'Share of runs whose iteration shows the signature. No change, same meaning and degradation compare with the iteration before, so that the draft has none of them.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Failure signatures of each iteration', range: [0, 1] },
      ...{ xLabel: 'Iteration', yLabel: 'Share of runs' },
    }),
  };
}

function verdicts(all: readonly Signal[], wanted: Signal['name']): Signal['verdict'][] {
  return all.filter(({ name }) => name === wanted).map(({ verdict }) => verdict);
}

/** A decision for one iteration among several of its run. */
interface Choice {
  readonly index: number;
  readonly run: Run;
}

/**
 * The writer's decisions that say which iteration they preferred: one that was picked, or an accepted text that is
 * the very answer of one. An accepted integration prefers none.
 */
export function choicesOf(records: readonly LedgerRecord[], runs: ReadonlyMap<string, Run>): Choice[] {
  const chosen = new Map<string, Choice>();
  for (const { kind, run: id, iteration, texts } of records) {
    const run = id === null ? undefined : runs.get(id);
    if (!run || run.iterations.length < 2) continue;
    const answer = run.iterations.find(({ index }) => index === iteration)?.answer;
    if (answer === undefined) continue;
    const accepted = kind === 'accept' && texts.offered.trim() === answer.trim();
    // What was decided last stands.
    if (kind === 'pick' || accepted) chosen.set(run.id, { index: iteration, run });
  }
  return [...chosen.values()];
}

function writersChoice(indices: number[], { decisions, share }: Reading): Finding {
  const choices = choicesOf(decisions.records, decisions.runs);
  const preferred = indices.map((index) =>
    figure(iterationName(index), 'preferred', share(choices.map((choice) => choice.index === index))),
  );
  const scored = choices.filter(({ run }) => run.iterations.some(({ score }) => score !== null));
  const agreement = figure('all', 'critic agrees', share(scored.map(({ index, run }) => run.best === index)));
  const figures: Figure[] = choices.length === 0 ? [] : [...preferred, agreement];
  return {
    title: 'The writer’s own choices',
    text:
      choices.length === 0
        ? 'The ledger of this workspace holds no decision for one iteration among several (Use this one, or an accepted answer of one).'
        : 'Share of the writer’s decisions in this workspace’s ledger that chose the iteration, and how often the critic had found the same one best. An adapter that was trained on these decisions has seen them.',
    figures,
    chart: chartOf(choices.length === 0 ? [] : preferred, {
      ...{ kind: 'bars', title: 'The writer’s own choices', range: [0, 1] },
      ...{ xLabel: 'Iteration', yLabel: 'Share of decisions' },
    }),
  };
}
