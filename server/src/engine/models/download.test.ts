import assert from 'node:assert/strict';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { DownloadProgress } from '../../protocol/index.ts';
import { download, type DownloadRequest } from './download.ts';
import { FileServer, never, quickPolicy, temporaryFolder, tinyModel } from './testing.ts';

const content = tinyModel('Tiny', 4000);

async function setUp(context: TestContext): Promise<{ server: FileServer; request: DownloadRequest }> {
  const server = await FileServer.start(context, content);
  return { server, request: await requestFor(context, `${server.address}/x.gguf`) };
}

async function requestFor(context: TestContext, url: string): Promise<DownloadRequest> {
  const part = join(await temporaryFolder(context), 'x.gguf.part');
  const onProgress = (): void => {};
  const fixed = { bytes: content.length, mostBytes: content.length, verified: true, token: null };
  return { url, part, ...fixed, policy: quickPolicy, onProgress, signal: never };
}

async function assertComplete(request: DownloadRequest): Promise<void> {
  assert.ok(content.equals(await readFile(request.part)));
}

/** Leaves a part of so many bytes behind, as a download that was stopped does. */
async function stopAfter(bytes: number, server: FileServer, request: DownloadRequest): Promise<void> {
  const stop = new AbortController();
  server.next({ kind: 'stall', after: bytes });
  const onProgress = ({ received }: DownloadProgress): void => {
    if (received === bytes) stop.abort();
  };
  await assert.rejects(download({ ...request, signal: stop.signal, onProgress }), { code: 'cancelled' });
  assert.equal((await readFile(request.part)).length, bytes);
}

test('given a server that serves, when a file is downloaded, then it is whole and progress ends at its size', async (t) => {
  const { request } = await setUp(t);
  const seen: DownloadProgress[] = [];
  assert.deepEqual(await download({ ...request, onProgress: (event) => seen.push(event) }), {
    resumed: false,
  });
  await assertComplete(request);
  assert.deepEqual(seen[0], { event: 'progress', received: 0, total: content.length });
  assert.deepEqual(seen.at(-1), { event: 'progress', received: content.length, total: content.length });
});

test('given a connection that breaks off twice, when a file is downloaded, then it goes on where it was', async (t) => {
  const { server, request } = await setUp(t);
  server.next({ kind: 'stall', after: 50_000 }, { kind: 'stall', after: 10_000 });
  const onProgress = ({ received }: DownloadProgress): void => {
    if (received === 50_000 || received === 60_000) server.cut();
  };
  await download({ ...request, policy: { ...quickPolicy, stallMs: 60_000 }, onProgress });
  await assertComplete(request);
  const ranges = server.requests.map(({ headers }) => headers.range);
  assert.deepEqual(ranges, [undefined, 'bytes=50000-', 'bytes=60000-']);
  assert.equal(server.requests[1]?.headers['if-range'], server.etag);
});

test('given a server that stalls, when a file is downloaded, then the connection is given up and it goes on', async (t) => {
  const { server, request } = await setUp(t);
  server.next({ kind: 'stall', after: 40_000 });
  await download(request);
  await assertComplete(request);
  assert.equal(server.requests[1]?.headers.range, 'bytes=40000-');
});

test('given a stopped download, when it is asked for again, then only the rest is fetched', async (t) => {
  const { server, request } = await setUp(t);
  await stopAfter(70_000, server, request);
  assert.deepEqual(await download(request), { resumed: true });
  await assertComplete(request);
  assert.equal(server.requests.at(-1)?.headers.range, 'bytes=70000-');
});

test('given a part and a server that ignores ranges, when it goes on, then it starts anew and is whole', async (t) => {
  const { server, request } = await setUp(t);
  await stopAfter(70_000, server, request);
  server.next({ kind: 'ignore-range' });
  assert.deepEqual(await download(request), { resumed: false });
  await assertComplete(request);
});

