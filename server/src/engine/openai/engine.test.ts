import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { preflexorMarkers, type GenerateEvent, type GenerateRequest } from '../../protocol/index.ts';
import type { Engine } from '../languageModel.ts';
import { createRemoteEngine, type RemoteEngineOptions } from './engine.ts';
import { baseOf } from './http.ts';
import { SpeakingServer } from './testing.ts';

const never = new AbortController().signal;

const request: GenerateRequest = {
  messages: [{ role: 'user', text: 'Why?' }],
  ...{ prefix: '', stop: [], maxTokens: 50, temperature: 0.1, seed: 7 },
};

async function desk(
  t: TestContext,
  options: Partial<RemoteEngineOptions> = {},
  extras?: Record<string, unknown>,
): Promise<{ server: SpeakingServer; engine: Engine }> {
  const server = new SpeakingServer(extras);
  await server.start();
  t.after(() => server.stop());
  const engine = createRemoteEngine({
    ...{ address: server.address, key: null, model: '', adapter: null, contextTokens: 0 },
    ...{ markers: preflexorMarkers, onLog: () => undefined, pausesMs: [1, 1], timeoutMs: 2000 },
    ...options,
  });
  return { server, engine };
}

async function all(events: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const gathered: GenerateEvent[] = [];
  for await (const event of events) gathered.push(event);
  return gathered;
}

function textOf(events: readonly GenerateEvent[]): string {
  return events.map((event) => (event.event === 'text' ? event.text : '')).join('');
}

test('given a server, when the engine loads, then model and context are what the server says', async (t) => {
  const { engine } = await desk(t);
  const loaded = await engine.load(never);
  assert.equal(loaded.identity.id, 'served-model');
  assert.equal(loaded.contextTokens, 2048);
  assert.match(engine.status().backend ?? '', /^server 127\.0\.0\.1:\d+$/);
});

test('given a server that streams, when text is generated, then it comes in order, with the server’s numbers at the end', async (t) => {
  const { server, engine } = await desk(t);
  server.say({ pieces: ['Because ', 'grains ', 'are small.'] });
  const events = await all(engine.generate(request, never));
  assert.equal(textOf(events), 'Because grains are small.');
  const end = events.at(-1);
  assert.ok(end?.event === 'end');
  assert.deepEqual(end.tokens, { prompt: 40, reused: 30, generated: 3 });
  assert.equal(end.reason, 'end-of-turn');
});

test('given an answer that is begun, when it is asked for, then the beginning goes as a message to be continued', async (t) => {
  const { server, engine } = await desk(t);
  await all(engine.generate({ ...request, prefix: '<|thinking|>\n' }, never));
  const body = server.asked.at(-1)?.body ?? {};
  assert.deepEqual((body['messages'] as unknown[]).at(-1), { role: 'assistant', content: '<|thinking|>\n' });
  assert.equal(body['continue_final_message'], true);
  assert.equal(body['add_generation_prompt'], false);
  assert.equal(body['seed'], 7);
});

test('given a stop text that straddles pieces, when it comes, then the text ends before it and the server is let go', async (t) => {
  const { server, engine } = await desk(t);
  server.say({
    pieces: ['a thought <|', '/think', 'ing|> and more', ...new Array<string>(2000).fill(' more')],
  });
  const events = await all(engine.generate({ ...request, stop: ['<|/thinking|>'] }, never));
  assert.equal(textOf(events), 'a thought ');
  const end = events.at(-1);
  assert.ok(end?.event === 'end' && end.stop === '<|/thinking|>' && end.reason === 'stop');
});

test('given a server that takes thinking apart, when it streams, then thinking and answer are one text', async (t) => {
  const { server, engine } = await desk(t);
  server.say({ reasoning: ['Hm. '], pieces: ['Yes.'] });
  assert.equal(textOf(await all(engine.generate(request, never))), 'Hm. Yes.');
});

