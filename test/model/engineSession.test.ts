// A loaded model from inside: its threads, measured once and really used, and how chats are written for it.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generate } from '../../server/src/engine/llama/generation.ts';
import { openLibrary } from '../../server/src/engine/llama/library.ts';
import { loadSession, type ModelSession } from '../../server/src/engine/llama/modelSession.ts';
import { testEngine, testModelFile } from '../support/testModel.ts';

const never = new AbortController().signal;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preflexor-threads-'));
});
after(() => rm(folder, { recursive: true }));

test('given a new machine and model, when it is loaded twice, then it is measured the first time only', async () => {
  const measurementsFile = join(folder, 'measurements.json');
  const measured: boolean[] = [];
  for (let time = 0; time < 2; time += 1) {
    const engine = testEngine(testModelFile(), { threads: 0, measurementsFile });
    const states = new Set<string>();
    engine.onStatus(({ state }) => states.add(state));
    try {
      const { threads } = await engine.load(never);
      for (const count of Object.values(threads)) assert.ok(count >= 1 && count <= availableParallelism());
      assert.deepEqual(engine.status().threads, threads);
      assert.ok((await readFile(measurementsFile, 'utf8')).includes(`"prompt": ${threads.prompt}`));
    } finally {
      await engine.dispose();
    }
    measured.push(states.has('measuring'));
  }
  assert.deepEqual(measured, [true, false]);
});

test('given two counts, when a completion runs, then each phase uses its own', async () => {
  const session = await load('embedded');
  const used: Record<string, number> = {};
  await generate(
    { ...session, threads: { prompt: 2, generation: 1 } },
    {
      messages: [{ role: 'user', text: 'Name three metals.' }],
      ...{ prefix: '', stop: [], maxTokens: 3, temperature: 0, seed: 1 },
    },
    never,
    ({ event }) => {
      used[event] = session.sequence.context.currentThreads;
    },
  );
  assert.deepEqual(used, { prompt: 2, text: 1, end: 1 });
  await session.model.llama.dispose();
});

test('given a chat, when it is written, then it is what the template in the file says, and one that is built in agrees', async () => {
  for (const chatTemplate of ['embedded', 'chatML']) {
    const session = await load(chatTemplate);
    const tokens = session.format.tokens(
      [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', text: 'Hi' },
        { role: 'assistant', text: 'Hello.' },
        { role: 'user', text: 'Bye' },
      ],
      '<|thinking|>\n',
    );
    assert.equal(
      session.model.detokenize(tokens, true),
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n' +
        '<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n' +
        '<|im_start|>assistant\n<|thinking|>\n',
    );
    await session.model.llama.dispose();
  }
});

function load(chatTemplate: string): Promise<ModelSession> {
  return loadSession(
    {
      ...{ file: testModelFile(), gpu: 'cpu', contextTokens: 512, threads: 3, adapter: null },
      ...{ chatTemplate, measurementsFile: join(folder, 'unused.json') },
    },
    {
      signal: never,
      onProgress: () => undefined,
      log: () => undefined,
      open: (backend) => openLibrary(backend, () => undefined),
    },
  );
}
