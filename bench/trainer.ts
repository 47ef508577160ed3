// The trainer against TRL on the same token ids, float32 both, in one run: tokens a second, processor seconds
// and peak memory. TRL comes in a virtual environment that this script makes once (.cache/trl, 6 GB).
//   PREFLEXOR_TEST_MODEL=FILE npm run bench:trainer [-- --losses=orpo,exo_pair --lengths=512,1024,golden
//     --threads=1,2 --rows=4 --rounds=3 --budget=MIB --trl=float32,bfloat16,autocast --without-trl --write]
// --trl names the precisions in which TRL runs; beside float32 (held against it by default) its bfloat16, whole or
// by autocast, shows what its best is on this processor.
// The whole takes hours with TRL. With --write each row takes its place in the results as soon as it is there, so
// that one can go on where another run ended: --lengths=1024 --losses=exo_pair --threads=2 --write.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { TrainerTrainConfig } from '../server/src/protocol/trainer.ts';
import { golden } from '../test/native/support/golden.ts';
import { libraries, linesOf, repository, runTrainer, testModel } from '../test/native/support/trainer.ts';
import { trlPackages, trlPython } from '../test/peer/trlPython.ts';
import { keptRows, machine, median, numberOption, report, textOption } from './measure.ts';

const rank = 16;
/** A fixed choice: the same ids in every run and for both tools. */
const vocabulary = 49_152;
/** Of the first step, which fills caches, no time is taken. */
const warmupSteps = 1;

type Loss = 'orpo' | 'exo_pair';

const Precision = z.enum(['float32', 'bfloat16', 'autocast']);
type Precision = z.infer<typeof Precision>;

interface Row {
  prompt: number[];
  chosen: number[];
  rejected: number[];
}

interface Task {
  readonly loss: Loss;
  readonly length: string;
  readonly threads: number;
  readonly rows: Row[];
}

/** One run of one tool, its first step left out. */
interface Run {
  readonly tokensPerSecond: number;
  readonly tokensPerProcessorSecond: number;
  readonly processorPerWall: number;
  readonly peakBytes: number;
}

/** The next of a fixed sequence of pseudo-random numbers (a linear congruential generator). */
function* numbers(): Generator<number, never> {
  let state = 12_345;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state;
  }
}

/** A quarter prompt, the rest completion, both sides; or the golden pairs. */
function rowsOf(length: string, count: number): Row[] {
  if (length === 'golden') {
    return golden.pairs.map((pair) => ({
      prompt: pair.prompt_ids,
      chosen: pair.chosen_ids,
      rejected: pair.rejected_ids,
    }));
  }
  const source = numbers();
  const tokens = (size: number) => Array.from({ length: size }, () => source.next().value % vocabulary);
  const prompt = Math.floor(Number(length) / 4);
  const completion = Number(length) - prompt;
  return Array.from({ length: count }, () => ({
    prompt: tokens(prompt),
    chosen: tokens(completion),
    rejected: tokens(completion),
  }));
}

/** Prompt and completion of both sides, however a tool shares them. */
function countTokens(rows: readonly Row[]): number {
  return rows.reduce(
    (sum, { prompt, chosen, rejected }) => sum + 2 * prompt.length + chosen.length + rejected.length,
    0,
  );
}

function summarise(tokens: number, wall: number[], processor: number[], peakBytes: number): Run {
  const total = (values: number[]) => values.slice(warmupSteps).reduce((sum, value) => sum + value, 0);
  return {
    tokensPerSecond: tokens / total(wall),
    tokensPerProcessorSecond: tokens / total(processor),
    processorPerWall: total(processor) / total(wall),
    peakBytes,
  };
}

/** Every row once, so that a loss with a reference pays for it as in a first epoch. */
async function runOurs(folder: string, task: Task, memoryBudgetBytes: number): Promise<Run> {
  const config: TrainerTrainConfig = {
    task: 'train',
    libraries,
    model: testModel(),
    threads: task.threads,
    precision: 'f32',
    out: path.join(folder, 'ours'),
    loss: task.loss,
    records: task.rows,
    lora: { rank },
    steps: task.rows.length,
    checkpointEvery: 0,
    lowPriority: false,
    memoryBudgetBytes,
  };
  const result = await runTrainer(folder, config);
  const done = linesOf(result.lines, 'done')[0];
  if (done?.peak_bytes === undefined)
    throw new Error(`The trainer failed: ${JSON.stringify(result.lines.at(-1))} ${result.stderr}`);
  const steps = linesOf(result.lines, 'step');
  const seconds = steps.map((line) => line.tokens / line.tokens_per_second);
  // Records are shuffled: the tokens are those of the steps that were timed.
  const tokens = steps.slice(warmupSteps).reduce((sum, line) => sum + line.tokens, 0);
  const processor = steps.map((line) => line.processor_seconds ?? NaN);
  return summarise(tokens, seconds, processor, done.peak_bytes);
}

const PeerResult = z.object({
  wallSeconds: z.array(z.number()),
  processorSeconds: z.array(z.number()),
  peakBytes: z.number(),
});

