// Time to first token and tokens a second: the engine, all the way through client and host, against a bare
// node-llama-cpp loop on the same prompts, with its default threads and with each other number of threads.
//   PREFLEXOR_TEST_MODEL=FILE node bench/generation.ts [--rounds=N] [--write]
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadCandidates } from '../server/src/engine/llama/threads.ts';
import type { GenerateRequest } from '../server/src/protocol/index.ts';
import { processorSeconds } from '../test/support/processTime.ts';
import { testEngine, testModelFile } from '../test/support/testModel.ts';
import type { BareRequest, BareResult } from './bareLoop.ts';
import { machine, median, numberOption, report } from './measure.ts';

const contextTokens = 4096;
const maxTokens = 128;
/** Fewer tokens in less time would be a completion that ended by itself: too short to measure. */
const fewestTokens = 100;
const limitMs = 15_000;
const rounds = numberOption('rounds', 9);
const never = new AbortController().signal;

/** One run of a contender. */
interface Run {
  readonly promptTokens: number;
  /** Whether it went on for long enough to be measured. */
  readonly long: boolean;
  readonly firstMs: number;
  readonly tokensPerSecond: number;
  readonly processorPerWall: number;
}

interface Contender {
  readonly name: string;
  readonly run: (round: number) => Promise<Run>;
  readonly stop: () => Promise<void>;
}

/** The beginning of a list that the model mostly goes on with for longer than it is let. */
const prefix = '1\n2\n3\n4\n5\n6\n';
/** So many questions are tried until there are enough whose answers are long. */
const mostQuestions = 60;

/** About 400 tokens with the rest. Each round has its own beginning, so that nothing comes out of a cache. */
function question(round: number): string {
  const passage = `Texture in polycrystalline materials has two aspects, the distribution of orientations among the
grains and the disorientations at their borders. `;
  return `Number ${round + 1}. ${passage.repeat(12)}\nCount from 1 to 500, each number on a line of its own.`;
}

/** SmolLM2's own template, written out: with it the bare loop gets the same tokens as the engine. */
function chatText(round: number): string {
  const system = 'You are a helpful AI assistant named SmolLM, trained by Hugging Face';
  const chat = `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${question(round)}<|im_end|>\n`;
  return `${chat}<|im_start|>assistant\n${prefix}`;
}

async function engineContender(file: string, measurementsFile: string): Promise<Contender> {
  const engine = testEngine(file, { contextTokens, threads: 0, measurementsFile });
  const { threads } = await engine.load(never);
  const run = async (round: number): Promise<Run> => {
    const request: GenerateRequest = {
      messages: [{ role: 'user', text: question(round) }],
      ...{ prefix, stop: [], maxTokens, temperature: 0, seed: 1 },
    };
    const pid = engine.hostPid ?? 0;
    const used = processorSeconds(pid);
    const started = performance.now();
    let first = 0;
    let early = 0;
    for await (const event of engine.generate(request, never)) {
      if (event.event === 'text' && first === 0) {
        first = performance.now();
        early = event.tokens.length;
      }
      if (event.event !== 'end') continue;
      const ended = performance.now();
      if (event.tokens.reused > 0)
        throw new Error('A prompt came out of the cache; the comparison would be unfair.');
      return {
        promptTokens: event.tokens.prompt,
        firstMs: first - started,
        ...pace(event.tokens.generated - early, ended - first),
        processorPerWall: (processorSeconds(pid) - used) / ((ended - started) / 1000),
      };
    }
    throw new Error('The engine ended without an end event.');
  };
  return {
    name: `engine (threads ${threads.prompt}/${threads.generation})`,
    run,
    stop: () => engine.dispose(),
  };
}