test('given a token budget that is used up, when the text ends, then it is for its length', async (t) => {
  const { server, engine } = await desk(t);
  server.say({ pieces: ['one ', 'two '], finish: 'length' });
  const end = (await all(engine.generate(request, never))).at(-1);
  assert.ok(end?.event === 'end' && end.reason === 'length');
});

test('given a schema, when JSON is asked for, then the server is told the schema', async (t) => {
  const { server, engine } = await desk(t);
  await all(engine.generate({ ...request, jsonSchema: { type: 'object' } }, never));
  const format = server.asked.at(-1)?.body['response_format'];
  assert.deepEqual(format, {
    type: 'json_schema',
    json_schema: { name: 'answer', strict: true, schema: { type: 'object' } },
  });
});

test('given objects in a schema, when JSON is asked for, then all of their properties are required and no others allowed', async (t) => {
  const { server, engine } = await desk(t);
  const inner = { type: 'object', properties: { required: { type: 'string' } } };
  const jsonSchema = {
    type: 'object',
    properties: { mark: { enum: [1, 2] }, list: { type: 'array', items: inner }, inner },
  };
  await all(engine.generate({ ...request, jsonSchema }, never));
  const { json_schema: sent } = server.asked.at(-1)?.body['response_format'] as {
    json_schema: { schema: unknown };
  };
  const closed = { ...inner, required: ['required'], additionalProperties: false };
  assert.deepEqual(sent.schema, {
    ...{ type: 'object', required: ['mark', 'list', 'inner'], additionalProperties: false },
    properties: { mark: { enum: [1, 2] }, list: { type: 'array', items: closed }, inner: closed },
  });
});

test('given a server that is busy at first, when it is asked, then it is asked again and the answer comes', async (t) => {
  const { server, engine } = await desk(t);
  server.say(
    { status: 503, message: 'Loading model' },
    { status: 429, message: 'slow down' },
    { pieces: ['Yes.'] },
  );
  assert.equal(textOf(await all(engine.generate(request, never))), 'Yes.');
});

test('given a server that stays busy, when the tries are used up, then its own words are told', async (t) => {
  const { server, engine } = await desk(t);
  server.say(
    ...new Array<{ status: number; message: string }>(3).fill({ status: 503, message: 'Loading model' }),
  );
  await assert.rejects(all(engine.generate(request, never)), /refused \(503\): Loading model/);
  assert.equal(server.asked.filter(({ path }) => path.endsWith('completions')).length, 3);
});

test('given a wrong key, when it is refused, then it is not tried again and the remedy names the key', async (t) => {
  const { server, engine } = await desk(t, { key: 'secret' });
  server.say({ status: 401, message: 'bad key' });
  await assert.rejects(
    all(engine.generate(request, never)),
    (error) => PreflexorError.is(error, 'engine-failed') && (error.remedy ?? '').includes('Set Key'),
  );
  assert.equal(server.asked.at(-1)?.authorization, 'Bearer secret');
  assert.equal(server.asked.filter(({ path }) => path.endsWith('completions')).length, 1);
});

