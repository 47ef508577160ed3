// The engine behind an OpenAI-compatible server, on a real one: what the scripted server of the unit tests only
// claims, llama-server does. Not part of `npm test`: the server takes minutes to build (`npm run test:peer`).
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { createRemoteEngine, type Engine, type RemoteAdapter } from '../../server/src/engine/index.ts';
import { PreflexorError } from '../../server/src/errors.ts';
import {
  preflexorMarkers,
  Rubric,
  Run,
  type GenerateEvent,
  type GenerateRequest,
} from '../../server/src/protocol/index.ts';
import { rubricSchema } from '../../server/src/reasoning/index.ts';
import { lineOf, paper, preflexor } from '../cli/support.ts';
import { testEngine, testModelFile } from '../support/testModel.ts';
import { LlamaServer } from './llamaServer.ts';

const never = new AbortController().signal;
let server: LlamaServer;
before(async () => {
  server = await LlamaServer.start();
});
after(() => server.stop());

const withoutAdapter: RemoteAdapter = { lora: 0, scale: 0 };

function engineWith(adapter: RemoteAdapter | null = withoutAdapter): Engine {
  return createRemoteEngine({
    ...{ address: server.address, key: null, model: '', contextTokens: 0, adapter },
    ...{ markers: preflexorMarkers, onLog: () => undefined },
  });
}

const request: GenerateRequest = {
  messages: [
    { role: 'system', text: 'You answer in plain words.' },
    { role: 'user', text: 'Why are alloys with small grains hard?' },
  ],
  ...{ prefix: '', stop: [], maxTokens: 40, temperature: 0, seed: 7 },
};