async function bareContender(file: string, threads: number | 'default'): Promise<Contender> {
  const child = fork(
    join(import.meta.dirname, 'bareLoop.ts'),
    [file, String(contextTokens), String(threads)],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  await answerOf(child);
  const run = async (round: number): Promise<Run> => {
    child.send({ prompt: chatText(round), maxTokens, limitMs } satisfies BareRequest);
    const result = (await answerOf(child)) as BareResult;
    return {
      promptTokens: result.promptTokens,
      firstMs: result.firstMs,
      ...pace(result.generated - 1, result.restMs),
      processorPerWall: result.processorSeconds / result.wallSeconds,
    };
  };
  const gone = once(child, 'exit');
  const stop = async () => {
    child.kill();
    await gone;
  };
  return { name: threads === 'default' ? 'bare, default threads' : `bare, threads ${threads}`, run, stop };
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('The bare loop ended.');
  });
  ended.catch(() => undefined);
  try {
    const [answer] = (await Promise.race([once(child, 'message', { signal }), ended])) as [unknown];
    return answer;
  } finally {
    answered.abort();
  }
}

function pace(tokens: number, milliseconds: number): Pick<Run, 'long' | 'tokensPerSecond'> {
  return {
    long: tokens >= fewestTokens || milliseconds >= limitMs,
    tokensPerSecond: tokens / (milliseconds / 1000),
  };
}

function summary(runs: readonly Run[]): Omit<Run, 'long'> {
  return {
    promptTokens: median(runs.map(({ promptTokens }) => promptTokens)),
    firstMs: median(runs.map(({ firstMs }) => firstMs)),
    tokensPerSecond: median(runs.map(({ tokensPerSecond }) => tokensPerSecond)),
    processorPerWall: median(runs.map(({ processorPerWall }) => processorPerWall)),
  };
}

const file = testModelFile();
const folder = await mkdtemp(join(tmpdir(), 'preflexor-bench-'));
const contenders: Contender[] = [];
try {
  contenders.push(await engineContender(file, join(folder, 'measurements.json')));
  contenders.push(await bareContender(file, 'default'));
  for (const threads of threadCandidates(machine().cores))
    contenders.push(await bareContender(file, threads));

  // Turn by turn, so that whatever else the machine does meets all alike. The first round only warms up.
  const runs = contenders.map((): Run[] => []);
  // A question that somebody answers at no length measures nothing, and the next takes its place.
  let done = -1;
  for (let question = 0; done < rounds; question += 1) {
    if (question === mostQuestions) throw new Error(`Only ${done} questions were answered at length.`);
    const answers: Run[] = [];
    for (const contender of contenders) answers.push(await contender.run(question));
    if (!answers.every(({ long }) => long)) continue;
    done += 1;
    if (done > 0) for (const [at, run] of answers.entries()) runs[at]?.push(run);
  }
  const results = contenders.map(({ name }, at) => ({ name, ...summary(runs[at] ?? []) }));
  const [engine, byDefault, ...others] = results;
  if (!engine || !byDefault) throw new Error('There was nothing to compare.');
  const prompts = new Set(results.map(({ promptTokens }) => promptTokens));
  if (prompts.size > 1) throw new Error(`The prompts differ: ${[...prompts].join(', ')} tokens.`);
  const best = {
    firstMs: Math.min(...others.map(({ firstMs }) => firstMs)),
    tokensPerSecond: Math.max(...others.map(({ tokensPerSecond }) => tokensPerSecond)),
  };
  for (const { name, firstMs, tokensPerSecond, processorPerWall } of results) {
    const columns = [
      `${firstMs.toFixed(0)} ms`,
      `${tokensPerSecond.toFixed(1)} tokens/s`,
      `cpu/wall ${processorPerWall.toFixed(2)}`,
    ];
    console.error([name.padEnd(28), ...columns.map((column) => column.padStart(16))].join(''));
  }
  await report('generation', {
    ...{ rounds, contextTokens, maxTokens, contenders: results },
    // Over 1: the engine is ahead.
    ratios: {
      againstDefault: {
        firstToken: byDefault.firstMs / engine.firstMs,
        tokensPerSecond: engine.tokensPerSecond / byDefault.tokensPerSecond,
      },
      // The bare loop has one number of threads; it is compared with its best one for each figure.
      againstBest: {
        firstToken: best.firstMs / engine.firstMs,
        tokensPerSecond: engine.tokensPerSecond / best.tokensPerSecond,
      },
    },
  });
} finally {
  await Promise.all(contenders.map((contender) => contender.stop()));
  await rm(folder, { recursive: true });
}
