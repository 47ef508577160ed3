// The engine's client against small real host processes that work, hang, crash and lie (testing/).
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import {
  preflexorMarkers,
  type EngineStatus,
  type GenerateEvent,
  type GenerateRequest,
} from '../../protocol/index.ts';
import { createLlamaEngine, type LlamaEngine, type LlamaEngineOptions } from './client.ts';
import { hostEnvironment } from './hostProcess.ts';
import { ManualTimers } from './testing/timers.ts';

const never = new AbortController().signal;
const engines: LlamaEngine[] = [];

interface Setup extends Partial<LlamaEngineOptions> {
  readonly host: string;
}

/** An engine on a fake host, with all that it reports. It is disposed of after the test. */
function setUp({ host, ...options }: Setup) {
  const log: string[] = [];
  const statuses: EngineStatus[] = [];
  const engine = createLlamaEngine({
    modelName: 'a model',
    resolveModel: () =>
      Promise.resolve({
        file: '/models/a.gguf',
        identity: { id: 'a', file: 'a.gguf', sha256: '0'.repeat(64) },
        markers: preflexorMarkers,
        chatTemplate: 'embedded',
      }),
    ...{ gpu: 'cpu', contextTokens: 0, threads: 0, idleUnloadMs: 0, adapter: null },
    hostModule: join(import.meta.dirname, 'testing', `${host}.ts`),
    measurementsFile: '/nowhere/measurements.json',
    onLog: (line) => log.push(line),
    platform: 'linux',
    ...options,
  });
  engine.onStatus((status) => statuses.push(status));
  engines.push(engine);
  return { engine, log, statuses };
}

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.dispose()));
});

function say(text: string): GenerateRequest {
  return { messages: [{ role: 'user', text }], prefix: '', stop: [], maxTokens: 9, temperature: 0, seed: 1 };
}

async function textOf(events: AsyncIterable<GenerateEvent>): Promise<string> {
  let text = '';
  for await (const event of events) if (event.event === 'text') text += event.text;
  return text;
}

const withCode = (code: string) => (error: unknown) => error instanceof PreflexorError && error.code === code;

function isRunning(pid: number | null): boolean {
  assert.ok(pid !== null);
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for something that becomes true by messages or exits; the test's own time limit ends a wait in vain. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('given nothing was asked, when an engine is made, then no process runs', () => {
  const { engine } = setUp({ host: 'workingHost' });
  assert.equal(engine.hostPid, null);
  assert.deepEqual(engine.status(), {
    ...{ state: 'unloaded', model: 'a model', fraction: null, backend: null, fallback: null },
    ...{ contextTokens: null, threads: null, tokensPerSecond: null, memoryBytes: null, error: null },
  });
});

test('given a request, when it is made, then the model loads and the answer streams', async () => {
  const { engine, statuses, log } = setUp({ host: 'workingHost' });
  assert.equal(await textOf(engine.generate(say('hello'), never)), 'hello');
  assert.deepEqual([...new Set(statuses.map(({ state }) => state))], ['loading', 'ready', 'generating']);
  assert.equal(engine.status().state, 'ready');
  assert.equal(engine.status().backend, 'cpu');
  await until(() => log.includes('a line on stderr'));
});

test('given a loaded model, when it is asked about itself, then it says which one it is', async () => {
  const { engine } = setUp({ host: 'workingHost', adapter: '/adapters/b.gguf' });
  const model = await engine.load(never);
  assert.equal(model.identity.id, 'a');
  assert.equal(model.adapter, '/adapters/b.gguf');
  assert.equal(model.markers, preflexorMarkers);
  assert.equal(model.contextTokens, 512);
  assert.deepEqual(await engine.tokenize('abc', never), [7, 7, 7]);
});

test('given several requests at once, when they run, then each gets its own answer in the order of arrival', async () => {
  const { engine } = setUp({ host: 'workingHost' });
  const order: string[] = [];
  const answers = ['one', 'two', 'three'].map(async (word) => {
    const text = await textOf(engine.generate(say(word), never));
    order.push(text);
  });
  await Promise.all(answers);
  assert.deepEqual(order, ['one', 'two', 'three']);
});