async function runTrl(folder: string, task: Task, python: string, precision: Precision): Promise<Run> {
  const model = testModel();
  const job = path.join(folder, 'job.json');
  await writeFile(
    job,
    JSON.stringify({
      folder: path.dirname(model),
      file: path.basename(model),
      out: path.join(folder, 'trl'),
      precision,
      loss: task.loss,
      threads: task.threads,
      rank,
      checkpointing: false,
      rows: task.rows,
    }),
  );
  const child = spawn(python, [path.join(import.meta.dirname, 'trainerPeer.py'), job], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exit = await new Promise((resolve) => child.once('close', resolve));
  const last = output.trim().split('\n').at(-1) ?? '';
  if (exit !== 0) throw new Error(`TRL failed: ${errors.slice(-2000)}`);
  const result = PeerResult.parse(JSON.parse(last));
  // TRL shuffles too, but all rows of one length are alike; of the golden pairs the mean is taken.
  const share = (task.rows.length - warmupSteps) / task.rows.length;
  return summarise(
    countTokens(task.rows) * share,
    result.wallSeconds,
    result.processorSeconds,
    result.peakBytes,
  );
}

function middle(runs: readonly Run[]): Run {
  const of = (key: keyof Run) => median(runs.map((run) => run[key]));
  return {
    tokensPerSecond: of('tokensPerSecond'),
    tokensPerProcessorSecond: of('tokensPerProcessorSecond'),
    processorPerWall: of('processorPerWall'),
    peakBytes: Math.max(...runs.map((run) => run.peakBytes)),
  };
}

type TrlRuns = Readonly<Partial<Record<Precision, readonly Run[]>>>;

function compare(task: Task, ours: readonly Run[], theirs: TrlRuns) {
  const own = middle(ours);
  const { float32, bfloat16, autocast } = theirs;
  const trl = float32 && middle(float32);
  const trlInBfloat16 = {
    ...(bfloat16 && { whole: middle(bfloat16) }),
    ...(autocast && { autocast: middle(autocast) }),
  };
  const speeds = [trl, ...Object.values(trlInBfloat16)].flatMap((run) => run?.tokensPerSecond ?? []);
  return {
    ...{ loss: task.loss, length: task.length, threads: task.threads, ours: own },
    ...(trl && {
      trl,
      speedRatio: own.tokensPerSecond / trl.tokensPerSecond,
      processorSpeedRatio: own.tokensPerProcessorSecond / trl.tokensPerProcessorSecond,
      memoryRatio: own.peakBytes / trl.peakBytes,
    }),
    ...((bfloat16 ?? autocast) && {
      trlInBfloat16,
      speedRatioToItsBest: own.tokensPerSecond / Math.max(...speeds),
    }),
  };
}

/** Bytes: 500 MiB for every 512 tokens of the longest side, less than a tenth of what TRL takes. */
function budgetOf(rows: readonly Row[]): number {
  const longest = Math.max(
    ...rows.map((row) => row.prompt.length + Math.max(row.chosen.length, row.rejected.length)),
  );
  return Math.ceil((longest / 512) * 500 * 2 ** 20);
}

const Measured = z.looseObject({ loss: z.string(), length: z.string(), threads: z.number() });
type Measured = z.infer<typeof Measured>;

function isSame(one: Measured, other: Measured): boolean {
  return one.loss === other.loss && one.length === other.length && one.threads === other.threads;
}

function tasks(): Task[] {
  const losses = z
    .array(z.enum(['orpo', 'exo_pair']))
    .parse((textOption('losses') ?? 'orpo,exo_pair').split(','));
  const count = numberOption('rows', 4);
  return (textOption('lengths') ?? '512,1024,golden')
    .split(',')
    .flatMap((length) =>
      losses.flatMap((loss) =>
        (textOption('threads') ?? '1,2')
          .split(',')
          .map((threads) => ({ loss, length, threads: Number(threads), rows: rowsOf(length, count) })),
      ),
    );
}

/** One after the other, and again: whatever else the machine does meets both. */
async function measure(task: Task, folder: string, python: string | undefined): Promise<Measured> {
  const given = numberOption('budget', 0);
  const budget = given === 0 ? budgetOf(task.rows) : given * 2 ** 20;
  const ours: Run[] = [];
  const theirs: Partial<Record<Precision, Run[]>> = {};
  for (let round = 0; round < numberOption('rounds', 3); round++) {
    ours.push(await runOurs(folder, task, budget));
    if (python === undefined) continue;
    for (const precision of precisions()) {
      const runs = (theirs[precision] ??= []);
      runs.push(await runTrl(folder, task, python, precision));
    }
  }
  return { ...compare(task, ours, theirs), budgetBytes: budget, load: machine().load };
}

function precisions(): Precision[] {
  return z.array(Precision).parse((textOption('trl') ?? 'float32').split(','));
}

async function main(): Promise<void> {
  const python = process.argv.includes('--without-trl') ? undefined : await trlPython();
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-bench-trainer-'));
  const versions = python === undefined ? [] : trlPackages;
  const build = await readFile(path.join(repository, 'native/CMakeLists.txt'), 'utf8');
  const trainer = /VERSION (\d+\.\d+\.\d+) /.exec(build)?.[1];
  let results = await keptRows('trainer', Measured);
  try {
    for (const task of tasks()) {
      const row = await measure(task, folder, python);
      results = [...results.filter((other) => !isSame(other, row)), row];
      await report('trainer', { versions, trainer, results });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
