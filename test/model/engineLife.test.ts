// The life of a real engine host: stopped in the middle, killed, idle, left alone by its parent.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, test } from 'node:test';
import type { LlamaEngine, LlamaEngineOptions } from '../../server/src/engine/index.ts';
import { PreflexorError } from '../../server/src/errors.ts';
import type { GenerateEvent, GenerateRequest } from '../../server/src/protocol/index.ts';
import { isRunning, pause, processorSeconds, until } from '../support/processTime.ts';
import { testEngine, testModelFile } from '../support/testModel.ts';

const modelFile = testModelFile();
const never = new AbortController().signal;
const engines: LlamaEngine[] = [];

function setUp(options: Partial<LlamaEngineOptions> = {}): LlamaEngine {
  const engine = testEngine(modelFile, options);
  engines.push(engine);
  return engine;
}

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.dispose()));
});

function ask(text: string, maxTokens = 12): GenerateRequest {
  return { messages: [{ role: 'user', text }], prefix: '', stop: [], maxTokens, temperature: 0, seed: 1 };
}

async function textOf(events: AsyncIterable<GenerateEvent>): Promise<string> {
  let text = '';
  for await (const event of events) if (event.event === 'text') text += event.text;
  return text;
}

const withCode = (code: string) => (error: unknown) => error instanceof PreflexorError && error.code === code;

function pidOf(engine: LlamaEngine): number {
  return engine.hostPid ?? assert.fail('no host is running');
}

/** Waits until the process has computed for a while: it is in the middle of its work. */
async function computing(pid: number): Promise<void> {
  const before = processorSeconds(pid);
  await until(() => processorSeconds(pid) > before + 0.3);
}

/** Fails when the process still computes. One that was ended meanwhile does not. */
async function assertResting(pid: number): Promise<void> {
  const before = secondsUnlessGone(pid);
  await pause(500);
  const after = secondsUnlessGone(pid);
  const used = before === null || after === null ? 0 : after - before;
  assert.ok(used < 0.1, `it went on computing: ${used} s in half a second`);
}

function secondsUnlessGone(pid: number): number | null {
  try {
    return processorSeconds(pid);
  } catch (error) {
    if (isRunning(pid)) throw error;
    return null;
  }
}

const question = ask('Name three metals.');
/** 3,600 tokens, which is seconds of work on any processor that this model is tested on. */
const longPrompt = ask('The grain grows along the gradient. '.repeat(450));
const story = ask('Write a long story about a ship.', 3000);

test('given a prompt of over 3,000 tokens, when it is aborted in the middle, then the computation stops', async () => {
  const engine = setUp();
  const cold = await textOf(engine.generate(question, never));
  const controller = new AbortController();
  const heard: string[] = [];
  const running = (async () => {
    for await (const { event } of engine.generate(longPrompt, controller.signal)) heard.push(event);
  })();
  running.catch(() => undefined);
  const pid = pidOf(engine);
  await computing(pid);
  controller.abort();
  await assert.rejects(running, withCode('cancelled'));
  assert.deepEqual(heard, [], 'the prompt was not yet done');
  await assertResting(pid);
  // What is in the cache now is known: the same question has the same answer as before.
  assert.equal(await textOf(engine.generate(question, never)), cold);
});

test('given a long answer, when it is aborted in the middle, then the computation stops and the next one is right', async () => {
  const engine = setUp();
  const cold = await textOf(engine.generate(question, never));
  const pid = pidOf(engine);
  const controller = new AbortController();
  let texts = 0;
  await assert.rejects(async () => {
    for await (const { event } of engine.generate(story, controller.signal)) {
      if (event === 'text') texts += 1;
      if (texts === 3) controller.abort();
    }
  }, withCode('cancelled'));
  assert.equal(pidOf(engine), pid, 'it stopped by itself');
  await assertResting(pid);
  assert.equal(await textOf(engine.generate(question, never)), cold);
});

test('given a loading model, when it is aborted, then no process is left that loads', async () => {
  const engine = setUp();
  const controller = new AbortController();
  const loading = engine.load(controller.signal, (_, fraction) => {
    if (fraction !== null) controller.abort();
  });
  await assert.rejects(loading, withCode('cancelled'));
  await until(() => engine.hostPid === null);
  assert.equal((await textOf(engine.generate(ask('Hello', 1), never))) === '', false);
});

test('given a running answer, when its host is killed, then it fails, and the next request has a new host', async () => {
  const engine = setUp();
  const events: string[] = [];
  await assert.rejects(async () => {
    for await (const { event } of engine.generate(story, never)) {
      events.push(event);
      if (events.length === 3) process.kill(pidOf(engine), 'SIGKILL');
    }
  }, withCode('engine-crashed'));
  assert.equal(engine.status().state, 'failed');
  assert.match(engine.status().error?.remedy ?? '', /Try again/);
  assert.notEqual(await textOf(engine.generate(question, never)), '');
  assert.equal(engine.status().state, 'ready');
});

test('given a model that is idle, when its time is over, then its memory is given back and it loads again', async () => {
  const engine = setUp({ idleUnloadMs: 50 });
  const first = await textOf(engine.generate(question, never));
  const { memoryBytes } = engine.status();
  await until(() => engine.status().state === 'unloaded');
  assert.ok((memoryBytes ?? 0) > 98_000_000);
  assert.equal(engine.hostPid, null);
  assert.equal(engine.status().memoryBytes, null);
  assert.equal(await textOf(engine.generate(question, never)), first);
});

test('given an engine in the middle of a prompt, when it is disposed of, then its process is gone', async () => {
  const engine = setUp();
  await engine.load(never);
  const pid = pidOf(engine);
  const running = textOf(engine.generate(longPrompt, never));
  running.catch(() => undefined);
  await computing(pid);
  await engine.dispose();
  assert.ok(!isRunning(pid));
  await assert.rejects(running, withCode('cancelled'));
});

test('given a parent that is killed, when its host is computing, then the host ends too', async () => {
  const support = new URL('../support/testModel.ts', import.meta.url).href;
  const script = `
    const { testEngine, testModelFile } = await import(${JSON.stringify(support)});
    const engine = testEngine(testModelFile());
    await engine.load(new AbortController().signal);
    console.log(engine.hostPid);
    for await (const _ of engine.generate(${JSON.stringify(longPrompt)}, new AbortController().signal));`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(parent, 'exit').then(() =>
    assert.fail('the parent ended before it had loaded the model'),
  );
  const line = once(parent.stdout.setEncoding('utf8'), 'data').then(([text]) => String(text));
  const pid = Number(await Promise.race([line, ended]));
  ended.catch(() => undefined);
  await computing(pid);
  parent.kill('SIGKILL');
  await until(() => !isRunning(pid));
});
