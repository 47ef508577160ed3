// A run of the recursion as it is, beside the very same requests with each prompt evaluated from nothing, as the
// paper's repository does; what share of each prompt is evaluated; the time from Stop to an idle processor.
//   PREFLEXOR_TEST_MODEL=FILE node bench/recursion.ts [--rounds=N] [--write]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LanguageModel } from '../server/src/engine/index.ts';
import type { GenerateEvent, GenerateRequest, Run } from '../server/src/protocol/index.ts';
import { reason, type ReasonTask } from '../server/src/reasoning/index.ts';
import { processorSeconds } from '../test/support/processTime.ts';
import { builtInPrompts } from '../test/support/prompts.ts';
import { testEngine, testModelFile } from '../test/support/testModel.ts';
import { median, report } from './measure.ts';

const iterations = 3;
const tokensPerStep = 256;
const contextCharacters = 5200;
const rounds = Number(process.argv.flatMap((word) => /^--rounds=(\d+)$/.exec(word)?.[1] ?? [])[0] ?? 3);
const never = new AbortController().signal;

const corpus = join(import.meta.dirname, '..', 'test', 'fixtures', 'corpus', 'autoeis', 'paper.md');
const text = readFileSync(corpus, 'utf8');
const prompts = await builtInPrompts();
const paragraphs = text.split(/\n\n+/).filter((part) => part.length > 300 && !/^[#\-|>]/.test(part));
const paragraph = paragraphs[1] ?? '';
const rest = text.replace(paragraph, '').slice(0, contextCharacters);

const task: ReasonTask = {
  subject: { headingPath: ['Statement of need'], before: '', paragraph, after: '' },
  task: prompts.tasks.strengthen,
  prompts,
  thinkingParts: prompts.thinkingParts,
  ...{ thinkingSections: 1, reflects: true, iterations, scoring: true },
  sampler: {
    ...{ seed: 11, temperature: 0, criticTemperature: 0, avoidLoops: true },
    ...{ thinkingTokens: tokensPerStep, reflectionTokens: tokensPerStep, answerTokens: tokensPerStep },
  },
  note: { path: 'paper.md', hash: '', range: { start: 0, end: paragraph.length } },
  ...{ block: 'bench0', version: 'bench' },
  from: {
    ...{ run: null, nothingRelevant: false, steps: [] },
    passages: [
      {
        id: 'p',
        source: 'paper.md',
        heading: [],
        page: null,
        start: 0,
        end: rest.length,
        text: rest,
        score: 1,
      },
    ],
  },
};

/** A model that remembers what it was asked and what it wrote. */
interface Recorded {
  readonly request: GenerateRequest;
  text: string;
  seconds: number;
  prompt: number;
  reused: number;
  generated: number;
}

function recording(model: LanguageModel, records: Recorded[]): LanguageModel {
  return {
    load: (signal, onWait) => model.load(signal, onWait),
    tokenize: (words, signal) => model.tokenize(words, signal),
    async *generate(request, signal) {
      const record: Recorded = { request, text: '', seconds: 0, prompt: 0, reused: 0, generated: 0 };
      records.push(record);
      const started = performance.now();
      try {
        for await (const event of model.generate(request, signal)) {
          take(record, event);
          yield event;
        }
      } finally {
        // Whoever asks may stop listening at the last event.
        record.seconds = (performance.now() - started) / 1000;
      }
    },
  };
}

function take(record: Recorded, event: GenerateEvent): void {
  if (event.event === 'text') record.text += event.text;
  if (event.event === 'end') Object.assign(record, event.tokens);
}

async function wholeRun(model: LanguageModel): Promise<{ run: Run; records: Recorded[] }> {
  const records: Recorded[] = [];
  const recorded = recording(model, records);
  const events = reason(
    task,
    { model: recorded, critic: recorded, passages: null, sources: null, similarity: null, now: Date.now },
    never,
  );
  for (;;) {
    const step = await events.next();
    if (step.done) return { run: step.value, records };
  }
}

/** Leaves the cache with next to nothing of the run in it. */
async function forget(model: LanguageModel): Promise<void> {
  const other: GenerateRequest = {
    messages: [{ role: 'user', text: 'Say yes.' }],
    ...{ prefix: '', stop: [], maxTokens: 1, temperature: 0, seed: 1 },
  };
  for await (const event of model.generate(other, never)) if (event.event === 'end') return;
}

/** The same requests, each prompt from nothing. */
async function naively(model: LanguageModel, requests: readonly Recorded[]): Promise<Recorded[]> {
  const records: Recorded[] = [];
  const recorded = recording(model, records);
  for (const { request } of requests) {
    await forget(model);
    for await (const event of recorded.generate(request, never)) if (event.event === 'end') break;
  }
  return records;
}

/** Seconds from an abort in the middle of a long answer until the engine host uses no processor any more. */
async function stopSeconds(engine: ReturnType<typeof testEngine>): Promise<number> {
  const controller = new AbortController();
  const request = {
    messages: [{ role: 'user' as const, text: rest }],
    ...{ prefix: '', stop: [], maxTokens: 512, temperature: 0, seed: 1 },
  };
  let stopped = 0;
  try {
    for await (const event of engine.generate(request, controller.signal)) {
      if (event.event !== 'text' || stopped > 0) continue;
      stopped = performance.now();
      controller.abort();
    }
  } catch {
    // Cancelled, as it was asked to be.
  }
  const pid = engine.hostPid ?? 0;
  for (;;) {
    const before = processorSeconds(pid);
    await delay(20);
    if (processorSeconds(pid) - before < 0.002) return (performance.now() - stopped) / 1000;
  }
}

function generatedBy(records: readonly Recorded[]): number {
  return records.reduce((sum, { generated }) => sum + generated, 0);
}

const seconds = (records: readonly Recorded[]): number => records.reduce((sum, one) => sum + one.seconds, 0);

const engine = testEngine(testModelFile(), { contextTokens: 8192 });
try {
  await engine.load(never);
  await forget(engine);
  const ours: number[] = [];
  const theirs: number[] = [];
  const stops: number[] = [];
  let last: { run: Run; records: Recorded[] } | null = null;
  let naive: Recorded[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await forget(engine);
    last = await wholeRun(engine);
    ours.push(seconds(last.records));
    naive = await naively(engine, last.records);
    theirs.push(seconds(naive));
    stops.push(await stopSeconds(engine));
  }
  const records = last?.records ?? [];
  // New at a step: what no prompt or completion before it had as its beginning, by characters of the whole prompt.
  const evaluated = records.map(({ prompt, reused }) => prompt - reused);
  const fresh = await freshTokens(records);
  const shares = records.map((_, at) => (evaluated[at] ?? 0) / Math.max(1, fresh[at] ?? 1));
  await report('recursion', {
    ...{ rounds, iterations, steps: records.length, openingTokens: records[0]?.prompt ?? 0 },
    generatedTokens: { ours: generatedBy(records), fromNothing: generatedBy(naive) },
    secondsOfRun: {
      ours: median(ours),
      fromNothing: median(theirs),
      ratio: median(theirs) / median(ours),
      goal: 'ratio at least 2',
    },
    sameText: `${naive.filter(({ text: words }, at) => words === records[at]?.text).length} of ${records.length} steps`,
    evaluatedToNew: {
      whole: evaluated.reduce((sum, one) => sum + one, 0) / fresh.reduce((sum, one) => sum + one, 0),
      worstStep: Math.max(...shares),
      goal: 'at most 1.05',
    },
    secondsFromStopToIdle: { median: median(stops), worst: Math.max(...stops), goal: 'below 1' },
  });
} finally {
  await engine.dispose();
}

/** Tokens of each prompt behind the longest beginning that it shares with any prompt before it and the text written to it. */
async function freshTokens(records: readonly Recorded[]): Promise<number[]> {
  const fresh: number[] = [];
  const before: string[] = [];
  for (const { request, text: written } of records) {
    const opened = { role: 'assistant', text: request.prefix };
    const whole = [...request.messages, opened]
      .map(({ role, text: words }) => `${role}\n${words}`)
      .join('\n');
    const common = Math.max(0, ...before.map((earlier) => commonLength(earlier, whole)));
    fresh.push((await engine.tokenize(whole.slice(common), never)).length + templateTokens(request));
    before.push(whole + written);
  }
  return fresh;
}

function commonLength(a: string, b: string): number {
  let common = 0;
  while (common < Math.min(a.length, b.length) && a[common] === b[common]) common += 1;
  return common;
}

/** Tokens that the chat template writes around the messages which are new: about four for each. */
function templateTokens({ messages }: GenerateRequest): number {
  return messages.length > 2 ? 12 : 4;
}