test('given a part and another file on the server, when it goes on, then it starts anew and is the new file', async (t) => {
  const { server, request } = await setUp(t);
  await stopAfter(70_000, server, request);
  server.content = Buffer.from(content).reverse();
  server.etag = '"another"';
  assert.deepEqual(await download(request), { resumed: false });
  assert.ok(server.content.equals(await readFile(request.part)));
});

test('given a server without validators, when the result will be verified, then it goes on, and otherwise starts anew', async (t) => {
  const { server, request } = await setUp(t);
  server.etag = null;
  await stopAfter(70_000, server, request);
  assert.deepEqual(await download({ ...request, verified: false }), { resumed: false });
  assert.equal(server.requests.at(-1)?.headers.range, undefined);
  const again = { ...request, part: `${request.part}.2` };
  await stopAfter(70_000, server, again);
  assert.deepEqual(await download(again), { resumed: true });
  await assertComplete(again);
});

test('given a part that is complete or too long, when it goes on, then it is not fetched twice or is made anew', async (t) => {
  const { server, request } = await setUp(t);
  await download(request);
  const asked = server.requests.length;
  await download(request);
  assert.equal(server.requests.length, asked);
  await writeFile(request.part, Buffer.concat([content, Buffer.from('more')]));
  await download(request);
  await assertComplete(request);
});

test('given a part at the end of a file of unknown size, when the server answers 416, then it is complete', async (t) => {
  const { server, request } = await setUp(t);
  await stopAfter(70_000, server, request);
  await writeFile(request.part, content);
  const state = JSON.parse(await readFile(`${request.part}.json`, 'utf8')) as object;
  await writeFile(`${request.part}.json`, JSON.stringify({ ...state, total: null }));
  await download(request);
  await assertComplete(request);
  assert.equal(server.requests.length, 2);
});

test('given a part longer than the file on the server, when it answers 416, then it starts anew', async (t) => {
  const { server, request } = await setUp(t);
  await stopAfter(70_000, server, request);
  await writeFile(request.part, Buffer.alloc(content.length + 1));
  const state = JSON.parse(await readFile(`${request.part}.json`, 'utf8')) as object;
  await writeFile(`${request.part}.json`, JSON.stringify({ ...state, total: null }));
  await download(request);
  await assertComplete(request);
});

test('given a record of the part that is damaged, when it goes on, then it starts anew', async (t) => {
  const { server, request } = await setUp(t);
  await stopAfter(70_000, server, request);
  await writeFile(`${request.part}.json`, '{"url":');
  assert.deepEqual(await download(request), { resumed: false });
  await assertComplete(request);
});

test('given passing trouble on the server, when a file is downloaded, then it tries again', async (t) => {
  const { server, request } = await setUp(t);
  const busy = { kind: 'status', status: 429, headers: { 'retry-after': '0' } } as const;
  server.next({ kind: 'status', status: 503 }, busy);
  await download(request);
  await assertComplete(request);
});

test('given a server that only fails, when a file is downloaded, then it ends after some attempts and says so', async (t) => {
  const { server, request } = await setUp(t);
  server.next(...Array.from({ length: 9 }, () => ({ kind: 'status', status: 500 }) as const));
  await assert.rejects(download(request), { code: 'download-failed', message: /answered 500/ });
  assert.equal(server.requests.length, quickPolicy.attempts);
});

test('given a file that is not there, when it is downloaded, then it is asked for once', async (t) => {
  const { server, request } = await setUp(t);
  server.next({ kind: 'status', status: 404 });
  await assert.rejects(download(request), { code: 'download-failed', message: /does not have this file/ });
  assert.equal(server.requests.length, 1);
});

test('given a file for which a token is needed, when there is none, then the error says how to give one', async (t) => {
  const { server, request } = await setUp(t);
  server.token = 'secret';
  await assert.rejects(download(request), { code: 'download-failed', remedy: /HF_TOKEN/ });
});