test('given a long answer, when it is aborted, then it ends as cancelled and the connection is closed', async (t) => {
  const { server, engine } = await desk(t);
  server.say({ pieces: new Array<string>(100_000).fill('word ') });
  const controller = new AbortController();
  await assert.rejects(
    async () => {
      for await (const event of engine.generate(request, controller.signal)) {
        if (event.event === 'text') controller.abort();
      }
    },
    (error) => PreflexorError.is(error, 'cancelled'),
  );
  while (server.dropped === 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('given a server that never answers, when the time is over, then a sentence says so', async (t) => {
  const { server, engine } = await desk(t, { timeoutMs: 300 });
  await engine.load(never);
  server.say({ never: true });
  await assert.rejects(all(engine.generate(request, never)), /did not answer in time/);
});

test('given what is no event of a chat, when it comes, then it is refused with a sentence', async (t) => {
  const { server, engine } = await desk(t);
  for (const raw of [
    'data: {"choices": 5}\n\n',
    'data: {not json\n\n',
    'data: {"error": {"message": "no memory"}}\n\n',
  ]) {
    server.say({ raw });
    await assert.rejects(all(engine.generate(request, never)), (error) =>
      PreflexorError.is(error, 'engine-failed'),
    );
  }
});

test('given a server with a tokenizer, when text is counted, then it is asked; else it is estimated', async (t) => {
  const known = await desk(t, {}, { '/tokenize': { tokens: [5, 6, 7] } });
  assert.deepEqual(await known.engine.tokenize('three tokens here', never), [5, 6, 7]);
  const unknown = await desk(t);
  assert.equal((await unknown.engine.tokenize('x'.repeat(40), never)).length, 10);
});

test('given an adapter, when the server can choose one, then each request names it', async (t) => {
  const byNumber = await desk(t, { adapter: { lora: 2, scale: 1 } });
  await all(byNumber.engine.generate(request, never));
  assert.deepEqual(byNumber.server.asked.at(-1)?.body['lora'], [{ id: 2, scale: 1 }]);
  const byName = await desk(t, { adapter: { model: 'mine' } });
  await all(byName.engine.generate(request, never));
  assert.equal(byName.server.asked.at(-1)?.body['model'], 'mine');
});

test('given a loaded adapter that is not wanted, when text is asked for, then the request switches it off, and the run has none', async (t) => {
  const { server, engine } = await desk(t, { adapter: { lora: 2, scale: 0 } });
  await all(engine.generate(request, never));
  assert.deepEqual(server.asked.at(-1)?.body['lora'], [{ id: 2, scale: 0 }]);
  assert.equal((await engine.load(never)).adapter, null);
});

test('given llama-server, when a text is left at a stop that it was not told, then the numbers are those that it had counted by then', async (t) => {
  const models = { data: [{ id: 'm', owned_by: 'llamacpp', meta: { n_ctx: 2048 } }] };
  const { server, engine } = await desk(t, {}, { '/v1/models': models });
  const chunk = (content: string, predicted: number): string =>
    `data: ${JSON.stringify({
      choices: [{ delta: { content } }],
      timings: { cache_n: 30, prompt_n: 12, predicted_n: predicted, prompt_ms: 1.5 },
    })}\n\n`;
  server.say({ raw: chunk('one ', 1) + chunk('STOP', 2) + chunk(' more', 3) });
  const stop = ['a', 'b', 'c', 'd', 'STOP'].map((text) => (text.length === 1 ? `§${text}` : text));
  const end = (await all(engine.generate({ ...request, stop }, never))).at(-1);
  assert.ok(end?.event === 'end' && end.stop === 'STOP');
  assert.deepEqual(end.tokens, { prompt: 42, reused: 30, generated: 2 });
  assert.equal(server.asked.at(-1)?.body['timings_per_token'], true);
});

test('given another server, when it is asked, then it is asked for nothing that only llama-server knows', async (t) => {
  const { server, engine } = await desk(t);
  await all(engine.generate(request, never));
  assert.equal('timings_per_token' in (server.asked.at(-1)?.body ?? {}), false);
});

test('given addresses as people write them, when they are read, then they name the same server or are refused', () => {
  for (const address of [
    'http://box:8080',
    'http://box:8080/',
    'http://box:8080/v1/',
    ' http://box:8080/v1?x=1#y',
  ])
    assert.equal(baseOf(address).href, 'http://box:8080/v1');
  assert.equal(baseOf('https://host/api').href, 'https://host/api/v1');
  for (const address of ['', 'box:8080', 'file:///etc/passwd', 'http://me:secret@box'])
    assert.throws(
      () => baseOf(address),
      (error) => PreflexorError.is(error, 'bad-input'),
    );
});