test('given there is no model, when one is needed, then the error is passed on and no process is started', async () => {
  const { engine } = setUp({
    host: 'workingHost',
    resolveModel: () => Promise.reject(new PreflexorError('no-model', 'There is no model.')),
  });
  await assert.rejects(textOf(engine.generate(say('hello'), never)), withCode('no-model'));
  assert.equal(engine.status().state, 'no-model');
  assert.equal(engine.status().error?.message, 'There is no model.');
  assert.equal(engine.hostPid, null);
});

test('given a running answer, when it is aborted, then it ends as cancelled and the host goes on living', async () => {
  const { engine } = setUp({ host: 'workingHost' });
  const controller = new AbortController();
  const heard: string[] = [];
  await assert.rejects(async () => {
    for await (const { event } of engine.generate(say('wait'), controller.signal)) {
      heard.push(event);
      if (event === 'text') controller.abort();
    }
  }, withCode('cancelled'));
  assert.deepEqual(heard, ['prompt', 'text']);
  const pid = engine.hostPid;
  assert.equal(await textOf(engine.generate(say('again'), never)), 'again');
  assert.equal(engine.hostPid, pid);
});

test('given a consumer that leaves its loop, when it does, then the host is told to stop', async () => {
  const { engine } = setUp({ host: 'workingHost' });
  for await (const { event } of engine.generate(say('wait'), never)) if (event === 'text') break;
  assert.equal(await textOf(engine.generate(say('next'), never)), 'next');
});

test('given a request that waits its turn, when it is aborted, then it never reaches the host', async () => {
  const { engine } = setUp({ host: 'workingHost' });
  const first = new AbortController();
  const second = new AbortController();
  const running = textOf(engine.generate(say('wait'), first.signal));
  const waiting = textOf(engine.generate(say('never'), second.signal));
  running.catch(() => undefined);
  await until(() => engine.status().state === 'generating');
  second.abort();
  await assert.rejects(waiting, withCode('cancelled'));
  assert.equal(engine.status().state, 'generating');
  first.abort();
  await assert.rejects(running, withCode('cancelled'));
});

test('given a host that ignores being cancelled, when its time is up, then it is ended and the next one works', async () => {
  const timers = new ManualTimers();
  const { engine } = setUp({ host: 'hangingHost', timers });
  const controller = new AbortController();
  const answer = textOf(engine.generate(say('wait'), controller.signal));
  answer.catch(() => undefined);
  await until(() => engine.status().state === 'generating');
  const pid = engine.hostPid;
  controller.abort();
  assert.deepEqual(timers.waiting, [800]);
  assert.ok(isRunning(pid));
  timers.advance(800);
  await assert.rejects(answer, withCode('cancelled'));
  await until(() => !isRunning(pid));
  assert.equal(engine.status().state, 'unloaded');
  assert.equal((await engine.load(never)).identity.id, 'a');
  assert.notEqual(engine.hostPid, pid);
});