async function gathered(events: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

function textOf(events: readonly GenerateEvent[]): string {
  return events.map((event) => (event.event === 'text' ? event.text : '')).join('');
}

async function written(change: Partial<GenerateRequest> = {}, engine = engineWith()): Promise<string> {
  return textOf(await gathered(engine.generate({ ...request, ...change }, never)));
}

test('given a real server, when it is loaded, then its model and context are known', async () => {
  const loaded = await engineWith().load(never);
  assert.match(loaded.identity.id, /SmolLM2/i);
  assert.equal(loaded.contextTokens, 4096);
});

test('given a real server, when it generates, then text comes in pieces and the numbers at the end are the server’s', async () => {
  const engine = engineWith();
  const first = await gathered(engine.generate(request, never));
  assert.ok(first.filter(({ event }) => event === 'text').length > 5);
  const end = first.at(-1);
  assert.ok(end?.event === 'end');
  assert.equal(end.reason, 'length');
  assert.equal(end.tokens.generated, 40);
  assert.ok(end.tokens.prompt > 20);
  // The same prompt again is in the cache, but for the token that has to be evaluated.
  const again = (await gathered(engine.generate(request, never))).at(-1);
  assert.ok(again?.event === 'end');
  assert.ok(again.tokens.reused >= again.tokens.prompt - 4, JSON.stringify(again.tokens));
});

test('given an answer that is begun, when it is gone on with, then the text is that of a whole prompt with this beginning', async () => {
  const prefix = '<|thinking|>\nSmall grains have many boundaries, and';
  const { prompt } = z.object({ prompt: z.string() }).parse(
    await server.post('/apply-template', {
      messages: request.messages.map(({ role, text }) => ({ role, content: text })),
      add_generation_prompt: true,
    }),
  );
  const whole = z.object({ content: z.string() }).parse(
    await server.post('/completion', {
      ...{ prompt: `${prompt}${prefix}`, n_predict: 40, temperature: 0, seed: 7, cache_prompt: false },
      lora: [{ id: 0, scale: 0 }],
    }),
  );
  assert.equal(await written({ prefix }), whole.content);
  assert.ok(whole.content.trim().length > 10);
});

test('given an answer whose beginning ends in the middle of a line, when it is gone on with, then nothing of it is repeated or lost', async () => {
  const full = await written();
  const cut = full.indexOf(' ', 20);
  assert.ok(cut > 0);
  const rest = await written({ prefix: full.slice(0, cut) });
  assert.ok(rest.startsWith(full.slice(cut, cut + 10)), JSON.stringify({ full, rest }));
});

test('given a text to stop at, when it comes, then what is before it is given, also where it is the seventh that is named', async () => {
  const full = await written();
  const word = full.slice(30, 36);
  const expected = full.slice(0, full.indexOf(word));
  const others = ['§1', '§2', '§3', '§4', '§5', '§6'];
  assert.equal(await written({ stop: [word] }), expected);
  assert.equal(await written({ stop: [...others, word] }), expected);
});

test('given the same seed, when text is sampled twice, then it is the same; with another seed it is another', async () => {
  const sampled = { temperature: 1, maxTokens: 24 };
  // The first one fills the cache: from then on both are computed in the same batches.
  await written(sampled);
  const one = await written(sampled);
  assert.equal(await written(sampled), one);
  assert.notEqual(await written({ ...sampled, seed: 8 }), one);
});

test('given a schema, when the smallest model is asked for marks, then they fit it', async () => {
  const messages = [
    ...request.messages,
    { role: 'assistant' as const, text: 'They are.' },
    { role: 'user' as const, text: 'Judge it, as JSON.' },
  ];
  const text = await written({ messages, jsonSchema: rubricSchema, maxTokens: 64 });
  assert.ok(Rubric.safeParse(JSON.parse(text)).success, text);
});

test('given a long answer, when it is aborted, then the server stops working on it and the next request is answered', async () => {
  const engine = engineWith();
  const controller = new AbortController();
  const before = await server.generatedTokens();
  const long = {
    ...request,
    maxTokens: 3000,
    temperature: 1,
    messages: [{ role: 'user' as const, text: 'Count from 1 to 5000.' }],
  };
  await assert.rejects(
    async () => {
      for await (const event of engine.generate(long, controller.signal))
        if (event.event === 'text') controller.abort();
    },
    (error) => PreflexorError.is(error, 'cancelled'),
  );
  while (!(await server.isIdle())) await delay(20);
  assert.equal((await written({ maxTokens: 4 }, engine)).length > 0, true);
  // It would have gone on to 3,000.
  assert.ok((await server.generatedTokens()) - before < 300);
});

test('given a text, when it is cut into tokens, then they are those of the engine on the same file', async () => {
  const local = testEngine(testModelFile());
  try {
    for (const text of ['Grain boundaries stop dislocations.', '<|thinking|> α-iron, 3½ µm 😀\n\n  end']) {
      assert.deepEqual(await engineWith().tokenize(text, never), await local.tokenize(text, never), text);
    }
  } finally {
    await local.dispose();
  }
});

test('given an adapter that the server has loaded, when requests choose it or not, then each gets what it chose', async () => {
  const base = await written();
  const adapted = await written({}, engineWith({ lora: 0, scale: 1 }));
  assert.notEqual(adapted, base);
  assert.equal(await written(), base);
  assert.equal(await written({}, engineWith({ lora: 0, scale: 1 })), adapted);
  assert.equal((await engineWith({ lora: 0, scale: 1 }).load(never)).adapter, 'lora 0');
  assert.equal((await engineWith().load(never)).adapter, null);
});

test('given a server, when three rounds are run against it from the command line, then the run has all that the contract names', async (t) => {
  const { note } = await paper(t);
  const at = lineOf(await readFile(note, 'utf8'), 'Texture in polycrystalline materials');
  const { code, stdout, stderr } = await preflexor([
    ...['reason', note, '--at', at, '--engine-url', server.address, '--adapter', '0'],
    ...['--iterations', '3', '--seed', '3', '--json'],
    ...['--thinking-tokens', '48', '--reflection-tokens', '32', '--answer-tokens', '48'],
  ]);
  assert.equal(code, 0, stderr);
  const run = Run.parse(JSON.parse(stdout));
  assert.deepEqual(
    run.iterations.map(({ index }) => index),
    run.stoppedBecause === 'finished' ? [0, 1, 2, 3] : run.iterations.map((_, index) => index),
  );
  assert.ok(run.iterations.length > 1);
  assert.match(run.provenance.backend, /^server 127\.0\.0\.1:/);
  assert.equal(run.adapter, 'lora 0');
  assert.equal(run.provenance.critic?.adapter, null);
  for (const { thinking, tokens, rubrics } of run.iterations) {
    assert.ok(thinking !== '' && tokens.generated > 0 && tokens.prompt > 0);
    assert.equal(rubrics?.length, 2);
  }
  for (const step of run.steps ?? []) assert.ok(step.tokens.prompt > 0, step.name);
});

test('given a server, when experiment 1 is run against it, then the report names the server and says that it has no hash', async (t) => {
  const { folder } = await paper(t);
  const { code, stdout, stderr } = await preflexor([
    ...['eval', '1', '--workspace', folder, '--limit', '1', '--engine-url', server.address, '--json'],
    ...['--thinking-tokens', '24', '--reflection-tokens', '16', '--answer-tokens', '24'],
  ]);
  assert.equal(code, 0, stderr);
  const report = z
    .object({ makers: z.array(z.object({ backend: z.string() })), cautions: z.array(z.string()) })
    .parse(JSON.parse(stdout));
  assert.match(report.makers[0]?.backend ?? '', /^server /);
  assert.ok(report.cautions.some((caution) => caution.includes('no hash')));
});
