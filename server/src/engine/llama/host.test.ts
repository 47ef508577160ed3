// The real engine host's process, as far as it can be tested without a model.
import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { HostMessage, type HostRequest } from '../../protocol/index.ts';

const module = join(import.meta.dirname, 'host.ts');
const children: ChildProcess[] = [];

async function startHost(): Promise<ChildProcess> {
  const child = fork(module, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  children.push(child);
  assert.deepEqual(await messageFrom(child), { is: 'up', protocol: 1 });
  return child;
}

async function messageFrom(child: ChildProcess): Promise<HostMessage> {
  const [raw] = (await once(child, 'message')) as [unknown];
  return HostMessage.parse(raw);
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const generate: HostRequest = {
  ...{ do: 'generate', request: 3 },
  generate: {
    messages: [{ role: 'user', text: 'x' }],
    prefix: '',
    stop: [],
    maxTokens: 1,
    temperature: 0,
    seed: 0,
  },
};

test('given requests that cannot be read, when they come, then they are logged and the host lives', async () => {
  const child = await startHost();
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  child.send('nonsense');
  child.send({ do: 'load', request: 1, load: { file: 5 } });
  child.send({ do: 'tokenize', request: 2, text: 'a' } satisfies HostRequest);
  const answer = await messageFrom(child);
  assert.ok(answer.is === 'failed' && answer.request === 2);
  while (log.split('cannot be read').length < 3) await once(child.stderr ?? child, 'data');
});

test('given no model, when something is to be generated, then that is said', async () => {
  const child = await startHost();
  child.send(generate);
  const answer = await messageFrom(child);
  assert.ok(answer.is === 'failed');
  assert.equal(answer.error.code, 'bad-input');
  assert.equal(answer.error.message, 'This engine host has no model yet.');
});

test('given a parent that closes the channel, when it does, then the host ends', async () => {
  const child = await startHost();
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
});

test('given it is told to quit, when it hears that, then it ends', async () => {
  const child = await startHost();
  const ended = once(child, 'exit');
  child.send({ do: 'quit', request: 1 } satisfies HostRequest);
  await ended;
});

test('given it is started by hand, when it notices, then it says so and ends', async () => {
  const child = spawn(process.execPath, [module], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 2);
  assert.match(said, /started by the language server/);
});