test('given a host that dies in the middle, when it does, then that answer fails and those that wait do not', async () => {
  const { engine, statuses } = setUp({ host: 'crashingHost' });
  const dying = textOf(engine.generate(say('die'), never));
  const waiting = textOf(engine.generate(say('echo'), never));
  await assert.rejects(dying, (error) => {
    assert.ok(withCode('engine-crashed')(error));
    assert.match(
      (error as Error).message,
      /^The model process ended unexpectedly \(SIGKILL, as the system does/,
    );
    return true;
  });
  assert.ok(statuses.some(({ state, error }) => state === 'failed' && error?.code === 'engine-crashed'));
  assert.equal(await waiting, 'echo');
});

test('given an idle host, when it is killed from outside, then the status says so and the next request works', async () => {
  const { engine } = setUp({ host: 'workingHost' });
  await engine.load(never);
  process.kill(engine.hostPid ?? 0, 'SIGKILL');
  await until(() => engine.status().state === 'failed');
  assert.equal(engine.status().error?.code, 'engine-crashed');
  assert.equal(await textOf(engine.generate(say('hello'), never)), 'hello');
  assert.equal(engine.status().error, null);
});

test('given crash after crash, when it is started again, then it waits longer each time until an answer succeeds', async () => {
  const timers = new ManualTimers();
  const { engine } = setUp({ host: 'crashingHost', timers });
  const crash = () => assert.rejects(textOf(engine.generate(say('die'), never)), withCode('engine-crashed'));
  await crash();
  await crash();
  for (const pause of [1000, 2000]) {
    const next = crash();
    await until(() => timers.waiting.includes(pause));
    timers.advance(pause);
    await next;
  }
  const waits: string[] = [];
  const loading = engine.load(never, (reason) => waits.push(reason));
  await until(() => timers.waiting.includes(4000));
  timers.advance(4000);
  await loading;
  assert.ok(waits.includes('The model process ended 4 times; waiting before it is started again'));
  assert.equal(await textOf(engine.generate(say('echo'), never)), 'echo');
  await crash();
  assert.equal(await textOf(engine.generate(say('echo'), never)), 'echo');
});

test('given a pause after crashes, when the request is aborted, then it does not wait for its end', async () => {
  const timers = new ManualTimers();
  const { engine } = setUp({ host: 'crashingHost', timers });
  for (let time = 0; time < 2; time += 1) {
    await assert.rejects(textOf(engine.generate(say('die'), never)), withCode('engine-crashed'));
  }
  const controller = new AbortController();
  const loading = engine.load(controller.signal);
  loading.catch(() => undefined);
  await until(() => timers.waiting.includes(1000));
  controller.abort();
  await assert.rejects(loading, withCode('cancelled'));
  await until(() => timers.waiting.length === 0);
  assert.equal(engine.hostPid, null);
});

for (const kind of ['string', 'half', 'unknown']) {
  test(`given a host that sends a message of the kind "${kind}", when it does, then it is refused and reported`, async () => {
    const { engine, log } = setUp({ host: 'garbageHost' });
    await assert.rejects(textOf(engine.generate(say(kind), never)), withCode('engine-failed'));
    assert.ok(log.some((line) => line.startsWith('The engine host sent what cannot be read:')));
    assert.equal(engine.status().state, 'failed');
  });
}

test('given a host that dies in the middle of a message, when it does, then the server lives and the answer fails', async () => {
  const { engine } = setUp({ host: 'garbageHost' });
  await assert.rejects(textOf(engine.generate(say('bytes'), never)), withCode('engine-crashed'));
});

test('given a host that cannot start, when a model is needed, then the error says how it ended', async () => {
  const { engine, log } = setUp({ host: 'stillbornHost' });
  await assert.rejects(engine.load(never), (error) => {
    assert.ok(withCode('engine-crashed')(error));
    assert.match((error as Error).message, /exit code 3/);
    return true;
  });
  assert.equal(engine.status().state, 'failed');
  await until(() => log.includes('cannot start'));
});

test('given a load that takes long, when all who wait give up, then the load is cancelled', async () => {
  const { engine } = setUp({ host: 'slowHost' });
  const controllers = [new AbortController(), new AbortController()];
  const waits: unknown[] = [];
  const loads = controllers.map(({ signal }) => engine.load(signal, (...wait) => waits.push(wait)));
  for (const load of loads) load.catch(() => undefined);
  await until(() => engine.status().fraction === 0.5);
  controllers[0]?.abort();
  await assert.rejects(loads[0] ?? Promise.resolve(), withCode('cancelled'));
  assert.equal(engine.status().state, 'loading');
  controllers[1]?.abort();
  await assert.rejects(loads[1] ?? Promise.resolve(), withCode('cancelled'));
  await until(() => engine.status().state === 'unloaded');
  await until(() => engine.hostPid === null);
  assert.deepEqual(waits.at(-1), ['Loading the model', 0.5]);
});

test('given a load that was given up, when another is asked for at once, then it is not drawn into the end', async () => {
  const { engine } = setUp({ host: 'workingHost' });
  const controller = new AbortController();
  const givenUp = engine.load(controller.signal);
  controller.abort();
  const wanted = engine.load(never);
  await assert.rejects(givenUp, withCode('cancelled'));
  assert.equal((await wanted).identity.id, 'a');
  assert.equal(engine.status().state, 'ready');
});

test('given GPUs that crash or are full, when the choice is free, then it ends on the processor and says why', async () => {
  const { engine, log } = setUp({ host: 'brokenGpuHost', gpu: 'auto' });
  const model = await engine.load(never);
  assert.equal(model.backend, 'cpu');
  assert.equal(
    model.fallback,
    'Running on the processor. NVIDIA GPU (CUDA): The model process ended unexpectedly (SIGABRT). ' +
      'Vulkan GPU: It is full.',
  );
  assert.equal(engine.status().fallback, model.fallback);
  assert.ok(log.some((line) => line.startsWith('Not using the NVIDIA GPU (CUDA)')));
});

test('given no GPU, when the choice is free, then it runs on the processor and says what it looked for', async () => {
  const { engine } = setUp({ host: 'workingHost', gpu: 'auto' });
  const model = await engine.load(never);
  assert.equal(model.backend, 'cpu');
  assert.equal(model.fallback, 'No NVIDIA GPU (CUDA) or Vulkan GPU was found; running on the processor.');
});

test('given a GPU that crashes, when it is forced, then the error says what to do instead', async () => {
  const { engine } = setUp({ host: 'brokenGpuHost', gpu: 'cuda' });
  await assert.rejects(engine.load(never), (error) => {
    assert.ok(withCode('engine-crashed')(error));
    assert.match((error as Error).message, /^The model cannot be loaded on the NVIDIA GPU \(CUDA\)/);
    assert.equal((error as PreflexorError).remedy, 'Set preflexor.engine.gpu to auto or cpu.');
    return true;
  });
});

test('given a model that nobody uses, when the idle time has passed, then its process ends and a request loads it again', async () => {
  const timers = new ManualTimers();
  const { engine } = setUp({ host: 'workingHost', idleUnloadMs: 60_000, timers });
  await textOf(engine.generate(say('hello'), never));
  const pid = engine.hostPid;
  timers.advance(59_999);
  assert.equal(engine.status().state, 'ready');
  timers.advance(1);
  await until(() => engine.status().state === 'unloaded');
  assert.ok(!isRunning(pid));
  assert.equal(await textOf(engine.generate(say('again'), never)), 'again');
});

test('given a lease, when the idle time passes, then the model stays until the lease is released', async () => {
  const timers = new ManualTimers();
  const { engine } = setUp({ host: 'workingHost', idleUnloadMs: 1000, timers });
  const lease = engine.acquire();
  await textOf(engine.generate(say('hello'), never));
  timers.advance(5000);
  assert.equal(engine.status().state, 'ready');
  lease.release();
  lease.release();
  timers.advance(999);
  assert.equal(engine.status().state, 'ready');
  timers.advance(1);
  await until(() => engine.status().state === 'unloaded');
});

test('given a running answer, when the model is unloaded, then the answer ends as cancelled and memory is free', async () => {
  const { engine } = setUp({ host: 'workingHost' });
  const answer = textOf(engine.generate(say('wait'), never));
  answer.catch(() => undefined);
  await until(() => engine.status().state === 'generating');
  const pid = engine.hostPid;
  await engine.unload();
  assert.ok(!isRunning(pid));
  await assert.rejects(answer, withCode('cancelled'));
  assert.equal(engine.status().state, 'unloaded');
});

test('given a host that listens to nothing, when the engine is disposed of, then the process is gone', async () => {
  const { engine } = setUp({ host: 'hangingHost' });
  const answer = textOf(engine.generate(say('wait'), never));
  answer.catch(() => undefined);
  await until(() => engine.status().state === 'generating');
  const pid = engine.hostPid;
  await engine.dispose();
  assert.ok(!isRunning(pid));
  await assert.rejects(textOf(engine.generate(say('more'), never)), withCode('engine-failed'));
});

test('given a listener that throws, when the status changes, then the others hear it all the same', async () => {
  const { engine, statuses, log } = setUp({ host: 'workingHost' });
  const stop = engine.onStatus(() => {
    throw new Error('a broken listener');
  });
  await engine.load(never);
  stop();
  assert.equal(statuses.at(-1)?.state, 'ready');
  assert.ok(log.some((line) => line.includes('a broken listener')));
});

test('given Electron, when a host is started, then the executable is told to be Node', () => {
  assert.equal(hostEnvironment({ A: 'b' }, true)['ELECTRON_RUN_AS_NODE'], '1');
  assert.deepEqual(hostEnvironment({ A: 'b' }, false), { A: 'b' });
  assert.equal(hostEnvironment({ ELECTRON_RUN_AS_NODE: '1' }, false)['ELECTRON_RUN_AS_NODE'], '1');
});