test('given a token, when it is asked for, then it goes to its own host and not on to another', async (t) => {
  const { server, request } = await setUp(t);
  const storage = await FileServer.start(t, content);
  server.token = 'secret';
  server.next({ kind: 'serve' }, { kind: 'redirect', to: `${storage.address}/blob` });
  await download({ ...request, token: 'secret' });
  await assertComplete(request);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    [undefined, 'Bearer secret'],
  );
  assert.equal(storage.requests[0]?.headers.authorization, undefined);
});

test('given an address with a name and a password, when it is used, then they go into a header and no further', async (t) => {
  const { server, request } = await setUp(t);
  const storage = await FileServer.start(t, content);
  server.next({ kind: 'redirect', to: `${storage.address}/blob` });
  await download({ ...request, url: request.url.replace('http://', 'http://me:p%40ss@') });
  await assertComplete(request);
  assert.equal(
    server.requests[0]?.headers.authorization,
    `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
  );
  assert.equal(storage.requests[0]?.headers.authorization, undefined);
});

test('given redirects to other kinds of addresses or in circles, when they are followed, then it is refused', async (t) => {
  const { server, request } = await setUp(t);
  server.next({ kind: 'redirect', to: 'file:///etc/passwd' });
  await assert.rejects(download(request), { code: 'download-failed', message: /not allowed/ });
  server.next(...Array.from({ length: 20 }, () => ({ kind: 'redirect', to: '/again' }) as const));
  await assert.rejects(download(request), { code: 'download-failed', message: /in circles/ });
});

test('given a file of another size, when it is downloaded, then it ends before the bytes are fetched', async (t) => {
  const { request } = await setUp(t);
  const wrong = { ...request, bytes: content.length + 1, mostBytes: content.length + 1 };
  await assert.rejects(download(wrong), { code: 'checksum-mismatch' });
  await assert.rejects(readFile(request.part), { code: 'ENOENT' });
});

test('given a file far larger than expected, when its size is only about known, then it is refused', async (t) => {
  const { request } = await setUp(t);
  const small = { ...request, bytes: null, mostBytes: 1000 };
  await assert.rejects(download(small), { code: 'checksum-mismatch' });
});

test('given nobody at the address, when a file is downloaded, then the error is offline and says what to do', async (t) => {
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  const address = free.address();
  await new Promise((resolve) => free.close(resolve));
  assert.ok(typeof address === 'object' && address !== null);
  const request = await requestFor(t, `http://127.0.0.1:${address.port}/x`);
  await assert.rejects(download(request), { code: 'offline', remedy: /preflexor models add FILE/ });
  await assert.rejects(download({ ...request, url: 'http://nowhere.invalid/x' }), { code: 'offline' });
});

test('given a server that accepts and never answers, when a file is downloaded, then it is offline', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  t.after(() => silent.close());
  const sockets = new Set<{ destroy(): void }>();
  silent.on('connection', (socket) => sockets.add(socket));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await new Promise((resolve) => silent.once('listening', resolve));
  const address = silent.address();
  assert.ok(typeof address === 'object' && address !== null);
  const request = await requestFor(t, `http://127.0.0.1:${address.port}/x`);
  const policy = { ...quickPolicy, connectMs: 100 };
  await assert.rejects(download({ ...request, policy }), { code: 'offline' });
});

test('given a full disk, when a file is downloaded, then it says so at once', async (t) => {
  if (process.platform !== 'linux') {
    t.skip('/dev/full is of Linux');
    return;
  }
  const { server, request } = await setUp(t);
  await symlink('/dev/full', request.part);
  await assert.rejects(download(request), { code: 'disk-full', remedy: /room/ });
  assert.equal(server.requests.length, 1);
});

test('given a file larger than the room on the disk, when it is downloaded, then it ends before the bytes are fetched', async (t) => {
  const { server, request } = await setUp(t);
  server.next({ kind: 'announce', bytes: 1e15 });
  const large = { ...request, bytes: null, mostBytes: 1e16 };
  await assert.rejects(download(large), { code: 'disk-full', message: /needs 1000000\.0 GB/ });
});
