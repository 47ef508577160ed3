// Writes the files that runs of training leave, as the trainer and `teach` write them, so that what reads them can be
// tested without training.
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type {
  DatasetSample,
  GateVerdict,
  PreparedCounts,
  TeachReport,
  TeachSetup,
  TrainerLine,
  TrainingRunRecord,
} from '../../server/src/protocol/index.ts';
import { pairsOfSamples, teachPreset, trlLines } from '../../server/src/teaching/index.ts';

const sha256 = 'ab'.repeat(32);
export const model = { id: 'tiny-model', file: 'tiny.gguf', sha256 };
const none = { share: 1, markers: true, thinkAfterToken: 0, thinkInRejected: false } as const;

export function counts(records: number): PreparedCounts {
  const file = 'pairs.jsonl';
  return { file, sha256, records, refused: [], truncatedPrompts: 0, truncatedCompletions: 0, tokens: 90 };
}

export function runRecord(change: Partial<TrainingRunRecord> = {}): TrainingRunRecord {
  return {
    ...{ schema: 1, time: '2026-11-24T12:00:00.000Z', version: '0.1.0', model },
    pairs: { ...counts(8), refused: [{ line: 3, reason: 'it is not valid JSON' }] },
    heldout: counts(2),
    parameters: {
      ...{ phase: null, loss: 'orpo', learningRate: 1e-4, schedule: 'constant', warmup: 0, clip: 1 },
      ...{ weightDecay: 0, rank: 8, alpha: 16, beta: 0.1, epsilon: 0.005, gamma: 0, maxLength: 512 },
      ...{ maxPromptLength: 256, batch: 1, accumulation: 1, steps: 20, seed: 1, dropout: 0 },
      mask: { kind: 'none', ...none },
    },
    ...{ anchor: null, adapter: null, reference: null },
    ...change,
  };
}

type Figures = Readonly<
  Record<'loss' | `rewards/${'chosen' | 'rejected' | 'margins' | 'accuracies'}`, number>
>;

/** Figures of a training that goes well: the same step has the same ones. */
function figures(step: number, offset = 0): Figures {
  const margin = (step / (step + 40)) * 0.5 - offset + Math.sin(step) * 0.02;
  return {
    ...{ loss: 2 * Math.exp(-step / 60) + 0.5 + offset, 'rewards/margins': margin },
    ...{ 'rewards/chosen': -0.1, 'rewards/rejected': -0.1 - margin },
    'rewards/accuracies': Math.min(1, 0.5 + step / 100),
  };
}

export function stepLine(step: number): TrainerLine {
  return {
    ...{ event: 'step', seq: step, step, ...figures(step), grad_norm: 1, lr: 1e-4, tokens: 90 },
    ...{ tokens_per_second: 30, peak_bytes: 1, seconds_remaining: 3 * Math.max(0, 20 - step) },
  };
}

export function lookLine(step: number): TrainerLine {
  return { event: 'eval', seq: step, step, records: 2, ...figures(step, 0.05) };
}

export function helloLine(pid: number): TrainerLine {
  return {
    ...{ event: 'hello', seq: 0, protocol: 1, version: '0', device: 'cpu', features: [] },
    ...{ precision: 'f32', threads: 1, pid },
  };
}

export function startedLine(steps: number, step = 0): TrainerLine {
  return {
    ...{ event: 'started', seq: 1, step, steps, resumed: step > 0, records: 8, heldout: 2, parameters: 100 },
  };
}

/** Steps from one to another, with a look at the held-out pairs after each `every` of them. */
export function steps(from: number, to: number, every = 5): TrainerLine[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index).flatMap((step) => [
    stepLine(step),
    ...(step % every === 0 ? [lookLine(step)] : []),
  ]);
}

export async function tell(folder: string, lines: readonly TrainerLine[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await appendFile(path.join(folder, 'log.jsonl'), text);
}

/** A folder of `preflexor train`. */
export async function beginTraining(folder: string, change: Partial<TrainingRunRecord> = {}): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'run.json'), JSON.stringify(runRecord(change)));
}

export async function endTraining(folder: string): Promise<void> {
  await writeFile(path.join(folder, 'result.json'), JSON.stringify({ event: 'done', stopped: false }));
}

export const setup: TeachSetup = {
  ...{ schema: 1, version: '0.1.0', seed: 1, model },
  settings: {
    ...teachPreset('quick', { parameters: 135e6, trainedContext: 2048 }, ['steps', 'reasons', 'doubts']),
    refreshes: 2,
  },
};

export function sample(attempt: number, change: Partial<DatasetSample> = {}): DatasetSample {
  return {
    ...{ attempt, time: '2026-11-24T12:00:00.000Z', split: 'train' },
    note: { path: 'notes/alloys.md', hash: 'h', range: { start: 23, end: 60 } },
    question: `Why are small grains hard (${attempt})?`,
    prompt: [{ role: 'user', content: `Why are small grains hard (${attempt})?` }],
    chosen: `Dislocations stop at grain boundaries, as note ${attempt} says at some length.`,
    rejected: `Because they are <b>small</b> (${attempt}).`,
    ...{ reference: 'Dislocations stop.', evidence: [], askedFrom: 0, kept: true, seconds: 1, generated: 9 },
    checks: { problems: [], grounded: 0.8, repetition: 0, difference: 0.7, nearest: 0.4 },
    ...change,
  };
}

export async function beginTeaching(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'teach.json'), JSON.stringify(setup));
}

/** A refresh with its samples, and the pairs that came of them. */
export async function writeSamples(folder: string, samples: readonly DatasetSample[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lines = samples.map((one) => `${JSON.stringify({ line: 'sample', ...one })}\n`);
  await writeFile(path.join(folder, 'samples.jsonl'), lines.join(''));
  const pairs = await trlLines(pairsOfSamples(samples), 'train', new AbortController().signal);
  await writeFile(path.join(folder, 'pairs.jsonl'), pairs);
}

export function verdict(phase: 1 | 2, offered: boolean): GateVerdict {
  const change = { n: 8, mean: 0.4, low: 0.3, high: 0.5, deviation: 0.1 };
  const says = 'The thinking marker was begun in 4 % of the answers, and is in 91 %.';
  return {
    ...{ schema: 1, time: '2026-11-24T13:00:00.000Z', phase, offered, pairs: 8 },
    why: offered ? 'It got better for sure.' : 'It did not get better for sure.',
    checks: [
      { name: 'marker-adoption', must: 'improve', passed: offered, before: 0.04, after: 0.91, change, says },
    ],
  };
}

export async function endTeaching(folder: string, offered: boolean): Promise<void> {
  const report: TeachReport = {
    ...{ schema: 1, setup, phases: [], offered, adapter: null, plots: [] },
    watch: [
      {
        ...{ name: 'coverage', phase: 1, value: 0.5, threshold: 0.3, verdict: 'fine' },
        says: 'Samples came from 1 of 2 notes.',
      },
    ],
    why: offered ? 'Phase I: it got better for sure.' : 'Phase I: it did not get better for sure.',
    seconds: { samples: 8, steps: 60 },
  };
  await writeFile(path.join(folder, 'report.json'), JSON.stringify(report));
}
