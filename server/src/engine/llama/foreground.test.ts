// While the engine writes, it holds the budget's foreground: what nobody waits for makes room.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { preflexorMarkers, type GenerateRequest } from '../../protocol/index.ts';
import { ComputeBudget } from '../compute/index.ts';
import { createLlamaEngine } from './client.ts';
import { ManualTimers } from './testing/timers.ts';

const never = new AbortController().signal;

function setUp(context: TestContext, host: string) {
  const said: (number | 'lowered')[] = [];
  const signs = {
    raise: (threads: number) => said.push(threads),
    lower: () => said.push('lowered'),
    others: () => Promise.resolve(0),
  };
  const engine = createLlamaEngine({
    ...{ modelName: 'a model', gpu: 'cpu', contextTokens: 0, threads: 0, idleUnloadMs: 0, adapter: null },
    resolveModel: () =>
      Promise.resolve({
        file: '/models/a.gguf',
        identity: { id: 'a', file: 'a.gguf', sha256: '0'.repeat(64) },
        markers: preflexorMarkers,
        chatTemplate: 'embedded',
      }),
    compute: new ComputeBudget({ cores: 2, signs, timers: new ManualTimers() }),
    hostModule: join(import.meta.dirname, 'testing', `${host}.ts`),
    measurementsFile: '/nowhere/measurements.json',
    onLog: () => undefined,
  });
  context.after(() => engine.dispose());
  return { engine, said };
}

function say(text: string): GenerateRequest {
  return { messages: [{ role: 'user', text }], prefix: '', stop: [], maxTokens: 9, temperature: 0, seed: 1 };
}

test('given a completion, when it streams and ends, then the foreground is held just so long', async (t) => {
  const { engine, said } = setUp(t, 'workingHost');
  await engine.load(never);
  assert.deepEqual(said, []);
  for await (const event of engine.generate(say('hello'), never)) {
    if (event.event === 'text') assert.deepEqual(said, [1]);
  }
  assert.deepEqual(said, [1, 'lowered']);
});

test('given a completion that is left, when its consumer goes, then the foreground is free', async (t) => {
  const { engine, said } = setUp(t, 'workingHost');
  for await (const event of engine.generate(say('wait'), never)) if (event.event === 'text') break;
  assert.deepEqual(said, [1, 'lowered']);
});

test('given a host that dies, when it does, then the foreground is free', async (t) => {
  const { engine, said } = setUp(t, 'crashingHost');
  await assert.rejects(async () => {
    for await (const event of engine.generate(say('x'), never)) assert.ok(event);
  });
  assert.deepEqual(said, [1, 'lowered']);
});
